import { readdir, readFile, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** How often a cgroup whose processes have just been killed is tried again. */
const TRIES = 50;
const RETRY_MS = 20;

/**
 * Kills what is left in the cgroups of a Croft that died together with its helper, and removes them. `notes` is what that Croft
 * wrote down: a directory a line. One that is not ours by its name is left alone.
 */
export async function sweepCgroups(notes: string): Promise<void> {
  for (const place of notes.split('\n')) {
    if (!/^\/sys\/fs\/cgroup\/(.*\/)?croft-\d+-[0-9a-f]{8}$/.test(place)) continue;
    const names = await readdir(place, { withFileTypes: true }).catch(() => []);
    for (const entry of names) if (entry.isDirectory()) await removeCgroup(join(place, entry.name));
    await removeCgroup(place);
  }
}

async function removeCgroup(directory: string): Promise<void> {
  for (let tries = 0; tries < TRIES; tries++) {
    const text = await readFile(join(directory, 'cgroup.procs'), 'utf8').catch(() => '');
    for (const pid of text.split('\n')) if (pid !== '') killProcess(Number(pid));
    try {
      await rmdir(directory);
      return;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      await wait(RETRY_MS);
    }
  }
}

function killProcess(pid: number): void {
  try {
    if (pid > 1) process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already.
  }
}
