import { realpath } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { systemClock } from '../../kit/clock.ts';
import { BundleError } from '../dev/bundle.ts';
import { type LiveCode, liveCodeOf } from '../dev/code.ts';
import { ensureDebugpy } from '../dev/debugpy.ts';
import { serverFor } from '../dev/server.ts';
import { isBelow, type Watched, watch } from '../dev/watch.ts';
import { endpointOf } from '../endpoint.ts';
import { CliError, type Output, paint } from '../output.ts';
import { defaultStackName, type LocalCode, readTemplate } from '../package/template.ts';
import { type DeployOptions, deployTemplate } from './deploy.ts';

/** LocalStack's name for live code: the key is a directory of this machine. */
const HOT_RELOAD_BUCKET = 'hot-reload';
const clock = systemClock();
const NODE_PORT = 9229;
const PYTHON_PORT = 5678;

interface DevOptions extends DeployOptions {
  readonly inspect?: boolean;
}

/** `croft dev`: deploys an application and runs its code as it lies on disk, until SIGINT or SIGTERM. */
export async function dev(path: string, options: DevOptions, output: Output): Promise<void> {
  const endpoint = endpointOf(options.endpoint);
  const server = await serverFor(endpoint, options.inspect ? await inspectArgs(output) : []);
  const session = new Session(path, options, endpoint, output);
  try {
    await session.start();
    if (options.inspect)
      output.progress(`Debuggers attach to port ${NODE_PORT} (Node.js) and ${PYTHON_PORT} (Python, debugpy), now or at any time; they are kept over reloads.`);
    output.progress(paint.bold('Watching. Save a file, and the next call runs it. Ctrl-C ends this.'));
    await Promise.race([stopped(), server.ended]);
  } finally {
    await session.close();
    await server.stop();
  }
}

/** Debuggers need to reach what they look into, and to stop it: without a sandbox around it. */
async function inspectArgs(output: Output): Promise<string[]> {
  const python = await ensureDebugpy(process.env['CROFT_DATA_DIR'] ?? '.croft', output);
  return ['--isolation', 'process', '--inspect-node', String(NODE_PORT), ...(python ? ['--inspect-python', String(PYTHON_PORT)] : [])];
}

function stopped(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

/** One application under development: its template, its functions' live code, and who watches them. */
class Session {
  #path: string;
  #options: DevOptions;
  #endpoint: string;
  #output: Output;
  #live = new Map<string, LiveCode>();
  #template = '';
  #watched: Watched | undefined;

  constructor(path: string, options: DevOptions, endpoint: string, output: Output) {
    this.#path = path;
    this.#options = options;
    this.#endpoint = endpoint;
    this.#output = output;
  }

  async start(): Promise<void> {
    await this.#deploy();
    this.#watched = await watch(this.#paths(), (file) => this.#changed(file));
  }

  async close(): Promise<void> {
    await this.#watched?.close();
    await Promise.all([...this.#live.values()].map((live) => live.close()));
  }

  #paths(): string[] {
    const all = [...this.#live.values()];
    return [...new Set([this.#template, ...all.flatMap((live) => [live.sources, ...live.inputs()])])];
  }

  async #deploy(): Promise<void> {
    const template = readTemplate(this.#path);
    this.#template = template.path;
    const stackName = this.#options.stackName ?? defaultStackName(template);
    await Promise.all([...this.#live.values()].map((live) => live.close()));
    this.#live.clear();
    const root = join(template.folder, '.croft', 'dev', stackName);
    await deployTemplate(template, this.#options, this.#endpoint, this.#output, (code) => this.#place(code, root));
  }

  async #place(code: LocalCode, root: string): Promise<boolean> {
    const live = await this.#liveCode(code, join(root, code.logicalId));
    if (!live) return false;
    this.#live.set(code.logicalId, live);
    code.place(HOT_RELOAD_BUCKET, await realpath(live.directory));
    return true;
  }

  async #liveCode(code: LocalCode, place: string): Promise<LiveCode | undefined> {
    try {
      return await liveCodeOf(code, place, this.#output);
    } catch (error) {
      if (error instanceof BundleError) throw new CliError(`${code.logicalId} cannot be bundled:\n${error.message}`);
      throw error;
    }
  }

  /** Never throws: what is wrong with a file is said, and the next save is watched for. */
  async #changed(file: string): Promise<void> {
    const began = clock.mono();
    const name = relative(process.cwd(), file);
    try {
      if (file === this.#template) {
        this.#output.progress(`${name} changed: deploying`);
        await this.#deploy();
        this.#watched?.add(this.#paths());
        return;
      }
      const touched = [...this.#live.values()].filter((live) => isBelow(live.sources, file) || live.inputs().includes(file));
      if (touched.length === 0) return;
      await Promise.all(touched.map((live) => live.changed(file)));
      const more = touched
        .flatMap((live) => live.inputs())
        .filter((input) => !touched.some((live) => isBelow(live.sources, input)) && !input.includes('/node_modules/'));
      if (more.length > 0) this.#watched?.add(more);
      this.#output.progress(`${name} → ${touched.map((live) => live.logicalId).join(', ')} ${paint.dim(`(${Math.round(clock.mono() - began)} ms)`)}`);
    } catch (error) {
      this.#output.progress(paint.red(`${name}: ${error instanceof Error ? error.message : String(error)}`));
    }
  }
}
