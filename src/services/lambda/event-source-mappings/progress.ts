import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Store, Tx } from '../../../store/store.ts';
import { type CheckpointRow, type MappingRow, mappingKeys, type WindowRow } from './rows.ts';
import { isAfter } from './stream-event.ts';

interface Entry {
  readonly sequence: string;
  readonly lane: string;
  done: boolean;
}

/**
 * How far one shard is: what was read and is not done, in order, and the checkpoint in the store that follows it. Lanes work side by
 * side, so beside the place up to which everything is done, each lane's own place is kept: after a crash nothing is skipped, and
 * what a lane had done already is not done again.
 */
export interface Progress {
  readonly row: CheckpointRow;
  /** Read and not yet done. */
  readonly waiting: number;
  /** A record was read; true where it was done already before a crash, or is not for the function. */
  add(sequence: string, lane: string, unwanted: boolean): boolean;
  /** Records are done: commits the checkpoint, together with what `also` writes. */
  finish(sequences: readonly string[], change?: { readonly lane: string; readonly window: WindowRow | undefined }, also?: (tx: Tx) => void): Promise<void>;
  /** Commits what unwanted records have moved on, where nothing else will. */
  flush(): Promise<void>;
}

export async function openProgress(store: Store, mapping: MappingRow, shardId: string): Promise<Progress> {
  const key = mappingKeys.checkpoint(mapping.uuid, shardId);
  const owner = mappingKeys.mapping(mapping, mapping.uuid);
  const value = await store.get(key);
  let row: CheckpointRow = value ? decodeJson<CheckpointRow>(value) : {};
  let entries: Entry[] = [];
  let dirty = false;

  /** Moves the checkpoint over everything done at the front. */
  const advance = (): void => {
    let count = 0;
    while (entries[count]?.done) count++;
    const last = entries[count - 1];
    if (!last) return;
    entries = entries.slice(count);
    const { iterator: _1, sinceMs: _2, lanes = {}, ...rest } = row;
    const further = Object.fromEntries(Object.entries(lanes).filter(([, sequence]) => isAfter(sequence, last.sequence)));
    row = { ...rest, after: last.sequence, ...(Object.keys(further).length > 0 ? { lanes: further } : {}) };
    dirty = true;
  };

  const commit = (also?: (tx: Tx) => void): Promise<void> => {
    dirty = false;
    const now = encodeJson(row);
    return store.transact({ keys: [key], reads: [owner] }, (tx) => {
      // A mapping that was deleted meanwhile leaves nothing behind.
      if (!tx.get(owner)) return;
      tx.put(key, now);
      also?.(tx);
    });
  };

  return {
    get row() {
      return row;
    },
    get waiting() {
      return entries.length;
    },
    add(sequence, lane, unwanted) {
      const reached = row.lanes?.[lane];
      const done = unwanted || (reached !== undefined && !isAfter(sequence, reached));
      entries.push({ sequence, lane, done });
      if (done) advance();
      return done;
    },
    finish(sequences, change, also) {
      const finished = new Set(sequences);
      for (const entry of entries) {
        if (!finished.has(entry.sequence)) continue;
        entry.done = true;
        row = { ...row, lanes: { ...row.lanes, [entry.lane]: entry.sequence } };
      }
      if (change) {
        const { [change.lane]: _, ...others } = row.windows ?? {};
        row = { ...row, windows: change.window ? { ...others, [change.lane]: change.window } : others };
      }
      advance();
      return commit(also);
    },
    flush: () => (dirty ? commit() : Promise.resolve()),
  };
}
