import type { Attempt, Outcome } from '../../bus/bus.ts';
import type { Platform } from '../service.ts';
import { FANOUT_TARGET, FIFO_TARGET, fanOut, fanOutFifo } from './fanout.ts';
import { FEEDBACK_TARGET, writeFeedback } from './feedback.ts';
import { deliverHttp, HTTP_TARGET } from './http.ts';
import { FANOUT_CONCURRENCY, HTTP_CONCURRENCY, REPLAY_CONCURRENCY } from './limits.ts';
import { removeSome } from './operations/topics.ts';
import { REPLAY_TARGET, replay } from './replay.ts';
import type { Signer } from './signing.ts';

/** What a deleted topic leaves behind. */
export const CLEAN_TARGET = 'sns:clean';

export interface CleanPayload {
  readonly topicId: string;
}

export function registerBackground(platform: Platform, signer: Signer): void {
  const { bus } = platform;
  bus.register(FANOUT_TARGET, { concurrency: FANOUT_CONCURRENCY }, (attempt) => fanOut(platform, signer, attempt));
  bus.register(FIFO_TARGET, { concurrency: FANOUT_CONCURRENCY }, (attempt) => fanOutFifo(platform, signer, attempt));
  bus.register(REPLAY_TARGET, { concurrency: REPLAY_CONCURRENCY }, (attempt) => replay(platform, signer, attempt));
  bus.register(HTTP_TARGET, { concurrency: HTTP_CONCURRENCY }, (attempt) => deliverHttp(platform, attempt));
  bus.register(FEEDBACK_TARGET, { concurrency: 4 }, (attempt) => writeFeedback(platform, attempt));
  bus.register(CLEAN_TARGET, { concurrency: 2 }, (attempt) => clean(platform, attempt));
}

async function clean({ store, clock }: Platform, attempt: Attempt): Promise<Outcome> {
  const { topicId } = attempt.payload as CleanPayload;
  const more = await store.transact({}, (tx) => removeSome(tx, attempt, topicId));
  return more ? { retry: { atMs: clock.virtual() } } : { done: true };
}
