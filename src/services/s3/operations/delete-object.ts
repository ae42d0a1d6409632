import type { DeletedObject, DeleteObjectOutput, DeleteObjectRequest, DeleteObjectsOutput, DeleteObjectsRequest, ObjectIdentifier } from '@aws-sdk/client-s3';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { checkWrite } from '../domain/conditions.ts';
import { checkRemoval } from '../domain/lock.ts';
import { checkKey, isVersionId, newStamp } from '../domain/names.ts';
import { type BucketRecord, NULL_VERSION } from '../domain/records.ts';
import { headerNotImplemented, invalidArgument, invalidRequest, malformedXml, noSuchVersion } from '../errors.ts';
import { DELETE_CONCURRENCY, LIST_MAX } from '../limits.ts';
import { announce, happening } from '../notify.ts';
import { checkVersionId, nowSeconds } from '../objects.ts';
import { inObject } from '../store.ts';

interface Outcome {
  /** A delete marker was made or removed. */
  readonly deleteMarker?: boolean;
  /** Of the marker that was made, or of the version that was removed. */
  readonly versionId?: string;
}

export async function deleteObject(ctx: Ctx, input: DeleteObjectRequest): Promise<DeleteObjectOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  if (input.IfMatchLastModifiedTime !== undefined) throw headerNotImplemented('x-amz-if-match-last-modified-time');
  if (input.IfMatchSize !== undefined) throw headerNotImplemented('x-amz-if-match-size');
  const bucket = await openBucket(ctx, input);
  checkBypass(bucket, input);
  checkVersionId(input.VersionId);
  const outcome = await deleteOne(ctx, bucket, key, { versionId: input.VersionId, ifMatch: input.IfMatch, bypass: input.BypassGovernanceRetention === true });
  return { ...(outcome.deleteMarker ? { DeleteMarker: true } : {}), ...(outcome.versionId === undefined ? {} : { VersionId: outcome.versionId }) };
}

interface Deletion {
  readonly versionId: string | undefined;
  readonly ifMatch: string | undefined;
  /** Governance retention does not hold. */
  readonly bypass: boolean;
}

/** "Working with delete markers": without a version id a versioned key gets a marker; with one, that version goes for good. */
function deleteOne(ctx: Ctx, bucket: BucketRecord, key: string, { versionId, ifMatch, bypass }: Deletion): Promise<Outcome> {
  const stamp = newStamp(ctx.platform.ids);
  const modifiedMs = nowSeconds(ctx);
  const nowMs = ctx.platform.clock.virtual();
  const removal = happening(ctx, 'ObjectRemoved:Delete');
  const marking = happening(ctx, 'ObjectRemoved:DeleteMarkerCreated');
  return inObject(ctx, bucket, key, {}, (object, tx): Outcome => {
    if (ifMatch !== undefined && ifMatch !== '*') checkWrite({ IfMatch: ifMatch }, key, object.find(versionId));
    if (versionId !== undefined) {
      const target = object.find(versionId);
      if (target && !target.deleteMarker) checkRemoval(target, nowMs, bypass);
      const removed = object.remove(versionId);
      if (removed) announce(ctx, tx, object.bucket, key, removal, removed);
      return { ...(removed?.deleteMarker ? { deleteMarker: true } : {}), ...(object.bucket.versioning ? { versionId } : {}) };
    }
    if (object.bucket.versioning === undefined) {
      if (object.current) object.remove(object.current.versionId);
      // S3 tells of the deletion of what was not there, too.
      announce(ctx, tx, object.bucket, key, removal, object.current ?? ABSENT);
      return {};
    }
    const marker = object.write({ deleteMarker: true, modifiedMs, account: bucket.account }, stamp);
    announce(ctx, tx, object.bucket, key, marking, marker);
    return { deleteMarker: true, versionId: marker.versionId };
  });
}

const ABSENT = { deleteMarker: true, versionId: NULL_VERSION } as const;

function checkBypass(bucket: BucketRecord, input: { readonly BypassGovernanceRetention?: boolean | undefined }): void {
  if (input.BypassGovernanceRetention !== undefined && !bucket.objectLock) {
    throw invalidArgument('x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.', 'x-amz-bypass-governance-retention');
  }
}

export async function deleteObjects(ctx: Ctx, input: DeleteObjectsRequest): Promise<DeleteObjectsOutput> {
  const objects = input.Delete?.Objects;
  if (!objects || objects.length === 0 || objects.length > LIST_MAX) throw malformedXml();
  checkIntegrity(ctx);
  const bucket = await openBucket(ctx, input);
  checkBypass(bucket, input);
  const bypass = input.BypassGovernanceRetention === true;
  const results: ({ deleted: DeletedObject } | { error: NonNullable<DeleteObjectsOutput['Errors']>[number] })[] = [];
  for (let i = 0; i < objects.length; i += DELETE_CONCURRENCY) {
    results.push(...(await Promise.all(objects.slice(i, i + DELETE_CONCURRENCY).map((object) => deleteListed(ctx, bucket, object, bypass)))));
  }
  const deleted = results.flatMap((result) => ('deleted' in result ? [result.deleted] : []));
  const errors = results.flatMap((result) => ('error' in result ? [result.error] : []));
  return { ...(input.Delete?.Quiet ? {} : { Deleted: deleted }), ...(errors.length > 0 ? { Errors: errors } : {}) };
}

/** S3 takes no DeleteObjects without a checksum of any kind over its body; the gateway's own callers need none. */
function checkIntegrity(ctx: Ctx): void {
  const headers = ctx.http?.headers;
  if (!headers || headers['content-md5'] !== undefined || headers['x-amz-trailer'] !== undefined) return;
  if (Object.keys(headers).some((name) => name.startsWith('x-amz-checksum-'))) return;
  throw invalidRequest('Missing required header for this request: Content-MD5 OR x-amz-checksum-*');
}

async function deleteListed(ctx: Ctx, bucket: BucketRecord, object: ObjectIdentifier, bypass: boolean) {
  const Key = object.Key ?? '';
  const VersionId = object.VersionId;
  try {
    checkKey(Key);
    if (VersionId !== undefined && !isVersionId(VersionId)) throw noSuchVersion(Key, VersionId);
    const outcome = await deleteOne(ctx, bucket, Key, { versionId: VersionId, ifMatch: object.ETag, bypass });
    const marker = outcome.deleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: outcome.versionId } : {};
    return { deleted: { Key, ...(VersionId === undefined ? {} : { VersionId }), ...marker } as DeletedObject };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { error: { Key, ...(VersionId === undefined ? {} : { VersionId }), Code: error.code, Message: error.message } };
  }
}
