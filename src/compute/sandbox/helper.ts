import { type ChildProcess, spawn } from 'node:child_process';
import type { Writable } from 'node:stream';
import { HELPER_MS_MAX } from './limits.ts';
import { FrameWriter, type HelperEvent, type Op } from './wire.ts';

/** What the machine lets the helper do. */
export interface HelperFeatures {
  /** Each environment has a user of its own (as root), or one user namespace each. */
  readonly user: 'own' | 'namespace';
  /** 0: no cgroups can be used. */
  readonly cgroup: 0 | 1 | 2;
  readonly memory: boolean;
  readonly pids: boolean;
  readonly cpu: boolean;
  readonly freeze: boolean;
  /** Why something of it is missing. */
  readonly note: string;
}

export type HelperListener = (event: HelperEvent, handle: unknown) => void;

export interface HelperOptions {
  readonly binary: string;
  /** Names its cgroups. */
  readonly instance: string;
  /** Layers to switch off: tests only. */
  readonly without?: readonly string[];
}

/** One process of `native/sandboxd`: frames go to it by a socket, events and descriptors come by Node's own `ipc` channel. */
export class Helper {
  /** Directories of cgroups that it made. */
  readonly places: string[] = [];
  /** Resolves with a sentence when it has ended. */
  readonly ended: Promise<string>;
  features: HelperFeatures | undefined;
  #child: ChildProcess;
  #control: Writable;
  #listeners = new Map<number, HelperListener>();
  #pending = 0;
  #note = '';

  constructor({ binary, instance, without }: HelperOptions) {
    this.#child = spawn(binary, [instance, ...(without ? [`--without=${without.join(',')}`] : [])], {
      // A session of its own: what a terminal sends to the platform's group does not reach it. It ends when its channels close.
      detached: true,
      cwd: '/',
      env: process.env['CROFT_TEST'] === undefined ? {} : { CROFT_TEST: process.env['CROFT_TEST'] },
      stdio: ['ignore', 'ignore', 'inherit', 'pipe', 'ipc'],
    });
    this.#control = this.#child.stdio[3] as Writable;
    this.#control.on('error', () => {});
    this.ended = new Promise((resolve) => {
      this.#child.on('error', (error) => resolve(`the sandbox helper could not be started: ${error.message}`));
      this.#child.on('exit', (code, signal) => resolve(`the sandbox helper ended (${signal ?? `status ${code}`})`));
    });
    this.#child.on('message', (event, handle) => this.#receive(event as HelperEvent, handle));
    this.#child.unref();
    this.#child.channel?.unref();
    (this.#control as Writable & { unref(): void }).unref();
  }

  /** Waits for its greeting. Rejects where it cannot run. */
  async start(): Promise<HelperFeatures> {
    const hello = new Promise<HelperFeatures>((resolve, reject) => {
      this.listen(0, ({ event, text }) => {
        if (event === 'note') this.#note = text;
        else if (event === 'place') this.places.push(text);
        else if (event === 'hello') resolve(featuresOf(text, this.#note));
      });
      void this.ended.then((why) => reject(new Error(why)));
    });
    this.features = await this.within(hello);
    return this.features;
  }

  /** Sends a frame; false where the helper is gone. */
  send(op: Op, id: number, body: FrameWriter = new FrameWriter()): boolean {
    if (!this.#control.writable) return false;
    this.#control.write(body.frame(op, id));
    return true;
  }

  /** Events of one environment, until {@link forget}. */
  listen(id: number, listener: HelperListener): void {
    this.#listeners.set(id, listener);
  }

  forget(id: number): void {
    this.#listeners.delete(id);
  }

  /** Waits for something of the helper: keeps the process alive meanwhile, and rejects where it takes too long. */
  async within<T>(promise: Promise<T>): Promise<T> {
    if (this.#pending++ === 0) this.#child.channel?.ref();
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`the sandbox helper did not answer within ${HELPER_MS_MAX / 1000} seconds`)), HELPER_MS_MAX);
    });
    try {
      return await Promise.race([promise, late]);
    } finally {
      clearTimeout(timer);
      if (--this.#pending === 0) this.#child.channel?.unref();
    }
  }

  /** Ends it, and with it everything that it started; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#control.end();
    this.#child.ref();
    await this.ended;
    if (this.#child.connected) this.#child.disconnect();
  }

  #receive(event: HelperEvent, handle: unknown): void {
    this.#listeners.get(event.id)?.(event, handle);
  }
}

/** Of `user=own cgroup=1 memory=1 pids=1 cpu=1 freeze=1`. */
function featuresOf(text: string, note: string): HelperFeatures {
  const values = new Map(text.split(' ').map((pair) => pair.split('=') as [string, string]));
  const has = (name: string) => values.get(name) === '1';
  const cgroup = Number(values.get('cgroup')) as HelperFeatures['cgroup'];
  const user = values.get('user') === 'own' ? 'own' : 'namespace';
  return { user, cgroup, memory: has('memory'), pids: has('pids'), cpu: has('cpu'), freeze: has('freeze'), note };
}
