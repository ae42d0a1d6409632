import { access, mkdir, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { CodePackage } from './types.ts';
import { unpackZip } from './zip.ts';

const UNFINISHED = '.unpacking-';

/** Code packages, each unpacked once under the digest of its zip and then shared by every environment that runs it. */
export interface CodeCache {
  /** The directory of the unpacked code. Throws {@link CodePackageError}. */
  directoryOf(code: CodePackage): Promise<string>;
  /** Removes what a start that died left unfinished. */
  start(): Promise<void>;
}

export function createCodeCache(root: string, newId: () => string): CodeCache {
  const known = new Map<string, Promise<string>>();

  const unpack = async (code: CodePackage): Promise<string> => {
    const directory = join(root, code.sha256);
    if (await exists(directory)) return directory;
    const unfinished = join(root, `${UNFINISHED}${newId()}`);
    await mkdir(unfinished, { recursive: true });
    try {
      await unpackZip(await code.read(), unfinished);
      await rename(unfinished, directory);
    } catch (error) {
      await rm(unfinished, { recursive: true, force: true });
      // Another process may have been first: what it unpacked is the same.
      if (!(await exists(directory))) throw error;
    }
    return directory;
  };

  return {
    directoryOf(code) {
      const running = known.get(code.sha256);
      if (running) return running;
      const started = unpack(code);
      known.set(code.sha256, started);
      started.catch(() => known.delete(code.sha256));
      return started;
    },
    async start() {
      await mkdir(root, { recursive: true });
      const names = await readdir(root);
      await Promise.all(names.filter((name) => name.startsWith(UNFINISHED)).map((name) => rm(join(root, name), { recursive: true, force: true })));
    },
  };
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
