import type { PutObjectOutput, PutObjectRequest } from '@aws-sdk/client-s3';
import type { Ctx } from '../../service.ts';
import { attributesOf, encryptionMembers } from '../attributes.ts';
import { announcedBytes, etagOf, naming, receive, type Source } from '../body.ts';
import { openBucket } from '../buckets.ts';
import { type ChecksumPlan, checkMd5Form, checksumMember, DEFAULT_ALGORITHM, planChecksum } from '../domain/checksums.ts';
import { checkWrite, checkWriteForm, type WriteConditions } from '../domain/conditions.ts';
import { checkKey, newStamp } from '../domain/names.ts';
import type { Attributes, BucketRecord } from '../domain/records.ts';
import { invalidRequest, notImplemented } from '../errors.ts';
import { expirationOf } from '../lifecycle.ts';
import { announce, type Happening, happening } from '../notify.ts';
import { nowSeconds } from '../objects.ts';
import { inObject, keys } from '../store.ts';

export type PutObjectInput = Omit<PutObjectRequest, 'Body'> & { Body?: Source };

export async function putObject(ctx: Ctx, input: PutObjectInput): Promise<PutObjectOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  checkWriteForm(input);
  checkMd5Form(input.ContentMD5);
  if (input.WriteOffsetBytes !== undefined) throw notImplemented('Appending to an object (x-amz-write-offset-bytes)');
  const plan = planChecksum(input, ctx.http?.headers ?? {});
  const expectedBytes = announcedBytes(ctx, input.ContentLength);
  const bucket = await openBucket(ctx, input);
  const attributes = attributesOf(bucket, input, ctx.platform.clock.virtual());
  if (ctx.http && (attributes.lock ?? attributes.legalHold) !== undefined && plan === undefined && input.ContentMD5 === undefined) {
    throw invalidRequest('Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters');
  }
  const { etag, checksum, written } = await storeObject(ctx, bucket, key, {
    attributes,
    source: input.Body,
    plan,
    expectedBytes,
    contentMd5: input.ContentMD5,
    conditions: input,
    what: happening(ctx, 'ObjectCreated:Put'),
  });
  const Expiration = written.version.deleteMarker ? undefined : await expirationOf(ctx, bucket, key, written.version);
  return {
    ETag: `"${etag}"`,
    ...(Expiration === undefined ? {} : { Expiration }),
    ...checksumMember(checksum.algorithm, checksum.value),
    ChecksumType: checksum.type,
    ...encryptionMembers(attributes.encryption),
    ...(written.versioning === 'Enabled' ? { VersionId: written.version.versionId } : {}),
  } as PutObjectOutput;
}

export interface Stored {
  readonly attributes: Attributes;
  readonly source: Source;
  readonly plan: ChecksumPlan | undefined;
  readonly expectedBytes: number | undefined;
  readonly contentMd5: string | undefined;
  readonly conditions: WriteConditions;
  readonly what: Happening;
}

/** Takes a body in and makes it the key's current version, with the events that this causes. */
export async function storeObject(ctx: Ctx, bucket: BucketRecord, key: string, stored: Stored) {
  const { attributes, source, plan, expectedBytes, contentMd5, conditions, what } = stored;
  const algorithm = plan?.algorithm ?? DEFAULT_ALGORITHM;
  const received = await receive(ctx, source, { algorithms: [algorithm], plan, expectedBytes, contentMd5 });
  const checksum = { algorithm, value: received.checksums[algorithm] ?? '', type: 'FULL_OBJECT' as const };
  const { body } = received.content;
  const etag = etagOf(ctx, attributes.encryption, received.md5);
  const draft = { ...attributes, etag, size: received.size, body, checksum, modifiedMs: nowSeconds(ctx), account: bucket.account };
  const stamp = newStamp(ctx.platform.ids);
  const more = body.kind === 'inline' ? { keys: [keys.inline(bucket.id, body.id)] } : body.kind === 'blob' ? { keys: [keys.blob(body.id)] } : {};
  const written = await naming(ctx, received.content, () =>
    inObject(ctx, bucket, key, more, (object, tx) => {
      checkWrite(conditions, key, object.current);
      const version = object.write(draft, stamp, received.content);
      announce(ctx, tx, object.bucket, key, what, version);
      return { version, versioning: object.bucket.versioning };
    }),
  );
  ctx.meter('BytesIn', received.size);
  return { received, etag, checksum, written };
}
