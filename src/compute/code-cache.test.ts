import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createCodeCache } from './code-cache.ts';
import { CodePackageError } from './failures.ts';
import { UNPACK_HERE_BYTES_MAX } from './limits.ts';
import { zipFiles } from './testing.ts';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'croft-cache-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

const digest = (zip: Buffer) => createHash('sha256').update(zip).digest('hex');
const noise = (length: number) => Uint8Array.from({ length }, (_, i) => (i * i * 31) ^ (i >> 3));

it.each([
  ['here', 10],
  ['in a thread', 3 * UNPACK_HERE_BYTES_MAX],
])('unpacks a package once, %s', async (_where, size) => {
  let id = 0;
  const cache = createCodeCache(root, () => String(id++));
  await cache.start();
  const content = Buffer.concat([...Array.from({ length: 40 }, (_, i) => createHash('sha512').update(String(i)).digest()), noise(size)]);
  const zip = await zipFiles({ 'a/b': content });
  let reads = 0;
  const code = {
    sha256: digest(zip),
    read: () => {
      reads++;
      return Promise.resolve(zip);
    },
  };
  const [first, second] = await Promise.all([cache.directoryOf(code), cache.directoryOf(code)]);
  expect(second).toBe(first);
  expect(await createCodeCache(root, () => 'again').directoryOf(code)).toBe(first);
  expect(reads).toBe(1);
  expect((await readFile(join(first, 'a/b'))).equals(content)).toBe(true);
});

it.each([
  ['here', 10],
  ['in a thread', 8 * UNPACK_HERE_BYTES_MAX],
])('leaves nothing of a package that cannot be unpacked, %s, and tries it again when asked again', async (_where, size) => {
  const cache = createCodeCache(root, () => 'id');
  const broken = Buffer.from(noise(size));
  const code = { sha256: digest(broken), read: () => Promise.resolve(Buffer.from(broken)) };
  await expect(cache.directoryOf(code)).rejects.toBeInstanceOf(CodePackageError);
  await expect(cache.directoryOf(code)).rejects.toBeInstanceOf(CodePackageError);
  expect(await readdir(root)).toEqual([]);
});

it.runIf(process.platform === 'linux')('makes anew what was made before the machine’s last start', async () => {
  let id = 0;
  const code = { sha256: 'a'.repeat(64), read: () => zipFiles({ a: 'b' }) };
  const open = async () => {
    const cache = createCodeCache(root, () => String(id++));
    await cache.start();
    return cache;
  };
  const directory = await (await open()).directoryOf(code);
  await open();
  expect(await readFile(join(directory, 'a'), 'utf8')).toBe('b');
  await writeFile(join(root, '.boot'), 'another');
  // As after a loss of power: named, and empty.
  await writeFile(join(directory, 'a'), '');
  expect(await readFile(join(await (await open()).directoryOf(code), 'a'), 'utf8')).toBe('b');
});
