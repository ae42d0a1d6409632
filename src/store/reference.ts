import type { Key } from '../kit/key.ts';
import type { Page, RangeOptions, Tx } from './store.ts';

/**
 * The Store's rules at their simplest, for tests to compare with: a map that is sorted whenever somebody asks for a range.
 * Shares no code with the drivers.
 */
export class Reference implements Tx {
  values = new Map<Key, Uint8Array>();
  sequences = new Map<Key, bigint>();

  get(key: Key): Uint8Array | undefined {
    return this.values.get(key);
  }

  range({ from, to, reverse = false, limit = 1000, maxBytes = 1_048_576 }: RangeOptions): Page {
    const keys = [...this.values.keys()].filter((key) => key >= from && key < to).sort();
    if (reverse) keys.reverse();
    const entries: [Key, Uint8Array][] = [];
    let bytes = 0;
    for (const key of keys) {
      if (entries.length === limit || bytes >= maxBytes) return { entries, more: true };
      const value = this.values.get(key) ?? new Uint8Array();
      entries.push([key, value]);
      bytes += key.length + value.length;
    }
    return { entries, more: false };
  }

  put(key: Key, value: Uint8Array): void {
    this.values.set(key, value);
  }

  delete(key: Key): void {
    this.values.delete(key);
  }

  add(key: Key, delta: bigint): void {
    const before = this.values.get(key);
    const sum = new DataView(new ArrayBuffer(8));
    sum.setBigInt64(0, (before ? new DataView(before.buffer, before.byteOffset).getBigInt64(0) : 0n) + delta);
    this.values.set(key, new Uint8Array(sum.buffer));
  }

  sequence(shard: Key): bigint {
    const next = (this.sequences.get(shard) ?? 0n) + 1n;
    this.sequences.set(shard, next);
    return next;
  }

  /** Runs `fn`; when it throws, nothing of it stays. */
  transact<T>(fn: (tx: Tx) => T): T {
    const before = { values: new Map(this.values), sequences: new Map(this.sequences) };
    try {
      return fn(this);
    } catch (error) {
      this.values = before.values;
      this.sequences = before.sequences;
      throw error;
    }
  }
}
