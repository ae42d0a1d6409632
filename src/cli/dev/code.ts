import { existsSync } from 'node:fs';
import { cp, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { Output } from '../output.ts';
import { build } from '../package/build.ts';
import type { LocalCode } from '../package/template.ts';
import { Bundle } from './bundle.ts';

/** One function's code while it is edited: the directory that Croft runs, and what to do when a source file changes. */
export interface LiveCode {
  readonly logicalId: string;
  /** Where its sources are. */
  readonly sources: string;
  /** What the function runs: the sources themselves, a bundle, or a copy with the dependencies beside it. */
  readonly directory: string;
  /** Files outside of `sources` that it is made of too. */
  readonly inputs: () => readonly string[];
  /** Brings `directory` up to date after a change of `file`. False where that needs a new deployment. */
  changed(file: string): Promise<void>;
  close(): Promise<void>;
}

const TYPESCRIPT = ['.ts', '.mts', '.cts', '.tsx'];
const NOTE = '.croft-requirements';

/** How a function's code is run live; undefined where it has to be deployed as a package (other runtimes, layers, templates). */
export async function liveCodeOf(code: LocalCode, place: string, output: Output): Promise<LiveCode | undefined> {
  if (!/Function$/.test(code.resourceType) || !existsSync(code.path)) return undefined;
  if (code.runtime?.startsWith('nodejs')) {
    const entry = entryOf(code);
    if (entry !== undefined) return Bundle.of(code, entry, place, output);
    await build(code.path, code.runtime, code.logicalId, output, { inPlace: true });
    return direct(code);
  }
  if (!code.runtime?.startsWith('python')) return undefined;
  const requirements = join(code.path, 'requirements.txt');
  return existsSync(requirements) && (await readFile(requirements, 'utf8')).trim() !== '' ? copied(code, place, output) : direct(code);
}

/** The TypeScript file of the handler `src/app.handler`, or the entry point that `Metadata` names. */
function entryOf({ path, handler, entryPoint }: LocalCode): string | undefined {
  if (entryPoint !== undefined) return join(path, entryPoint);
  const module = handler?.replace(/\.[^./]+$/, '');
  return module === undefined ? undefined : TYPESCRIPT.map((extension) => join(path, module + extension)).find((file) => existsSync(file));
}

function direct({ logicalId, path }: LocalCode): LiveCode {
  return { logicalId, sources: path, directory: path, inputs: () => [], changed: () => Promise.resolve(), close: () => Promise.resolve() };
}

/** Python with requirements: a copy of the sources in which they are installed, kept for the next start while they stay the same. */
async function copied(code: LocalCode, place: string, output: Output): Promise<LiveCode> {
  const { logicalId, path } = code;
  const wanted = await readFile(join(path, 'requirements.txt'), 'utf8');
  const install = async () => {
    const made = await build(path, code.runtime, logicalId, output);
    await rm(place, { recursive: true, force: true });
    await mkdir(dirname(place), { recursive: true });
    await rename(made, place).catch(() => cp(made, place, { recursive: true }));
    await writeFile(join(place, NOTE), await readFile(join(path, 'requirements.txt')));
  };
  const installed = await readFile(join(place, NOTE), 'utf8').catch(() => undefined);
  if (installed === wanted) await cp(path, place, { recursive: true });
  else await install();
  return {
    logicalId,
    sources: path,
    directory: place,
    inputs: () => [],
    async changed(file) {
      const name = relative(path, file);
      if (name === 'requirements.txt') return install();
      if (!existsSync(file)) return rm(join(place, name), { recursive: true, force: true });
      await cp(file, join(place, name), { recursive: true });
    },
    close: () => Promise.resolve(),
  };
}
