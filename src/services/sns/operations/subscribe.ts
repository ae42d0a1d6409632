import type { ConfirmSubscriptionInput, SubscribeInput, UnsubscribeInput } from '@aws-sdk/client-sns';
import { partitionOf } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { prepareConfirmation } from '../confirmations.ts';
import { subscriptionArn, subscriptionOf } from '../domain/arn.ts';
import { checkEndpoint, checkProtocol, needsConfirmation } from '../domain/endpoint.ts';
import { differs, newAttributes } from '../domain/subscription-attributes.ts';
import { invalid, invalidParameter, missing, notFound, subscriptionLimitExceeded } from '../errors.ts';
import { FIFO_SUBSCRIPTIONS_MAX } from '../limits.ts';
import { startReplay } from '../replay.ts';
import type { Signer } from '../signing.ts';
import { find, keys, rangeOf, read, type SubscriptionRow, type TokenRow, type TopicRow, write } from '../store.ts';
import { addSubscription, findSubscription, isFifo, readTopic, removeSubscription } from '../topics.ts';

/** SNS names a user; with `--auth off` the caller is whoever has the access key that was sent. */
function principalOf({ account, region, principal: { arn, accessKeyId } }: Ctx): string {
  return arn.endsWith(':root') ? `arn:${partitionOf(region)}:iam::${account}:user/unverified${accessKeyId === '' ? '' : `-${accessKeyId}`}` : arn;
}

/** "Subscribe": an endpoint that is subscribed already is answered where its attributes are those asked for. */
export function subscribe(signer: () => Signer): Operation<SubscribeInput, { SubscriptionArn: string }> {
  return async (ctx, input) => {
    const protocol = checkProtocol(input.Protocol);
    const { address, row: topic } = await readTopic(ctx, input.TopicArn);
    const fifoTopic = isFifo(topic);
    const endpoint = checkEndpoint(protocol, input.Endpoint, fifoTopic);
    const attributes = newAttributes(input.Attributes ?? {}, {
      ...address,
      protocol,
      endpoint,
      fifoTopic,
      archived: topic.attributes['ArchivePolicy'] !== undefined,
    });
    const { store, ids } = ctx.platform;
    const ofKey = keys.endpointOf(address, topic.id, protocol, endpoint);
    const pending = needsConfirmation(protocol);
    const made: SubscriptionRow = {
      id: (await find<string>(store, ofKey)) ?? ids.uuid(),
      topicName: address.name,
      protocol,
      endpoint,
      owner: ctx.account,
      principal: principalOf(ctx),
      attributes,
      pending,
      createdMs: ctx.platform.clock.virtual(),
      authenticated: !pending,
      unsubscribeNeedsAuth: false,
      ...(attributes['ReplayPolicy'] === undefined ? {} : { replayId: ids.uuid(), replayStatus: 'In progress' }),
    };
    const confirmation = pending
      ? await prepareConfirmation(ctx, signer(), { address, topic, protocol, subscriptionId: made.id }, 'SubscriptionConfirmation')
      : undefined;
    const row = await store.transact({ keys: [ofKey], reads: [keys.topic(address, address.name)] }, (tx) => {
      if (read<TopicRow>(tx, keys.topic(address, address.name))?.id !== topic.id) throw notFound('Topic');
      const id = read<string>(tx, ofKey);
      const has = id === undefined ? undefined : read<SubscriptionRow>(tx, keys.subscription(address, topic.id, id));
      if (has && differs(attributes, has.attributes)) throw invalidParameter('Attributes', 'Subscription already exists with different attributes');
      if (has?.pending && has.id === made.id) confirmation?.send(tx, has);
      if (has) return has;
      if (fifoTopic && tx.range({ ...rangeOf(keys.subscriptions(address, topic.id)), limit: FIFO_SUBSCRIPTIONS_MAX }).entries.length >= FIFO_SUBSCRIPTIONS_MAX)
        throw subscriptionLimitExceeded();
      addSubscription(tx, address, topic.id, made);
      confirmation?.send(tx, made);
      if (made.replayId !== undefined) startReplay(ctx.platform, tx, { topic: address, topicId: topic.id, subscriptionId: made.id, replayId: made.replayId });
      return made;
    });
    const arn = subscriptionArn({ ...address, id: row.id });
    return { SubscriptionArn: row.pending && input.ReturnSubscriptionArn !== true ? 'pending confirmation' : arn };
  };
}

/** "ConfirmSubscription": the token decides; of the topic's ARN only the region must be right, as recorded. */
export async function confirmSubscription(ctx: Ctx, input: ConfirmSubscriptionInput) {
  const { Token: token } = input;
  if (input.TopicArn === undefined) throw missing('topicArn');
  if (token === undefined) throw missing('token');
  const region = input.TopicArn.split(':')[3];
  if (input.TopicArn.split(':').length < 6 || region === undefined) throw invalidParameter('Topic');
  if (!/^[0-9a-f]+$/.test(token)) throw invalid('Invalid token');
  const { store, clock } = ctx.platform;
  const found = await find<TokenRow>(store, keys.token(token));
  if (!found || found.untilMs <= clock.virtual()) throw invalidParameter('Token');
  if (found.region !== region) throw invalidParameter('Topic');
  const topicKey = keys.topic(found, found.name);
  const topic = await find<TopicRow>(store, topicKey);
  if (!topic) throw notFound('Topic');
  const key = keys.subscription(found, topic.id, found.subscriptionId);
  const authenticated = ctx.principal.type !== 'anonymous';
  await store.transact({ keys: [key], reads: [topicKey] }, (tx) => {
    const row = read<SubscriptionRow>(tx, key);
    const unsubscribeNeedsAuth = String(input.AuthenticateOnUnsubscribe).toLowerCase() === 'true';
    if (!row && found.restores) return addSubscription(tx, found, topic.id, { ...found.restores, pending: false });
    if (!row) throw invalidParameter('Token');
    if (!row.pending) return;
    write(tx, key, { ...row, pending: false, authenticated, unsubscribeNeedsAuth });
    tx.add(keys.count(found, topic.id, 'pending'), -1n);
    tx.add(keys.count(found, topic.id, 'confirmed'), 1n);
  });
  return { SubscriptionArn: subscriptionArn({ ...found, id: found.subscriptionId }) };
}

/** "Unsubscribe": a subscription that is not there is no error; an HTTP endpoint is told, with a token that restores it. */
export function unsubscribe(signer: () => Signer): Operation<UnsubscribeInput, Record<string, never>> {
  return async (ctx, input) => {
    const address = subscriptionOf(input.SubscriptionArn);
    const { store } = ctx.platform;
    const found = await findSubscription(store, address);
    if (!found) return {};
    const { topic, row } = found;
    if (row.unsubscribeNeedsAuth && ctx.principal.type === 'anonymous')
      throw new AwsError('AuthorizationError', 'Not authorized to unsubscribe: this subscription was confirmed with AuthenticateOnUnsubscribe', {
        status: 403,
      });
    const { protocol } = row;
    const confirmation =
      needsConfirmation(protocol) && !row.pending
        ? await prepareConfirmation(ctx, signer(), { address, topic, protocol, subscriptionId: row.id }, 'UnsubscribeConfirmation')
        : undefined;
    const key = keys.subscription(address, topic.id, row.id);
    await store.transact({ keys: [key] }, (tx) => {
      const has = read<SubscriptionRow>(tx, key);
      if (!has) return;
      removeSubscription(tx, address, topic.id, has);
      confirmation?.send(tx, has, has);
    });
    return {};
  };
}
