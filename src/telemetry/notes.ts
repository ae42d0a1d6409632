import type { Clock } from '../kit/clock.ts';
import type { Key } from '../kit/key.ts';
import { NOTES, notedAtMs, notesOf } from '../store/notes.ts';
import type { Entry, Store } from '../store/store.ts';
import { type CommitNote, parseNote } from './calls.ts';
import { NOTES_TRIM_ROWS } from './limits.ts';
import type { Bounds, Span } from './lineage.ts';

/** The notes that commits carry, as spans. */
export interface Notes {
  /**
   * The commits of a trace, or of a request, by its id; in their order, at most `limit`. Looks through all notes: there are at most 64 MiB,
   * and nobody reads them often.
   */
  read(id: string, limit: number): Promise<Span[]>;
  /** Deletes the oldest beyond the bounds. */
  trim(): Promise<void>;
}

/** What is left, as a share of the bound, once the notes have grown beyond it. */
const KEPT_SHARE = 7 / 8;

export function createNotes(store: Store, clock: Pick<Clock, 'real'>, bounds: Bounds): Notes {
  async function* rows(from: Key = NOTES.from): AsyncGenerator<Entry, void> {
    for (;;) {
      const page = await store.range({ from, to: NOTES.to });
      yield* page.entries;
      const last = page.entries.at(-1);
      if (!page.more || !last) return;
      from = `${last[0]}\x00`;
    }
  }

  const remove = (keys: readonly Key[]): Promise<void> =>
    store.transact({ keys }, (tx) => {
      for (const key of keys) tx.delete(key);
    });

  /** Bytes of all rows up to `counted`: what was there stays as it is, so only what came after is looked at again. */
  let bytes = 0;
  let counted: Key = NOTES.from;
  const count = async (anew?: 'anew'): Promise<void> => {
    if (anew) [bytes, counted] = [0, NOTES.from];
    for await (const [key, value] of rows(counted)) {
      bytes += value.byteLength;
      counted = `${key}\x00`;
    }
  };

  return {
    async read(id, limit) {
      const spans: Span[] = [];
      for await (const entry of rows()) {
        if (spans.length >= limit) break;
        const [, value] = entry;
        if (!Buffer.from(value.buffer, value.byteOffset, value.byteLength).includes(id)) continue;
        for (const line of notesOf(entry)) {
          const note = line.includes(id) ? parseNote(line) : undefined;
          if (note && (note.trace === id || note.requestId === id) && spans.length < limit) spans.push(spanOf(note, spans.length));
        }
      }
      return spans;
    },
    async trim() {
      await count();
      const oldestMs = clock.real() - bounds.ageMs;
      // Other processes add and delete too.
      if (bytes > bounds.bytes && store.driver === 'postgres') await count('anew');
      // Well below the bound, so that not every commit from now on is followed by a deletion.
      const wanted = bytes > bounds.bytes ? bounds.bytes * KEPT_SHARE : Number.POSITIVE_INFINITY;
      for (;;) {
        const { entries } = await store.range({ ...NOTES, limit: NOTES_TRIM_ROWS });
        const old: Key[] = [];
        for (const entry of entries) {
          if (bytes <= wanted && notedAtMs(entry) >= oldestMs) break;
          bytes -= entry[1].byteLength;
          old.push(entry[0]);
        }
        if (old.length === 0) return;
        await remove(old);
      }
    },
  };
}

function spanOf({ trace, parent, name, account, region, atMs, requestId, resources, units }: CommitNote, number: number): Span {
  return {
    trace,
    id: `${parent}/${number}`,
    parent,
    kind: 'commit',
    name,
    account,
    region,
    startMs: atMs,
    durationMs: 0,
    status: 0,
    ...(requestId === undefined ? {} : { requestId }),
    ...(resources === undefined ? {} : { resources }),
    ...(units === undefined ? {} : { units }),
  };
}
