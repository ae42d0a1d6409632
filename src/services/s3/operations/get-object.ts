import { Readable } from 'node:stream';
import type { GetObjectOutput, GetObjectRequest, HeadObjectOutput, HeadObjectRequest } from '@aws-sdk/client-s3';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { Ctx } from '../../service.ts';
import { openBody } from '../body.ts';
import { openBucket } from '../buckets.ts';
import { checksumMember } from '../domain/checksums.ts';
import { checkRead } from '../domain/conditions.ts';
import { checkCustomerKey, claimedKey } from '../domain/customer-key.ts';
import { checkKey } from '../domain/names.ts';
import { type ByteRange, parseRange } from '../domain/ranges.ts';
import type { BucketRecord, ObjectRecord } from '../domain/records.ts';
import { invalidArgument, invalidPartNumber, invalidRequest, slowDown } from '../errors.ts';
import { expirationOf } from '../lifecycle.ts';
import { PART_NUMBER_MAX, READ_ATTEMPTS_MAX } from '../limits.ts';
import { checkReadable, describeObject, findObject } from '../objects.ts';
import { readParts } from '../store.ts';

type Input = GetObjectRequest | HeadObjectRequest;

interface Selected {
  readonly bucket: BucketRecord;
  readonly record: ObjectRecord;
  readonly range: ByteRange | undefined;
  readonly output: Record<string, unknown>;
}

export async function getObject(ctx: Ctx, input: GetObjectRequest): Promise<GetObjectOutput> {
  for (let attempt = 1; attempt <= READ_ATTEMPTS_MAX; attempt++) {
    const { bucket, record, range, output } = await select(ctx, input, 'GET');
    checkReadable(record, ctx.platform.clock.virtual());
    const body = await openBody(ctx, bucket.id, record, range);
    if (!body) continue;
    ctx.meter('BytesOut', Number(output['ContentLength']));
    // Another room reads a stream, whatever the size.
    return { ...output, Body: ctx.http || !Buffer.isBuffer(body) ? body : Readable.from([body], { objectMode: false }) } as GetObjectOutput;
  }
  // Replaced at every look: a client that tries again later gets a body.
  throw slowDown();
}

export async function headObject(ctx: Ctx, input: HeadObjectRequest): Promise<HeadObjectOutput> {
  return (await select(ctx, input, 'HEAD')).output as HeadObjectOutput;
}

/** A range, or a part of a multipart object, is 206. */
export function respondPartial(_ctx: Ctx, output: Record<string, unknown>, response: WireResponse): WireResponse {
  const status = output['ContentRange'] === undefined ? response.status : 206;
  const disposition = response.headers['Content-Disposition'];
  // After a length, node:http refuses this one header for letters that others may have.
  const headers = disposition === undefined ? response.headers : { 'Content-Disposition': disposition, ...response.headers };
  return { ...response, status, headers };
}

async function select(ctx: Ctx, input: Input, method: string): Promise<Selected> {
  const key = input.Key ?? '';
  checkKey(key);
  claimedKey(input);
  if (input.PartNumber !== undefined) checkPartNumber(input);
  const bucket = await openBucket(ctx, input);
  const record = await findObject(ctx, bucket, key, input.VersionId, method);
  checkCustomerKey(record.encryption, input);
  const conditions = {
    ifMatch: input.IfMatch,
    ifNoneMatch: input.IfNoneMatch,
    ifModifiedSince: input.IfModifiedSince,
    ifUnmodifiedSince: input.IfUnmodifiedSince,
  };
  checkRead(conditions, record, ctx.platform.clock.virtual());
  const part = input.PartNumber === undefined ? undefined : await findPart(ctx, bucket, record, input.PartNumber);
  const range = part ? part.range : parseRange(input.Range, record.size);
  const wantsChecksum = input.ChecksumMode?.toUpperCase() === 'ENABLED';
  const whole = range === undefined || range.end - range.start + 1 === record.size;
  const output = describeObject(bucket, record, input, wantsChecksum && whole && input.PartNumber === undefined, ctx.platform.clock.virtual());
  const expiration = input.VersionId === undefined ? await expirationOf(ctx, bucket, key, record) : undefined;
  if (expiration !== undefined) output['Expiration'] = expiration;
  if (wantsChecksum && part?.checksum) Object.assign(output, part.checksum);
  if (range) {
    output['ContentLength'] = range.end - range.start + 1;
    output['ContentRange'] = `bytes ${range.start}-${range.end}/${record.size}`;
  }
  if (input.PartNumber !== undefined && record.parts !== undefined) output['PartsCount'] = record.parts;
  return { bucket, record, range, output };
}

function checkPartNumber(input: Input): void {
  const number = input.PartNumber ?? 0;
  if (input.Range !== undefined) throw invalidRequest('Cannot specify both Range header and partNumber query parameter');
  if (!Number.isInteger(number) || number < 1 || number > PART_NUMBER_MAX) {
    throw invalidArgument('Part number must be an integer between 1 and 10000, inclusive', 'partNumber', String(number));
  }
}

interface FoundPart {
  /** Undefined where the part is empty. */
  readonly range: ByteRange | undefined;
  /** As output members: parts have checksums of their own in composites, and an object that is its only part has its own. */
  readonly checksum: Record<string, string> | undefined;
}

/** An object that was not uploaded in parts is its own part 1. */
async function findPart(ctx: Ctx, bucket: BucketRecord, record: ObjectRecord, number: number): Promise<FoundPart> {
  const parts = record.body.kind === 'parts' ? await readParts(ctx.platform.store, bucket.id, record.body.id) : undefined;
  const count = record.parts ?? 1;
  if (number > count) throw invalidPartNumber(number, count);
  const { checksum } = record;
  const own = checksum && { ...checksumMember(checksum.algorithm, checksum.value), ChecksumType: checksum.type };
  if (!parts) return { range: record.size === 0 ? undefined : { start: 0, end: record.size - 1 }, checksum: own };
  let start = 0;
  // Parts are counted in their order; their numbers at upload may have had gaps.
  for (const [index, part] of parts.entries()) {
    if (index + 1 === number) {
      const range = part.size === 0 ? undefined : { start, end: start + part.size - 1 };
      if (checksum?.type !== 'COMPOSITE') return { range, checksum: parts.length === 1 ? own : undefined };
      return {
        range,
        checksum: part.checksum === undefined ? undefined : { ...checksumMember(checksum.algorithm, part.checksum), ChecksumType: checksum.type },
      };
    }
    start += part.size;
  }
  throw invalidPartNumber(number, count);
}
