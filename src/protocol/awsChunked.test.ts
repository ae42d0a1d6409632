import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../kit/errors.ts';
import { type ChunkHooks, decodeAwsChunked, isAwsChunked, trailersOf } from './awsChunked.ts';

const UNSIGNED = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER';

function headersFor(size: number, more: Record<string, string> = {}): Record<string, string> {
  return { 'x-amz-content-sha256': UNSIGNED, 'x-amz-decoded-content-length': String(size), ...more };
}

function frame(chunks: readonly Uint8Array[], trailers: string[] = [], signature?: (index: number) => string): Buffer {
  const extension = (index: number) => (signature ? `;chunk-signature=${signature(index)}` : '');
  const parts = chunks.map((chunk, index) => Buffer.concat([Buffer.from(`${chunk.length.toString(16)}${extension(index)}\r\n`), chunk, Buffer.from('\r\n')]));
  return Buffer.concat([...parts, Buffer.from(`0${extension(chunks.length)}\r\n${trailers.map((t) => `${t}\r\n`).join('')}\r\n`)]);
}

async function* pieces(body: Buffer, cuts: readonly number[]): AsyncGenerator<Uint8Array> {
  const at = [0, ...[...cuts].sort((a, b) => a - b), body.length];
  for (let i = 0; i + 1 < at.length; i++) yield body.subarray(at[i], at[i + 1]);
}

async function decodeAll(framed: Buffer, headers: Record<string, string>, hooks?: ChunkHooks, cuts: number[] = []) {
  const { body, trailers } = decodeAwsChunked(pieces(framed, cuts), headers, hooks);
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part as Buffer);
  expect(trailersOf(body)).toEqual(trailers());
  return { data: Buffer.concat(parts), trailers: trailers() };
}

const failure = async (framed: Buffer | string, size: number, more?: Record<string, string>) => {
  const error: unknown = await decodeAll(Buffer.from(framed), headersFor(size, more)).then(
    () => undefined,
    (e: unknown) => e,
  );
  expect(error).toBeInstanceOf(AwsError);
  return error as AwsError;
};

describe('aws-chunked', () => {
  it('knows a framed request', () => {
    expect(isAwsChunked({ 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' })).toBe(true);
    expect(isAwsChunked({ 'content-encoding': 'gzip, aws-chunked', 'x-amz-decoded-content-length': '3' })).toBe(true);
    expect(isAwsChunked({ 'content-encoding': 'gzip', 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' })).toBe(false);
  });

  it('gives back what was framed, wherever the network cuts it', async () => {
    const filler = Buffer.alloc(8192, 'x');
    await fc.assert(
      fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 30 }), { maxLength: 4 }), fc.array(fc.nat(40_000), { maxLength: 12 }), async (tails, cutSeeds) => {
        const chunks = tails.map((tail) => Buffer.concat([tail, filler]));
        const data = Buffer.concat(chunks);
        const framed = frame(chunks, ['x-amz-checksum-crc32:AAAAAA==']);
        const cuts = cutSeeds.map((seed) => seed % framed.length);
        const result = await decodeAll(framed, headersFor(data.length, { 'x-amz-trailer': 'x-amz-checksum-crc32' }), {}, cuts);
        expect(result.data.equals(data)).toBe(true);
        expect({ ...result.trailers }).toEqual({ 'x-amz-checksum-crc32': 'AAAAAA==' });
      }),
      { numRuns: 50 },
    );
  });

  it('survives any single cut', async () => {
    const framed = frame([Buffer.from('hello')], ['X-Amz-Checksum-Sha1: abc ']);
    for (let cut = 0; cut <= framed.length; cut++) {
      const result = await decodeAll(framed, headersFor(5, { 'x-amz-trailer': 'x-amz-checksum-sha1' }), {}, [cut]);
      expect(result.data.toString()).toBe('hello');
      expect({ ...result.trailers }).toEqual({ 'x-amz-checksum-sha1': 'abc' });
    }
  });

  it('says IncompleteBody for every truncation, and never anything else', async () => {
    const framed = frame([Buffer.from('hello')], ['x-amz-checksum-sha1:abc']);
    for (let length = 0; length < framed.length; length++) {
      expect((await failure(framed.subarray(0, length), 5, { 'x-amz-trailer': 'x-amz-checksum-sha1' })).code).toBe('IncompleteBody');
    }
  });

  it('answers hostile framing with an AWS error', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), async (noise) => {
        const framed = Buffer.concat([Buffer.from(noise), Buffer.from('\x01')]);
        expect(['IncompleteBody', 'InvalidChunkSizeError', 'MalformedTrailerError']).toContain((await failure(framed, 10)).code);
      }),
    );
  });

  it.each([
    ['fewer bytes than declared', frame([Buffer.from('hell')]), 5, 'IncompleteBody'],
    ['more bytes than declared', frame([Buffer.from('hello!')]), 5, 'IncompleteBody'],
    ['a size that is no number', '5x\r\nhello\r\n0\r\n\r\n', 5, 'IncompleteBody'],
    ['a negative size', '-5\r\nhello\r\n0\r\n\r\n', 5, 'IncompleteBody'],
    ['a huge size', 'ffffffffffffffff\r\nhello', 5, 'IncompleteBody'],
    ['an endless size line', '0'.repeat(2000), 5, 'IncompleteBody'],
    ['data after its size', '5\r\nhelloo\r\n0\r\n\r\n', 5, 'IncompleteBody'],
    ['something after the end', '0\r\n\r\nmore\n', 0, 'IncompleteBody'],
    ['a small chunk before another', frame([Buffer.from('hel'), Buffer.from('lo')]), 5, 'InvalidChunkSizeError'],
    ['a trailer that was not declared', frame([], ['x-evil:1']), 0, 'MalformedTrailerError'],
    ['a trailer without a colon', frame([], ['x-amz-checksum-crc32']), 0, 'MalformedTrailerError'],
  ])('refuses %s', async (_, framed, size, code) => {
    expect((await failure(framed, size)).code).toBe(code);
  });

  it('refuses a declared trailer that does not come', async () => {
    expect((await failure(frame([Buffer.from('a')]), 1, { 'x-amz-trailer': 'x-amz-checksum-crc32' })).code).toBe('MalformedTrailerError');
  });

  it('needs the decoded length', () => {
    expect(() => decodeAwsChunked(pieces(Buffer.alloc(0), []), { 'x-amz-content-sha256': UNSIGNED })).toThrow(/Content-Length/);
  });

  it('shows every chunk and the trailers to the signature check', async () => {
    const chunks = [Buffer.alloc(8192, 'a'), Buffer.from('tail')];
    const seen: unknown[] = [];
    const sha256 = (data: Uint8Array | string) => createHash('sha256').update(data).digest('hex');
    const hooks: ChunkHooks = {
      verifyChunk: (signature, hash) => void seen.push([signature, hash]),
      verifyTrailers: (signature, hash) => void seen.push([signature, hash]),
    };
    const framed = frame(chunks, ['x-amz-checksum-crc32:AA==', 'x-amz-trailer-signature:beef'], (index) => `a${index}`);
    await decodeAll(
      framed,
      headersFor(8196, { 'x-amz-content-sha256': 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER', 'x-amz-trailer': 'x-amz-checksum-crc32' }),
      hooks,
    );
    expect(seen).toEqual([
      ['a0', sha256(chunks[0] ?? '')],
      ['a1', sha256('tail')],
      ['a2', sha256('')],
      ['beef', sha256('x-amz-checksum-crc32:AA==\n')],
    ]);
  });

  it('ends with the error of the signature check', async () => {
    const verifyChunk = () => {
      throw new AwsError('SignatureDoesNotMatch', 'no', { status: 403 });
    };
    await expect(
      decodeAll(
        frame([Buffer.from('a')], [], () => 'ab'),
        headersFor(1),
        { verifyChunk },
      ),
    ).rejects.toMatchObject({ code: 'SignatureDoesNotMatch' });
  });
});
