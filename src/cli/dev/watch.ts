import { sep } from 'node:path';
import type { FSWatcher } from 'chokidar';

/** Folders whose changes are nobody's edits. */
const IGNORED = /[/\\](node_modules|\.git|\.croft|\.aws-sam|__pycache__|\.venv|\.mypy_cache|\.pytest_cache)([/\\]|$)/;

export interface Watched {
  /** Watches more paths. */
  add(paths: readonly string[]): void;
  close(): Promise<void>;
}

/** Calls `changed` with each file that is written, added or removed below `paths`, one after the other. */
export async function watch(paths: readonly string[], changed: (file: string) => Promise<void>): Promise<Watched> {
  const { watch: watchPaths } = await import('chokidar');
  const watcher: FSWatcher = watchPaths([...paths], { ignoreInitial: true, ignored: (path) => IGNORED.test(path), atomic: false });
  let last: Promise<void> = Promise.resolve();
  watcher.on('all', (event, file) => {
    if (event === 'addDir' || event === 'unlinkDir') return;
    last = last.then(() => changed(file));
  });
  await new Promise<void>((resolve) => watcher.once('ready', () => resolve()));
  return {
    add: (more) => void watcher.add([...more]),
    async close() {
      await watcher.close();
      await last;
    },
  };
}

/** Whether `file` lies in `folder`. */
export const isBelow = (folder: string, file: string): boolean => file === folder || file.startsWith(folder.endsWith(sep) ? folder : folder + sep);
