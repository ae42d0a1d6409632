import type { UploadPartCopyOutput, UploadPartCopyRequest, UploadPartOutput, UploadPartRequest } from '@aws-sdk/client-s3';
import type { ChecksumAlgorithm } from '../../../kit/checksums.ts';
import type { Ctx } from '../../service.ts';
import { encryptionMembers } from '../attributes.ts';
import { announcedBytes, etagOf, naming, type Received, receive, type Source } from '../body.ts';
import { openBucket } from '../buckets.ts';
import { type ChecksumPlan, checkMd5Form, checksumMember, DEFAULT_ALGORITHM, planChecksum } from '../domain/checksums.ts';
import { parseCopySource } from '../domain/copySource.ts';
import { checkPartKey, customerKeyOf } from '../domain/customer-key.ts';
import { parseCopyRange } from '../domain/ranges.ts';
import { type BucketRecord, NULL_VERSION, type PartRecord, type UploadRecord } from '../domain/records.ts';
import { invalidArgument, invalidRequest, noSuchUpload, slowDown } from '../errors.ts';
import { PART_NUMBER_MAX, READ_ATTEMPTS_MAX } from '../limits.ts';
import { nowSeconds } from '../objects.ts';
import { putUploadPart } from '../store.ts';
import { copyBytes, findSource } from './copy-object.ts';
import { openUpload } from './multipart.ts';

export type UploadPartInput = Omit<UploadPartRequest, 'Body'> & { Body?: Source };

export async function uploadPart(ctx: Ctx, input: UploadPartInput): Promise<UploadPartOutput> {
  checkPartNumber(input.PartNumber);
  checkMd5Form(input.ContentMD5);
  const customerKey = customerKeyOf(input);
  const plan = planChecksum(input, ctx.http?.headers ?? {});
  const expectedBytes = announcedBytes(ctx, input.ContentLength);
  const { bucket, upload } = await openUpload(ctx, input);
  checkPartKey(upload.encryption, customerKey);
  checkAlgorithm(upload, plan);
  const received = await receive(ctx, input.Body, {
    algorithms: algorithmsOf(upload, plan?.algorithm),
    plan,
    expectedBytes,
    contentMd5: input.ContentMD5,
    alwaysBlob: true,
  });
  const kept = await keepPart(ctx, bucket, upload, input.PartNumber ?? 0, received);
  ctx.meter('BytesIn', received.size);
  const algorithm = plan?.algorithm ?? upload.checksum?.algorithm;
  return {
    ETag: `"${kept.etag}"`,
    ...(algorithm ? checksumMember(algorithm, received.checksums[algorithm]) : {}),
    ...encryptionMembers(upload.encryption),
  } as UploadPartOutput;
}

function checkPartNumber(number: number | undefined): void {
  if (number === undefined || !Number.isInteger(number) || number < 1 || number > PART_NUMBER_MAX) {
    throw invalidArgument('Part number must be an integer between 1 and 10000, inclusive', 'partNumber', String(number));
  }
}

function checkAlgorithm(upload: UploadRecord, plan: ChecksumPlan | undefined): void {
  const expected = upload.checksum?.algorithm;
  if (!expected || expected === plan?.algorithm) return;
  // A part without a checksum is taken where the whole is checked: S3 then computes the part's own.
  if (plan === undefined && upload.checksum?.type === 'FULL_OBJECT') return;
  const actual = plan?.algorithm.toLowerCase() ?? 'null';
  throw invalidRequest(`Checksum Type mismatch occurred, expected checksum Type: ${expected.toLowerCase()}, actual checksum Type: ${actual}`);
}

function algorithmsOf(upload: UploadRecord, sent: ChecksumAlgorithm | undefined): ChecksumAlgorithm[] {
  const needed = upload.checksum?.algorithm ?? DEFAULT_ALGORITHM;
  return sent === undefined ? [needed] : [needed, sent];
}

async function keepPart(ctx: Ctx, bucket: BucketRecord, upload: UploadRecord, number: number, received: Received): Promise<PartRecord> {
  const { body } = received.content;
  if (body.kind !== 'blob') throw new Error('a part is always a blob');
  const { size, md5, checksums } = received;
  const etag = etagOf(ctx, upload.encryption, md5);
  const record: PartRecord = { number, blob: body.id, size, etag, checksums, modifiedMs: nowSeconds(ctx) };
  await naming(ctx, received.content, async () => {
    if (!(await putUploadPart(ctx, bucket, upload, record))) throw noSuchUpload(upload.uploadId);
  });
  return record;
}

export async function uploadPartCopy(ctx: Ctx, input: UploadPartCopyRequest): Promise<UploadPartCopyOutput> {
  checkPartNumber(input.PartNumber);
  const customerKey = customerKeyOf(input);
  const { bucket, upload } = await openUpload(ctx, input);
  checkPartKey(upload.encryption, customerKey);
  const source = parseCopySource(input.CopySource ?? '');
  const from = await openBucket(ctx, { Bucket: source.bucket, ExpectedBucketOwner: input.ExpectedSourceBucketOwner });
  for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt++) {
    const record = await findSource(ctx, from, source, input);
    const range = input.CopySourceRange === undefined ? undefined : parseCopyRange(input.CopySourceRange, record.size);
    const options = { algorithms: algorithmsOf(upload, undefined), alwaysBlob: true, ...(range ? { range } : {}) };
    const received = await copyBytes(ctx, from, record, options);
    if (!received) continue;
    const part = await keepPart(ctx, bucket, upload, input.PartNumber ?? 0, received);
    return {
      CopyPartResult: {
        ETag: `"${part.etag}"`,
        LastModified: new Date(part.modifiedMs),
        ...(upload.checksum ? checksumMember(upload.checksum.algorithm, part.checksums[upload.checksum.algorithm]) : {}),
      },
      ...(record.versionId === NULL_VERSION ? {} : { CopySourceVersionId: record.versionId }),
      ...encryptionMembers(upload.encryption),
    } as UploadPartCopyOutput;
  }
  throw slowDown();
}
