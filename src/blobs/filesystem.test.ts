import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../kit/clock.ts';
import { createIds } from '../kit/ids.ts';
import type { Blobs } from './blobs.ts';
import { after, openBlobs } from './filesystem.ts';
import { WRITE_BATCH_BYTES } from './limits.ts';

const options = { ids: createIds(), clock: systemClock() };
let dir: string;
let blobs: Blobs;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'croft-blobs-'));
  blobs = await openBlobs(dir, options);
});
afterEach(() => rm(dir, { recursive: true, force: true }));

async function* chunks(...parts: Uint8Array[]): AsyncGenerator<Uint8Array> {
  for (const part of parts) yield part;
}
const collect = async (source: AsyncIterable<Uint8Array>) => {
  const parts: Uint8Array[] = [];
  for await (const part of source) parts.push(part);
  return Buffer.concat(parts);
};
const temporaries = () => readdir(join(dir, 'tmp'));

describe('blobs on a file system', () => {
  it('reads back what was written, whole and in ranges', async () => {
    const body = options.ids.bytes(3 * WRITE_BATCH_BYTES + 17);
    const { id, size } = await blobs.write(
      chunks(body.subarray(0, 10), body.subarray(10, 10), body.subarray(10, WRITE_BATCH_BYTES + 5), body.subarray(WRITE_BATCH_BYTES + 5)),
    );
    expect(size).toBe(body.length);
    expect((await blobs.readAll(id)).equals(body)).toBe(true);
    expect((await collect(await blobs.read(id))).equals(body)).toBe(true);
    expect((await collect(await blobs.read(id, { start: 5, end: 9 }))).equals(body.subarray(5, 10))).toBe(true);
    expect((await collect(await blobs.read(id, { start: size - 3 }))).equals(body.subarray(-3))).toBe(true);
    expect(await collect(await blobs.read(id, { start: 4, end: 3 }))).toHaveLength(0);
  });

  it('keeps an empty body', async () => {
    const { id, size } = await blobs.write(chunks());
    expect(size).toBe(0);
    expect(await blobs.readAll(id)).toHaveLength(0);
  });

  it('says ENOENT for what is not there, and for names that are no id', async () => {
    await expect(blobs.read('0'.repeat(32))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(blobs.readAll('../../etc/passwd')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('leaves nothing behind when the source fails', async () => {
    async function* failing(): AsyncGenerator<Uint8Array> {
      yield Buffer.alloc(2 * WRITE_BATCH_BYTES);
      throw new Error('client went away');
    }
    await expect(blobs.write(failing())).rejects.toThrow('client went away');
    expect(await temporaries()).toEqual([]);
  });

  it('removes what a dead process left half written, and keeps the rest', async () => {
    const { id } = await blobs.write(chunks(Buffer.from('kept')));
    await writeFile(join(dir, 'tmp', 'left-over'), 'half');
    const reopened = await openBlobs(dir, options);
    expect(await temporaries()).toEqual([]);
    expect((await reopened.readAll(id)).toString()).toBe('kept');
  });

  it('joins blobs in order', async () => {
    const a = await blobs.write(chunks(Buffer.from('one ')));
    const b = await blobs.write(chunks(Buffer.from('two')));
    const joined = await blobs.concat([a.id, b.id, a.id]);
    expect(joined.size).toBe(11);
    expect((await blobs.readAll(joined.id)).toString()).toBe('one twoone ');
  });

  it('lets a reader finish while the blob is deleted', async () => {
    const body = options.ids.bytes(4 * WRITE_BATCH_BYTES);
    const { id } = await blobs.write(chunks(body));
    const stream = await blobs.read(id);
    const iterator = stream[Symbol.asyncIterator]();
    const first = await iterator.next();
    await blobs.delete(id);
    await blobs.delete(id);
    const rest = await collect({ [Symbol.asyncIterator]: () => iterator });
    expect(Buffer.concat([first.value, rest]).equals(body)).toBe(true);
    await expect(blobs.read(id)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('takes many writers at once', async () => {
    const bodies = Array.from({ length: 100 }, (_, i) => Buffer.from(`body ${i}`));
    const written = await Promise.all(bodies.map((body) => blobs.write(chunks(body))));
    const read = await Promise.all(written.map(({ id }) => blobs.readAll(id)));
    expect(read.map(String)).toEqual(bodies.map(String));
  });

  it('asks for no more than it can write', async () => {
    // A source that counts how far it was pulled: at most two batches ahead of the disk.
    let pulled = 0;
    let stored = 0;
    const size = WRITE_BATCH_BYTES / 4;
    async function* counting(): AsyncGenerator<Uint8Array> {
      for (let i = 0; i < 64; i++) {
        pulled += size;
        stored = Math.max(stored, await largest());
        expect(pulled - stored).toBeLessThanOrEqual(3 * WRITE_BATCH_BYTES);
        yield Buffer.alloc(size);
      }
    }
    const largest = async () => {
      const [name] = await temporaries();
      return name ? (await stat(join(dir, 'tmp', name))).size : 0;
    };
    await blobs.write(counting());
    expect(stored).toBeGreaterThan(0);
  });

  it('sweeps what is old and named by nobody', async () => {
    const kept = await blobs.write(chunks(Buffer.from('kept')));
    const orphan = await blobs.write(chunks(Buffer.from('orphan')));
    expect(await blobs.sweep(3_600_000, async () => false)).toBe(0);
    expect(await blobs.sweep(-1000, async (id) => id === kept.id)).toBe(1);
    expect((await blobs.readAll(kept.id)).toString()).toBe('kept');
    await expect(blobs.readAll(orphan.id)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

it('goes on after a short write', () => {
  fc.assert(
    fc.property(fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 6 }), fc.nat(30), (parts, count) => {
      const whole = Buffer.concat(parts);
      expect(Buffer.concat(after(parts, count)).equals(whole.subarray(count))).toBe(true);
    }),
  );
});
