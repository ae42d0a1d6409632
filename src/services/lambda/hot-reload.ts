import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import type { FSWatcher } from 'chokidar';
import type { Compute } from '../../compute/compute.ts';
import type { FunctionSpec } from '../../compute/types.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Operation } from '../service.ts';
import { accessDenied, invalidParameter } from './errors.ts';
import { HOT_FILES_MAX, HOT_FRESH_MS, HOT_RELOAD_BUCKET, HOT_WATCHERS_MAX } from './limits.ts';

/** Folders that nobody edits by hand, and that may be very large. */
const SKIPPED = new Set(['node_modules', '.git', '__pycache__', '.venv', '.mypy_cache', '.pytest_cache']);

/** Code that is edited while it runs: a directory of this machine is a function's code. */
export interface HotReload {
  /** `spec` in the state in which its directory is now: environments that run an older one are not used again. */
  current(spec: FunctionSpec): Promise<FunctionSpec>;
  close(): Promise<void>;
}

interface Seen {
  readonly spec: FunctionSpec;
  readonly state: string;
  readonly hot: FunctionSpec;
}

export function createHotReload(compute: Compute, clock: () => Clock): HotReload {
  const seen = new Map<string, Seen>();
  const watchers = new Map<string, Promise<FSWatcher>>();
  const states = new Map<string, { readonly atMs: number; readonly state: Promise<string> }>();

  const stateOf = (directory: string): Promise<string> => {
    const nowMs = clock().mono();
    const known = states.get(directory);
    if (known && nowMs - known.atMs < HOT_FRESH_MS) return known.state;
    const state = directoryState(directory);
    states.set(directory, { atMs: nowMs, state });
    return state;
  };

  const current = async (spec: FunctionSpec): Promise<FunctionSpec> => {
    const { directory } = spec.code;
    if (directory === undefined) return spec;
    const state = await stateOf(directory);
    const known = seen.get(spec.key);
    if (known?.spec === spec && known.state === state) return known.hot;
    const hot: FunctionSpec = {
      ...spec,
      configuration: `${spec.configuration}+${state}`,
      platformVariables: () => ({ ...HOT_VARIABLES, ...spec.platformVariables() }),
    };
    seen.set(spec.key, { spec, state, hot });
    compute.retire(spec.key, hot.configuration);
    watchDirectory(directory);
    return hot;
  };

  /** Calls never depend on this: it only starts the next environment when a file is saved, and not first when somebody calls. */
  const watchDirectory = (directory: string): void => {
    if (watchers.has(directory) || watchers.size >= HOT_WATCHERS_MAX) return;
    watchers.set(
      directory,
      startWatching(directory, () => void startAhead(directory)),
    );
  };

  const startAhead = async (directory: string): Promise<void> => {
    states.delete(directory);
    for (const { spec, hot: before } of [...seen.values()]) {
      if (spec.code.directory !== directory) continue;
      const hot = await current(spec);
      if (hot !== before) compute.prestart(hot);
    }
  };

  return {
    current,
    async close() {
      for (const watcher of watchers.values()) await (await watcher).close();
    },
  };
}

async function startWatching(directory: string, changed: () => void): Promise<FSWatcher> {
  const { watch } = await import('chokidar');
  const watcher = watch(directory, { ignoreInitial: true, atomic: false, persistent: false, ignored: (path) => SKIPPED.has(basename(path)) });
  watcher.on('all', changed);
  return watcher;
}

/** Compiled Python is told apart by whole seconds, too coarse for who saves and calls; stack traces name the sources of bundles. */
const HOT_VARIABLES = { PYTHONDONTWRITEBYTECODE: '1', PYTHONPYCACHEPREFIX: '/nonexistent', NODE_OPTIONS: '--enable-source-maps' } as const;

/** Changes with every file that is written, added or removed, except in folders that nobody edits by hand. */
async function directoryState(directory: string): Promise<string> {
  const hash = createHash('sha1');
  const folders = [directory];
  let files = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    const entries = await entriesOf(folder);
    const stats = await Promise.all(entries.filter((entry) => !entry.isDirectory()).map((entry) => statOf(join(entry.parentPath, entry.name))));
    for (const one of stats.sort()) hash.update(one);
    for (const entry of entries) if (entry.isDirectory() && !SKIPPED.has(entry.name)) folders.push(join(folder, entry.name));
    files += entries.length;
    if (files > HOT_FILES_MAX) break;
  }
  return hash.digest('hex').slice(0, 16);
}

async function entriesOf(folder: string): Promise<Dirent[]> {
  try {
    return await readdir(folder, { withFileTypes: true });
  } catch {
    // Removed meanwhile: without it, the state is another.
    return [];
  }
}

async function statOf(file: string): Promise<string> {
  try {
    const { mtimeNs, size, ino } = await stat(file, { bigint: true });
    return `${file} ${mtimeNs} ${size} ${ino}\n`;
  } catch {
    return `${file} gone\n`;
  }
}

/** The directory that a request names as live code: LocalStack's convention, an absolute path as the key. Throws AWS's error for others. */
export async function hotDirectory(key: string | undefined): Promise<string> {
  const directory = key ?? '';
  if (!isAbsolute(directory)) throw invalidParameter(`S3Key of the bucket ${HOT_RELOAD_BUCKET} must be the absolute path of a directory, not ${directory}`);
  const found = await stat(directory).catch(() => undefined);
  if (!found?.isDirectory()) throw invalidParameter(`There is no directory ${directory} on the machine that Croft runs on`);
  return directory;
}

/** Where callers are checked, none of them may run what lies on the machine. */
export function withoutHotReload<I, O>(operation: Operation<I, O>): Operation<I, O> {
  return async (ctx, input) => {
    const asked = input as { readonly S3Bucket?: string; readonly Code?: { readonly S3Bucket?: string } };
    if ((asked.Code ?? asked).S3Bucket === HOT_RELOAD_BUCKET)
      throw accessDenied(`The bucket ${HOT_RELOAD_BUCKET} needs --auth off: it runs directories of this machine.`);
    return operation(ctx, input);
  };
}
