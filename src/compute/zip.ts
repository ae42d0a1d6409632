import { createWriteStream } from 'node:fs';
import { chmod, mkdir, realpath, symlink, unlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { type Entry, fromBufferPromise, type ZipFile } from 'yauzl';
import { CodePackageError } from './failures.ts';
import { UNZIPPED_BYTES_MAX, ZIP_ENTRIES_MAX } from './limits.ts';

const UNREADABLE = 'Could not unzip uploaded file. Please check your file, then try to upload again.';
const TOO_LARGE = `Unzipped size must be smaller than ${UNZIPPED_BYTES_MAX} bytes`;
const EMPTY = 'Uploaded file must be a non-empty zip';
const FILE_TYPE = 0o170000;
const SYMLINK = 0o120000;
const SYMLINK_TARGET_BYTES_MAX = 4096;
/** Entries written at once: enough to keep the disk busy, few enough to leave the event loop to others. */
const WRITERS = 8;
/** Entries up to this size are held as a whole while they are written. */
const WHOLE_BYTES_MAX = 1_048_576;
/** "APPNOTE.TXT - .ZIP File Format Specification", 4.3.7 and 4.4.5. */
const LOCAL_HEADER_SIGNATURE = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const STORED = 0;
const DEFLATED = 8;

const inflate = promisify(inflateRaw);

/** Checks a zip by its directory, without unpacking: throws {@link CodePackageError} with AWS's wording. */
export async function inspectZip(zip: Uint8Array): Promise<{ readonly unzippedBytes: number }> {
  const entries = await readEntries(zip, async () => undefined);
  return { unzippedBytes: entries.reduce((sum, entry) => sum + entry.uncompressedSize, 0) };
}

/**
 * Unpacks a zip into `directory`, which exists. No entry leaves it: not by its name, not through a symbolic link. Permissions are
 * kept; what is written never exceeds the limit. Throws {@link CodePackageError}.
 */
export async function unpackZip(zip: Uint8Array, directory: string): Promise<void> {
  const root = await realpath(directory);
  const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
  await readEntries(zip, async (file, entries) => {
    const links = entries.filter((entry) => unixMode(entry) !== undefined && ((unixMode(entry) ?? 0) & FILE_TYPE) === SYMLINK);
    const isLink = new Set(links);
    const folders = new Set<string>([root]);
    const plain = entries.filter((entry) => !isLink.has(entry));
    for (const entry of plain) folders.add(entry.fileName.endsWith('/') ? inside(root, entry) : dirname(inside(root, entry)));
    for (const folder of folders) await mkdir(folder, { recursive: true });
    const files = plain.filter((entry) => !entry.fileName.endsWith('/'));
    let next = 0;
    const writer = async () => {
      for (let entry = files[next++]; entry; entry = files[next++]) await writeEntry({ file, zip: bytes }, entry, inside(root, entry));
    };
    await Promise.all(Array.from({ length: Math.min(WRITERS, files.length) }, writer));
    // Links come last: nothing is ever written through one.
    for (const entry of links) await writeLink(file, entry, root);
  });
}

async function readEntries(zip: Uint8Array, use: (file: ZipFile, entries: readonly Entry[]) => Promise<void>): Promise<readonly Entry[]> {
  let file: ZipFile | undefined;
  try {
    const bytes = Buffer.from(zip.buffer, zip.byteOffset, zip.byteLength);
    file = await fromBufferPromise(bytes, { lazyEntries: true, validateEntrySizes: true, strictFileNames: false });
    if (file.entryCount === 0) throw new CodePackageError(EMPTY);
    if (file.entryCount > ZIP_ENTRIES_MAX) throw new CodePackageError(UNREADABLE);
    const entries = await listEntries(file);
    let total = 0;
    for (const entry of entries) {
      if (entry.fileName.includes('\0')) throw new CodePackageError(UNREADABLE);
      total += entry.uncompressedSize;
    }
    if (total > UNZIPPED_BYTES_MAX) throw new CodePackageError(TOO_LARGE);
    await use(file, entries);
    return entries;
  } catch (error) {
    if (error instanceof CodePackageError) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    // A full disk or a lost directory is no fault of the package.
    if (typeof code === 'string' && /^E(NOSPC|IO|ROFS|ACCES|PERM|MFILE|NFILE|DQUOT)$/.test(code)) throw error;
    throw new CodePackageError(UNREADABLE, { cause: error });
  } finally {
    file?.close();
  }
}

function listEntries(file: ZipFile): Promise<readonly Entry[]> {
  return new Promise((resolve, reject) => {
    const entries: Entry[] = [];
    file.on('entry', (entry: Entry) => {
      if (entry.isEncrypted()) reject(new CodePackageError(UNREADABLE));
      entries.push(entry);
      // A breath now and then: a directory of a hundred thousand names must not hold the event loop.
      if (entries.length % 256 === 0) setImmediate(() => file.readEntry());
      else file.readEntry();
    });
    file.on('end', () => resolve(entries));
    file.on('error', reject);
    file.readEntry();
  });
}

function inside(root: string, entry: Entry): string {
  const path = resolve(root, entry.fileName);
  if (path !== root && !path.startsWith(root + sep)) throw new CodePackageError(UNREADABLE);
  return path;
}

/** Undefined where the zip was made by a system without Unix permissions. */
function unixMode(entry: Entry): number | undefined {
  const mode = entry.externalFileAttributes >>> 16;
  return mode === 0 ? undefined : mode;
}

interface Source {
  readonly file: ZipFile;
  readonly zip: Buffer;
}

/**
 * A file's permissions, with what its owner may do open to everybody: an environment has a user of its own, and archives that a program
 * made in memory (Python's `writestr`) often name the owner only. On AWS such a file cannot be read.
 */
export function readable(mode: number): number {
  return (mode & 0o777) | 0o644 | (mode & 0o100 ? 0o111 : 0);
}

async function writeEntry({ file, zip }: Source, entry: Entry, path: string): Promise<void> {
  const mode = unixMode(entry);
  const permissions = mode === undefined ? 0o644 : readable(mode);
  // Most packages are thousands of small files: streams would cost more than the files.
  const content = await contentOf(zip, entry);
  if (content) await writeFile(path, content, { mode: permissions });
  else await pipeline(await file.openReadStreamPromise(entry), createWriteStream(path, { mode: permissions }));
  if (permissions !== (permissions & ~process.umask())) await chmod(path, permissions);
}

/** A small entry as a whole, inflated in the thread pool; undefined for one that is better streamed. */
async function contentOf(zip: Buffer, entry: Entry): Promise<Buffer | undefined> {
  const { compressedSize, uncompressedSize, compressionMethod } = entry;
  if (uncompressedSize > WHOLE_BYTES_MAX || compressedSize > WHOLE_BYTES_MAX) return undefined;
  if (compressionMethod !== STORED && compressionMethod !== DEFLATED) return undefined;
  const header = entry.relativeOffsetOfLocalHeader;
  if (header + LOCAL_HEADER_BYTES > zip.length || zip.readUInt32LE(header) !== LOCAL_HEADER_SIGNATURE) throw new CodePackageError(UNREADABLE);
  const start = header + LOCAL_HEADER_BYTES + zip.readUInt16LE(header + 26) + zip.readUInt16LE(header + 28);
  if (start + compressedSize > zip.length) throw new CodePackageError(UNREADABLE);
  const data = zip.subarray(start, start + compressedSize);
  // An entry that says less than it holds fails here; one byte more than none, for the option takes no zero.
  const content = compressionMethod === STORED ? data : await inflate(data, { maxOutputLength: uncompressedSize + 1 });
  if (content.length !== uncompressedSize) throw new CodePackageError(UNREADABLE);
  return content;
}

async function writeLink(file: ZipFile, entry: Entry, root: string): Promise<void> {
  if (entry.uncompressedSize > SYMLINK_TARGET_BYTES_MAX) throw new CodePackageError(UNREADABLE);
  const path = inside(root, entry);
  const chunks: Buffer[] = [];
  for await (const chunk of await file.openReadStreamPromise(entry)) chunks.push(chunk as Buffer);
  const target = Buffer.concat(chunks).toString('utf8');
  await mkdir(dirname(path), { recursive: true });
  if (!(await staysInside(root, await realpath(dirname(path)), target))) throw new CodePackageError(UNREADABLE);
  await symlink(target, path);
  const real = await realpath(path).catch(() => undefined);
  if (real === undefined || real === root || real.startsWith(root + sep)) return;
  await unlink(path);
  throw new CodePackageError(UNREADABLE);
}

/** Follows a link's target part by part, as the kernel would: links that exist on the way count. */
async function staysInside(root: string, from: string, target: string): Promise<boolean> {
  if (target === '' || target.includes('\0') || target.startsWith('/')) return false;
  let at = from;
  for (const part of target.split('/')) {
    const next = join(at, part);
    at = await realpath(next).catch(() => next);
    if (relative(root, at).startsWith('..')) return false;
  }
  return true;
}
