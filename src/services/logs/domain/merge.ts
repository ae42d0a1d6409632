import type { StoredEvent } from '../store.ts';
import { comparePositions } from './position.ts';

/** Merges ascending sources into one ascending sequence of batches, holding one batch of each. */
export async function* mergeEvents(sources: readonly AsyncGenerator<StoredEvent[]>[]): AsyncGenerator<StoredEvent[]> {
  const heads: { source: AsyncGenerator<StoredEvent[]>; batch: StoredEvent[] }[] = [];
  const refill = async (source: AsyncGenerator<StoredEvent[]>) => {
    const next = await source.next();
    if (!next.done) heads.push({ source, batch: next.value });
  };
  for (const source of sources) await refill(source);
  while (heads.length > 0) {
    // Whatever stands at or before the earliest end of the held batches cannot be preceded by an event still to be read.
    const ends = heads.map((head) => head.batch.at(-1)).filter((event) => event !== undefined);
    const edge = ends.reduce((a, b) => (comparePositions(a, b) <= 0 ? a : b));
    const out: StoredEvent[] = [];
    const emptied: AsyncGenerator<StoredEvent[]>[] = [];
    for (const head of heads) {
      const cut = head.batch.findIndex((event) => comparePositions(event, edge) > 0);
      out.push(...(cut === -1 ? head.batch : head.batch.slice(0, cut)));
      head.batch = cut === -1 ? [] : head.batch.slice(cut);
      if (head.batch.length === 0) emptied.push(head.source);
    }
    for (let i = heads.length - 1; i >= 0; i--) if (heads[i]?.batch.length === 0) heads.splice(i, 1);
    for (const source of emptied) await refill(source);
    yield out.sort(comparePositions);
  }
}
