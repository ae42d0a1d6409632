import { execFile } from 'node:child_process';
import { access, constants, readdir, realpath } from 'node:fs/promises';
import { homedir } from 'node:os';
import { basename, delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { projectRoot } from '../kit/root.ts';
import { RuntimeMissingError } from './failures.ts';
import type { ResolvedRuntime } from './types.ts';

const run = promisify(execFile);

/** An interpreter on this machine. */
interface Interpreter {
  readonly family: ResolvedRuntime['family'];
  readonly executable: string;
  /** Major and minor for Python, major for Node.js: what AWS's names tell apart. */
  readonly level: readonly number[];
  readonly version: string;
}

/** A line of `croft doctor`. */
export interface RuntimeStatus {
  readonly name: string;
  readonly status: 'exact' | 'nearest' | 'absent';
  readonly executable?: string;
  readonly version?: string;
}

const PYTHON_NAMES = ['python3.9', 'python3.10', 'python3.11', 'python3.12', 'python3.13', 'python3.14'];
const NODE_NAMES = ['nodejs18.x', 'nodejs20.x', 'nodejs22.x', 'nodejs24.x', 'nodejs26.x'];
const PYTHON_OLDEST = [3, 8];
const NODE_OLDEST = [18];
const VERSION_TIMEOUT_MS = 5000;

let found: Promise<readonly Interpreter[]> | undefined;

/** Which of AWS's runtime names this machine can run, and by what; for `croft doctor`. */
export async function discoverRuntimes(): Promise<readonly RuntimeStatus[]> {
  const all = await interpreters();
  return [...PYTHON_NAMES, ...NODE_NAMES].map((name) => {
    const best = choose(name, all);
    if (!best) return { name, status: 'absent' };
    return { name, status: best.exact ? 'exact' : 'nearest', executable: best.executable, version: best.version };
  });
}

/**
 * The interpreter for a runtime name: the exact one, else the nearest newer, else the newest there is.
 * Throws {@link RuntimeMissingError} where the machine has none of its family.
 */
export async function resolveRuntime(name: string): Promise<ResolvedRuntime> {
  const best = choose(name, await interpreters());
  if (best) return best;
  const family = familyOf(name);
  const what = family === 'python' ? 'Python 3.8 or later' : family === 'nodejs' ? 'Node.js 18 or later' : 'an interpreter';
  throw new RuntimeMissingError(`The runtime ${name} needs ${what} on this machine, and none was found; install it and start Croft again`);
}

export function familyOf(name: string): ResolvedRuntime['family'] | undefined {
  if (/^python3\.\d+$/.test(name)) return 'python';
  if (/^nodejs\d+\.x$/.test(name)) return 'nodejs';
  return undefined;
}

/** Pure: the best of `all` for a runtime name. */
export function choose(name: string, all: readonly Interpreter[]): ResolvedRuntime | undefined {
  const family = familyOf(name);
  const wanted = (/(\d+(?:\.\d+)?)/.exec(name)?.[1] ?? '').split('.').map(Number);
  const candidates = all.filter((one) => one.family === family).sort((a, b) => compare(a.level, b.level));
  const best = candidates.find((one) => compare(one.level, wanted) >= 0) ?? candidates.at(-1);
  if (!best || !family) return undefined;
  return { name, family, executable: best.executable, version: best.version, exact: compare(best.level, wanted) === 0 };
}

/** What is said where another version stands in. */
export function substituteWarning(runtime: ResolvedRuntime): string | undefined {
  if (runtime.exact) return undefined;
  const language = runtime.family === 'python' ? 'Python' : 'Node.js';
  return `${runtime.name} is not installed on this machine; the function runs on ${language} ${runtime.version} (${runtime.executable})`;
}

function compare(a: readonly number[], b: readonly number[]): number {
  for (let i = 0; i < Math.max(a.length, b.length); i++) {
    const difference = (a[i] ?? 0) - (b[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function interpreters(): Promise<readonly Interpreter[]> {
  found ??= search();
  return found;
}

async function search(): Promise<readonly Interpreter[]> {
  const folders = await candidateFolders();
  const lists = await Promise.all(folders.map(async (folder) => ({ folder, names: await readdir(folder).catch(() => []) })));
  const files = new Map<string, 'python' | 'nodejs'>();
  for (const { folder, names } of lists) {
    for (const name of names) {
      if (/^python3(\.\d+)?$/.test(name)) files.set(join(folder, name), 'python');
      else if (name === 'node' || name === 'nodejs') files.set(join(folder, name), 'nodejs');
    }
  }
  files.set(process.execPath, 'nodejs');
  const seen = new Set<string>();
  const results = await Promise.all(
    [...files].map(async ([file, family]) => {
      const real = await realpath(file).catch(() => undefined);
      if (real === undefined || seen.has(real)) return undefined;
      seen.add(real);
      return inspect(real, family);
    }),
  );
  const all = results.filter((one) => one !== undefined);
  // Of one version, the first in the order of the path is taken.
  const first = new Map<string, Interpreter>();
  for (const one of all) if (!first.has(`${one.family}:${one.level.join('.')}`)) first.set(`${one.family}:${one.level.join('.')}`, one);
  return [...first.values()];
}

async function candidateFolders(): Promise<readonly string[]> {
  const home = homedir();
  const below = async (folder: string, ...rest: string[]) => (await readdir(folder).catch(() => [])).sort().map((name) => join(folder, name, ...rest));
  const modules = join(projectRoot(), 'node_modules');
  const nodes = (await readdir(modules).catch(() => [])).filter((name) => /^node-(linux|darwin|win)-/.test(name)).map((name) => join(modules, name, 'bin'));
  // pyenv's shims are scripts that choose a version by the current directory: slow, and often none.
  const path = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && basename(folder) !== 'shims');
  const pyenv = await below(join(process.env['PYENV_ROOT'] ?? join(home, '.pyenv'), 'versions'), 'bin');
  const uv = await below(join(home, '.local', 'share', 'uv', 'python'), 'bin');
  const nvm = await below(join(home, '.nvm', 'versions', 'node'), 'bin');
  return [...new Set([...path, join(modules, '.bin'), ...nodes, '/usr/local/bin', '/usr/bin', ...pyenv, ...uv, ...nvm])];
}

async function inspect(executable: string, family: Interpreter['family']): Promise<Interpreter | undefined> {
  try {
    await access(executable, constants.X_OK);
    if (executable === (await realpath(process.execPath))) return interpreter(family, executable, process.versions.node);
    const { stdout, stderr } = await run(executable, ['--version'], { timeout: VERSION_TIMEOUT_MS, env: {} });
    return interpreter(family, executable, /(\d+\.\d+\.\d+)/.exec(stdout || stderr)?.[1]);
  } catch {
    // Not one that runs: as good as absent.
    return undefined;
  }
}

function interpreter(family: Interpreter['family'], executable: string, version: string | undefined): Interpreter | undefined {
  if (!version) return undefined;
  const level = version
    .split('.')
    .slice(0, family === 'python' ? 2 : 1)
    .map(Number);
  return compare(level, family === 'python' ? PYTHON_OLDEST : NODE_OLDEST) >= 0 ? { family, executable, level, version } : undefined;
}
