import type { Attempt, Outcome } from '../../../bus/bus.ts';
import type { Platform } from '../../service.ts';
import { PURGE_PAGE } from '../limits.ts';
import { keys, rangeOf } from '../store.ts';
import type { PurgePayload } from './payloads.ts';

/** Removes a deleted group's schedules in bounded commits, then the group. Nothing is added meanwhile: a group that is being deleted takes no schedule. */
export async function purge({ store, clock }: Platform, attempt: Attempt): Promise<Outcome> {
  const { group } = attempt.payload as PurgePayload;
  const page = await store.range({ ...rangeOf(keys.groupSchedules(attempt, group)), limit: PURGE_PAGE });
  const found = page.entries.map(([key]) => key);
  await store.transact({ keys: [...found, keys.group(attempt, group)] }, (tx) => {
    for (const key of found) tx.delete(key);
    if (!page.more) tx.delete(keys.group(attempt, group));
  });
  return page.more ? { retry: { atMs: clock.virtual() } } : { done: true };
}
