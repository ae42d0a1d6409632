import { randomBytes } from 'node:crypto';
import type { Clock } from '../../kit/clock.ts';
import type { Key } from '../../kit/key.ts';
import { BTree } from '../btree.ts';
import { type StoreError, storeBusy, storeClosed } from '../errors.ts';
import { BATCH_BYTES_MAX, BATCH_TRANSACTIONS_MAX, type FullRange, PENDING_BYTES_MAX, WAITING_TRANSACTIONS_MAX } from '../limits.ts';
import { noteRows } from '../notes.ts';
import { type Base, type Change, type Cursor, mergedCursor, runOn, type Writes } from '../run.ts';
import type { Declaration, Tx } from '../store.ts';
import type { BatchWrites } from './batch.ts';

/** The writer may have one batch in hand and one waiting: it is never idle while there is work, and the rest gathers into larger batches. */
const BATCHES_IN_FLIGHT_MAX = 2;
/** What a write costs beside its bytes, so that a flood of empty values is bounded too. */
const WRITE_OVERHEAD_BYTES = 64;

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Writes that become durable together. */
interface Batch extends Sendable {
  readonly values: Map<Key, Uint8Array | undefined>;
  readonly sequences: Map<Key, bigint>;
  readonly commitIds: string[];
  readonly notes: string[];
  readonly waiters: Waiter[];
  transactions: number;
  bytes: number;
}

/** A batch as the writer gets it. */
export interface Sendable extends BatchWrites {
  readonly number: number;
  readonly bytes: number;
}

/** A value that is not durable yet, and the last batch that writes it. */
interface Pending<T> {
  readonly value: T;
  readonly batch: number;
}

export interface CoordinatorOptions {
  readonly clock: Pick<Clock, 'real'>;
  /** The committed state; may run ahead of what {@link Coordinator.done} was told. */
  readonly committed: Base;
  /** Hands a batch to the writer. Answered later by `done` or `failed`. */
  readonly send: (batch: Sendable, epoch: number) => void;
  /** A batch is durable, and the overlay about to drop it: `committed` must show it from here on. */
  readonly durable: (keys: Iterable<Key>) => void;
  /** After a batch is durable. */
  readonly committedKeys: (keys: Iterable<Key>) => void;
}

/**
 * Runs transactions one after another on the newest pending state, and gathers what they write into batches.
 *
 * Batches become durable in order, and when one fails everything pending after it fails too: later transactions may have read
 * it. So "all that this one read is durable" is "the last batch it read from is durable", and a failure empties the overlay.
 */
export class Coordinator {
  readonly #options: CoordinatorOptions;
  /** Tells this process's rows of notes from those of others that write in the same millisecond. */
  readonly #name = randomBytes(6).toString('base64url');
  /** The newest value of every key that is not durable yet. */
  readonly #overlay = new BTree<Pending<Uint8Array | undefined>>();
  readonly #sequences = new Map<Key, Pending<bigint>>();
  /** Not answered yet, in order. The first {@link #sent} are with the writer; the last of the others takes transactions. */
  readonly #batches: Batch[] = [];
  #sent = 0;
  #nextNumber = 1;
  /** Raised by a failure: the writer drops batches of earlier epochs. */
  #epoch = 0;
  #pendingBytes = 0;
  #flushScheduled = false;
  readonly #waiting: Waiter[] = [];
  #fatal: StoreError | undefined;
  #idleWaiters: (() => void)[] = [];
  /** The last batch that the running transaction has read from. */
  #readFrom = 0;
  readonly #base: Base;

  constructor(options: CoordinatorOptions) {
    this.#options = options;
    this.#base = {
      get: (key) => this.#get(key),
      cursor: (range) => this.#cursor(range),
      lastSequence: (shard) => this.#lastSequence(shard),
    };
  }

  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get waitingTransactions(): number {
    return this.#waiting.length;
  }

  async transact<T>({ commitId, note }: Declaration, fn: (tx: Tx) => T): Promise<T> {
    if (this.#pendingBytes >= PENDING_BYTES_MAX || this.#waiting.length > 0) await this.#room();
    if (this.#fatal) throw this.#fatal;
    this.#readFrom = 0;
    const run = runOn(this.#base, fn, note);
    const readFrom = this.#readFrom;
    const writesNothing = !run.ok || (run.writes.values.size === 0 && run.writes.sequences.size === 0 && commitId === undefined);
    const batch = writesNothing ? this.#batchOf(readFrom) : this.#take(run.writes, commitId);
    if (batch) await durable(batch);
    if (!run.ok) throw run.error;
    return run.result;
  }

  /** The writer has made this batch durable. */
  done(number: number): void {
    const batch = this.#batches.shift();
    if (batch?.number !== number) throw new Error(`the writer answered batch ${number}, expected ${batch?.number}`);
    this.#sent--;
    this.#options.durable(batch.values.keys());
    for (const key of batch.values.keys()) {
      if (this.#overlay.get(key)?.batch === number) this.#overlay.delete(key);
    }
    for (const shard of batch.sequences.keys()) {
      if (this.#sequences.get(shard)?.batch === number) this.#sequences.delete(shard);
    }
    this.#flush();
    for (const waiter of batch.waiters) waiter.resolve();
    this.#options.committedKeys(batch.values.keys());
    this.#release(batch.bytes);
  }

  /** Nothing of this epoch's batches from the failed one on was written. Later transactions run on the committed state again. */
  failed(epoch: number, error: StoreError): void {
    if (epoch !== this.#epoch) return;
    this.#epoch++;
    const batches = this.#batches.splice(0);
    this.#sent = 0;
    this.#overlay.clear();
    this.#sequences.clear();
    for (const batch of batches) {
      for (const waiter of batch.waiters) waiter.reject(error);
    }
    this.#release(this.#pendingBytes);
  }

  /** No writer any more: everything pending and everything to come fails with `error`. */
  stop(error: StoreError = storeClosed()): void {
    this.#fatal ??= error;
    for (const waiter of this.#waiting.splice(0)) waiter.reject(error);
    this.failed(this.#epoch, error);
  }

  /** Resolves once nothing is pending. */
  async idle(): Promise<void> {
    while (this.#batches.length > 0 || this.#waiting.length > 0) {
      await new Promise<void>((resolve) => {
        this.#idleWaiters.push(resolve);
      });
    }
  }

  #get(key: Key): Uint8Array | undefined {
    const pending = this.#overlay.get(key);
    if (!pending) return this.#options.committed.get(key);
    this.#sawBatch(pending.batch);
    return pending.value;
  }

  #cursor(range: FullRange): Cursor {
    const committed = this.#options.committed.cursor(range);
    if (this.#overlay.size === 0) return committed;
    const walk = this.#overlay.walk(range.from, range.to, range.reverse);
    const pending: Cursor = {
      next: () => {
        const entry = walk.next();
        if (!entry) return undefined;
        this.#sawBatch(entry[1].batch);
        return [entry[0], entry[1].value] satisfies Change;
      },
      close() {},
    };
    return mergedCursor(pending, committed, range.reverse);
  }

  #lastSequence(shard: Key): bigint {
    const pending = this.#sequences.get(shard);
    if (!pending) return this.#options.committed.lastSequence(shard);
    this.#sawBatch(pending.batch);
    return pending.value;
  }

  #sawBatch(number: number): void {
    if (number > this.#readFrom) this.#readFrom = number;
  }

  /** The pending batch of that number, if it still is. */
  #batchOf(number: number): Batch | undefined {
    return number === 0 ? undefined : this.#batches.find((batch) => batch.number === number);
  }

  /** The batch that takes `bytes` more: the last one, or a new one where that is sent or full. */
  #openBatch(bytes: number): Batch {
    const last = this.#batches.at(-1);
    if (last && this.#batches.length > this.#sent && last.transactions < BATCH_TRANSACTIONS_MAX && last.bytes + bytes <= BATCH_BYTES_MAX) return last;
    const batch = { number: this.#nextNumber++, values: new Map(), sequences: new Map(), commitIds: [], notes: [], waiters: [], transactions: 0, bytes: 0 };
    this.#batches.push(batch);
    return batch;
  }

  /** Puts a transaction's writes into the overlay and the open batch. */
  #take(writes: Writes, commitId: string | undefined): Batch {
    let bytes = WRITE_OVERHEAD_BYTES;
    for (const [key, value] of writes.values) bytes += key.length + (value?.byteLength ?? 0) + WRITE_OVERHEAD_BYTES;
    const batch = this.#openBatch(bytes);
    for (const [key, value] of writes.values) {
      batch.values.set(key, value);
      this.#overlay.set(key, { value, batch: batch.number });
    }
    for (const [shard, value] of writes.sequences) {
      batch.sequences.set(shard, value);
      this.#sequences.set(shard, { value, batch: batch.number });
    }
    if (commitId !== undefined) batch.commitIds.push(commitId);
    if (writes.note !== undefined) {
      batch.notes.push(writes.note);
      bytes += writes.note.length;
    }
    batch.transactions++;
    batch.bytes += bytes;
    this.#pendingBytes += bytes;
    if (!this.#flushScheduled) {
      this.#flushScheduled = true;
      // At the end of this turn of the event loop: whatever else arrived in it shares the sync.
      setImmediate(() => {
        this.#flushScheduled = false;
        this.#flush();
      });
    }
    return batch;
  }

  #flush(): void {
    while (this.#sent < BATCHES_IN_FLIGHT_MAX) {
      const batch = this.#batches[this.#sent];
      if (!batch) return;
      this.#sent++;
      // Nobody reads notes inside a transaction, so they need not be in the overlay.
      for (const [key, value] of noteRows(batch.notes, this.#options.clock.real(), `${this.#name}${batch.number}`)) batch.values.set(key, value);
      this.#options.send(batch, this.#epoch);
    }
  }

  /** Waits until pending writes are fewer; first come, first served. */
  #room(): Promise<void> {
    if (this.#waiting.length >= WAITING_TRANSACTIONS_MAX) throw storeBusy();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
    });
  }

  /** `bytes` are pending no longer: lets waiting transactions in, a batch's worth at a time, and tells who waits for quiet. */
  #release(bytes: number): void {
    this.#pendingBytes -= bytes;
    if (this.#pendingBytes < PENDING_BYTES_MAX) {
      for (const waiter of this.#waiting.splice(0, BATCH_TRANSACTIONS_MAX)) waiter.resolve();
    }
    if (this.#batches.length === 0 && this.#waiting.length === 0) {
      for (const resolve of this.#idleWaiters.splice(0)) resolve();
    }
  }
}

function durable(batch: Batch): Promise<void> {
  return new Promise((resolve, reject) => {
    batch.waiters.push({ resolve, reject });
  });
}
