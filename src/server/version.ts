import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from '../kit/root.ts';

let cached: string | undefined;

/** Croft's version, from package.json. */
export function version(): string {
  cached ??= (JSON.parse(readFileSync(join(projectRoot(), 'package.json'), 'utf8')) as { version: string }).version;
  return cached;
}
