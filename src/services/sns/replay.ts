import { createHash } from 'node:crypto';
import type { Attempt, Outcome } from '../../bus/bus.ts';
import { decodeJson } from '../../kit/json.ts';
import { type Key, uint64 } from '../../kit/key.ts';
import type { Tx } from '../../store/store.ts';
import type { Platform } from '../service.ts';
import type { Scope, TopicAddress } from './domain/arn.ts';
import type { Message } from './domain/message.ts';
import { archiveDays, replayOf } from './domain/replay-policy.ts';
import { hand, sendInOrder } from './fanout.ts';
import { FORGOTTEN_PER_PUBLISH, REPLAYED_PER_DELIVERY } from './limits.ts';
import { accepts, renderer } from './render.ts';
import type { Signer } from './signing.ts';
import { find, keys, rangeOf, read, type SubscriptionRow, type TopicRow, write } from './store.ts';
import { findTopic } from './topics.ts';

/** Archived messages on their way to one subscription. */
export const REPLAY_TARGET = 'sns:replay';

const DAY_MS = 86_400_000;

export interface ReplayPayload {
  readonly topic: TopicAddress;
  readonly topicId: string;
  readonly subscriptionId: string;
  readonly replayId: string;
  readonly after?: Key;
}

/** Keeps a message where its topic has an archive, and takes away what is past its time. */
export function archive(tx: Tx, scope: Scope, topic: TopicRow, message: Message, sequence: bigint): void {
  const days = archiveDays(topic.attributes['ArchivePolicy']);
  if (days === undefined) return;
  const prefix = keys.archive(scope, topic.id);
  write(tx, prefix + uint64(message.publishedMs) + uint64(sequence), message);
  const endMs = Math.max(0, message.publishedMs - days * DAY_MS);
  for (const [key] of tx.range({ from: prefix, to: prefix + uint64(endMs), limit: FORGOTTEN_PER_PUBLISH }).entries) tx.delete(key);
}

/** Starts what a subscription's replay policy asks for, in the commit that sets it. */
export function startReplay(platform: Platform, tx: Tx, payload: ReplayPayload): void {
  const { account, region } = payload.topic;
  platform.bus.enqueue(tx, { target: REPLAY_TARGET, account, region, payload, orderKey: `sns replay ${payload.subscriptionId}` });
}

/** "Amazon SNS message replay for FIFO topic subscribers": a page of the archive, in order. */
export async function replay(platform: Platform, signer: Signer, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as ReplayPayload;
  const { topic, topicId, subscriptionId, replayId } = payload;
  const key = keys.subscription(topic, topicId, subscriptionId);
  const row = await findTopic(platform.store, topic);
  const subscription = await find<SubscriptionRow>(platform.store, key);
  const window = replayOf(subscription?.attributes['ReplayPolicy']);
  if (row?.id !== topicId || !subscription || subscription.replayId !== replayId || !window) return { done: true };
  const prefix = keys.archive(topic, topicId);
  const from = payload.after === undefined ? prefix + uint64(window.fromMs) : `${payload.after}\x00`;
  const to = window.toMs === undefined ? rangeOf(prefix).to : prefix + uint64(window.toMs + 1);
  const page = from < to ? await platform.store.range({ from, to, limit: REPLAYED_PER_DELIVERY }) : { entries: [], more: false };
  for (const [, value] of page.entries) {
    const message = replayed(decodeJson<Message>(value), replayId);
    if (!accepts(subscription, message)) continue;
    const one = await renderer(platform, signer, { address: topic, topic: row, message, trace: attempt.trace })(subscription);
    if (one.kind === 'queue' && one.delivery.group !== undefined) await sendInOrder(platform, attempt, one.delivery);
    else await platform.store.transact({}, (tx) => hand(platform, tx, attempt, one));
  }
  const after = page.entries.at(-1)?.[0];
  if (page.more && after !== undefined) return { retry: { atMs: platform.clock.virtual(), payload: { ...payload, after } } };
  await platform.store.transact({ keys: [key] }, (tx) => {
    const now = read<SubscriptionRow>(tx, key);
    if (now?.replayId === replayId) write(tx, key, { ...now, replayStatus: 'Completed' } satisfies SubscriptionRow);
  });
  return { done: true };
}

/** A replay is no duplicate of the first delivery. */
function replayed(message: Message, replayId: string): Message {
  return { ...message, replayed: true, deduplicationId: createHash('sha256').update(`${replayId} ${message.id}`).digest('hex') };
}
