import type { Attempt, Outcome } from '../../bus/bus.ts';
import type { Platform } from '../service.ts';
import { keys, PARTS, rangeOf } from './store.ts';

/** Removes what a deleted API left: rows under an id that is never used again. */
export const PURGE_TARGET = 'apigateway:purge';

export interface PurgePayload {
  readonly apiId: string;
}

const KEYS_PER_COMMIT = 200;

export function registerPurge(platform: Platform): void {
  platform.bus.register(PURGE_TARGET, { concurrency: 1 }, (attempt) => purge(platform, attempt));
}

async function purge(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { store, clock } = platform;
  const { apiId } = attempt.payload as PurgePayload;
  for (const part of PARTS) {
    const page = await store.range({ ...rangeOf(keys.parts(attempt, apiId, part)), limit: KEYS_PER_COMMIT });
    if (page.entries.length === 0) continue;
    const found = page.entries.map(([key]) => key);
    await store.transact({ keys: found }, (tx) => {
      for (const key of found) tx.delete(key);
    });
    return { retry: { atMs: clock.virtual() } };
  }
  return { done: true };
}
