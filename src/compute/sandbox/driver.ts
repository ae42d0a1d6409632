import { mkdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Driver, Shape } from '../types.ts';
import { LinuxSandbox } from './environment.ts';
import { Helper, type HelperFeatures } from './helper.ts';
import { PROCESSES_MAX, RUNTIME_API_PORT, TMP_MB_DEFAULT, USER_ID_BASE, USER_ID_INSIDE, USER_ID_RANGES, USER_IDS } from './limits.ts';
import { Pool } from './pool.ts';
import { imageMounts, type Mount, rootMounts, userFiles, writeMounts } from './root.ts';
import { sweepCgroups } from './sweep.ts';
import { FrameWriter, OP } from './wire.ts';

/** The AWS endpoint, as functions reach it on their own loopback. */
export interface Endpoint {
  /** The port that is in `AWS_ENDPOINT_URL`; 0 while there is none. */
  readonly port: () => number;
  readonly connect: (socket: Socket) => void;
}

export interface SandboxDriverOptions {
  /** For what must be found again after a crash: a folder of the data directory. */
  readonly directory: string;
  readonly newId: () => string;
  /** The helper's program. */
  readonly binary: string;
  readonly endpoint?: Endpoint;
  /** `private`: each environment has a loopback of its own and nothing else; `host`: the machine's network, its loopback included. Default private. */
  readonly network?: 'private' | 'host';
  /** Ports of the machine's loopback that every function reaches on its own. */
  readonly hostPorts?: readonly number[];
  /** Functions also reach the ports that their own variables name (`DATABASE_URL=postgres://localhost:5432/…`). */
  readonly namedHostPorts?: boolean;
  /** CPU limited to the memory's share during invocations; else only weighted by it. */
  readonly limitCpu?: boolean;
  /** Whether runtimes are started ahead of functions; default true. */
  readonly pooled?: boolean;
  /** More of the machine that every environment may read: files or folders. */
  readonly show?: readonly string[];
  /** Told of what went wrong where nobody waits for it. */
  readonly onError?: (error: unknown) => void;
  /** Layers to switch off: tests only. */
  readonly without?: readonly string[];
}

export interface SandboxDriver extends Driver {
  /** Starts the helper and makes one environment; what the machine gives. Rejects with the reason where it does not work here. */
  probe(): Promise<HelperFeatures>;
  /** How many sandboxes wait for a function. */
  waiting(): number;
}

/** Environments in namespaces of their own: see README.md. */
export function createSandboxDriver(options: SandboxDriverOptions): SandboxDriver {
  return new LinuxSandboxDriver(options);
}

/** As in sandboxd.h. */
const SHARES_NETWORK = 1;

/** A sandbox that is made ahead of its function. */
const UNKNOWN: Shape = { runtime: '', memoryMb: 128, ephemeralStorageMb: TMP_MB_DEFAULT };

class LinuxSandboxDriver implements SandboxDriver {
  readonly name = 'linux-sandbox';
  readonly isolation = 'namespaces';
  #options: SandboxDriverOptions;
  #root: string;
  #notes: string;
  #helper: Promise<Helper> | undefined;
  #live = new Set<LinuxSandbox>();
  #pool = new Pool({ create: () => this.#create(UNKNOWN), onError: (error) => this.#options.onError?.(error) });
  #number = 0;
  #userBase: number;
  #mounts: Promise<readonly Mount[]>;

  constructor(options: SandboxDriverOptions) {
    this.#options = options;
    this.#mounts = rootMounts(options.show, options.network);
    this.#root = join(options.directory, 'sandbox', 'root');
    this.#notes = join(options.directory, 'sandbox', 'cgroups');
    this.#userBase = USER_ID_BASE + (Number.parseInt(options.newId().slice(0, 8), 16) % USER_ID_RANGES) * USER_IDS;
  }

  async probe(): Promise<HelperFeatures> {
    const { features } = await this.#running();
    if (!features) throw new Error('the sandbox helper did not say what it can do');
    const sandbox = await this.#create(UNKNOWN);
    await sandbox.kill();
    return features;
  }

  waiting(): number {
    return this.#pool.size;
  }

  async start(): Promise<void> {
    await this.#running();
  }

  async prepare(shape: Shape): Promise<LinuxSandbox> {
    const waiting = this.#pool.take(shape.runtime);
    waiting?.assign(shape);
    return waiting ?? this.#create(shape);
  }

  async #create(shape: Shape): Promise<LinuxSandbox> {
    const [helper, mounts] = await Promise.all([this.#running(), shape.imageDirectory === undefined ? this.#mounts : imageMounts(shape.imageDirectory)]);
    const number = ++this.#number;
    const { endpoint, network = 'private', hostPorts = [], namedHostPorts = false, limitCpu = false, pooled = true } = this.#options;
    const endpointPort = endpoint?.port() ?? 0;
    const ports = network === 'host' ? [0] : [RUNTIME_API_PORT, ...(endpointPort > 0 ? [endpointPort] : [])];
    const user = helper.features?.user === 'own' ? this.#userBase + (number % USER_IDS) : USER_ID_INSIDE;
    const sandbox: LinuxSandbox = new LinuxSandbox(
      {
        id: this.#options.newId(),
        number,
        helper,
        endpoint,
        network,
        hostPorts,
        namedHostPorts,
        limitCpu,
        onStart: (launch, command) => pooled && this.#pool.learn(launch, command),
        onGone: () => this.#live.delete(sandbox),
      },
      shape,
    );
    this.#live.add(sandbox);
    const body = new FrameWriter()
      .number(user)
      .number(user)
      .number(network === 'host' ? SHARES_NETWORK : 0)
      .number(shape.ephemeralStorageMb)
      .number(PROCESSES_MAX)
      .text(this.#root);
    helper.send(OP.create, number, writeMounts(body.numbers(ports), [...mounts, ...(shape.imageDirectory === undefined ? userFiles(user) : [])]));
    try {
      await sandbox.ready;
    } catch (error) {
      await sandbox.kill();
      throw error;
    }
    return sandbox;
  }

  async stop(): Promise<void> {
    await this.#pool.stop();
    await Promise.all([...this.#live].map((sandbox) => sandbox.kill()));
    const running = this.#helper;
    this.#helper = undefined;
    if (!running) return;
    await (await running).stop();
    await rm(this.#notes, { force: true });
  }

  /** The helper; a new one where the last has ended. */
  #running(): Promise<Helper> {
    this.#helper ??= this.#launch();
    return this.#helper;
  }

  async #launch(): Promise<Helper> {
    await mkdir(this.#root, { recursive: true });
    this.#root = await realpath(this.#root);
    await sweepCgroups(await readFile(this.#notes, 'utf8').catch(() => ''));
    const { binary, without, newId } = this.#options;
    const helper = new Helper({ binary, instance: `croft-${process.pid}-${newId().slice(0, 8)}`, ...(without ? { without } : {}) });
    const lost = () => {
      this.#helper = undefined;
    };
    try {
      await helper.start();
    } catch (error) {
      lost();
      throw error;
    }
    void helper.ended.then(lost);
    await writeFile(this.#notes, helper.places.join('\n'));
    return helper;
  }
}
