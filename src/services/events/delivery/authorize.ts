import type { Attempt, Outcome } from '../../../bus/bus.ts';
import type { Platform } from '../../service.ts';
import { DeliveryError } from '../domain/failures.ts';
import { type ConnectionRow, keys, read, txRead, write } from '../store.ts';
import { bearerOf } from './oauth.ts';
import type { AuthorizePayload } from './payloads.ts';

/** Brings a connection to its final state: AUTHORIZED once its endpoint gave a token, DEAUTHORIZED where it did not or was told to. */
export async function authorize(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { connection, id, modifiedMs } = attempt.payload as AuthorizePayload;
  const key = keys.connection(attempt, connection);
  const row = await read<ConnectionRow>(platform.store, key);
  if (row?.id !== id || row.modifiedMs !== modifiedMs) return { done: true };
  const state = row.state === 'AUTHORIZING' && (await hasToken(platform, row)) ? 'AUTHORIZED' : 'DEAUTHORIZED';
  const nowMs = platform.clock.virtual();
  await platform.store.transact({ keys: [key] }, (tx) => {
    attempt.settle(tx);
    const now = txRead<ConnectionRow>(tx, key);
    if (now?.id !== id || now.modifiedMs !== modifiedMs) return;
    write(tx, key, { ...now, state, ...(state === 'AUTHORIZED' ? { authorizedMs: nowMs } : {}) });
  });
  return { done: true };
}

async function hasToken(platform: Platform, row: ConnectionRow): Promise<boolean> {
  try {
    await bearerOf(platform, row);
    return true;
  } catch (error) {
    if (!(error instanceof DeliveryError)) throw error;
    platform.log.warn({ connection: row.name, reason: error.message }, 'a connection could not be authorized');
    return false;
  }
}
