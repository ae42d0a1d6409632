import { createHash } from 'node:crypto';
import { access, mkdir, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { workerUrl } from '../kit/worker.ts';
import { CodePackageError } from './failures.ts';
import { unpackImage } from './images/unpack.ts';
import { UNPACK_HERE_BYTES_MAX } from './limits.ts';
import { overlay } from './overlay.ts';
import type { CodePackage } from './types.ts';
import type { UnpackAnswer, UnpackTask } from './unpack-worker.ts';
import { unpackZip } from './zip.ts';

const UNFINISHED = '.unpacking-';
const BOOT_ID = '/proc/sys/kernel/random/boot_id';
/** Says in which boot of the machine the entries beside it were made. */
const BOOT_NOTE = '.boot';

/** Code packages, each unpacked once under the digest of its zip and then shared by every environment that runs it. */
export interface CodeCache {
  /** The directory of the unpacked code. Throws {@link CodePackageError}. */
  directoryOf(code: CodePackage): Promise<string>;
  /** The directory in which packages lie over each other, later ones on top; undefined for none. Throws {@link CodePackageError}. */
  mergedDirectoryOf(packages: readonly CodePackage[]): Promise<string | undefined>;
  /** Removes what a start that died left unfinished. */
  start(): Promise<void>;
}

export function createCodeCache(root: string, newId: () => string): CodeCache {
  const known = new Map<string, Promise<string>>();

  /** Fills `root/name` all at once: a directory of that name is whole, however the process before this one ended. */
  const make = async (name: string, fill: (unfinished: string) => Promise<void>): Promise<string> => {
    const directory = join(root, name);
    if (await exists(directory)) return directory;
    const unfinished = join(root, `${UNFINISHED}${newId()}`);
    await mkdir(unfinished, { recursive: true });
    try {
      await fill(unfinished);
      await rename(unfinished, directory);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      // Another process may have been first: what it unpacked is the same.
      if (!(await exists(directory))) throw error;
    }
    return directory;
  };

  const once = (name: string, fill: (unfinished: string) => Promise<void>): Promise<string> => {
    const running = known.get(name);
    if (running) return running;
    const started = make(name, fill);
    known.set(name, started);
    started.catch(() => known.delete(name));
    return started;
  };

  const directoryOf = (code: CodePackage) => (code.directory === undefined ? unpacked(code) : live(code.directory));
  const unpacked = (code: CodePackage) => {
    const { layers } = code;
    if (layers) return once(`image-${code.sha256}`, (unfinished) => unpackImage(layers, unfinished));
    return once(code.sha256, async (unfinished) => unpackAnywhere(await code.read(), unfinished));
  };

  return {
    directoryOf,
    async mergedDirectoryOf(packages) {
      const [only] = packages;
      if (packages.length <= 1) return only && directoryOf(only);
      const name = `layers-${createHash('sha256')
        .update(packages.map(({ sha256 }) => sha256).join(' '))
        .digest('hex')}`;
      return once(name, async (unfinished) => {
        for (const one of packages) await overlay(await directoryOf(one), unfinished);
      });
    },
    async start() {
      await mkdir(root, { recursive: true });
      await dropOfOtherBoot(root);
      const names = await readdir(root);
      await Promise.all(names.filter((name) => name.startsWith(UNFINISHED)).map((name) => rm(join(root, name), { recursive: true, force: true })));
    },
  };
}

/**
 * Entries are renamed into place and not synced: a killed process leaves none that is half, but a machine that lost its power may.
 * They can all be made again, so what was made before the machine's last start is.
 */
async function dropOfOtherBoot(root: string): Promise<void> {
  const boot = await readFile(BOOT_ID, 'utf8').catch(() => undefined);
  // A system that does not tell its boots apart.
  if (boot === undefined) return;
  const note = join(root, BOOT_NOTE);
  if ((await readFile(note, 'utf8').catch(() => undefined)) === boot) return;
  await Promise.all((await readdir(root)).map((name) => rm(join(root, name), { recursive: true, force: true })));
  await writeFile(note, boot);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

/** Small packages at once, others in a thread of their own. */
async function unpackAnywhere(zip: Buffer, directory: string): Promise<void> {
  if (zip.length <= UNPACK_HERE_BYTES_MAX) {
    await unpackZip(zip, directory);
    return;
  }
  const owned = zip.byteLength === zip.buffer.byteLength && zip.buffer instanceof ArrayBuffer;
  const task: UnpackTask = { zip, directory };
  const worker = new Worker(workerUrl('compute/unpack-worker'), { workerData: task, transferList: owned ? [zip.buffer as ArrayBuffer] : [] });
  const answer = await new Promise<UnpackAnswer>((resolve, reject) => {
    worker.on('message', resolve);
    worker.on('error', reject);
    worker.on('exit', (code) => reject(new Error(`the unpacking thread ended with ${code}`)));
  });
  if (answer.refused !== undefined) throw new CodePackageError(answer.refused);
}

async function live(directory: string): Promise<string> {
  if (!(await exists(directory))) throw new CodePackageError(`There is no directory ${directory}`);
  return directory;
}
