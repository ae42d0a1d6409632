import type { Key } from '../kit/key.ts';

/** A value is at most 2 MiB. */
export const VALUE_BYTES_MAX = 2 * 1024 * 1024;

export type Entry = readonly [key: Key, value: Uint8Array];

/** A half-open interval of keys, `from` ≤ key < `to`. */
export interface KeyRange {
  readonly from: Key;
  readonly to: Key;
}

export interface RangeOptions extends KeyRange {
  /** Descending order: starts below `to`. */
  readonly reverse?: boolean;
  /** Entries at most (default 1,000). */
  readonly limit?: number;
  /** Stops after the entry that reaches this many bytes of keys and values (default 1 MiB); at least one entry is returned. */
  readonly maxBytes?: number;
}

export interface Page {
  readonly entries: readonly Entry[];
  /** True where the range holds more entries than were returned. Go on from the last key. */
  readonly more: boolean;
}

/** What a transaction will read and write. Declare what is known: undeclared reads work, and cost a re-run on PostgreSQL. */
export interface Declaration {
  /** Keys that will be written, or read and must not change meanwhile (exclusive). */
  readonly keys?: readonly Key[];
  /** Keys only read (shared): many transactions may hold the same one, e.g. a table's description. */
  readonly reads?: readonly Key[];
  /** Ranges that will be read: no other commit adds, changes or removes a key in them meanwhile. */
  readonly ranges?: readonly KeyRange[];
  /** The caller's id of this commit, kept for an hour, so that {@link Store.outcome} can tell what became of it. */
  readonly commitId?: string;
  /**
   * One line about this commit (why it was made), kept with it under `NOTES` (`notes.ts`). Called once `fn` has returned, on each run, and only
   * where it wrote something; synchronous and pure like `fn`.
   */
  readonly note?: () => string;
}

/** The view inside a transaction: the newest state, pending commits of this process included. All synchronous. */
export interface Tx {
  get(key: Key): Uint8Array | undefined;
  range(options: RangeOptions): Page;
  /** The value must not be changed by the caller afterwards. */
  put(key: Key, value: Uint8Array): void;
  delete(key: Key): void;
  /** Adds to a signed 64-bit counter (8 bytes, big-endian, two's complement; absent is 0) without conflict: commutative, and reads nothing. */
  add(key: Key, delta: bigint): void;
  /**
   * The next number of the sequence `shard`, from 1: strictly increasing in commit order (a number that is visible has no
   * smaller one still to appear), gaps allowed. May be part of a key.
   */
  sequence(shard: Key): bigint;
}

/**
 * The ordered transactional key space that every room stands on. Three drivers pass one conformance suite
 * (`conformance.ts`): memory, SQLite, PostgreSQL. Acknowledged means on disk (memory excepted, which says so).
 */
export interface Store {
  readonly driver: 'memory' | 'sqlite' | 'postgres';
  /** Committed state only. */
  get(key: Key): Promise<Uint8Array | undefined>;
  /** In the order asked; `undefined` for the absent. One consistent snapshot. */
  getMany(keys: readonly Key[]): Promise<(Uint8Array | undefined)[]>;
  /** One page, read from one snapshot; no snapshot outlives a page. */
  range(options: RangeOptions): Promise<Page>;
  /**
   * Runs `fn` on the newest pending state and resolves with its result once all that it wrote, and all that it read from pending
   * writes, is durable. `fn` is pure, synchronous and may be run again. When `fn` throws, nothing of it is written and the
   * promise rejects with that error (again only once what it read is durable).
   */
  transact<T>(declaration: Declaration, fn: (tx: Tx) => T): Promise<T>;
  /** `committed` where a transaction with that `commitId` is durable, else `unknown`. */
  outcome(commitId: string): Promise<'committed' | 'unknown'>;
  /** Calls `listener` after each durable commit (of this process) that changed a key starting with `prefix`. Returns the unsubscriber. */
  watch(prefix: Key, listener: () => void): () => void;
  /** A consistent copy while running. `path` is a file or folder that does not exist yet. */
  backup(path: string): Promise<void>;
  /** Figures for `/metrics`. */
  stats(): Record<string, number>;
  /** Waits for pending commits, then releases files and connections. */
  close(): Promise<void>;
}
