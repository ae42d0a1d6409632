import type { Store, Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { type Scope, type SubscriptionAddress, type TopicAddress, topicOf } from './domain/arn.ts';
import { defaultPolicy } from './domain/policy.ts';
import { notFound } from './errors.ts';
import { COUNTED_MS, RECENT_MAX } from './limits.ts';
import { counted, find, keys, rangeOf, read, rowsOf, type SubscriptionRow, type TopicRow, write } from './store.ts';

export const policyOf = (address: TopicAddress, row: TopicRow): string => row.policy ?? defaultPolicy(address);
export const isFifo = (row: TopicRow): boolean => row.attributes['FifoTopic'] === 'true';

/** The topic that an ARN names, as it is committed; throws NotFound. */
export async function readTopic(ctx: Ctx, arn: string | undefined, parameter?: string): Promise<{ readonly address: TopicAddress; readonly row: TopicRow }> {
  const address = topicOf(arn, ctx, parameter);
  const row = await findTopic(ctx.platform.store, address);
  if (!row) throw notFound('Topic');
  return { address, row };
}

export const findTopic = (store: Store, address: TopicAddress): Promise<TopicRow | undefined> => find<TopicRow>(store, keys.topic(address, address.name));

/** Reads, changes and writes back a topic; throws NotFound. */
export function changeTopic(ctx: Ctx, address: TopicAddress, change: (row: TopicRow) => TopicRow): Promise<void> {
  const key = keys.topic(address, address.name);
  return ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<TopicRow>(tx, key);
    if (!row) throw notFound('Topic');
    write(tx, key, change(row));
  });
}

export interface FoundSubscription {
  readonly topic: TopicRow;
  readonly row: SubscriptionRow;
}

/** A subscription as it is committed; undefined where it, or its topic, is not. */
export async function findSubscription(store: Store, address: SubscriptionAddress): Promise<FoundSubscription | undefined> {
  const topic = await findTopic(store, address);
  const row = topic && (await find<SubscriptionRow>(store, keys.subscription(address, topic.id, address.id)));
  return topic && row && { topic, row };
}

/** Takes a subscription away, with what points at it. Its topic must be the same. */
export function removeSubscription(tx: Tx, scope: Scope, topicId: string, row: SubscriptionRow): void {
  tx.delete(keys.subscription(scope, topicId, row.id));
  tx.delete(keys.endpointOf(scope, topicId, row.protocol, row.endpoint));
  tx.add(keys.count(scope, topicId, row.pending ? 'pending' : 'confirmed'), -1n);
  tx.add(keys.count(scope, topicId, 'deleted'), 1n);
}

/** Writes a subscription, with what points at it. */
export function addSubscription(tx: Tx, scope: Scope, topicId: string, row: SubscriptionRow): void {
  write(tx, keys.subscription(scope, topicId, row.id), row);
  write(tx, keys.endpointOf(scope, topicId, row.protocol, row.endpoint), row.id);
  tx.add(keys.count(scope, topicId, row.pending ? 'pending' : 'confirmed'), 1n);
}

/** Subscriptions of a topic, by state; those that were made only now are not counted yet. */
export async function countsOf({ store, clock }: Platform, scope: Scope, topicId: string): Promise<Record<'confirmed' | 'pending' | 'deleted', number>> {
  const [confirmed, pending, deleted] = (
    await store.getMany((['confirmed', 'pending', 'deleted'] as const).map((what) => keys.count(scope, topicId, what)))
  ).map(counted);
  const page = await store.range({ ...rangeOf(keys.subscriptions(scope, topicId)), limit: RECENT_MAX });
  const recent = rowsOf<SubscriptionRow>(page).filter(({ createdMs }) => createdMs + COUNTED_MS > clock.virtual());
  const waiting = recent.filter((row) => row.pending).length;
  return { confirmed: Math.max(0, (confirmed ?? 0) - (recent.length - waiting)), pending: Math.max(0, (pending ?? 0) - waiting), deleted: deleted ?? 0 };
}
