import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { Upload } from '@aws-sdk/lib-storage';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createChecksum } from '../../kit/checksums.ts';

const MIB = 1024 ** 2;
/** What issue 2 asks for: 1 GiB under 150 MiB. A quarter of it shows the same, since memory does not grow with the body. */
const SIZE = process.env['CROFT_SOAK'] ? 1024 * MIB : 256 * MIB;
const RSS_BYTES_MAX = 150 * MIB;
const CHUNK = 256 * 1024;

let dir: string;
let child: ChildProcess;
let s3: S3Client;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'croft-stream-'));
  // What users run is the bundle; the sources run through type stripping, which alone takes 45 MiB.
  await promisify(execFile)(process.execPath, ['scripts/build.ts', join(dir, 'dist')]);
  await cp('package.json', join(dir, 'package.json'));
  child = spawn(process.execPath, [join(dir, 'dist/cli/main.js'), 'start', '--port', '0', '--data-dir', join(dir, 'data')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (!child.stdout) throw new Error('no output');
  let endpoint = '';
  for await (const line of createInterface({ input: child.stdout })) {
    endpoint ||= /http:\/\/\S+/.exec(line)?.[0] ?? '';
    if (line === 'Ready.') break;
  }
  child.stdout.resume();
  s3 = new S3Client({ endpoint, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' }, forcePathStyle: true, maxAttempts: 1 });
  await s3.send(new CreateBucketCommand({ Bucket: 'stream' }));
});

afterAll(async () => {
  s3?.destroy();
  child?.kill('SIGTERM');
  if (child && child.exitCode === null) await once(child, 'exit');
  await rm(dir, { recursive: true, force: true });
});

/** Highest resident memory of the server so far. */
async function peakRss(): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

/** `SIZE` bytes that differ from chunk to chunk, with their CRC32C. */
function generated(): { body: Readable; digest: () => string } {
  const checksum = createChecksum('CRC32C');
  const chunk = Buffer.alloc(CHUNK, 'croft');
  const body = Readable.from(
    (function* () {
      for (let sent = 0; sent < SIZE; sent += CHUNK) {
        const next = Buffer.from(chunk);
        next.writeUInt32BE(sent / CHUNK);
        checksum.update(next);
        yield next;
      }
    })(),
    { objectMode: false, highWaterMark: CHUNK },
  );
  return { body, digest: () => checksum.digest().toString('base64') };
}

async function download(Key: string): Promise<{ size: number; digest: string }> {
  const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'stream', Key }));
  const checksum = createChecksum('CRC32C');
  let size = 0;
  for await (const part of Body as Readable) {
    checksum.update(part as Buffer);
    size += (part as Buffer).length;
  }
  return { size, digest: checksum.digest().toString('base64') };
}

describe.skipIf(process.platform !== 'linux')('a body far larger than the memory allowed', () => {
  it(
    'goes in by one PUT with a trailing checksum, and comes out',
    async () => {
      const { body, digest } = generated();
      const put = await s3.send(new PutObjectCommand({ Bucket: 'stream', Key: 'one', Body: body, ContentLength: SIZE, ChecksumAlgorithm: 'CRC32C' }));
      const expected = digest();
      expect(put.ChecksumCRC32C).toBe(expected);
      expect(await download('one')).toEqual({ size: SIZE, digest: expected });
      expect(await peakRss()).toBeLessThan(RSS_BYTES_MAX);
    },
    SIZE / MIB > 256 ? 300_000 : 90_000,
  );

  it(
    'goes in by parallel parts, and comes out',
    async () => {
      const { body, digest } = generated();
      await new Upload({ client: s3, params: { Bucket: 'stream', Key: 'parts', Body: body }, queueSize: 4, partSize: 8 * MIB }).done();
      expect(await download('parts')).toEqual({ size: SIZE, digest: digest() });
      expect(await peakRss()).toBeLessThan(RSS_BYTES_MAX);
    },
    SIZE / MIB > 256 ? 300_000 : 90_000,
  );

  it('waits for a reader that stops reading', async () => {
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'stream', Key: 'one' }));
    const stream = Body as Readable;
    const iterator = stream[Symbol.asyncIterator]();
    await iterator.next();
    const before = await peakRss();
    // Others are served meanwhile, and nothing piles up for the one that does not read.
    expect((await download('parts')).size).toBe(SIZE);
    expect((await peakRss()) - before).toBeLessThan(32 * MIB);
    if (process.env['CROFT_SOAK']) process.stdout.write(`peak RSS ${Math.round((await peakRss()) / MIB)} MiB for bodies of ${SIZE / MIB} MiB\n`);
    stream.destroy();
  }, 60_000);
});
