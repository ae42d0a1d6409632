import { cp, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Blobs } from '../blobs/blobs.ts';
import { restoreBackup } from '../store/backup.ts';
import type { Store } from '../store/store.ts';
import { ROOT_KEY_FILE } from './root-key.ts';
import { SettingError } from './settings.ts';

/** Files of the data directory that a backup takes beside the store and the bodies, where they are there. */
const KEPT_FILES = [ROOT_KEY_FILE, 'tls'];
const DATABASE = 'croft.db';
const BODIES = 'blobs';

/** Blobs whose deletions can be held back while a backup copies them: what the store's copy names must still be there. */
export interface HoldableBlobs extends Blobs {
  /** Deletions wait until the returned function is called. */
  hold(): () => void;
}

export function holdable(blobs: Blobs): HoldableBlobs {
  let held: Promise<void> = Promise.resolve();
  return {
    ...blobs,
    async delete(id) {
      await held;
      await blobs.delete(id);
    },
    async sweep(olderThanMs, isReferenced) {
      await held;
      return blobs.sweep(olderThanMs, isReferenced);
    },
    hold() {
      const { promise, resolve } = Promise.withResolvers<void>();
      const before = held;
      held = before.then(() => promise);
      return resolve;
    },
  };
}

/**
 * Writes a consistent copy of everything to the new folder `folder`, while requests go on: the store as it stands at one moment, then
 * the bodies, which never change once written. Throws {@link SettingError} where the folder exists.
 */
export async function backUpData(store: Store, blobs: HoldableBlobs, dataDir: string, folder: string): Promise<{ folder: string }> {
  await mkdir(folder, { recursive: false }).catch((error: NodeJS.ErrnoException) => {
    throw new SettingError(error.code === 'EEXIST' ? `${folder} exists already: name a new folder` : `${folder} cannot be made: ${error.message}`);
  });
  const release = blobs.hold();
  try {
    await store.backup(join(folder, DATABASE));
    await copyTree(join(dataDir, BODIES), join(folder, BODIES));
    for (const name of KEPT_FILES) await copyTree(join(dataDir, name), join(folder, name));
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  } finally {
    release();
  }
  return { folder };
}

/** Makes the data directory `dataDir` from a backup. Refuses one that holds anything. */
export async function restoreData(folder: string, dataDir: string): Promise<void> {
  await restoreBackup(join(folder, DATABASE), dataDir);
  try {
    for (const name of [BODIES, ...KEPT_FILES]) await copyTree(join(folder, name), join(dataDir, name));
  } catch (error) {
    // A half-restored directory must not pass for a whole one.
    for (const name of await readdir(dataDir)) await rm(join(dataDir, name), { recursive: true, force: true });
    throw error;
  }
}

async function copyTree(from: string, to: string): Promise<void> {
  await cp(from, to, { recursive: true, filter: (path) => !path.endsWith('/blobs/tmp') }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}
