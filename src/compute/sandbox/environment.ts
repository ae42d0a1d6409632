import { closeSync, openSync, readSync } from 'node:fs';
import { type Server, Socket, type SocketConstructorOpts } from 'node:net';
import type { Readable } from 'node:stream';
import { type Command, commandOf, placed } from '../command.ts';
import { LaunchError } from '../failures.ts';
import type { Exit, Launch, ProcessLaunch, ResolvedRuntime, RunningProcess, RunningRuntime, Sandbox, Shape } from '../types.ts';
import type { Endpoint } from './driver.ts';
import type { Helper } from './helper.ts';
import { forward, listeningPorts, namedPorts } from './host-ports.ts';
import { CPU_PERIOD_US, CPU_QUOTA_US_MIN, CPU_SHARES, FREEZE_AFTER_MS, MEMORY_MB_PER_CPU, RUNTIME_API_PORT } from './limits.ts';
import { launchMessage } from './parking.ts';
import { exitOf, SandboxProcess } from './process.ts';
import { CODE, launchMounts, type Mount, OPT, placeRuntime, RUNTIMES, writeMounts } from './root.ts';
import { FrameWriter, type HelperEvent, OP } from './wire.ts';

/** What the helper is told of a spawned process. */
const IS_MAIN = 1;
const HAS_FRAMES = 2;
const SIGNALS = { SIGTERM: 15, SIGKILL: 9 } as const;
const KILLED: Exit = { code: null, signal: 'SIGKILL' };

export interface SandboxParts {
  readonly id: string;
  /** The helper's number for it. */
  readonly number: number;
  readonly helper: Helper;
  readonly endpoint: Endpoint | undefined;
  readonly network: 'private' | 'host';
  /** Ports of the machine's loopback that are reachable on its own. */
  readonly hostPorts: readonly number[];
  readonly namedHostPorts: boolean;
  /** Whether CPU is limited to the memory's share, or only weighted by it. */
  readonly limitCpu: boolean;
  /** A runtime has been started, by this command. */
  readonly onStart: (launch: Launch, command: Command) => void;
  readonly onGone: () => void;
}

/** A runtime that waits for its function. */
interface Parked {
  readonly runtime: ResolvedRuntime;
  readonly command: Command;
  readonly process: SandboxProcess;
  readonly connection: Socket;
}

/** An answer that is waited for. */
interface Waiting {
  readonly resolve: (event: HelperEvent, handle: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly outputs: unknown[];
}

/** One environment of the helper: its own root, processes, network and user. */
export class LinuxSandbox implements Sandbox {
  readonly id: string;
  #runtimeApiPort = 0;
  readonly places = { code: CODE, opt: OPT };
  readonly ready: Promise<void>;
  #parts: SandboxParts;
  #shape: Shape;
  #parked: Parked | undefined;
  /** The interpreter that is mounted. */
  #interpreter: string | undefined;
  #onEarly: ((socket: Socket) => void) | undefined;
  #listeners: Server[] = [];
  #onConnection: ((socket: Socket) => void) | undefined;
  /** Connections that came before somebody listened. */
  #early: Socket[] = [];
  #waiting = new Map<number, Waiting>();
  #processes = new Map<number, SandboxProcess>();
  /** Of processes that ended before who started them had heard that they run. */
  #endedEarly = new Map<number, Exit>();
  #ref = 0;
  #specialised: Promise<void> | undefined;
  #memory: PeakMemory | undefined;
  #freezing: NodeJS.Timeout | undefined;
  #frozen = false;
  #dead: Error | undefined;
  #gone: Promise<void> | undefined;
  #resolveGone: () => void = () => {};

  constructor(parts: SandboxParts, shape: Shape) {
    this.#parts = parts;
    this.#shape = shape;
    this.id = parts.id;
    parts.helper.listen(parts.number, (event, handle) => this.#receive(event, handle));
    // The helper answers a creation with 0, which no other request has.
    this.ready = parts.helper.within(this.#answer(0).then(({ event }) => this.#open(event.text)));
    void parts.helper.ended.then((why) => this.#die(new Error(why), KILLED));
  }

  get runtimeApiAddress(): string {
    return `127.0.0.1:${this.#runtimeApiPort}`;
  }

  onConnection(listener: (socket: Socket) => void): void {
    this.#onConnection = listener;
    for (const socket of this.#early.splice(0)) listener(socket);
  }

  async specialise(launch: Launch): Promise<RunningRuntime> {
    const { executable } = await placeRuntime(launch.runtime);
    const command = commandOf({ ...launch, runtime: { ...launch.runtime, executable } }, { ...this.places, runtimes: RUNTIMES, lifelineFd: -1 });
    const parked = this.#parked;
    this.#parked = undefined;
    const message = parked && launchMessage(parked.runtime, parked.command, command);
    // It cannot become this one: the sandbox is used, the runtime is started anew.
    if (parked && !message) await parked.process.kill();
    await this.#become(launch);
    this.#limit('nothing');
    this.#parts.onStart(launch, command);
    if (!parked || !message) return this.#start(command, IS_MAIN);
    parked.connection.ref();
    parked.connection.write(message);
    this.#onConnection?.(parked.connection);
    return parked.process;
  }

  /** Starts a runtime that waits for its function; resolves once it does. */
  async park(runtime: ResolvedRuntime, command: Command): Promise<SandboxProcess> {
    const { mounts, executable } = await placeRuntime(runtime);
    await this.#mount(mounts, [], false);
    this.#interpreter = executable;
    const connected = new Promise<Socket>((resolve) => {
      this.#onEarly = resolve;
    });
    // The machine's list of processes shows with which variables each was started: this one's say whose it is.
    const variables = { ...command.variables, AWS_LAMBDA_RUNTIME_API: this.runtimeApiAddress, _CROFT_ENVIRONMENT: this.id };
    const process = await this.#start({ ...command, variables }, IS_MAIN);
    const ended = process.exited.then(() => Promise.reject(new Error(`a ${runtime.name} runtime ended before it had a function`)));
    const connection = await this.#parts.helper.within(Promise.race([connected, ended]));
    this.#onEarly = undefined;
    connection.unref();
    this.#parked = { runtime, command, process, connection };
    return process;
  }

  /** What the function that it is for may use: before {@link specialise}. */
  assign(shape: Shape): void {
    this.#shape = shape;
  }

  async spawn(launch: Launch, { file, args, variables }: ProcessLaunch): Promise<RunningProcess> {
    await this.#become(launch);
    return this.#start({ file: placed(file, this.places), args, variables, directory: '/', lifeline: false, frames: false }, 0);
  }

  async connect(port: number): Promise<Socket> {
    const { handle } = await this.#ask(OP.connect, (body) => body.number(port));
    if (!(handle instanceof Socket)) throw new Error('the sandbox helper sent no connection');
    return handle;
  }

  initialised(): void {
    this.#limit('init');
  }

  freeze(): void {
    this.#freezing ??= setTimeout(() => {
      this.#frozen = true;
      this.#parts.helper.send(OP.freeze, this.#parts.number);
    }, FREEZE_AFTER_MS).unref();
  }

  thaw(): void {
    clearTimeout(this.#freezing);
    this.#freezing = undefined;
    if (this.#frozen) this.#parts.helper.send(OP.thaw, this.#parts.number);
    this.#frozen = false;
  }

  kill(): Promise<void> {
    this.#gone ??= this.#end();
    return this.#gone;
  }

  async #end(): Promise<void> {
    const { helper, number, onGone } = this.#parts;
    clearTimeout(this.#freezing);
    for (const server of this.#listeners) server.close();
    const gone = new Promise<void>((resolve) => {
      this.#resolveGone = resolve;
    });
    if (helper.send(OP.destroy, number)) await helper.within(Promise.race([gone, helper.ended]));
    this.#die(new Error('the sandbox has ended'), KILLED);
    helper.forget(number);
    onGone();
  }

  /** Mounts code and layers, sets the limits, and gives up every right over them: once, before anything of the function runs. */
  #become(launch: Launch): Promise<void> {
    this.#specialised ??= this.#specialise(launch);
    return this.#specialised;
  }

  async #specialise(launch: Launch): Promise<void> {
    const [runtime, mounts, ports] = await Promise.all([placeRuntime(launch.runtime), launchMounts(launch), this.#portsFor(launch)]);
    // A parked runtime has its interpreter already.
    const programs = this.#interpreter === runtime.executable ? [] : runtime.mounts;
    await this.#mount([...programs, ...mounts], ports, true);
  }

  async #mount(mounts: readonly Mount[], ports: readonly number[], seal: boolean): Promise<void> {
    const tmpMb = seal ? this.#shape.ephemeralStorageMb : 0;
    await this.#ask(OP.mount, (body) => writeMounts(body.number(tmpMb).number(seal ? 1 : 0), mounts).numbers(ports));
  }

  /** Memory; and past init the weight of CPU, and where it is asked for the most of it. */
  #limit(past: 'init' | 'nothing'): void {
    const { helper, number, limitCpu } = this.#parts;
    const { memoryMb } = this.#shape;
    const share = memoryMb / MEMORY_MB_PER_CPU;
    const quotaUs = limitCpu && past === 'init' ? Math.max(CPU_QUOTA_US_MIN, Math.round(share * CPU_PERIOD_US)) : 0;
    const shares = past === 'init' ? Math.max(2, Math.round(share * CPU_SHARES)) : CPU_SHARES;
    helper.send(OP.limit, number, new FrameWriter().number(memoryMb).number(shares).number(quotaUs).number(CPU_PERIOD_US));
  }

  /** What else of the machine's loopback it reaches on its own. */
  async #portsFor({ variables }: Launch): Promise<number[]> {
    const { endpoint, hostPorts, namedHostPorts, network } = this.#parts;
    if (network === 'host') return [];
    const taken = [RUNTIME_API_PORT, endpoint?.port()];
    const named = namedHostPorts ? namedPorts(variables).filter((port) => !hostPorts.includes(port) && !taken.includes(port)) : [];
    return [...hostPorts.filter((port) => !taken.includes(port)), ...(named.length > 0 ? await listeningPorts(named) : [])];
  }

  async #start(command: Command, flags: number): Promise<SandboxProcess> {
    const { file, args, variables, directory, frames } = command;
    const ref = ++this.#ref;
    const process = { file, args: [file, ...args], variables: Object.entries(variables).map(([name, value]) => `${name}=${value}`), directory };
    const { outputs } = await this.#ask(
      OP.spawn,
      (body) =>
        body
          .number(flags | (frames ? HAS_FRAMES : 0))
          .text(process.file)
          .text(process.directory)
          .texts(process.args)
          .texts(process.variables),
      ref,
    ).catch((error: unknown) => {
      throw error instanceof RequestError ? launchError(file, error.message) : error;
    });
    const [output, framed] = outputs.map(pipeOf);
    const running = new SandboxProcess({
      output: output ? [output] : [],
      frames: framed,
      signal: (signal) => this.#signal(ref, signal),
      peakMemoryMb: () => this.#memory?.read() ?? 0,
    });
    const ended = this.#endedEarly.get(ref);
    this.#endedEarly.delete(ref);
    if (this.#dead || ended) running.end(ended ?? KILLED);
    else this.#processes.set(ref, running);
    return running;
  }

  #signal(ref: number, signal: NodeJS.Signals): void {
    this.thaw();
    const number = signal === 'SIGKILL' ? SIGNALS.SIGKILL : SIGNALS.SIGTERM;
    this.#parts.helper.send(OP.signal, this.#parts.number, new FrameWriter().number(ref).number(number));
  }

  async #ask(op: typeof OP.mount | typeof OP.spawn | typeof OP.connect, write: (body: FrameWriter) => FrameWriter, ref = ++this.#ref) {
    const { helper, number } = this.#parts;
    const answer = this.#answer(ref);
    helper.send(op, number, write(new FrameWriter().number(ref)));
    return helper.within(answer);
  }

  #answer(ref: number): Promise<{ event: HelperEvent; handle: unknown; outputs: readonly unknown[] }> {
    if (this.#dead) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      const outputs: unknown[] = [];
      this.#waiting.set(ref, { resolve: (event, handle) => resolve({ event, handle, outputs }), reject, outputs });
    });
  }

  #receive(event: HelperEvent, handle: unknown): void {
    switch (event.event) {
      case 'listener':
        this.#adopt(event.ref, event.a, handle as Server);
        return;
      case 'output':
        this.#waiting.get(event.ref)?.outputs.push(handle);
        return;
      case 'ready':
        this.#settle(0, event, handle);
        return;
      case 'spawned':
      case 'mounted':
      case 'connected':
        this.#settle(event.ref, event, handle);
        return;
      case 'failed':
        this.#waiting.get(event.ref)?.reject(new RequestError(event.text));
        this.#waiting.delete(event.ref);
        return;
      case 'exited': {
        const process = this.#processes.get(event.ref);
        if (process) process.end(exitOf(event.a));
        else this.#endedEarly.set(event.ref, exitOf(event.a));
        this.#processes.delete(event.ref);
        return;
      }
      case 'died':
        this.#die(new Error('the sandbox has ended'), KILLED);
        return;
      case 'gone':
        this.#resolveGone();
        return;
      default:
        return;
    }
  }

  #settle(ref: number, event: HelperEvent, handle: unknown): void {
    const waiting = this.#waiting.get(ref);
    this.#waiting.delete(ref);
    waiting?.resolve(event, handle);
  }

  /** The Runtime API's is that of its own port, or of whichever was free. */
  #adopt(asked: number, port: number, server: Server): void {
    const isRuntimeApi = asked === 0 || asked === RUNTIME_API_PORT;
    if (isRuntimeApi) this.#runtimeApiPort = port;
    server.unref();
    this.#listeners.push(server);
    // What cannot be accepted (no descriptors left) waits in the listener's queue.
    server.on('error', () => {});
    server.on('connection', (socket) => {
      socket.on('error', () => socket.destroy());
      if (!isRuntimeApi && port === this.#parts.endpoint?.port()) this.#parts.endpoint.connect(socket);
      else if (!isRuntimeApi) forward(socket, port);
      else if (this.#onConnection) this.#onConnection(socket);
      else if (this.#onEarly) this.#onEarly(socket);
      else this.#early.push(socket);
    });
  }

  #open(peakFile: string): void {
    this.#memory = new PeakMemory(peakFile);
  }

  #die(error: Error, exit: Exit): void {
    this.#dead ??= error;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
    for (const process of this.#processes.values()) process.end(exit);
    this.#processes.clear();
    for (const server of this.#listeners) server.close();
    this.#memory?.close();
  }
}

/** The helper could not do what it was asked. */
class RequestError extends Error {}

function launchError(file: string, reason: string): LaunchError {
  return new LaunchError('Runtime.InvalidEntrypoint', `fork/exec ${file}: ${reason.toLowerCase()}`);
}

/** A pipe that came over the channel. */
function pipeOf(handle: unknown): Readable {
  const pipe = new Socket({ handle, readable: true, writable: false } as SocketConstructorOpts);
  return pipe.on('error', () => pipe.destroy());
}

/** Peak memory of a cgroup, through a descriptor that stays open. */
class PeakMemory {
  #fd: number | undefined;
  #last = 0;
  static #buffer = Buffer.alloc(64);

  constructor(file: string) {
    try {
      if (file !== '') this.#fd = openSync(file, 'r');
    } catch {
      // A kernel that does not keep it (memory.peak came with Linux 5.19): reported as 0.
    }
  }

  read(): number {
    if (this.#fd === undefined) return this.#last;
    try {
      const length = readSync(this.#fd, PeakMemory.#buffer, 0, PeakMemory.#buffer.length, 0);
      this.#last = Math.ceil(Number(PeakMemory.#buffer.toString('latin1', 0, length)) / 1024 ** 2);
    } catch {
      // The cgroup has just been removed: the last reading stands.
    }
    return this.#last;
  }

  close(): void {
    if (this.#fd !== undefined) {
      this.read();
      closeSync(this.#fd);
    }
    this.#fd = undefined;
  }
}
