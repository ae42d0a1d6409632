import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { projectRoot, runsFromSource } from './root.ts';

/**
 * The file of a worker thread, named by its path under `src` without ending: `workerUrl('store/sqlite/writer')`.
 * From source it is the `.ts` file, which Node runs directly; from the build it is the `.js` at the same path under `dist`.
 */
export function workerUrl(entry: string): URL {
  return pathToFileURL(join(projectRoot(), runsFromSource ? 'src' : 'dist', `${entry}.${runsFromSource ? 'ts' : 'js'}`));
}
