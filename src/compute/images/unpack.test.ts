import { createHash } from 'node:crypto';
import { lstat, mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { type Headers, pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { CodePackageError } from '../failures.ts';
import { type Layer, unpackImage } from './unpack.ts';

let base: string;
let root: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'croft-image-'));
  root = join(base, 'root');
  await mkdir(root);
});
afterEach(() => rm(base, { recursive: true, force: true }));

type Entry = readonly [header: Headers, content?: string];

const TAR = 'application/vnd.oci.image.layer.v1.tar';

async function layerOf(entries: readonly Entry[], compress?: 'gzip' | 'zstd'): Promise<Layer> {
  const archive = pack();
  for (const [header, content] of entries) archive.entry(header, content ?? '');
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  const tar = Buffer.concat(chunks);
  const bytes = compress === 'gzip' ? gzipSync(tar) : compress === 'zstd' ? zstdCompressSync(tar) : tar;
  return {
    digest: `sha256:${createHash('sha256').update(bytes).digest('hex')}`,
    mediaType: compress ? `${TAR}+${compress}` : TAR,
    read: async () => Readable.from([bytes]),
  };
}

const file = (name: string, content = name, more: Partial<Headers> = {}): Entry => [{ name, type: 'file', ...more }, content];
const folder = (name: string): Entry => [{ name, type: 'directory' }];
const symlink = (name: string, linkname: string): Entry => [{ name, type: 'symlink', linkname }];
const text = (path: string) => readFile(join(root, path), 'utf8');
const unpack = async (...layers: (readonly Entry[])[]) => unpackImage(await Promise.all(layers.map((entries) => layerOf(entries))), root);

describe('an image', () => {
  test('is its layers over each other, however they are compressed', async () => {
    await unpackImage(
      [
        await layerOf([folder('etc/'), file('etc/a', 'one'), file('./etc/b', 'one', { mode: 0o644 })], 'gzip'),
        await layerOf([file('etc/b', 'two', { mode: 0o4755 }), file('deep/er/c')], 'zstd'),
        await layerOf([[{ name: 'etc/d', type: 'link', linkname: 'etc/b' }]]),
      ],
      root,
    );
    expect([await text('etc/a'), await text('etc/b'), await text('etc/d'), await text('deep/er/c')]).toEqual(['one', 'two', 'two', 'deep/er/c']);
    // Programs stay programs; who runs them does not change.
    expect((await stat(join(root, 'etc/b'))).mode & 0o7777).toBe(0o755);
  });

  test('loses what a layer takes out, and only what came before it', async () => {
    await unpack(
      [file('a/one'), file('a/two'), file('b/one'), file('b/sub/two'), file('c')],
      [file('.wh.c', ''), file('a/.wh.one', ''), file('b/three'), file('b/sub/four'), file('b/.wh..wh..opq', '')],
    );
    expect((await readdir(root)).sort()).toEqual(['a', 'b']);
    expect(await readdir(join(root, 'a'))).toEqual(['two']);
    expect((await readdir(join(root, 'b'))).sort()).toEqual(['sub', 'three']);
    expect(await readdir(join(root, 'b/sub'))).toEqual(['four']);
  });

  test('may replace a folder by a file, a file by a folder, and a link by either', async () => {
    await unpack(
      [file('a/x'), file('b'), symlink('c', 'a'), symlink('d', 'a')],
      [file('a', 'file'), file('b/y', 'folder'), file('c', 'no link')],
      [folder('d')],
    );
    expect([await text('a'), await text('b/y'), await text('c')]).toEqual(['file', 'folder', 'no link']);
    expect((await lstat(join(root, 'd'))).isDirectory()).toBe(true);
  });

  test('reaches folders through links that stay inside', async () => {
    await unpack(
      [folder('usr/lib'), symlink('lib', 'usr/lib'), symlink('abs', '/usr/lib'), symlink('usr/up', '../usr')],
      [file('lib/a'), file('abs/b'), file('usr/up/c')],
    );
    expect((await readdir(join(root, 'usr/lib'))).sort()).toEqual(['a', 'b']);
    expect(await text('usr/c')).toBe('usr/up/c');
    expect(await readlink(join(root, 'lib'))).toBe('usr/lib');
  });
});

describe('a hostile image writes nothing outside of its root', () => {
  const outside = () => join(base, 'outside');
  beforeEach(async () => {
    await mkdir(outside());
    await writeFile(join(outside(), 'kept'), 'kept');
  });
  const isUntouched = async () => {
    expect(await readdir(outside())).toEqual(['kept']);
    expect(await readFile(join(outside(), 'kept'), 'utf8')).toBe('kept');
    expect((await readdir(base)).sort()).toEqual(['outside', 'root']);
  };

  test.each([['../outside/new'], ['a/../../outside/new'], ['/../outside/new']])('by the name %s', async (name) => {
    await expect(unpack([file(name)])).rejects.toThrow(CodePackageError);
    await isUntouched();
  });

  test('by a link to a folder outside, in the same layer or an earlier one', async () => {
    await unpack([symlink('out', outside()), file('out/new')], [symlink('up', '../../outside'), file('up/new'), file('out/.wh.kept', '')]);
    await isUntouched();
    // What they named is inside.
    expect((await readdir(root)).length).toBeGreaterThan(2);
  });

  test('by a link to a file outside that is then written, or made again as a hard link', async () => {
    await unpack([symlink('f', join(outside(), 'kept')), file('f', 'changed')]);
    expect(await text('f')).toBe('changed');
    await isUntouched();
    await expect(unpack([[{ name: 'hard', type: 'link', linkname: '../outside/kept' }]])).rejects.toThrow(CodePackageError);
    await isUntouched();
  });

  test('nor hangs on links in a circle, devices, or an archive that is none', async () => {
    await expect(unpack([symlink('a', 'b'), symlink('b', 'a'), file('a/x')])).rejects.toThrow(/circle/);
    await unpack([[{ name: 'dev', type: 'character-device', devmajor: 1, devminor: 5 }], [{ name: 'pipe', type: 'fifo' }], file('after')]);
    expect((await readdir(root)).filter((name) => name === 'dev' || name === 'pipe')).toEqual([]);
    const broken: Layer = { digest: 'sha256:x', mediaType: `${TAR}+gzip`, read: async () => Readable.from([Buffer.from('no gzip')]) };
    await expect(unpackImage([broken], root)).rejects.toThrow(/sha256:x/);
    await isUntouched();
  });
});
