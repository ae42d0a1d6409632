import type { DeletedObject, DeleteObjectOutput, DeleteObjectRequest, DeleteObjectsOutput, DeleteObjectsRequest, ObjectIdentifier } from '@aws-sdk/client-s3';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { checkWrite } from '../domain/conditions.ts';
import { checkKey, isVersionId, newStamp } from '../domain/names.ts';
import type { BucketRecord } from '../domain/records.ts';
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
  refuseUnbuilt(input);
  if (input.IfMatchLastModifiedTime !== undefined) throw headerNotImplemented('x-amz-if-match-last-modified-time');
  if (input.IfMatchSize !== undefined) throw headerNotImplemented('x-amz-if-match-size');
  const bucket = await openBucket(ctx, input);
  checkVersionId(input.VersionId);
  const outcome = await deleteOne(ctx, bucket, key, input.VersionId, input.IfMatch);
  return { ...(outcome.deleteMarker ? { DeleteMarker: true } : {}), ...(outcome.versionId === undefined ? {} : { VersionId: outcome.versionId }) };
}

/** "Working with delete markers": without a version id a versioned key gets a marker; with one, that version goes for good. */
function deleteOne(ctx: Ctx, bucket: BucketRecord, key: string, versionId: string | undefined, ifMatch?: string): Promise<Outcome> {
  const stamp = newStamp(ctx.platform.ids);
  const modifiedMs = nowSeconds(ctx);
  const removal = happening(ctx, 'ObjectRemoved:Delete');
  const marking = happening(ctx, 'ObjectRemoved:DeleteMarkerCreated');
  return inObject(ctx, bucket, key, {}, (object, tx): Outcome => {
    if (ifMatch !== undefined && ifMatch !== '*') checkWrite({ IfMatch: ifMatch }, key, object.find(versionId));
    if (versionId !== undefined) {
      const removed = object.remove(versionId);
      if (removed) announce(ctx, tx, object.bucket, key, removal, removed);
      return { ...(removed?.deleteMarker ? { deleteMarker: true } : {}), ...(object.bucket.versioning ? { versionId } : {}) };
    }
    if (object.bucket.versioning === undefined) {
      const removed = object.current && object.remove(object.current.versionId);
      if (removed) announce(ctx, tx, object.bucket, key, removal, removed);
      return {};
    }
    const marker = object.write({ deleteMarker: true, modifiedMs, account: bucket.account }, stamp);
    announce(ctx, tx, object.bucket, key, marking, marker);
    return { deleteMarker: true, versionId: marker.versionId };
  });
}

function refuseUnbuilt(input: { readonly BypassGovernanceRetention?: boolean | undefined }): void {
  if (input.BypassGovernanceRetention !== undefined) {
    throw invalidArgument('x-amz-bypass-governance-retention is only applicable to Object Lock enabled buckets.', 'x-amz-bypass-governance-retention');
  }
}

export async function deleteObjects(ctx: Ctx, input: DeleteObjectsRequest): Promise<DeleteObjectsOutput> {
  refuseUnbuilt(input);
  const objects = input.Delete?.Objects;
  if (!objects || objects.length === 0 || objects.length > LIST_MAX) throw malformedXml();
  checkIntegrity(ctx);
  const bucket = await openBucket(ctx, input);
  const results: ({ deleted: DeletedObject } | { error: NonNullable<DeleteObjectsOutput['Errors']>[number] })[] = [];
  for (let i = 0; i < objects.length; i += DELETE_CONCURRENCY) {
    results.push(...(await Promise.all(objects.slice(i, i + DELETE_CONCURRENCY).map((object) => deleteListed(ctx, bucket, object)))));
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

async function deleteListed(ctx: Ctx, bucket: BucketRecord, object: ObjectIdentifier) {
  const Key = object.Key ?? '';
  const VersionId = object.VersionId;
  try {
    checkKey(Key);
    if (VersionId !== undefined && !isVersionId(VersionId)) throw noSuchVersion(Key, VersionId);
    const outcome = await deleteOne(ctx, bucket, Key, VersionId, object.ETag);
    const marker = outcome.deleteMarker ? { DeleteMarker: true, DeleteMarkerVersionId: outcome.versionId } : {};
    return { deleted: { Key, ...(VersionId === undefined ? {} : { VersionId }), ...marker } as DeletedObject };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    return { error: { Key, ...(VersionId === undefined ? {} : { VersionId }), Code: error.code, Message: error.message } };
  }
}
