import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { projectRoot } from '../../kit/root.ts';
import type { Driver, Exit, Launch, ResolvedRuntime, RunningRuntime, Sandbox } from '../types.ts';
import { killGroup, notePid, sweepOrphans } from './orphans.ts';

/** The lifeline's descriptor in the runtime's process. */
const LIFELINE_FD = 3;

/**
 * Environments as plain processes of this user: no isolation, works everywhere. `/tmp` is the machine's own; each environment has
 * a temporary directory beside it (`TMPDIR`). Nothing is pooled or frozen: `prepare` binds the Runtime API's address, `specialise`
 * starts the runtime.
 */
export function createProcessDriver(options: { readonly directory: string; readonly newId: () => string }): Driver {
  const root = join(options.directory, 'environments');
  const live = new Set<ProcessSandbox>();
  return {
    name: 'process',
    isolation: 'none',
    async start() {
      await mkdir(root, { recursive: true });
      await sweepOrphans(root);
    },
    async prepare() {
      const id = options.newId();
      const directory = join(root, id);
      const server = createServer();
      await Promise.all([mkdir(join(directory, 'tmp'), { recursive: true }), listen(server)]);
      const sandbox = new ProcessSandbox(id, directory, server, () => live.delete(sandbox));
      live.add(sandbox);
      return sandbox;
    },
    async stop() {
      await Promise.all([...live].map((sandbox) => sandbox.kill()));
    },
  };
}

async function listen(server: Server): Promise<void> {
  server.listen({ host: '127.0.0.1', port: 0, exclusive: true });
  await once(server, 'listening');
}

class ProcessSandbox implements Sandbox {
  readonly id: string;
  readonly runtimeApiAddress: string;
  #directory: string;
  #server: Server;
  #running: RunningProcess | undefined;
  #gone: () => void;

  constructor(id: string, directory: string, server: Server, gone: () => void) {
    this.id = id;
    this.#directory = directory;
    this.#server = server;
    this.#gone = gone;
    const address = server.address();
    this.runtimeApiAddress = `127.0.0.1:${typeof address === 'object' && address ? address.port : 0}`;
    // A platform that has nothing else to do may exit.
    server.unref();
  }

  onConnection(listener: (socket: Socket) => void): void {
    this.#server.on('connection', listener);
  }

  async specialise(launch: Launch): Promise<RunningRuntime> {
    const { file, args, variables } = commandOf(launch);
    const temporary = join(this.#directory, 'tmp');
    const child = spawn(file, args, {
      cwd: launch.codeDirectory,
      // A home of its own: without one, SDKs would find the configuration files of whoever runs Croft.
      env: { ...variables, TMPDIR: temporary, HOME: temporary, ...launch.variables },
      // Its own process group, so that its children end with it; and its own session, so that no terminal signal reaches it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    const running = new RunningProcess(child);
    this.#running = running;
    if (child.pid !== undefined) await notePid(this.#directory, child.pid);
    return running;
  }

  freeze(): void {
    // A stopped process could not notice that the platform died: this driver leaves idle runtimes running. They wait on a socket.
  }

  thaw(): void {}

  async kill(): Promise<void> {
    this.#gone();
    this.#server.close();
    await this.#running?.kill();
    await rm(this.#directory, { recursive: true, force: true });
  }
}

class RunningProcess implements RunningRuntime {
  readonly output: readonly Readable[];
  readonly exited: Promise<Exit>;
  #child: ChildProcess;
  #memory: PeakMemory;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.output = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const lifeline = child.stdio[LIFELINE_FD];
    lifeline?.on('error', () => lifeline.destroy());
    this.#memory = new PeakMemory(child.pid);
    child.unref();
    this.exited = new Promise((resolve) => {
      child.on('exit', (code, signal) => {
        this.#memory.close();
        lifeline?.destroy();
        // What it started and left behind goes with it.
        if (child.pid !== undefined) killGroup(child.pid);
        resolve({ code, signal });
      });
      // It could not be started at all (e.g. the interpreter is gone): shells say 127.
      child.on('error', () => resolve({ code: 127, signal: null }));
    });
  }

  peakMemoryMb(): number {
    return this.#memory.read();
  }

  async kill(): Promise<void> {
    if (this.#child.pid !== undefined) killGroup(this.#child.pid);
    this.#child.ref();
    await this.exited;
  }
}

/** `VmHWM` of /proc/PID/status through a descriptor that stays open: about 10 µs a reading. */
class PeakMemory {
  #fd: number | undefined;
  #last = 0;
  static #buffer = Buffer.alloc(4096);

  constructor(pid: number | undefined) {
    try {
      if (pid !== undefined) this.#fd = openSync(`/proc/${pid}/status`, 'r');
    } catch {
      // No /proc on this system: memory is reported as 0.
    }
  }

  read(): number {
    if (this.#fd === undefined) return this.#last;
    try {
      const length = readSync(this.#fd, PeakMemory.#buffer, 0, PeakMemory.#buffer.length, 0);
      const kilobytes = /VmHWM:\s+(\d+) kB/.exec(PeakMemory.#buffer.toString('latin1', 0, length))?.[1];
      if (kilobytes) this.#last = Math.ceil(Number(kilobytes) / 1024);
    } catch {
      // The process has just ended: the last reading stands.
    }
    return this.#last;
  }

  close(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** Where a layer's packages are looked up: those for this version of Node.js first. */
function nodeFolders(runtime: ResolvedRuntime, optDirectory: string): string[] {
  if (optDirectory === '') return [];
  const major = /^nodejs(\d+)/.exec(runtime.name)?.[1] ?? '';
  return [join(optDirectory, 'nodejs', `node${major}`, 'node_modules'), join(optDirectory, 'nodejs', 'node_modules')];
}

/** How a runtime's bootstrap is started. */
function commandOf({ runtime, optDirectory = '' }: Launch): { file: string; args: string[]; variables: Record<string, string> } {
  const folder = join(projectRoot(), 'runtimes', runtime.family === 'python' ? 'python' : 'node');
  const vendor = join(folder, 'vendor');
  const variables = { LAMBDA_RUNTIME_DIR: folder };
  if (runtime.family === 'python') {
    // -S: packages of the machine's Python are no part of the function. -u: output leaves the process as it is written.
    return { file: runtime.executable, args: ['-S', '-u', join(folder, 'bootstrap.py'), String(LIFELINE_FD), vendor, optDirectory], variables };
  }
  return {
    file: runtime.executable,
    args: [join(folder, 'bootstrap.mjs'), String(LIFELINE_FD), vendor, optDirectory],
    variables: { ...variables, NODE_PATH: [...nodeFolders(runtime, optDirectory), join(vendor, 'node_modules')].join(':') },
  };
}
