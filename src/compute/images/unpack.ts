import { chmod, link, lstat, mkdir, open, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip, createZstdDecompress } from 'node:zlib';
import { extract, type Headers } from 'tar-stream';
import { CodePackageError } from '../failures.ts';
import { IMAGE_BYTES_MAX, IMAGE_ENTRIES_MAX } from '../limits.ts';
import { readable } from '../zip.ts';

/** One layer of an image: a tar archive, as it is or compressed. */
export interface Layer {
  /** Of the compressed bytes: `sha256:…`. */
  readonly digest: string;
  readonly mediaType: string;
  readonly read: () => Promise<Readable>;
}

/** A link leads to a link at most so often. */
const LINKS_MAX = 40;
const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Unpacks the layers of an image over each other into `root`, an empty directory ("OCI image layer filesystem changeset").
 *
 * An archive is anybody's: nothing is written outside of `root`, whatever its names and links say, because every parent is walked from
 * `root` and a link on the way is resolved inside of it. Owners are not kept (an environment has one user), set-user-id bits, devices and
 * pipes neither. Throws {@link CodePackageError}.
 */
export async function unpackImage(layers: readonly Layer[], root: string): Promise<void> {
  const tree = new Tree(root);
  for (const layer of layers) {
    tree.beginLayer();
    const archive = extract();
    const entries = readEntries(archive, tree);
    try {
      await Promise.all([entries, unzipped(layer, await layer.read(), archive)]);
    } catch (error) {
      if (error instanceof CodePackageError || isOfSystem(error)) throw error;
      throw new CodePackageError(`Layer ${layer.digest} of the image could not be unpacked: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
}

/** A full disk or a missing right is not the image's fault. */
const isOfSystem = (error: unknown): boolean => error instanceof Error && /^E[A-Z]+$/.test((error as NodeJS.ErrnoException).code ?? '');

async function unzipped({ mediaType }: Layer, source: Readable, archive: ReturnType<typeof extract>): Promise<void> {
  if (/zstd$/.test(mediaType)) return pipeline(source, createZstdDecompress(), archive);
  if (/gzip$/.test(mediaType)) return pipeline(source, createGunzip(), archive);
  return pipeline(source, archive);
}

async function readEntries(archive: ReturnType<typeof extract>, tree: Tree): Promise<void> {
  for await (const entry of archive) {
    await tree.add(entry.header, entry as unknown as Readable);
    if (!(entry as unknown as Readable).readableEnded) entry.resume();
  }
}

class Tree {
  readonly #root: string;
  /** Names, from the root, of what the layer that is being unpacked has made: its whiteouts do not touch them. */
  #made = new Set<string>();
  /** Directories that were found to be such, from the root. */
  readonly #folders = new Set<string>(['']);
  #bytes = 0;
  #entries = 0;

  constructor(root: string) {
    this.#root = root;
  }

  beginLayer(): void {
    this.#made = new Set();
  }

  async add(header: Headers, body: Readable): Promise<void> {
    this.#entries++;
    this.#bytes += header.size ?? 0;
    if (this.#entries > IMAGE_ENTRIES_MAX || this.#bytes > IMAGE_BYTES_MAX) {
      throw new CodePackageError(`The image is too large: unpacked it may have ${IMAGE_BYTES_MAX} bytes and ${IMAGE_ENTRIES_MAX} files`);
    }
    const parts = partsOf(header.name);
    const name = parts.pop();
    if (name === undefined) return;
    const folder = await this.#folder(parts);
    if (name === OPAQUE) return this.#clear(folder);
    if (name.startsWith(WHITEOUT)) return this.#remove(joined(folder, checked(name.slice(WHITEOUT.length))), true);
    const path = joined(folder, name);
    await this.#make(path, header, body);
    this.#made.add(path);
  }

  async #make(path: string, header: Headers, body: Readable): Promise<void> {
    const place = join(this.#root, path);
    switch (header.type) {
      case 'directory':
        // One that is there stays, with what is in it.
        if (!(await isFolder(place))) {
          await this.#remove(path);
          await mkdir(place);
        }
        // The owner must be able to go on unpacking into it.
        await chmod(place, readable(header.mode ?? 0o755) | 0o711);
        this.#folders.add(path);
        return;
      case 'file':
      case 'contiguous-file': {
        await this.#remove(path);
        const file = await open(place, 'wx', readable(header.mode ?? 0o644));
        try {
          await file.writeFile(body);
        } finally {
          await file.close();
        }
        return;
      }
      case 'symlink':
        await this.#remove(path);
        await symlink(header.linkname ?? '', place);
        return;
      case 'link': {
        const target = partsOf(header.linkname ?? '');
        const name = target.pop() ?? '';
        const source = join(this.#root, joined(await this.#folder(target), name));
        if (source === place) return;
        await this.#remove(path);
        await link(source, place);
        return;
      }
      default:
        // Devices and pipes have no use in a function.
        return;
    }
  }

  /** The real directory of `parts`, from the root, made where it is missing; links on the way are followed inside of the root only. */
  async #folder(parts: readonly string[]): Promise<string> {
    const wanted = parts.join('/');
    if (this.#folders.has(wanted)) return wanted;
    const left = [...parts].reverse();
    let at = '';
    let links = 0;
    for (let part = left.pop(); part !== undefined; part = left.pop()) {
      if (part === '..') {
        at = at.slice(0, Math.max(0, at.lastIndexOf('/')));
        continue;
      }
      const next = joined(at, part);
      if (this.#folders.has(next)) {
        at = next;
        continue;
      }
      const place = join(this.#root, next);
      const info = await lstat(place).catch(ignoreMissing);
      if (info?.isSymbolicLink()) {
        if (++links > LINKS_MAX) throw new CodePackageError(`The image has links that lead in a circle: ${wanted}`);
        const target = await readlink(place);
        if (target.startsWith('/')) at = '';
        left.push(...target.split('/').filter(isPart).reverse());
        continue;
      }
      if (!info?.isDirectory()) {
        if (info) await rm(place, { force: true });
        await mkdir(place);
      }
      this.#folders.add(next);
      at = next;
    }
    return at;
  }

  /** Removes what is there; with `below`, only what an earlier layer has made. */
  async #remove(path: string, below = false): Promise<void> {
    if (below && this.#made.has(path)) return;
    await rm(join(this.#root, path), { recursive: true, force: true });
    if (!this.#folders.has(path)) return;
    for (const folder of this.#folders) if (folder === path || folder.startsWith(`${path}/`)) this.#folders.delete(folder);
  }

  /** An opaque directory hides what earlier layers have in it. */
  async #clear(folder: string): Promise<void> {
    for (const name of await readdir(join(this.#root, folder))) {
      const path = joined(folder, name);
      if (this.#made.has(path)) continue;
      // A folder of this layer may not have an entry of its own.
      const keeps = [...this.#made].some((one) => one.startsWith(`${path}/`));
      if (keeps) await this.#clear(path);
      else await this.#remove(path);
    }
  }
}

const isPart = (part: string): boolean => part !== '' && part !== '.';

const joined = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

/** The parts of an archive's name. What leads out of the archive is refused. */
function partsOf(name: string): string[] {
  const parts = name.split('/').filter(isPart);
  if (parts.includes('..') || name.includes('\0')) throw new CodePackageError(`The image has a file of an unsafe name: ${name}`);
  return parts;
}

function checked(name: string): string {
  if (!isPart(name) || name === '..') throw new CodePackageError('The image has a whiteout of nothing');
  return name;
}

async function isFolder(path: string): Promise<boolean> {
  return (await lstat(path).catch(ignoreMissing))?.isDirectory() === true;
}

function ignoreMissing(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
