import type {
  GetSubscriptionAttributesInput,
  ListSubscriptionsByTopicInput,
  ListSubscriptionsInput,
  SetSubscriptionAttributesInput,
  Subscription,
} from '@aws-sdk/client-sns';
import type { Ctx } from '../../service.ts';
import { type Scope, type SubscriptionAddress, subscriptionArn, subscriptionOf, topicArn } from '../domain/arn.ts';
import { effectiveSubscriptionPolicy } from '../domain/delivery-policy.ts';
import { isHttp } from '../domain/endpoint.ts';
import { described, withAttribute } from '../domain/subscription-attributes.ts';
import { deliveryPolicyOf } from '../domain/topic-attributes.ts';
import { missing, notFound } from '../errors.ts';
import { startReplay } from '../replay.ts';
import { keys, read, type SubscriptionRow, write } from '../store.ts';
import { type FoundSubscription, findSubscription, isFifo, readTopic } from '../topics.ts';
import { subscriptionPage } from './topics.ts';

/** Throws NotFound where it, or its topic, is not there. */
async function readSubscription(ctx: Ctx, arn: string | undefined): Promise<FoundSubscription & { readonly address: SubscriptionAddress }> {
  const address = subscriptionOf(arn, ctx.region);
  const found = await findSubscription(ctx.platform.store, address);
  if (!found) throw notFound('Subscription');
  return { ...found, address };
}

const nameOf = (scope: Scope, { topicName: name, id }: SubscriptionRow): SubscriptionAddress => ({ account: scope.account, region: scope.region, name, id });

/** "GetSubscriptionAttributes". */
export async function getSubscriptionAttributes(ctx: Ctx, input: GetSubscriptionAttributesInput) {
  const { address, topic, row } = await readSubscription(ctx, input.SubscriptionArn);
  const own = row.attributes['DeliveryPolicy'];
  const policy = own === undefined ? undefined : (JSON.parse(own) as Record<string, unknown>);
  return {
    Attributes: {
      SubscriptionArn: subscriptionArn(address),
      TopicArn: topicArn(address),
      Protocol: row.protocol,
      Endpoint: row.endpoint,
      Owner: row.owner,
      SubscriptionPrincipal: row.principal,
      PendingConfirmation: String(row.pending),
      ConfirmationWasAuthenticated: String(row.authenticated),
      ...described(row.attributes),
      ...(row.replayStatus === undefined ? {} : { ReplayStatus: row.replayStatus }),
      ...(isHttp(row.protocol) ? { EffectiveDeliveryPolicy: JSON.stringify(effectiveSubscriptionPolicy(policy, deliveryPolicyOf(topic.attributes))) } : {}),
    },
  };
}

/** "SetSubscriptionAttributes": in force at once. */
export async function setSubscriptionAttributes(ctx: Ctx, input: SetSubscriptionAttributesInput): Promise<Record<string, never>> {
  const { address, topic } = await readSubscription(ctx, input.SubscriptionArn);
  if (input.AttributeName === undefined) throw missing('attributeName');
  const key = keys.subscription(address, topic.id, address.id);
  const { account, region } = address;
  const replayId = ctx.platform.ids.uuid();
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<SubscriptionRow>(tx, key);
    if (!row) throw notFound('Subscription');
    const { protocol, endpoint } = row;
    const subject = { account, region, protocol, endpoint, fifoTopic: isFifo(topic), archived: topic.attributes['ArchivePolicy'] !== undefined };
    const attributes = withAttribute(row.attributes, input.AttributeName, input.AttributeValue ?? '', subject);
    if (input.AttributeName !== 'ReplayPolicy') return write(tx, key, { ...row, attributes });
    const { replayId: _id, replayStatus: _status, ...rest } = row;
    if (attributes['ReplayPolicy'] === undefined) return write(tx, key, { ...rest, attributes });
    write(tx, key, { ...rest, attributes, replayId, replayStatus: 'In progress' } satisfies SubscriptionRow);
    startReplay(ctx.platform, tx, { topic: { account, region, name: address.name }, topicId: topic.id, subscriptionId: row.id, replayId });
  });
  return {};
}

function listed(scope: Scope, row: SubscriptionRow): Subscription {
  const address = nameOf(scope, row);
  return {
    SubscriptionArn: row.pending ? 'PendingConfirmation' : subscriptionArn(address),
    Owner: row.owner,
    Protocol: row.protocol,
    Endpoint: row.endpoint,
    TopicArn: topicArn(address),
  };
}

/** "ListSubscriptions": a hundred a page. */
export async function listSubscriptions(ctx: Ctx, input: ListSubscriptionsInput) {
  const { rows, ...next } = await subscriptionPage(ctx, ctx, undefined, input.NextToken);
  return { Subscriptions: rows.map((row) => listed(ctx, row)), ...next };
}

/** "ListSubscriptionsByTopic": a hundred a page. */
export async function listSubscriptionsByTopic(ctx: Ctx, input: ListSubscriptionsByTopicInput) {
  const { address, row: topic } = await readTopic(ctx, input.TopicArn);
  const { rows, ...next } = await subscriptionPage(ctx, address, topic.id, input.NextToken);
  return { Subscriptions: rows.map((row) => listed(address, row)), ...next };
}
