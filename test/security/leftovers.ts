import { readdirSync, readFileSync } from 'node:fs';

/** What an execution environment could leave on the machine. */
export interface Leftovers {
  /** Ids of processes that belong to a sandbox or are its helper. */
  readonly processes: readonly string[];
  readonly cgroups: readonly string[];
  /** Mounts of this process's namespace that name a sandbox. */
  readonly mounts: readonly string[];
  readonly descriptors: number;
}

/** Looks at what `instance` (a helper's name, `croft-<platform's pid>-`) has on the machine. */
export function leftovers(instance: string): Leftovers {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const processes: string[] = [];
  for (const pid of pids) {
    const command = attempt(() => readFileSync(`/proc/${pid}/cmdline`, 'latin1'));
    if (command.includes(instance) && command.includes('sandboxd')) processes.push(pid);
    if (attempt(() => readFileSync(`/proc/${pid}/cgroup`, 'latin1')).includes(instance)) processes.push(pid);
  }
  return {
    processes,
    cgroups: cgroupsOf(instance, '/sys/fs/cgroup', 6),
    mounts: readFileSync('/proc/self/mountinfo', 'utf8')
      .split('\n')
      .filter((line) => line.includes('/sandbox/root')),
    descriptors: readdirSync('/proc/self/fd').length,
  };
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    // It has just ended, or is somebody else's.
    return '';
  }
}

function cgroupsOf(instance: string, folder: string, depth: number): string[] {
  if (depth === 0) return [];
  try {
    return readdirSync(folder, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .flatMap(({ name }) => [...(name.startsWith(instance) ? [`${folder}/${name}`] : []), ...cgroupsOf(instance, `${folder}/${name}`, depth - 1)]);
  } catch {
    // It has just been removed.
    return [];
  }
}
