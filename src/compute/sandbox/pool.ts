import type { Command } from '../command.ts';
import type { Launch, ResolvedRuntime } from '../types.ts';
import type { LinuxSandbox } from './environment.ts';
import { POOL_IDLE_MS, POOL_REFILL_MS, POOL_SIZE_DEFAULT, POOL_SIZE_MAX, POOLED_MAX } from './limits.ts';
import { canWait, waitingCommand } from './parking.ts';

export interface PoolOptions {
  /** A new sandbox, without a function. */
  readonly create: () => Promise<LinuxSandbox>;
  /** One could not be made ready: the pool goes without. */
  readonly onError: (error: unknown) => void;
}

/** The sandboxes that wait for functions of one runtime. */
interface Line {
  readonly runtime: ResolvedRuntime;
  readonly command: Command;
  readonly ready: Set<LinuxSandbox>;
  making: number;
  /** How many are kept: grows when one is missed. */
  target: number;
  /** Nobody asked for this runtime for a long time. */
  idle: NodeJS.Timeout | undefined;
}

/** What a function's environment needs before it can run, done ahead for every runtime that has been used. */
export class Pool {
  #options: PoolOptions;
  /** By AWS's name. */
  #lines = new Map<string, Line>();
  #refill: NodeJS.Timeout | undefined;
  #stopped = false;

  constructor(options: PoolOptions) {
    this.#options = options;
  }

  /** A sandbox in which this runtime waits; undefined where there is none. */
  take(runtime: string): LinuxSandbox | undefined {
    const line = this.#lines.get(runtime);
    if (!line) return undefined;
    const [sandbox] = line.ready;
    if (sandbox) line.ready.delete(sandbox);
    else if (line.target < POOL_SIZE_MAX) line.target++;
    this.#used(line);
    return sandbox;
  }

  /** A function of this runtime has started, in this way: there may be more. */
  learn({ runtime }: Launch, command: Command): void {
    if (this.#stopped || this.#lines.has(runtime.name) || !canWait(runtime)) return;
    const waiting = waitingCommand(runtime, command);
    if (!waiting) return;
    const line: Line = { runtime, command: waiting, ready: new Set(), making: 0, target: POOL_SIZE_DEFAULT, idle: undefined };
    this.#lines.set(runtime.name, line);
    this.#used(line);
  }

  /** How many wait. */
  get size(): number {
    return [...this.#lines.values()].reduce((sum, { ready }) => sum + ready.size, 0);
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#refill);
    await Promise.all([...this.#lines.values()].map((line) => this.#drop(line)));
  }

  #used(line: Line): void {
    clearTimeout(line.idle);
    line.idle = setTimeout(() => void this.#drop(line), POOL_IDLE_MS).unref();
    // The function that is starting now has the processor first.
    clearTimeout(this.#refill);
    this.#refill = setTimeout(() => this.#fill(), POOL_REFILL_MS).unref();
  }

  /** One at a time, and of all runtimes together never more than the machine is asked to hold. */
  #fill(): void {
    const lines = [...this.#lines.values()];
    if (this.#stopped || lines.some(({ making }) => making > 0)) return;
    const short = lines.find(({ ready, target }) => ready.size < target);
    if (!short || this.size >= POOLED_MAX) return;
    short.making++;
    this.#make(short)
      .catch((error: unknown) => {
        this.#lines.delete(short.runtime.name);
        this.#options.onError(error);
      })
      .finally(() => {
        short.making--;
        this.#fill();
      });
  }

  async #make(line: Line): Promise<void> {
    const sandbox = await this.#options.create();
    try {
      const process = await sandbox.park(line.runtime, line.command);
      if (this.#stopped || this.#lines.get(line.runtime.name) !== line) throw new Error('the pool is closed');
      line.ready.add(sandbox);
      void process.exited.then(() => {
        if (line.ready.delete(sandbox)) void sandbox.kill();
      });
    } catch (error) {
      await sandbox.kill();
      if (!this.#stopped) throw error;
    }
  }

  async #drop(line: Line): Promise<void> {
    clearTimeout(line.idle);
    if (this.#lines.get(line.runtime.name) === line) this.#lines.delete(line.runtime.name);
    const waiting = [...line.ready];
    line.ready.clear();
    await Promise.all(waiting.map((sandbox) => sandbox.kill()));
  }
}
