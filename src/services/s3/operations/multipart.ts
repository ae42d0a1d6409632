import type {
  AbortMultipartUploadRequest,
  CreateMultipartUploadOutput,
  CreateMultipartUploadRequest,
  ListMultipartUploadsOutput,
  ListMultipartUploadsRequest,
  ListPartsOutput,
  ListPartsRequest,
} from '@aws-sdk/client-s3';
import { encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { attributesOf, defined, encryptionMembers } from '../attributes.ts';
import { openBucket } from '../buckets.ts';
import { checksumMember, parseAlgorithm } from '../domain/checksums.ts';
import { encoderFor, pageSize } from '../domain/listing.ts';
import { canonicalUserId, checkKey, newUploadId } from '../domain/names.ts';
import type { BucketRecord, ChecksumType, PartRecord, UploadRecord } from '../domain/records.ts';
import { invalidArgument, invalidRequest, noSuchUpload } from '../errors.ts';
import { nowSeconds } from '../objects.ts';
import { endUpload, inBucket, inObject, keys, readUpload, readUploadParts, uploadKeys } from '../store.ts';
import { walkUploads } from '../walk.ts';

export async function createMultipartUpload(ctx: Ctx, input: CreateMultipartUploadRequest): Promise<CreateMultipartUploadOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  const checksum = checksumOf(input);
  const bucket = await openBucket(ctx, input);
  const upload: UploadRecord = {
    ...attributesOf(bucket, input, ctx.platform.clock.virtual()),
    uploadId: newUploadId(ctx.platform.ids, ctx.platform.clock.virtual()),
    key,
    initiatedMs: nowSeconds(ctx),
    account: bucket.account,
    initiator: ctx.principal.arn,
    ...(checksum ? { checksum } : {}),
  };
  const uploadKey = keys.upload(bucket.id, key, upload.uploadId);
  await inObject(ctx, bucket, key, { keys: [uploadKey] }, ({ current }, tx) => {
    tx.put(uploadKey, encodeJson(current && !current.deleteMarker ? { ...upload, before: current.stamp } : upload));
  });
  return {
    Bucket: bucket.name,
    Key: key,
    UploadId: upload.uploadId,
    ...encryptionMembers(upload.encryption),
    ...(checksum ? { ChecksumAlgorithm: checksum.algorithm, ChecksumType: checksum.type } : {}),
  } as CreateMultipartUploadOutput;
}

/** Which checksums an upload will carry; "Using full object checksums for multipart upload". */
function checksumOf(input: CreateMultipartUploadRequest): UploadRecord['checksum'] {
  const type = input.ChecksumType?.toUpperCase() as ChecksumType | undefined;
  if (!input.ChecksumAlgorithm) {
    if (type !== undefined) throw invalidRequest('The x-amz-checksum-type header can only be used with the x-amz-checksum-algorithm header.');
    return undefined;
  }
  const algorithm = parseAlgorithm(input.ChecksumAlgorithm);
  if (type !== undefined && type !== 'FULL_OBJECT' && type !== 'COMPOSITE') throw invalidRequest('Value for x-amz-checksum-type header is invalid.');
  const isCrc = algorithm.startsWith('CRC');
  if ((type === 'COMPOSITE' && algorithm === 'CRC64NVME') || (type === 'FULL_OBJECT' && !isCrc)) {
    throw invalidRequest(`The ${type} checksum type cannot be used with the ${algorithm.toLowerCase()} checksum algorithm.`);
  }
  return { algorithm, type: type ?? (algorithm === 'CRC64NVME' ? 'FULL_OBJECT' : 'COMPOSITE') };
}

interface Addressed {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly UploadId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** The upload that a request names. Throws `NoSuchUpload`, for a wrong key as well. */
export async function openUpload(ctx: Ctx, input: Addressed): Promise<{ bucket: BucketRecord; upload: UploadRecord }> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  const uploadId = input.UploadId ?? '';
  // Ids are short: a longer text would not fit a key of the store.
  const upload = uploadId.length > 200 ? undefined : await readUpload(ctx.platform.store, bucket.id, key, uploadId);
  if (!upload) throw noSuchUpload(uploadId);
  return { bucket, upload };
}

export async function abortMultipartUpload(ctx: Ctx, input: AbortMultipartUploadRequest): Promise<Record<string, never>> {
  const { bucket, upload } = await openUpload(ctx, input);
  const ended = await inBucket(ctx, bucket, { keys: uploadKeys(bucket, upload) }, (tx) => endUpload(ctx, tx, bucket, upload, {}));
  if (ended === 'absent') throw noSuchUpload(upload.uploadId);
  return {};
}

function initiatorOf(upload: UploadRecord): { ID: string; DisplayName: string } {
  return { ID: upload.initiator, DisplayName: upload.initiator.split(/[:/]/).at(-1) ?? '' };
}

/** Parts that S3 lists with a checksum: those of an upload that asked for one. */
function listedPart(upload: UploadRecord, part: PartRecord) {
  return {
    PartNumber: part.number,
    LastModified: new Date(part.modifiedMs),
    ETag: `"${part.etag}"`,
    Size: part.size,
    ...(upload.checksum ? checksumMember(upload.checksum.algorithm, part.checksums[upload.checksum.algorithm]) : {}),
  };
}

export async function listParts(ctx: Ctx, input: ListPartsRequest): Promise<ListPartsOutput> {
  const limit = pageSize(input.MaxParts, 'max-parts');
  const { bucket, upload } = await openUpload(ctx, input);
  const marker = Number(input.PartNumberMarker ?? 0);
  const { parts } = await readUploadParts(ctx.platform.store, bucket.id, upload.uploadId);
  const rest = parts.filter((part) => part.number > marker);
  const page = rest.slice(0, limit);
  const owner = { ID: canonicalUserId(bucket.account) };
  return {
    Bucket: bucket.name,
    Key: upload.key,
    UploadId: upload.uploadId,
    PartNumberMarker: marker as unknown as string,
    NextPartNumberMarker: (page.at(-1)?.number ?? 0) as unknown as string,
    MaxParts: limit,
    IsTruncated: rest.length > page.length,
    Parts: page.map((part) => listedPart(upload, part)),
    Initiator: initiatorOf(upload),
    Owner: owner,
    StorageClass: upload.storageClass as NonNullable<ListPartsOutput['StorageClass']>,
    ...(upload.checksum ? { ChecksumAlgorithm: upload.checksum.algorithm, ChecksumType: upload.checksum.type } : {}),
  };
}

export async function listMultipartUploads(ctx: Ctx, input: ListMultipartUploadsRequest): Promise<ListMultipartUploadsOutput> {
  const encode = encoderFor(input.EncodingType);
  const limit = pageSize(input.MaxUploads, 'max-uploads');
  const bucket = await openBucket(ctx, input);
  const after = input.KeyMarker || undefined;
  // Without a key marker S3 ignores this one.
  const afterUpload = (after !== undefined && input.UploadIdMarker) || undefined;
  if (after !== undefined && afterUpload !== undefined && !(await readUpload(ctx.platform.store, bucket.id, after, afterUpload.slice(0, 200)))) {
    throw invalidArgument('Invalid uploadId marker', 'upload-id-marker', afterUpload);
  }
  const prefix = input.Prefix ?? '';
  const delimiter = input.Delimiter || undefined;
  const page = await walkUploads(ctx.platform.store, bucket.id, { prefix, delimiter, after, afterUpload, limit });
  const last = page.items.at(-1);
  const endsInUpload = last !== undefined && page.last === last.key;
  const owner = { ID: canonicalUserId(bucket.account) };
  return defined({
    Bucket: bucket.name,
    KeyMarker: encode(after ?? ''),
    UploadIdMarker: afterUpload ?? '',
    // After a common prefix S3 gives no marker to go on from.
    NextKeyMarker: endsInUpload ? encode(page.last ?? '') : '',
    NextUploadIdMarker: endsInUpload ? last.record.uploadId : '',
    Prefix: input.Prefix === undefined ? undefined : encode(prefix),
    Delimiter: delimiter === undefined ? undefined : encode(delimiter),
    MaxUploads: limit,
    IsTruncated: page.truncated,
    Uploads: page.items.map(({ key, record }) => ({
      UploadId: record.uploadId,
      Key: encode(key),
      Initiated: new Date(record.initiatedMs),
      StorageClass: record.storageClass as 'STANDARD',
      Owner: owner,
      Initiator: initiatorOf(record),
      ...(record.checksum ? { ChecksumAlgorithm: record.checksum.algorithm, ChecksumType: record.checksum.type } : {}),
    })),
    CommonPrefixes: page.prefixes.map((one) => ({ Prefix: encode(one) })),
    EncodingType: input.EncodingType,
  });
}
