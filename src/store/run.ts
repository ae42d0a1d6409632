import type { Key } from '../kit/key.ts';
import { checkKey, checkValue, type FullRange, fullRange } from './limits.ts';
import { checkNote } from './notes.ts';
import type { Entry, Page, RangeOptions, Tx } from './store.ts';

/** What a layer says about a key: its value, or that it is deleted (`undefined`). */
export type Change = readonly [key: Key, value: Uint8Array | undefined];

/** A walk over a layer in the order of a range. `close` may be called at any time, and more than once. */
export interface Cursor {
  next(): Change | undefined;
  close(): void;
}

/** The state a transaction runs on. */
export interface Base {
  get(key: Key): Uint8Array | undefined;
  cursor(range: FullRange): Cursor;
  /** The last number drawn from `shard`, 0 at first. */
  lastSequence(shard: Key): bigint;
}

/** What a run of a transaction wants written. A value of undefined deletes. */
export interface Writes {
  readonly values: ReadonlyMap<Key, Uint8Array | undefined>;
  readonly sequences: ReadonlyMap<Key, bigint>;
  /** Kept with them. */
  readonly note: string | undefined;
}

/** What became of one run of `fn`. */
export type RunResult<T> = { readonly ok: true; readonly result: T; readonly writes: Writes } | { readonly ok: false; readonly error: unknown };

/** Runs `fn` once on `base`. Writes nothing itself. */
export function runOn<T>(base: Base, fn: (tx: Tx) => T, note?: () => string): RunResult<T> {
  const run = new Run(base);
  try {
    const result = fn(run);
    if (result !== null && typeof result === 'object' && 'then' in result && typeof result.then === 'function') {
      throw new TypeError('the function given to transact is synchronous: it must not return a promise');
    }
    if (note && run.values.size > 0) run.note = checkNote(note());
    return { ok: true, result, writes: run };
  } catch (error) {
    return { ok: false, error };
  } finally {
    run.end();
  }
}

/** A transaction's view: its own writes over a base. The same for every driver. */
class Run implements Tx, Writes {
  readonly values = new Map<Key, Uint8Array | undefined>();
  readonly sequences = new Map<Key, bigint>();
  note: string | undefined;
  readonly #base: Base;
  /** The written keys in order, until another is written. */
  #sorted: Key[] | undefined;
  #ended = false;

  constructor(base: Base) {
    this.#base = base;
  }

  end(): void {
    this.#ended = true;
  }

  get(key: Key): Uint8Array | undefined {
    this.#check(key);
    return this.values.has(key) ? this.values.get(key) : this.#base.get(key);
  }

  range(options: RangeOptions): Page {
    this.#check('');
    const range = fullRange(options);
    if (range.from >= range.to) return { entries: [], more: false };
    return pageOf(this.values.size > 0 ? mergedCursor(this.#cursor(range), this.#base.cursor(range), range.reverse) : this.#base.cursor(range), range);
  }

  put(key: Key, value: Uint8Array): void {
    this.#check(key);
    checkValue(value);
    this.#write(key, value);
  }

  delete(key: Key): void {
    this.#check(key);
    this.#write(key, undefined);
  }

  add(key: Key, delta: bigint): void {
    const value = this.get(key);
    if (value !== undefined && value.byteLength !== 8) throw new RangeError('add is for counters: the value there is not of 8 bytes');
    const sum = Buffer.allocUnsafeSlow(8);
    sum.writeBigInt64BE(BigInt.asIntN(64, (value ? Buffer.from(value.buffer, value.byteOffset, 8).readBigInt64BE() : 0n) + delta));
    this.#write(key, sum);
  }

  sequence(shard: Key): bigint {
    this.#check(shard);
    const next = (this.sequences.get(shard) ?? this.#base.lastSequence(shard)) + 1n;
    this.sequences.set(shard, next);
    return next;
  }

  #check(key: Key): void {
    if (this.#ended) throw new Error('a transaction was used after its function had returned');
    checkKey(key);
  }

  #write(key: Key, value: Uint8Array | undefined): void {
    if (!this.values.has(key)) this.#sorted = undefined;
    this.values.set(key, value);
  }

  #cursor({ from, to, reverse }: FullRange): Cursor {
    this.#sorted ??= [...this.values.keys()].sort(compareKeys);
    const within = this.#sorted.filter((key) => key >= from && key < to);
    if (reverse) within.reverse();
    let at = 0;
    return {
      next: () => {
        const key = within[at++];
        return key === undefined ? undefined : [key, this.values.get(key)];
      },
      close() {},
    };
  }
}

export function compareKeys(a: Key, b: Key): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/**
 * Both layers in one order; where both know a key, `newer` wins. Deletions are passed on. Asks a layer for no more than the
 * next change: PostgreSQL would have to fetch it.
 */
export function mergedCursor(newer: Cursor, older: Cursor, reverse: boolean): Cursor {
  const a = peekable(newer);
  const b = peekable(older);
  return {
    next() {
      const fromNewer = a.peek();
      const fromOlder = b.peek();
      if (!fromNewer) return b.take();
      if (!fromOlder) return a.take();
      const order = reverse ? compareKeys(fromOlder[0], fromNewer[0]) : compareKeys(fromNewer[0], fromOlder[0]);
      if (order > 0) return b.take();
      if (order === 0) b.take();
      return a.take();
    },
    close() {
      newer.close();
      older.close();
    },
  };
}

function peekable(cursor: Cursor): { peek(): Change | undefined; take(): Change | undefined } {
  let head: Change | undefined;
  let peeked = false;
  const peek = () => {
    if (!peeked) head = cursor.next();
    peeked = true;
    return head;
  };
  return {
    peek,
    take() {
      const change = peek();
      // At the end it stays there.
      peeked = change === undefined;
      return change;
    },
  };
}

/** Collects entries up to the limits of a page: the rule that every driver keeps. */
export class PageBuilder {
  readonly entries: Entry[] = [];
  more = false;
  bytes = 0;
  readonly #limit: number;
  readonly #maxBytes: number;

  constructor({ limit, maxBytes }: Pick<FullRange, 'limit' | 'maxBytes'>) {
    this.#limit = limit;
    this.#maxBytes = maxBytes;
  }

  /** False when the page was full already, and there is more. */
  add(key: Key, value: Uint8Array): boolean {
    if (this.full) {
      this.more = true;
      return false;
    }
    this.entries.push([key, value]);
    this.bytes += key.length + value.byteLength;
    return true;
  }

  get full(): boolean {
    return this.entries.length >= this.#limit || this.bytes >= this.#maxBytes;
  }
}

/** Reads one page off a cursor and closes it. */
export function pageOf(cursor: Cursor, range: FullRange): Page {
  const page = new PageBuilder(range);
  try {
    for (let change = cursor.next(); change; change = cursor.next()) {
      if (change[1] !== undefined && !page.add(change[0], change[1])) break;
    }
  } finally {
    cursor.close();
  }
  return { entries: page.entries, more: page.more };
}
