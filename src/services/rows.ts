import { decodeJson, encodeJson } from '../kit/json.ts';
import { type Key, prefixEnd } from '../kit/key.ts';
import type { KeyRange, Store, Tx } from '../store/store.ts';

/** What the stores of rooms share: rows that are JSON, and who makes what a stack names. */

export const rangeOf = (prefix: Key): KeyRange => ({ from: prefix, to: prefixEnd(prefix) });

/** The committed row. */
export async function load<T>(store: Store, key: Key): Promise<T | undefined> {
  const value = await store.get(key);
  return value && decodeJson<T>(value);
}

/** The row inside of a transaction. */
export function read<T>(tx: Tx, key: Key): T | undefined {
  const value = tx.get(key);
  return value && decodeJson<T>(value);
}

export const write = (tx: Tx, key: Key, row: unknown): void => tx.put(key, encodeJson(row));

/**
 * Says for the stack operation `token` that it makes what `key` stands for: true where `taken` finds nothing yet, or where this very
 * operation began it before a crash; false where it is somebody else's. `reads` are the keys that `taken` looks at, where they are known.
 */
export function claimKey(store: Store, key: Key, token: string, taken: (tx: Tx) => boolean, reads: readonly Key[] = []): Promise<boolean> {
  return store.transact({ keys: [key], reads }, (tx) => {
    if (read<string>(tx, key) === token) return true;
    if (taken(tx)) return false;
    write(tx, key, token);
    return true;
  });
}

/** Takes back {@link claimKey} once the resource is gone. */
export const unclaimKey = (store: Store, key: Key): Promise<void> => store.transact({ keys: [key] }, (tx) => tx.delete(key));
