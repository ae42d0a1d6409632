import type { Key } from '../../kit/key.ts';
import type { Store } from '../../store/store.ts';
import { HEADS_MAX } from './limits.ts';

/**
 * Where the heads of standard queues are: a receive need not walk over what those before it took and what is not yet written out.
 * One place a queue, forgotten when in doubt. It is kept in the transactions' own order, so it is right as long as this process is the
 * only one that writes: on PostgreSQL there is none.
 */
export interface Heads {
  /** No fresh message of these contents stands before this place; undefined where that is not known. */
  from(contents: string): Key | undefined;
  /** Everything before `place` has been taken. */
  raise(contents: string, place: Key): void;
  /** A message was put at `place`. */
  lower(contents: string, place: Key): void;
  /** A commit failed: what was taken may be there again. */
  reset(): void;
}

const byStore = new WeakMap<Store, Heads>();

export function headsOf(store: Store): Heads {
  let heads = byStore.get(store);
  if (!heads) {
    heads = createHeads(store.driver !== 'postgres');
    byStore.set(store, heads);
  }
  return heads;
}

function createHeads(alone: boolean): Heads {
  const places = new Map<string, Key>();
  return {
    from: (contents) => places.get(contents),
    raise(contents, place) {
      if (!alone) return;
      // Kept in order of use, so that the bound drops queues that nobody receives from.
      places.delete(contents);
      places.set(contents, place);
      if (places.size <= HEADS_MAX) return;
      for (const oldest of places.keys()) {
        places.delete(oldest);
        break;
      }
    },
    lower(contents, place) {
      const known = places.get(contents);
      if (known !== undefined && place < known) places.set(contents, place);
    },
    reset: () => places.clear(),
  };
}
