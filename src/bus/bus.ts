import type { Trace } from '../kit/trace.ts';
import type { Tx } from '../store/store.ts';

/** Something to be delivered later, written in the commit that caused it. */
export interface Delivery {
  /** A registered target, e.g. `lambda:invoke`. */
  readonly target: string;
  readonly account: string;
  readonly region: string;
  /** JSON; bodies above 1 MiB go to a blob and are named here. */
  readonly payload: unknown;
  /** Virtual time of the first attempt; default at once. */
  readonly dueMs?: number;
  /** Deliveries of one key run one at a time, in order (e.g. a stack, a FIFO group). */
  readonly orderKey?: string;
  /** Default: that of the call or delivery on whose behalf the transaction runs. */
  readonly trace?: Trace;
}

export interface Attempt extends Delivery {
  readonly trace: Trace;
  /** Stable over retries: the target deduplicates by it. */
  readonly id: string;
  /** From 1. */
  readonly attempt: number;
  readonly enqueuedMs: number;
  readonly signal: AbortSignal;
  /** Removes the delivery inside the handler's own commit, so that effect and removal are one. The handler then returns `done`. */
  readonly settle: (tx: Tx) => void;
}

/** `done` removes the delivery; `retry` tries again at virtual time `atMs` (`payload` replaces the old one where given). */
export type Outcome = { readonly done: true } | { readonly retry: { readonly atMs: number; readonly payload?: unknown } };

export interface TargetOptions {
  /** Deliveries under way at once. */
  readonly concurrency: number;
}

/**
 * Durable delivery from the outbox (decision 3). At least once: a handler that throws, or a process that dies, is tried again.
 * The bus imports no room; rooms register their targets at start.
 */
export interface Bus {
  register(target: string, options: TargetOptions, deliver: (attempt: Attempt) => Promise<Outcome>): void;
  /** Writes the delivery into `tx`; it is delivered after the commit. Returns its id. */
  enqueue(tx: Tx, delivery: Delivery): string;
  /** Starts delivering; called once, after every room has registered. */
  start(): Promise<void>;
  /** Stops taking new deliveries and waits for those under way, up to `waitMs`. */
  stop(waitMs: number): Promise<void>;
  /** Virtual time of the earliest delivery that waits; undefined where none does. */
  nextDueMs(): number | undefined;
  /** Resolves true once nothing is due or under way, false after `waitMs` (monotonic). */
  quiet(waitMs: number): Promise<boolean>;
  /** Figures for `/metrics`. */
  stats(): Record<string, number>;
}
