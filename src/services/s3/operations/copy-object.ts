import type { CopyObjectOutput, CopyObjectRequest } from '@aws-sdk/client-s3';
import type { Ctx } from '../../service.ts';
import { attributesOf, encryptionMembers } from '../attributes.ts';
import { etagOf, naming, openBody, type Received, receive } from '../body.ts';
import { openBucket } from '../buckets.ts';
import { checksumMember, DEFAULT_ALGORITHM, parseAlgorithm } from '../domain/checksums.ts';
import { checkCopySource, checkWrite, checkWriteForm } from '../domain/conditions.ts';
import { type CopySource, parseCopySource } from '../domain/copySource.ts';
import { checkCustomerKey, claimedKey, customerKeyOf } from '../domain/customer-key.ts';
import { checkKey, newStamp } from '../domain/names.ts';
import type { ByteRange } from '../domain/ranges.ts';
import { type Attributes, type BucketRecord, NULL_VERSION, type ObjectRecord } from '../domain/records.ts';
import { invalidArgument, invalidRequest, noSuchKey, slowDown } from '../errors.ts';
import { expirationOf } from '../lifecycle.ts';
import { READ_ATTEMPTS_MAX, UPLOAD_BYTES_MAX } from '../limits.ts';
import { announce, happening } from '../notify.ts';
import { checkReadable, checkVersionId, nowSeconds, requireObject } from '../objects.ts';
import { inObject, keys, readVersion } from '../store.ts';

const SELF_COPY =
  "This copy request is illegal because it is trying to copy an object to itself without changing the object's metadata, storage class, website redirect location or encryption attributes.";

export async function copyObject(ctx: Ctx, input: CopyObjectRequest): Promise<CopyObjectOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  checkWriteForm(input);
  checkDirective('x-amz-metadata-directive', 'metadata', input.MetadataDirective);
  checkDirective('x-amz-tagging-directive', 'tagging', input.TaggingDirective);
  customerKeyOf(input);
  const bucket = await openBucket(ctx, input);
  const source = parseCopySource(input.CopySource ?? '');
  const from = await openBucket(ctx, { Bucket: source.bucket, ExpectedBucketOwner: input.ExpectedSourceBucketOwner });
  for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt++) {
    const record = await findSource(ctx, from, source, input);
    checkSelfCopy(bucket, key, source, input);
    if (record.size > UPLOAD_BYTES_MAX) {
      throw invalidRequest(`The specified copy source is larger than the maximum allowable size for a copy source: ${UPLOAD_BYTES_MAX}`);
    }
    const algorithm = input.ChecksumAlgorithm ? parseAlgorithm(input.ChecksumAlgorithm) : (record.checksum?.algorithm ?? DEFAULT_ALGORITHM);
    const received = await copyBytes(ctx, from, record, { algorithms: [algorithm] });
    if (!received) continue;
    return write(ctx, bucket, key, { input, record, received, algorithm });
  }
  throw slowDown();
}

interface Copy {
  readonly input: CopyObjectRequest;
  readonly record: ObjectRecord;
  readonly received: Received;
  readonly algorithm: ReturnType<typeof parseAlgorithm>;
}

async function write(ctx: Ctx, bucket: BucketRecord, key: string, { input, record, received, algorithm }: Copy): Promise<CopyObjectOutput> {
  const attributes = attributesOfCopy(bucket, input, record, ctx.platform.clock.virtual());
  const checksum = { algorithm, value: received.checksums[algorithm] ?? '', type: 'FULL_OBJECT' as const };
  const modifiedMs = nowSeconds(ctx);
  const { body } = received.content;
  const etag = etagOf(ctx, attributes.encryption, received.md5);
  const draft = { ...attributes, etag, size: received.size, body, checksum, modifiedMs, account: bucket.account };
  const stamp = newStamp(ctx.platform.ids);
  const what = happening(ctx, 'ObjectCreated:Copy');
  const more = body.kind === 'inline' ? { keys: [keys.inline(bucket.id, body.id)] } : body.kind === 'blob' ? { keys: [keys.blob(body.id)] } : {};
  const written = await naming(ctx, received.content, () =>
    inObject(ctx, bucket, key, more, (object, tx) => {
      checkWrite(input, key, object.current);
      const version = object.write(draft, stamp, received.content);
      announce(ctx, tx, object.bucket, key, what, version);
      return { version, versioning: object.bucket.versioning };
    }),
  );
  const Expiration = written.version.deleteMarker ? undefined : await expirationOf(ctx, bucket, key, written.version);
  return {
    ...(Expiration === undefined ? {} : { Expiration }),
    CopyObjectResult: {
      ETag: `"${etag}"`,
      LastModified: new Date(modifiedMs),
      ...checksumMember(algorithm, checksum.value),
      ChecksumType: checksum.type,
    },
    ...(record.versionId === NULL_VERSION ? {} : { CopySourceVersionId: record.versionId }),
    // Unlike PutObject, a copy names the null version too.
    ...(written.versioning ? { VersionId: written.version.versionId } : {}),
    ...encryptionMembers(attributes.encryption),
  } as CopyObjectOutput;
}

function checkDirective(header: string, name: string, value: string | undefined): void {
  if (value !== undefined && value !== 'COPY' && value !== 'REPLACE') throw invalidArgument(`Unknown ${name} directive.`, header, value);
}

type SourceConditions = Pick<
  CopyObjectRequest,
  | 'CopySourceIfMatch'
  | 'CopySourceIfNoneMatch'
  | 'CopySourceIfModifiedSince'
  | 'CopySourceIfUnmodifiedSince'
  | 'CopySourceSSECustomerAlgorithm'
  | 'CopySourceSSECustomerKey'
  | 'CopySourceSSECustomerKeyMD5'
>;

/** The object to copy from. Throws what CopyObject and UploadPartCopy throw for it. */
export async function findSource(ctx: Ctx, from: BucketRecord, source: CopySource, input: SourceConditions): Promise<ObjectRecord> {
  checkVersionId(source.versionId);
  const customerKey = {
    SSECustomerAlgorithm: input.CopySourceSSECustomerAlgorithm,
    SSECustomerKey: input.CopySourceSSECustomerKey,
    SSECustomerKeyMD5: input.CopySourceSSECustomerKeyMD5,
  };
  claimedKey(customerKey);
  const found = await readVersion(ctx.platform.store, from.id, source.key, source.versionId);
  if (found?.deleteMarker && source.versionId !== undefined) {
    throw invalidRequest('The source of a copy request may not specifically refer to a delete marker by version id.');
  }
  if (found?.deleteMarker) throw noSuchKey(source.key);
  const record = requireObject(found, source.key, source.versionId, 'PUT');
  checkCustomerKey(record.encryption, customerKey);
  checkReadable(record, ctx.platform.clock.virtual());
  const conditions = {
    ifMatch: input.CopySourceIfMatch,
    ifNoneMatch: input.CopySourceIfNoneMatch,
    ifModifiedSince: input.CopySourceIfModifiedSince,
    ifUnmodifiedSince: input.CopySourceIfUnmodifiedSince,
  };
  checkCopySource(conditions, record, ctx.platform.clock.virtual());
  return record;
}

/** Undefined where the source was replaced while it was being opened. */
export async function copyBytes(
  ctx: Ctx,
  from: BucketRecord,
  record: ObjectRecord,
  options: { algorithms: Parameters<typeof receive>[2]['algorithms']; alwaysBlob?: boolean; range?: ByteRange },
): Promise<Received | undefined> {
  const { range, ...rest } = options;
  const body = await openBody(ctx, from.id, record, range);
  return body && receive(ctx, body, rest);
}

function checkSelfCopy(bucket: BucketRecord, key: string, source: CopySource, input: CopyObjectRequest): void {
  if (source.bucket !== bucket.name || source.key !== key || source.versionId !== undefined) return;
  const changes =
    input.MetadataDirective === 'REPLACE' ||
    input.StorageClass !== undefined ||
    input.WebsiteRedirectLocation !== undefined ||
    input.ServerSideEncryption !== undefined ||
    input.ChecksumAlgorithm !== undefined ||
    input.IfMatch !== undefined ||
    input.IfNoneMatch !== undefined ||
    bucket.encryption !== undefined;
  if (!changes) throw invalidRequest(SELF_COPY);
}

/** Content headers and metadata are the source's unless replaced; storage class, encryption and redirect never are. */
function attributesOfCopy(bucket: BucketRecord, input: CopyObjectRequest, record: ObjectRecord, nowMs: number): Attributes {
  const { Tagging, ...untagged } = input;
  const own = attributesOf(bucket, input.TaggingDirective === 'REPLACE' && Tagging !== undefined ? { ...untagged, Tagging } : untagged, nowMs);
  const { WebsiteRedirectLocation: _, ...copied } = record.headers;
  const redirect = input.WebsiteRedirectLocation === undefined ? {} : { WebsiteRedirectLocation: input.WebsiteRedirectLocation };
  return {
    ...own,
    headers: input.MetadataDirective === 'REPLACE' ? own.headers : { ...copied, ...redirect },
    metadata: input.MetadataDirective === 'REPLACE' ? own.metadata : record.metadata,
    tags: input.TaggingDirective === 'REPLACE' ? own.tags : record.tags,
  };
}
