import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

let root: string | undefined;

/** The folder of Croft's package.json: the same from source (`src/…`) and from the build (`dist/…`). */
export function projectRoot(): string {
  if (root !== undefined) return root;
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const parent = dirname(folder);
    if (parent === folder) throw new Error("Croft's package.json is missing above its code");
    folder = parent;
  }
  root = folder;
  return folder;
}

/** True when the TypeScript source runs, false when the build does. */
export const runsFromSource: boolean = import.meta.url.endsWith('.ts');
