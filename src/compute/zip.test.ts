import { lstat, mkdtemp, readdir, readFile, readlink, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { CodePackageError } from './failures.ts';
import { zipFiles } from './testing.ts';
import { inspectZip, unpackZip } from './zip.ts';

const UNREADABLE = 'Could not unzip uploaded file. Please check your file, then try to upload again.';
const SYMLINK = 0o120777;

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'croft-zip-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

interface File {
  readonly name: string;
  readonly content: string;
  readonly mode?: number;
}

/** A zip of files with modes; names may be replaced by others of the same length, which no zip writer would allow. */
async function zipOf(files: readonly File[], rename: readonly (readonly [string, string])[] = []): Promise<Buffer> {
  const zip = new ZipFile();
  for (const { name, content, mode } of files) zip.addBuffer(Buffer.from(content), name, { compress: false, ...(mode === undefined ? {} : { mode }) });
  zip.end();
  const chunks: Uint8Array[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Uint8Array);
  let text = Buffer.concat(chunks).toString('latin1');
  for (const [from, to] of rename) text = text.replaceAll(from, to);
  return Buffer.from(text, 'latin1');
}

describe('unpacking', () => {
  it('keeps folders, contents and permissions', async () => {
    await unpackZip(
      await zipOf([
        { name: 'index.py', content: 'x = 1', mode: 0o100644 },
        { name: 'bin/run', content: '#!/bin/sh', mode: 0o100755 },
        { name: 'a/b/c.txt', content: 'deep' },
      ]),
      directory,
    );
    expect(await readFile(join(directory, 'a/b/c.txt'), 'utf8')).toBe('deep');
    expect((await stat(join(directory, 'bin/run'))).mode & 0o777).toBe(0o755);
    expect((await stat(join(directory, 'index.py'))).mode & 0o777).toBe(0o644);
  });

  it('keeps links that stay inside', async () => {
    await unpackZip(
      await zipOf([
        { name: 'lib/real.so.1', content: 'code' },
        { name: 'lib/real.so', content: 'real.so.1', mode: SYMLINK },
      ]),
      directory,
    );
    expect(await readlink(join(directory, 'lib/real.so'))).toBe('real.so.1');
    expect(await readFile(join(directory, 'lib/real.so'), 'utf8')).toBe('code');
  });

  it.each([
    ['a name above', [{ name: 'xx/evil', content: 'out' }], [['xx/evil', '../evil']]],
    ['an absolute name', [{ name: 'xtmp/evil', content: 'out' }], [['xtmp/evil', '/tmp//evl']]],
    ['an absolute link', [{ name: 'link', content: '/etc', mode: SYMLINK }], []],
    ['a link above', [{ name: 'link', content: '../..', mode: SYMLINK }], []],
    [
      'links that lead out together',
      [
        { name: 'd/up', content: '..', mode: SYMLINK },
        { name: 'd/out', content: 'up/../..', mode: SYMLINK },
      ],
      [],
    ],
    [
      'links that lead out to nothing',
      [
        { name: 'd/up', content: '..', mode: SYMLINK },
        { name: 'd/out', content: 'up/../nothing-there', mode: SYMLINK },
      ],
      [],
    ],
  ] as const)('refuses %s', async (_what, files, rename) => {
    await expect(unpackZip(await zipOf(files, rename), directory)).rejects.toThrow(new CodePackageError(UNREADABLE));
    for (const name of await readdir(directory, { recursive: true })) {
      const entry = await lstat(join(directory, name));
      if (entry.isSymbolicLink()) expect(await readlink(join(directory, name))).toBe('..');
    }
  });

  it('writes nothing through a link of the package itself', async () => {
    const zip = await zipOf([
      { name: 'link', content: '/tmp', mode: SYMLINK },
      { name: 'link/evil', content: 'out' },
    ]);
    await expect(unpackZip(zip, directory)).rejects.toThrow();
  });
});

describe('inspection', () => {
  it('knows the unpacked size', async () => {
    expect(await inspectZip(await zipFiles({ a: 'x'.repeat(1000), b: 'y' }))).toEqual({ unzippedBytes: 1001 });
  });

  it('refuses what is no zip, an empty one, a cut one, and one that would unpack too large', async () => {
    const whole = await zipFiles({ a: 'x'.repeat(1000) });
    await expect(inspectZip(Buffer.from('no zip'))).rejects.toThrow(UNREADABLE);
    await expect(inspectZip(whole.subarray(0, whole.length - 30))).rejects.toThrow(UNREADABLE);
    await expect(inspectZip(await zipFiles({}))).rejects.toThrow('Uploaded file must be a non-empty zip');
    const large = Buffer.from(whole);
    large.writeUInt32LE(262_144_001, large.lastIndexOf('PK\x01\x02', -1, 'latin1') + 24);
    await expect(inspectZip(large)).rejects.toThrow('Unzipped size must be smaller than 262144000 bytes');
  });
});
