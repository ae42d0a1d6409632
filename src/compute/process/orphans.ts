import { appendFile, readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';

const PID_FILE = 'pid';

/** Notes a process of an environment, so that the next start can end it if this Croft dies first. */
export async function notePid(directory: string, pid: number): Promise<void> {
  await appendFile(join(directory, PID_FILE), `${pid} ${(await startTime(pid)) ?? ''}\n`);
}

/** Ends processes and removes files that a dead Croft left in `root`. Resolves with how many processes were still there. */
export async function sweepOrphans(root: string): Promise<number> {
  const names = await readdir(root).catch(() => []);
  let ended = 0;
  for (const name of names) {
    const directory = join(root, name);
    for (const line of (await readFile(join(directory, PID_FILE), 'utf8').catch(() => '')).trim().split('\n')) {
      const [pidText, started] = line.split(' ');
      const pid = Number(pidText);
      // A process id is used again: only the one that started at the noted time is ours.
      if (pid > 1 && started && started === (await startTime(pid)) && killGroup(pid)) ended++;
    }
    await rm(directory, { recursive: true, force: true });
  }
  return ended;
}

/** SIGKILL to a process group; false where it is gone. */
export function killGroup(pid: number): boolean {
  try {
    process.kill(-pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

/** When a process started, in clock ticks since boot; undefined where it is gone or the system has no /proc. */
async function startTime(pid: number): Promise<string | undefined> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  // The name, in parentheses, may hold anything; field 22 counts from behind it.
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
}
