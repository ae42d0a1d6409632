import { copyFile, link, lstat, mkdir, readdir, readlink, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Lays the tree of `from` over the one of `to`, which exists: folders are merged, anything else replaces what is there. Files are
 * linked and not copied where the file system can; neither tree may be written to afterwards.
 */
export async function overlay(from: string, to: string): Promise<void> {
  const pending: { from: string; to: string }[] = [{ from, to }];
  for (let folder = pending.pop(); folder; folder = pending.pop()) {
    for (const entry of await readdir(folder.from, { withFileTypes: true })) {
      const source = join(folder.from, entry.name);
      const target = join(folder.to, entry.name);
      if (entry.isDirectory()) {
        // Never into the target of a link: what an earlier package linked is replaced.
        if (!(await isFolder(target))) await rm(target, { force: true });
        await mkdir(target, { recursive: true });
        pending.push({ from: source, to: target });
        continue;
      }
      await rm(target, { recursive: true, force: true });
      if (entry.isSymbolicLink()) await symlink(await readlink(source), target);
      else await linkOrCopy(source, target);
    }
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}

async function linkOrCopy(source: string, target: string): Promise<void> {
  try {
    await link(source, target);
  } catch (error) {
    if (!/^E(PERM|XDEV|MLINK|NOTSUP|ACCES)$/.test((error as NodeJS.ErrnoException).code ?? '')) throw error;
    await copyFile(source, target);
  }
}
