import type { Key } from '../kit/key.ts';

/** Who wants to know of commits under which prefix. */
export interface Watchers {
  add(prefix: Key, listener: () => void): () => void;
  /** Calls, once each, the listeners of every prefix of these keys. */
  notify(keys: Iterable<Key>): void;
}

export function createWatchers(): Watchers {
  const byPrefix = new Map<Key, Set<() => void>>();
  /** How many prefixes have which length: a key is looked up once per length, not once per watcher. */
  const lengths = new Map<number, number>();
  return {
    add(prefix, listener) {
      // A wrapper, so that the same function can be registered twice and taken back once.
      const entry = () => listener();
      const set = byPrefix.get(prefix) ?? new Set();
      if (set.size === 0) {
        byPrefix.set(prefix, set);
        lengths.set(prefix.length, (lengths.get(prefix.length) ?? 0) + 1);
      }
      set.add(entry);
      return () => {
        if (!set.delete(entry) || set.size > 0) return;
        byPrefix.delete(prefix);
        const left = (lengths.get(prefix.length) ?? 1) - 1;
        if (left === 0) lengths.delete(prefix.length);
        else lengths.set(prefix.length, left);
      };
    },
    notify(keys) {
      if (byPrefix.size === 0) return;
      const due = new Set<() => void>();
      for (const key of keys) {
        for (const length of lengths.keys()) {
          if (length > key.length) continue;
          for (const listener of byPrefix.get(key.slice(0, length)) ?? []) due.add(listener);
        }
      }
      for (const listener of due) {
        try {
          listener();
        } catch (error) {
          // A listener's bug must not fail the commit that woke it, and must not go unseen either.
          queueMicrotask(() => {
            throw error;
          });
        }
      }
    },
  };
}
