import { access, constants } from 'node:fs/promises';
import { join } from 'node:path';
import { projectRoot } from '../../kit/root.ts';
import { createProcessDriver } from '../process/driver.ts';
import type { Driver } from '../types.ts';
import { createSandboxDriver, type SandboxDriverOptions } from './driver.ts';
import type { HelperFeatures } from './helper.ts';

/** `auto` takes the sandbox where it works. */
export type Isolation = 'auto' | 'sandbox' | 'process';

export interface ChosenDriver {
  readonly driver: Driver;
  /** Why it is this one, and what is missing of it: sentences for `croft doctor`, health and the log. Empty: nothing to say. */
  readonly notes: readonly string[];
}

/** `--isolation sandbox` on a machine that cannot do it; the message says why. */
export class IsolationError extends Error {}

/** The helper's program, as `npm run build` leaves it. */
export function helperBinary(): string {
  return join(projectRoot(), 'native', 'sandboxd', 'bin', 'sandboxd');
}

/** Chooses by trying: a driver is taken where it has made an environment. Throws {@link IsolationError}. */
export async function chooseDriver(isolation: Isolation, options: Omit<SandboxDriverOptions, 'binary'>): Promise<ChosenDriver> {
  const fallback = (notes: readonly string[]): ChosenDriver => ({ driver: createProcessDriver(options), notes });
  if (isolation === 'process') return fallback(['functions run as plain processes, as asked for (--isolation process)']);
  const binary = helperBinary();
  const absent = await reasonAgainst(binary);
  const sandbox = createSandboxDriver({ ...options, binary });
  try {
    if (absent !== undefined) throw new Error(absent);
    return { driver: sandbox, notes: [...missing(await sandbox.probe()), networkNote(options.network)] };
  } catch (error) {
    await sandbox.stop();
    const why = whyNot((error as Error).message);
    if (isolation === 'sandbox') throw new IsolationError(`--isolation sandbox does not work on this machine: ${why}`);
    return fallback([`functions run as plain processes: ${why}`]);
  }
}

async function reasonAgainst(binary: string): Promise<string | undefined> {
  if (process.platform !== 'linux')
    return 'the sandbox needs Linux (namespaces and seccomp); on macOS and Windows, run Croft in a Linux virtual machine or container for isolation';
  try {
    await access(binary, constants.X_OK);
  } catch {
    return 'the sandbox helper is not built: install a C compiler (gcc and libc6-dev) and run `npm run build`';
  }
  return undefined;
}

/** What to do about a failure that people meet. */
function whyNot(message: string): string {
  if (/^namespaces: Operation not permitted|^namespaces: No space left|^user /.test(message) || /^private mounts: /.test(message)) {
    return `${message}. This system lets ordinary users make no user namespaces: run Croft as root, allow them (sysctl kernel.unprivileged_userns_clone=1, user.max_user_namespaces), or on Ubuntu 24.04 give the helper an AppArmor profile (native/sandboxd/README.md)`;
  }
  if (/^\/proc: /.test(message))
    return `${message}. Inside of a container that hides parts of /proc: start it with --security-opt systempaths=unconfined, or --privileged`;
  return message;
}

function networkNote(network: SandboxDriverOptions['network']): string {
  return network === 'host'
    ? "functions have the machine's network, its loopback included (--function-network host)"
    : 'functions reach Croft and no other network; where they need one, start with --function-network host';
}

/** What the sandbox cannot do here, each with its consequence. */
export function missing(features: HelperFeatures): string[] {
  const notes: string[] = [];
  const why = features.note === '' ? '' : ` (${features.note})`;
  if (!features.memory) notes.push(`memory sizes are not enforced${why}`);
  if (!features.pids) notes.push('the number of processes is limited by RLIMIT_NPROC only');
  if (!features.cpu) notes.push('CPU is not given in proportion to memory');
  if (!features.freeze) notes.push('idle environments are not frozen');
  return notes;
}
