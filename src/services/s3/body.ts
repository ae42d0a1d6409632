import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Checksum, type ChecksumAlgorithm, createChecksum } from '../../kit/checksums.ts';
import { AwsError } from '../../kit/errors.ts';
import { trailersOf } from '../../protocol/awsChunked.ts';
import type { Ctx } from '../service.ts';
import { type ChecksumPlan, checkDigestForm } from './domain/checksums.ts';
import type { ByteRange } from './domain/ranges.ts';
import type { Encryption, ObjectRecord } from './domain/records.ts';
import { badChecksum, badMd5, entityTooLarge, incompleteBody } from './errors.ts';
import { INLINE_BYTES_MAX, UPLOAD_BYTES_MAX } from './limits.ts';
import { keys, type NewBody, readParts } from './store.ts';

/** A body as operations get it: streamed by the gateway, or whole from another room. */
export type Source = AsyncIterable<Uint8Array> | Uint8Array | string | undefined;

export interface Received {
  readonly size: number;
  /** Hex. */
  readonly md5: string;
  /** Base64 by algorithm. */
  readonly checksums: Partial<Record<ChecksumAlgorithm, string>>;
  readonly content: NewBody;
}

export interface ReceiveOptions {
  readonly algorithms: readonly ChecksumAlgorithm[];
  /** As announced by the client; another size is `IncompleteBody`. */
  readonly expectedBytes?: number | undefined;
  /** What the client said the body's checksums are. */
  readonly plan?: ChecksumPlan | undefined;
  readonly contentMd5?: string | undefined;
  /** Parts of uploads are files whatever their size. */
  readonly alwaysBlob?: boolean;
}

/** The announced size of a request's payload, framing not counted. Throws `EntityTooLarge`. */
export function announcedBytes(ctx: Ctx, contentLength: number | undefined): number | undefined {
  const decoded = ctx.http?.headers['x-amz-decoded-content-length'];
  const bytes = decoded === undefined ? contentLength : Number(decoded);
  if (bytes !== undefined && bytes > UPLOAD_BYTES_MAX) throw entityTooLarge(bytes);
  return bytes;
}

/**
 * Takes a body in: small ones into memory for the store, others into a blob that is on disk when this resolves, with hashes computed on the way.
 * What fails its checks leaves no blob. Rejects with `IncompleteBody`, `EntityTooLarge`, `BadDigest`.
 */
export async function receive(ctx: Ctx, source: Source, options: ReceiveOptions): Promise<Received> {
  const meter = new Meter(options.algorithms);
  const content = await take(ctx, meter.over(chunksOf(source)), options.alwaysBlob ? -1 : INLINE_BYTES_MAX);
  try {
    if (options.expectedBytes !== undefined && meter.size !== options.expectedBytes) throw incompleteBody();
    const md5 = meter.md5.digest();
    if (options.contentMd5 !== undefined && md5.toString('base64') !== options.contentMd5) {
      // S3 repeats the expected one in hex for an object, as it came for a part.
      const expected = options.alwaysBlob ? options.contentMd5 : Buffer.from(options.contentMd5, 'base64').toString('hex');
      throw badMd5(expected, md5.toString('base64'));
    }
    const checksums = meter.digests();
    if (options.plan) checkPlan(options.plan, source, checksums[options.plan.algorithm]);
    return { size: meter.size, md5: md5.toString('hex'), checksums, content };
  } catch (error) {
    await discard(ctx, content);
    throw error;
  }
}

function checkPlan(plan: ChecksumPlan, source: Source, computed: string | undefined): void {
  const expected = plan.expected ?? (plan.trailer === undefined ? undefined : trailersOf(source)[plan.trailer]);
  if (expected === undefined) throw badChecksum(plan.algorithm);
  checkDigestForm(plan.algorithm, expected);
  if (expected !== computed) throw badChecksum(plan.algorithm);
}

/** The MD5 of the body; of one encrypted with a client's key only something that looks like it. */
export function etagOf(ctx: Ctx, encryption: Encryption, md5: string): string {
  return encryption.customerKeyMd5 === undefined ? md5 : ctx.platform.ids.bytes(16).toString('hex');
}

/** Deletes the blob of a body that nobody came to name. */
export async function discard(ctx: Ctx, { body }: NewBody): Promise<void> {
  if (body.kind === 'blob') await ctx.platform.blobs.delete(body.id);
}

/** Runs the commit that names a new body. An AWS error from it says that nothing was written; after any other the outcome is unknown, and the sweep decides. */
export async function naming<T>(ctx: Ctx, content: NewBody, commit: () => Promise<T>): Promise<T> {
  try {
    return await commit();
  } catch (error) {
    if (error instanceof AwsError) await discard(ctx, content);
    throw error;
  }
}

class Meter {
  readonly md5 = createHash('md5');
  size = 0;
  readonly #checksums: readonly (readonly [ChecksumAlgorithm, Checksum])[];

  constructor(algorithms: readonly ChecksumAlgorithm[]) {
    this.#checksums = [...new Set(algorithms)].map((algorithm) => [algorithm, createChecksum(algorithm)] as const);
  }

  async *over(source: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of source) {
      this.size += chunk.length;
      if (this.size > UPLOAD_BYTES_MAX) throw entityTooLarge(this.size);
      this.md5.update(chunk);
      for (const [, checksum] of this.#checksums) checksum.update(chunk);
      yield chunk;
    }
  }

  digests(): Partial<Record<ChecksumAlgorithm, string>> {
    return Object.fromEntries(this.#checksums.map(([algorithm, checksum]) => [algorithm, checksum.digest().toString('base64')]));
  }
}

async function* chunksOf(source: Source): AsyncGenerator<Uint8Array> {
  if (source === undefined) return;
  if (typeof source === 'string') yield Buffer.from(source, 'utf8');
  else if (source instanceof Uint8Array) yield source;
  else {
    try {
      for await (const chunk of source) yield chunk;
    } catch (error) {
      // The client went away, or its framing broke off.
      throw error instanceof AwsError ? error : new AwsError('IncompleteBody', 'The request body terminated unexpectedly', { cause: error });
    }
  }
}

async function take(ctx: Ctx, chunks: AsyncGenerator<Uint8Array>, inlineMax: number): Promise<NewBody> {
  const head: Uint8Array[] = [];
  let held = 0;
  while (held <= inlineMax) {
    const next = await chunks.next();
    if (next.done) {
      if (held === 0) return { body: { kind: 'empty' } };
      return { body: { kind: 'inline', id: ctx.platform.ids.text(16) }, bytes: head.length === 1 && head[0] ? head[0] : Buffer.concat(head) };
    }
    head.push(next.value);
    held += next.value.length;
  }
  const { id } = await ctx.platform.blobs.write(joined(head, chunks));
  return { body: { kind: 'blob', id } };
}

async function* joined(head: readonly Uint8Array[], rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield* head;
  yield* rest;
}

/**
 * An object's bytes, or a range of them: small ones as they are, since a stream would cost more than all the rest. Undefined where the body has gone meanwhile: the object was replaced while it was looked up, and
 * the caller looks again.
 */
export async function openBody(ctx: Ctx, bucketId: string, record: ObjectRecord, range?: ByteRange): Promise<Readable | Buffer | undefined> {
  const { body } = record;
  const { store, blobs } = ctx.platform;
  try {
    switch (body.kind) {
      case 'empty':
        return Buffer.alloc(0);
      case 'inline': {
        const bytes = await store.get(keys.inline(bucketId, body.id));
        if (!bytes) return undefined;
        const whole = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
        return range ? whole.subarray(range.start, range.end + 1) : whole;
      }
      case 'blob':
        return await blobs.read(body.id, range);
      case 'parts': {
        const parts = await readParts(store, bucketId, body.id);
        return parts && (await openParts(ctx, parts, range ?? { start: 0, end: record.size - 1 }));
      }
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

interface Slice {
  readonly blob: string;
  readonly start: number;
  readonly end: number;
}

/** The pieces of blobs that make up `range` of a multipart object. */
export function slicesOf(parts: readonly { readonly blob: string; readonly size: number }[], range: ByteRange): Slice[] {
  const slices: Slice[] = [];
  let offset = 0;
  for (const { blob, size } of parts) {
    const start = Math.max(range.start - offset, 0);
    const end = Math.min(range.end - offset, size - 1);
    if (start <= end) slices.push({ blob, start, end });
    offset += size;
    if (offset > range.end) break;
  }
  return slices;
}

async function openParts(ctx: Ctx, parts: readonly { readonly blob: string; readonly size: number }[], range: ByteRange): Promise<Readable> {
  const [first, ...rest] = slicesOf(parts, range);
  // Opened before the answer begins, so that a body that has gone is noticed in time.
  const opened = first && (await ctx.platform.blobs.read(first.blob, first));
  const chunks = async function* (): AsyncGenerator<Uint8Array> {
    if (opened) yield* opened;
    for (const slice of rest) yield* await ctx.platform.blobs.read(slice.blob, slice);
  };
  const stream = Readable.from(chunks(), { objectMode: false });
  stream.once('close', () => opened?.destroy());
  return stream;
}
