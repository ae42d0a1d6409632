import type { Attempt, Outcome } from '../../bus/bus.ts';
import { parseArn } from '../../kit/arn.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Key } from '../../kit/key.ts';
import type { Tx } from '../../store/store.ts';
import type { Platform } from '../service.ts';
import type { TopicAddress } from './domain/arn.ts';
import type { Message } from './domain/message.ts';
import { FEEDBACK_TARGET, feedbackOf } from './feedback.ts';
import { CHARS_PER_COMMIT, FIFO_MESSAGES_PER_DELIVERY, FIFO_SUBSCRIPTIONS_MAX, SUBSCRIPTIONS_PER_COMMIT } from './limits.ts';
import { snsContext } from './principal.ts';
import { type QueueAttribute, toQueue } from './queues.ts';
import { accepts, type Handed, NOBODY, renderer } from './render.ts';
import type { Signer } from './signing.ts';
import { fromKey, keys, rangeOf, rowsOf, type SubscriptionRow, type TopicRow } from './store.ts';
import { findTopic } from './topics.ts';

/** A message of a standard topic, on its way to the subscriptions. */
export const FANOUT_TARGET = 'sns:fanout';
/** A FIFO topic's group, of which messages wait. */
export const FIFO_TARGET = 'sns:fifo';
/** The lambda room's target: an asynchronous invocation (`src/services/lambda/async-invocation.ts`). */
const INVOKE = 'lambda:invoke';

export interface FanoutPayload {
  readonly topic: TopicAddress;
  readonly topicId: string;
  readonly message: Message;
  /** The last subscription handled, as a key. */
  readonly after?: Key;
}

export interface FifoPayload {
  readonly topic: TopicAddress;
  readonly topicId: string;
  readonly group: string;
}

/**
 * Hands one message on to a bounded number of subscriptions; what is handed on, and the cursor, are one commit with the end of this
 * delivery. The next part is a delivery of its own.
 */
export async function fanOut(platform: Platform, signer: Signer, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as FanoutPayload;
  const { topic, topicId, message } = payload;
  const row = await findTopic(platform.store, topic);
  if (row?.id !== topicId) return { done: true };
  const prefix = keys.subscriptions(topic, topicId);
  const page = await platform.store.range({ ...fromKey(prefix, payload.after), limit: SUBSCRIPTIONS_PER_COMMIT });
  const render = renderer(platform, signer, { address: topic, topic: row, message, trace: attempt.trace });
  const handed: Handed[] = [];
  let after: Key | undefined = payload.after;
  let chars = 0;
  let cut = false;
  for (const [i, subscription] of rowsOf<SubscriptionRow>(page).entries()) {
    if (chars > CHARS_PER_COMMIT) {
      cut = true;
      break;
    }
    after = page.entries[i]?.[0];
    if (!accepts(subscription, message)) continue;
    const one = await checked(platform, attempt, await render(subscription));
    handed.push(one);
    chars += one.chars;
  }
  const next: FanoutPayload | undefined = (page.more || cut) && after !== undefined ? { ...payload, after } : undefined;
  const lines = handed.flatMap(({ invoked }) => (invoked ? (feedbackOf(platform, { address: topic, topic: row, message }, invoked) ?? []) : []));
  await platform.store.transact({}, (tx) => {
    for (const one of handed) hand(platform, tx, attempt, one);
    for (const line of lines)
      platform.bus.enqueue(tx, { target: FEEDBACK_TARGET, account: attempt.account, region: attempt.region, payload: line, trace: attempt.trace });
    if (next) platform.bus.enqueue(tx, { target: FANOUT_TARGET, account: attempt.account, region: attempt.region, payload: next, trace: attempt.trace });
    attempt.settle(tx);
  });
  return { done: true };
}

export function hand(platform: Platform, tx: Tx, { trace }: Attempt, one: Handed): void {
  if (one.kind === 'queue') toQueue(platform.bus, tx, one.delivery, trace);
  else if (one.kind === 'record') one.write(tx);
  else platform.bus.enqueue(tx, { target: one.target, account: one.account, region: one.region, payload: one.payload, trace });
}

/** A function that is not there is the subscription's fault: its message goes to the dead-letter queue, or nowhere. */
async function checked(platform: Platform, attempt: Attempt, one: Handed): Promise<Handed> {
  if (one.kind !== 'deliver' || one.target !== INVOKE) return one;
  const { account, region, functionArn, deadLetter, requestId = '' } = one;
  const invoked = { destination: functionArn ?? '', requestId, failed: false };
  try {
    await snsContext(platform, { account, region, trace: attempt.trace }).call('lambda', 'Invoke', { FunctionName: functionArn, InvocationType: 'DryRun' });
    return { ...one, invoked };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    // Whatever passes is for the invocation itself to wait for.
    if (error.code !== 'ResourceNotFoundException') return { ...one, invoked };
    platform.log.warn({ function: functionArn, reason: error.message }, 'an SNS message could not be delivered');
    const failed = { ...invoked, failed: true };
    return deadLetter ? { kind: 'queue', delivery: deadLetter, chars: one.chars, invoked: failed } : { ...NOBODY, invoked: failed };
  }
}

/**
 * Hands a FIFO group's messages on, in order, each to all its subscriptions before the next: what FIFO queues get twice after a crash
 * they know by its deduplication id.
 */
export async function fanOutFifo(platform: Platform, signer: Signer, attempt: Attempt): Promise<Outcome> {
  const { topic, topicId, group } = attempt.payload as FifoPayload;
  const prefix = keys.group(topic, topicId, group);
  for (let done = 0; done < FIFO_MESSAGES_PER_DELIVERY; done++) {
    const head = (await platform.store.range({ ...rangeOf(prefix), limit: 1 })).entries[0];
    if (!head) return { done: true };
    const [message] = rowsOf<Message>({ entries: [head], more: false });
    const row = await findTopic(platform.store, topic);
    const others = message && row?.id === topicId ? await toFifoQueues(platform, signer, attempt, { topic, row, message }) : [];
    await platform.store.transact({ keys: [head[0]] }, (tx) => {
      for (const one of others) hand(platform, tx, attempt, one);
      tx.delete(head[0]);
    });
  }
  return { retry: { atMs: platform.clock.virtual() } };
}

/** Sends to the FIFO queues; answers what is left to hand on without order. */
async function toFifoQueues(
  platform: Platform,
  signer: Signer,
  attempt: Attempt,
  { topic, row, message }: { topic: TopicAddress; row: TopicRow; message: Message },
): Promise<Handed[]> {
  const page = await platform.store.range({ ...rangeOf(keys.subscriptions(topic, row.id)), limit: FIFO_SUBSCRIPTIONS_MAX });
  const render = renderer(platform, signer, { address: topic, topic: row, message, trace: attempt.trace });
  const rest: Handed[] = [];
  for (const subscription of rowsOf<SubscriptionRow>(page)) {
    if (!accepts(subscription, message)) continue;
    const one = await render(subscription);
    if (one.kind !== 'queue' || one.delivery.group === undefined) rest.push(one);
    else await sendInOrder(platform, attempt, one.delivery);
  }
  return rest;
}

type Delivery = Extract<Handed, { kind: 'queue' }>['delivery'];

export async function sendInOrder(platform: Platform, attempt: Attempt, delivery: Delivery): Promise<void> {
  for (const arn of [delivery.queueArn, delivery.deadLetterArn]) {
    const queue = arn === undefined ? undefined : parseArn(arn);
    if (!queue) break;
    try {
      await snsContext(platform, { account: queue.account, region: queue.region, trace: attempt.trace }).call('sqs', 'SendMessage', sendInput(queue, delivery));
      return;
    } catch (error) {
      if (!(error instanceof AwsError) || error.fault === 'server') throw error;
      platform.log.warn({ queue: arn, reason: error.message }, 'an SNS message could not be delivered');
    }
  }
}

function sendInput(queue: { readonly account: string; readonly resource: string }, delivery: Delivery): Record<string, unknown> {
  const attributes = Object.entries(delivery.attributes ?? {}).map(([name, value]) => [name, decoded(value)]);
  return {
    QueueUrl: `http://sqs/${queue.account}/${queue.resource}`,
    MessageBody: delivery.body,
    ...(attributes.length > 0 ? { MessageAttributes: Object.fromEntries(attributes) } : {}),
    ...(delivery.traceHeader === undefined ? {} : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: delivery.traceHeader } } }),
    MessageGroupId: delivery.group,
    ...(delivery.deduplicationId === undefined ? {} : { MessageDeduplicationId: delivery.deduplicationId }),
  };
}

const decoded = ({ BinaryValue, ...value }: QueueAttribute) =>
  BinaryValue === undefined ? value : { ...value, BinaryValue: Buffer.from(BinaryValue, 'base64') };
