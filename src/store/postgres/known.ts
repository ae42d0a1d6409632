import type { Key } from '../../kit/key.ts';
import { BTree } from '../btree.ts';
import type { FullRange } from '../limits.ts';
import { type Base, type Cursor, compareKeys, mergedCursor, type Writes } from '../run.ts';
import type { KeyRange } from '../store.ts';
import { type LockSet, lockForRange, lockForRead, lockForSequence } from './locks.ts';

/** A part of a range that has to be fetched. */
export type Fetch = FullRange;

/** Thrown out of a transaction's function where the state it asks for has not been fetched yet. */
class NotFetched extends Error {}

/**
 * What a batch knows of the database (fetched under its locks, so it cannot change meanwhile), with what the batch's
 * transactions have written over it. Notes what is asked for and not known, with the locks it needs.
 */
export class Known implements Base {
  readonly #points = new Map<Key, Uint8Array | undefined>();
  readonly #rows = new BTree<Uint8Array>();
  readonly #intervals: KeyRange[] = [];
  readonly #sequences = new Map<Key, bigint>();
  /** The batch's own writes. */
  readonly #written = new BTree<{ value: Uint8Array | undefined }>();
  readonly #drawn = new Map<Key, bigint>();

  readonly missingKeys = new Set<Key>();
  readonly missingRanges: Fetch[] = [];
  readonly missingShards = new Set<Key>();
  /** Locks for everything read so far. */
  readonly locks: LockSet = new Map();

  get complete(): boolean {
    return this.missing === 0;
  }

  /** How many things are missing: a run that raises it was cut short. */
  get missing(): number {
    return this.missingKeys.size + this.missingRanges.length + this.missingShards.size;
  }

  addPoints(asked: Iterable<Key>, rows: ReadonlyMap<Key, Uint8Array>): void {
    for (const key of asked) this.#points.set(key, rows.get(key));
  }

  addSequences(asked: Iterable<Key>, rows: ReadonlyMap<Key, bigint>): void {
    for (const shard of asked) this.#sequences.set(shard, rows.get(shard) ?? 0n);
  }

  /** Rows that were found, and the interval in which there are no others. */
  addRows(rows: Iterable<readonly [Key, Uint8Array]>, interval: KeyRange): void {
    for (const [key, value] of rows) this.#rows.set(key, value);
    this.#intervals.push(interval);
  }

  /** Forgets the writes and the wants of a round, before the next. */
  beginRound(): void {
    this.#written.clear();
    this.#drawn.clear();
    this.missingKeys.clear();
    this.missingRanges.length = 0;
    this.missingShards.clear();
  }

  write({ values, sequences }: Writes): void {
    for (const [key, value] of values) this.#written.set(key, { value });
    for (const [shard, last] of sequences) this.#drawn.set(shard, last);
  }

  get writes(): { values: (readonly [Key, Uint8Array | undefined])[]; sequences: ReadonlyMap<Key, bigint> } {
    const values: (readonly [Key, Uint8Array | undefined])[] = [];
    const walk = this.#written.walk('', undefined);
    for (let entry = walk.next(); entry; entry = walk.next()) values.push([entry[0], entry[1].value]);
    return { values, sequences: this.#drawn };
  }

  get(key: Key): Uint8Array | undefined {
    const written = this.#written.get(key);
    if (written) return written.value;
    if (this.#points.has(key)) return this.#points.get(key);
    lockForRead(this.locks, key);
    this.missingKeys.add(key);
    throw new NotFetched();
  }

  lastSequence(shard: Key): bigint {
    const last = this.#drawn.get(shard) ?? this.#sequences.get(shard);
    if (last !== undefined) return last;
    lockForSequence(this.locks, shard);
    this.missingShards.add(shard);
    throw new NotFetched();
  }

  cursor(range: FullRange): Cursor {
    lockForRange(this.locks, range);
    const fetched = this.#fetched(range);
    if (this.#written.size === 0) return fetched;
    const walk = this.#written.walk(range.from, range.to, range.reverse);
    const written: Cursor = {
      next() {
        const entry = walk.next();
        return entry && [entry[0], entry[1].value];
      },
      close() {},
    };
    return mergedCursor(written, fetched, range.reverse);
  }

  /** Walks known intervals; asks for the next part where they end. */
  #fetched(range: FullRange): Cursor {
    let { from, to } = range;
    let walk: { next(): readonly [Key, Uint8Array] | undefined } | undefined;
    let edge: Key = '';
    return {
      next: () => {
        for (;;) {
          const row = walk?.next();
          if (row) return row;
          if (walk) {
            if (range.reverse) to = edge;
            else from = edge;
          }
          if (from >= to) return undefined;
          const interval = this.#intervals.find((known) => (range.reverse ? known.from < to && known.to >= to : known.from <= from && known.to > from));
          if (!interval) {
            this.missingRanges.push({ ...range, from, to });
            throw new NotFetched();
          }
          edge = range.reverse ? later(interval.from, from) : later(interval.to, to) === to ? interval.to : to;
          walk = range.reverse ? this.#rows.walk(edge, to, true) : this.#rows.walk(from, edge);
        }
      },
      close() {},
    };
  }
}

function later(a: Key, b: Key): Key {
  return compareKeys(a, b) > 0 ? a : b;
}
