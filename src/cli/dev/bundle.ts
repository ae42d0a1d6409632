import { existsSync } from 'node:fs';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { BuildContext, BuildOptions, Message } from 'esbuild';
import type { Output } from '../output.ts';
import type { LocalCode } from '../package/template.ts';
import type { LiveCode } from './code.ts';

/** A TypeScript function: bundled by esbuild, incrementally, with a source map that names the sources. */
export class Bundle implements LiveCode {
  readonly logicalId: string;
  readonly sources: string;
  readonly directory: string;
  #context: BuildContext<{ metafile: true }>;
  #outfile: string;
  #inputs: readonly string[] = [];

  private constructor(code: LocalCode, directory: string, outfile: string, context: BuildContext<{ metafile: true }>) {
    this.logicalId = code.logicalId;
    this.sources = code.path;
    this.directory = directory;
    this.#outfile = outfile;
    this.#context = context;
  }

  static async of(code: LocalCode, entry: string, directory: string, output: Output): Promise<Bundle> {
    const { context } = await import('esbuild');
    await rm(directory, { recursive: true, force: true });
    await mkdir(directory, { recursive: true });
    const esm = entry.endsWith('.mts') || (!entry.endsWith('.cts') && (await isModule(code.path)));
    const stem = relative(code.path, entry).replace(/\.[^.]+$/, '');
    const outfile = join(directory, `${stem}${esm ? '.mjs' : '.js'}`);
    const bundle = new Bundle(code, directory, outfile, await context({ ...settings(outfile, esm), entryPoints: [entry], absWorkingDir: code.path }));
    output.progress(`${code.logicalId}: bundles ${relative(process.cwd(), entry) || basename(entry)}`);
    await bundle.changed();
    return bundle;
  }

  inputs(): readonly string[] {
    return this.#inputs;
  }

  /** A source that esbuild does not understand fails the function, and not only the terminal, until it is mended. */
  async changed(): Promise<void> {
    try {
      const { metafile } = await this.#context.rebuild();
      this.#inputs = Object.keys(metafile.inputs).map((file) => resolve(this.sources, file));
    } catch (error) {
      const messages = (error as { errors?: Message[] }).errors;
      if (!messages) throw error;
      const text = messages.map(textOf).join('\n');
      await mkdir(dirname(this.#outfile), { recursive: true });
      await writeFile(this.#outfile, `throw new SyntaxError(${JSON.stringify(text)});\n`);
      throw new BundleError(text);
    }
  }

  close(): Promise<void> {
    return this.#context.dispose();
  }
}

/** What esbuild says of the sources. */
export class BundleError extends Error {}

function textOf({ text, location }: Message): string {
  return location ? `${location.file}:${location.line}:${location.column + 1}: ${text}` : text;
}

function settings(outfile: string, esm: boolean): BuildOptions & { metafile: true } {
  return {
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: esm ? 'esm' : 'cjs',
    sourcemap: 'linked',
    // Sources by their full names: the bundle lies elsewhere, and in a sandbox elsewhere still.
    sourceRoot: `${pathToFileURL(dirname(outfile)).href}/`,
    sourcesContent: false,
    metafile: true,
    logLevel: 'silent',
    // The runtime brings them.
    external: ['@aws-sdk/*', '@smithy/*'],
    ...(esm ? { banner: { js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);" } } : {}),
  };
}

async function isModule(folder: string): Promise<boolean> {
  for (let at = folder; ; at = dirname(at)) {
    const file = join(at, 'package.json');
    if (existsSync(file)) return (JSON.parse(await readFile(file, 'utf8')) as { type?: string }).type === 'module';
    if (dirname(at) === at) return false;
  }
}
