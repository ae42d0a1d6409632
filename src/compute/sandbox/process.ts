import { constants } from 'node:os';
import type { Readable } from 'node:stream';
import type { Exit, RunningRuntime } from '../types.ts';

/** What a process in a sandbox needs of it. */
export interface ProcessParts {
  readonly output: readonly Readable[];
  readonly frames: Readable | undefined;
  readonly signal: (signal: NodeJS.Signals) => void;
  readonly peakMemoryMb: () => number;
}

/** A process that the helper started. */
export class SandboxProcess implements RunningRuntime {
  readonly output: readonly Readable[];
  readonly frames?: Readable;
  readonly exited: Promise<Exit>;
  #parts: ProcessParts;
  #exit: Exit | undefined;
  #resolve: (exit: Exit) => void = () => {};

  constructor(parts: ProcessParts) {
    this.#parts = parts;
    this.output = parts.output;
    if (parts.frames) this.frames = parts.frames;
    this.exited = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /** Called once it is gone. */
  end(exit: Exit): void {
    this.#exit ??= exit;
    this.#resolve(this.#exit);
  }

  peakMemoryMb(): number {
    return this.#parts.peakMemoryMb();
  }

  terminate(): void {
    if (!this.#exit) this.#parts.signal('SIGTERM');
  }

  async kill(): Promise<void> {
    if (!this.#exit) this.#parts.signal('SIGKILL');
    await this.exited;
  }
}

const SIGNAL_NAMES = new Map(Object.entries(constants.signals).map(([name, number]) => [number, name as NodeJS.Signals]));

/** Of what `waitpid` tells. */
export function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff, signal: null };
  return { code: null, signal: SIGNAL_NAMES.get(signal) ?? 'SIGKILL' };
}
