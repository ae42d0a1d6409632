import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Platform } from '../../service.ts';
import { ARCHIVE_PAGE, ARCHIVE_SWEEP_MS } from '../limits.ts';
import { type ArchiveRow, archivedBetween, keys, rangeOf, read } from '../store.ts';
import type { SweepPayload } from './payloads.ts';
import type { ArchivedEvent } from './publish.ts';

const DAY_MS = 86_400_000;

/** Takes what is past an archive's retention out of it, in bounded commits, and comes back after a day; of a deleted archive all. */
export async function sweep({ store, clock }: Platform, attempt: Attempt): Promise<Outcome> {
  const { archive, archiveId, deleted } = attempt.payload as SweepPayload;
  const nowMs = clock.virtual();
  const row = deleted ? undefined : await read<ArchiveRow>(store, keys.archive(attempt, archive));
  if (!deleted && (row?.id !== archiveId || row.retentionDays === 0)) return { done: true };
  const prefix = keys.ingested(attempt, archiveId);
  const range = row ? archivedBetween(prefix, 0, Math.max(0, nowMs - row.retentionDays * DAY_MS)) : rangeOf(prefix);
  const page = await store.range({ ...range, limit: ARCHIVE_PAGE });
  const found = page.entries.map(([pointer, value]) => [pointer, Buffer.from(value).toString('latin1')] as const);
  const counters = [keys.archivedCount(attempt, archiveId), keys.archivedBytes(attempt, archiveId)] as const;
  await store.transact({ keys: found.flat() }, (tx) => {
    for (const [pointer, key] of found) {
      const value = tx.get(key);
      tx.delete(pointer);
      if (value === undefined) continue;
      tx.delete(key);
      tx.add(counters[0], -1n);
      tx.add(counters[1], -BigInt(decodeJson<ArchivedEvent>(value).bytes));
    }
  });
  if (page.more) return { retry: { atMs: nowMs } };
  if (row) return { retry: { atMs: nowMs + ARCHIVE_SWEEP_MS } };
  await store.transact({ keys: [...counters] }, (tx) => {
    for (const counter of counters) tx.delete(counter);
  });
  return { done: true };
}
