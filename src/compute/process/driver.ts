import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readSync } from 'node:fs';
import { mkdir, rm } from 'node:fs/promises';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { projectRoot } from '../../kit/root.ts';
import { type Command, commandOf, LIFELINE_FD, LOG_FD, placed } from '../command.ts';
import { LaunchError } from '../failures.ts';
import type { Driver, Exit, Launch, ProcessLaunch, RunningProcess, RunningRuntime, Sandbox } from '../types.ts';
import { killGroup, notePid, sweepOrphans } from './orphans.ts';

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

const NO_IMAGES = 'A container image needs the linux-sandbox driver, and functions run as plain processes here: `croft doctor` says why';

class ProcessSandbox implements Sandbox {
  readonly id: string;
  readonly runtimeApiAddress: string;
  #directory: string;
  #server: Server;
  #running = new Set<Child>();
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
    if (launch.image) throw new LaunchError('Runtime.InvalidEntrypoint', NO_IMAGES);
    return this.#start(launch, commandOf(launch, { runtimes: join(projectRoot(), 'runtimes'), ...placesOf(launch) }));
  }

  async spawn(launch: Launch, process: ProcessLaunch): Promise<RunningProcess> {
    const { file, args, variables } = process;
    return this.#start(launch, { file: placed(file, placesOf(launch)), args, variables, directory: '/', lifeline: false, frames: false });
  }

  connect(port: number): Promise<Socket> {
    return new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.off('error', reject);
        resolve(socket);
      });
    });
  }

  async #start(launch: Launch, command: Command): Promise<Child> {
    const temporary = join(this.#directory, 'tmp');
    const child = spawn(command.file, command.args, {
      cwd: command.directory,
      // A home of its own: without one, SDKs would find the configuration files of whoever runs Croft.
      env: { TMPDIR: temporary, HOME: temporary, ...command.variables },
      // Its own process group, so that its children end with it; and its own session, so that no terminal signal reaches it.
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', command.lifeline ? 'pipe' : 'ignore', command.frames ? 'pipe' : 'ignore'],
    });
    const running = new Child(child);
    const refused = await started(child);
    if (refused) throw new LaunchError('Runtime.InvalidEntrypoint', launchMessage(refused, command.file, launch));
    this.#running.add(running);
    void running.exited.then(() => this.#running.delete(running));
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
    await Promise.all([...this.#running].map((running) => running.kill()));
    await rm(this.#directory, { recursive: true, force: true });
  }
}

/** Resolves once the program runs, or with why it cannot. */
function started(child: ChildProcess): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    child.once('spawn', () => resolve(undefined));
    child.once('error', resolve);
  });
}

/** In the words of AWS's own supervisor, which is written in Go. */
function launchMessage(error: NodeJS.ErrnoException, file: string, launch: Launch): string {
  const reasons: Record<string, string> = { EACCES: 'permission denied', ENOENT: 'no such file or directory', ENOEXEC: 'exec format error' };
  const name = file.replace(launch.codeDirectory, '/var/task').replace(launch.optDirectory ?? '/opt', '/opt');
  return `fork/exec ${name}: ${reasons[error.code ?? ''] ?? error.message}`;
}

function placesOf({ codeDirectory, optDirectory }: Launch) {
  return { code: codeDirectory, opt: optDirectory ?? '/opt' };
}

class Child implements RunningRuntime {
  readonly output: readonly Readable[];
  readonly frames?: Readable;
  readonly exited: Promise<Exit>;
  #child: ChildProcess;
  #memory: PeakMemory;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.output = [child.stdout, child.stderr].filter((stream) => stream !== null);
    const frames = child.stdio[LOG_FD];
    if (frames instanceof Readable) this.frames = frames;
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

  terminate(): void {
    this.#child.kill('SIGTERM');
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
