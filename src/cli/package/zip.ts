import { createHash } from 'node:crypto';
import { lstat, readdir, readFile, readlink, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ZipFile } from 'yazl';

/** What is never part of a function: version control, caches, and what SAM and Croft leave behind. */
const LEFT_OUT: ReadonlySet<string> = new Set(['.git', '.hg', '.svn', '__pycache__', '.aws-sam', '.croft', '.venv', '.DS_Store']);

/** The same time in every entry, so that the same files make the same archive, and an unchanged function is not uploaded again. */
const FIXED_TIME = new Date(Date.UTC(1980, 0, 1));

export interface Archive {
  readonly bytes: Buffer;
  /** SHA-256 in hex: the archive's name in the artifact bucket. */
  readonly hash: string;
}

/** Zips a folder's content, or one file, in a stable order. A file that is an archive already is taken as it is. */
export async function archive(path: string): Promise<Archive> {
  const bytes = (await stat(path)).isDirectory() ? await zipFolder(path) : /\.(zip|jar)$/.test(path) ? await readFile(path) : await zipFile(path);
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
}

async function zipFolder(folder: string): Promise<Buffer> {
  const zip = new ZipFile();
  await addFolder(zip, folder, '');
  return finish(zip);
}

async function addFolder(zip: ZipFile, folder: string, prefix: string): Promise<void> {
  const names = (await readdir(folder)).filter((name) => !LEFT_OUT.has(name)).sort();
  for (const name of names) {
    const path = join(folder, name);
    const inside = prefix + name;
    const info = await lstat(path);
    if (info.isSymbolicLink()) {
      // Kept as a link (its mode says so), as `zip --symlinks` does: node_modules/.bin is full of them.
      zip.addBuffer(Buffer.from(await readlink(path)), inside, { mtime: FIXED_TIME, mode: 0o120777 });
    } else if (info.isDirectory()) await addFolder(zip, path, `${inside}/`);
    else if (info.isFile()) zip.addFile(path, inside, { mtime: FIXED_TIME, mode: info.mode & 0o111 ? 0o100755 : 0o100644 });
  }
}

function zipFile(path: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addFile(path, basename(path), { mtime: FIXED_TIME, mode: 0o100755 });
  return finish(zip);
}

async function finish(zip: ZipFile): Promise<Buffer> {
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
