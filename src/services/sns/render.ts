import { parseArn } from '../../kit/arn.ts';
import { formatTrace, type Trace } from '../../kit/trace.ts';
import type { Tx } from '../../store/store.ts';
import type { Platform } from '../service.ts';
import { subscriptionArn, type TopicAddress, topicArn } from './domain/arn.ts';
import { effectiveSubscriptionPolicy } from './domain/delivery-policy.ts';
import { lambdaEvent, type NotificationParts, notificationJson, type Signature, type Signed, timestampOf } from './domain/envelope.ts';
import { attributesMatch, bodyMatches } from './domain/filter-match.ts';
import { compileFilterPolicy, type FilterPolicy } from './domain/filter-policy.ts';
import { bodyFor, type Message } from './domain/message.ts';
import { deadLetterQueueOf, isRaw } from './domain/subscription-attributes.ts';
import { deliveryPolicyOf } from './domain/topic-attributes.ts';
import type { Delivered } from './feedback.ts';
import { HTTP_TARGET, type HttpPayload } from './http.ts';
import { RECORDED_MESSAGES_MAX } from './limits.ts';
import { type QueueDelivery, rawAttributes } from './queues.ts';
import { endpointOf, type Signer } from './signing.ts';
import { type RecordedKind, type RecordedRow, record, type SubscriptionRow, type TopicRow } from './store.ts';
import { isFifo } from './topics.ts';

/** A message made ready for one subscription; `chars`: what it weighs in the commit that hands it on. */
export type Handed = (
  | { readonly kind: 'queue'; readonly delivery: QueueDelivery; readonly chars: number }
  | {
      readonly kind: 'deliver';
      readonly target: string;
      readonly account: string;
      readonly region: string;
      readonly payload: unknown;
      readonly functionArn?: string;
      readonly requestId?: string;
      readonly deadLetter?: QueueDelivery;
      readonly chars: number;
    }
  | { readonly kind: 'record'; readonly write: (tx: Tx) => void; readonly chars: number }
) & {
  /** For the topic's delivery log: a function it went to, or should have. */
  readonly invoked?: Delivered;
};

export type Render = (subscription: SubscriptionRow) => Promise<Handed>;

/** Filter policies compiled, by their text: the same few serve message after message. */
const COMPILED_MAX = 1_000;
const compiled = new Map<string, FilterPolicy>();

function filterOf(text: string): FilterPolicy {
  const known = compiled.get(text);
  if (known) return known;
  const policy = compileFilterPolicy(JSON.parse(text));
  if (compiled.size >= COMPILED_MAX) compiled.clear();
  compiled.set(text, policy);
  return policy;
}

/** Whether a subscription gets a message: it is confirmed, and its filter policy lets the message through. */
export function accepts({ pending, attributes, protocol }: SubscriptionRow, message: Message): boolean {
  if (pending) return false;
  const text = attributes['FilterPolicy'];
  if (text === undefined) return true;
  const policy = filterOf(text);
  return attributes['FilterPolicyScope'] === 'MessageBody' ? bodyMatches(policy, bodyFor(message, protocol)) : attributesMatch(policy, message.attributes);
}

/** A message of a topic, and the trace that caused it. */
export interface Publication {
  readonly address: TopicAddress;
  readonly topic: TopicRow;
  readonly message: Message;
  readonly trace: Trace;
}

/** Makes a message ready, subscription by subscription; each of its texts is signed once. */
export function renderer(platform: Platform, signer: Signer, { address, topic, message, trace }: Publication): Render {
  const arn = topicArn(address);
  const signatures = new Map<string, Promise<Signature>>();
  const signedFor = (body: string): Signed => ({
    type: 'Notification',
    messageId: message.id,
    topicArn: arn,
    ...(message.subject === undefined ? {} : { subject: message.subject }),
    message: body,
    timestamp: timestampOf(message.publishedMs),
  });
  const signatureFor = (signed: Signed): Promise<Signature> => {
    const known = signatures.get(signed.message) ?? signer.sign(signed, topic.attributes['SignatureVersion'] ?? '1');
    signatures.set(signed.message, known);
    return known;
  };
  return async (subscription) => {
    const body = bodyFor(message, subscription.protocol);
    const signed = signedFor(body);
    const subArn = subscriptionArn({ ...address, id: subscription.id });
    const parts = async (): Promise<NotificationParts> => ({
      signed,
      ...(isFifo(topic) ? {} : { signature: await signatureFor(signed) }),
      unsubscribeUrl: `${endpointOf(platform)}/?Action=Unsubscribe&SubscriptionArn=${subArn}`,
      message,
    });
    const job: Job = { platform, address, topic, message, trace, subscription, subArn, body, parts };
    if (subscription.protocol === 'sqs') return forQueue(job);
    if (subscription.protocol === 'lambda') return forFunction(job);
    if (subscription.protocol === 'http' || subscription.protocol === 'https') return forHttp(job);
    return forRecord(job);
  };
}

interface Job extends Publication {
  readonly platform: Platform;
  readonly subscription: SubscriptionRow;
  readonly subArn: string;
  readonly body: string;
  readonly parts: () => Promise<NotificationParts>;
}

/** Handed to nobody. */
export const NOBODY: Handed = { kind: 'record', write: () => undefined, chars: 0 };

async function forQueue({ subscription, topic, message, body, parts }: Job): Promise<Handed> {
  const { endpoint, attributes } = subscription;
  const raw = isRaw(attributes);
  const text = raw ? body : notificationJson(await parts());
  const deadLetterArn = deadLetterQueueOf(attributes);
  // A standard queue behind a FIFO topic gets its messages without order; one behind a standard topic keeps the group for fair queues.
  const grouped = endpoint.endsWith('.fifo') || !isFifo(topic);
  const own = raw ? rawAttributes(message) : {};
  // More than ten is the publisher's fault: such a message is not delivered.
  if (!own) return NOBODY;
  const delivery: QueueDelivery = {
    queueArn: endpoint,
    body: text,
    ...(Object.keys(own).length > 0 ? { attributes: own } : {}),
    ...(grouped && message.group !== undefined ? { group: message.group } : {}),
    ...(endpoint.endsWith('.fifo') && message.deduplicationId !== undefined ? { deduplicationId: message.deduplicationId } : {}),
    ...(message.traceHeader === undefined ? {} : { traceHeader: message.traceHeader }),
    ...(deadLetterArn === undefined ? {} : { deadLetterArn }),
  };
  return { kind: 'queue', delivery, chars: text.length };
}

/** What goes to the dead-letter queue of a subscription that is no queue's: the envelope, or the text alone where delivery is raw. */
function deadLetterOf({ subscription, message, body }: Job, envelope: string): QueueDelivery | undefined {
  const queueArn = deadLetterQueueOf(subscription.attributes);
  if (queueArn === undefined) return undefined;
  const raw = isRaw(subscription.attributes);
  const own = raw ? rawAttributes(message) : undefined;
  return {
    queueArn,
    body: raw ? body : envelope,
    ...(own && Object.keys(own).length > 0 ? { attributes: own } : {}),
    ...(message.traceHeader === undefined ? {} : { traceHeader: message.traceHeader }),
  };
}

async function forFunction(job: Job): Promise<Handed> {
  const { platform, subscription, subArn } = job;
  const parts = await job.parts();
  const arn = parseArn(subscription.endpoint);
  const [, functionName = '', qualifier] = arn?.resource.split(':') ?? [];
  const event = JSON.stringify(lambdaEvent(parts, subArn));
  const deadLetter = deadLetterOf(job, notificationJson(parts));
  const requestId = platform.ids.uuid();
  return {
    kind: 'deliver',
    target: 'lambda:invoke',
    account: arn?.account ?? job.address.account,
    region: arn?.region ?? job.address.region,
    payload: { functionName, ...(qualifier === undefined ? {} : { qualifier }), requestId, event },
    requestId,
    functionArn: subscription.endpoint,
    ...(deadLetter ? { deadLetter } : {}),
    chars: event.length,
  };
}

/** "HTTP/HTTPS headers". */
async function forHttp(job: Job): Promise<Handed> {
  const { address, topic, message, trace, subscription, subArn } = job;
  const raw = isRaw(subscription.attributes);
  const envelope = notificationJson(await job.parts());
  const own = subscription.attributes['DeliveryPolicy'];
  const policy = effectiveSubscriptionPolicy(own === undefined ? undefined : (JSON.parse(own) as Record<string, unknown>), deliveryPolicyOf(topic.attributes));
  const deadLetter = deadLetterOf(job, envelope);
  const payload: HttpPayload = {
    url: subscription.endpoint,
    headers: {
      'x-amz-sns-message-type': 'Notification',
      'x-amz-sns-message-id': message.id,
      'x-amz-sns-topic-arn': topicArn(address),
      'x-amz-sns-subscription-arn': subArn,
      ...(raw ? { 'x-amz-sns-rawdelivery': 'true' } : {}),
      ...(topic.attributes['TracingConfig'] === 'Active' ? { 'x-amzn-trace-id': message.traceHeader ?? formatTrace(trace) } : {}),
      'content-type': policy.requestPolicy.headerContentType,
    },
    body: raw ? job.body : envelope,
    policy: policy.healthyRetryPolicy,
    retries: 0,
    ...(deadLetter ? { deadLetter } : {}),
  };
  return { kind: 'deliver', target: HTTP_TARGET, account: address.account, region: address.region, payload, chars: payload.body.length };
}

const KINDS: Readonly<Record<string, RecordedKind>> = { email: 'email', 'email-json': 'email', sms: 'sms', application: 'application', firehose: 'firehose' };

/** Protocols that are not delivered: kept, to be read at `/_aws/sns/…`. */
async function forRecord(job: Job): Promise<Handed> {
  const { platform, address, message, subscription, subArn } = job;
  const { protocol, endpoint, attributes } = subscription;
  const platformName = protocol === 'application' ? parseArn(endpoint)?.resource.split('/')[1] : undefined;
  const plain = platformName === undefined ? job.body : (message.bodies?.[platformName] ?? message.body);
  const enveloped = protocol === 'email-json' || (protocol === 'firehose' && !isRaw(attributes));
  const row: RecordedRow = {
    kind: KINDS[protocol] ?? 'email',
    target: endpoint,
    topicArn: topicArn(address),
    subscriptionArn: subArn,
    messageId: message.id,
    timeMs: platform.clock.virtual(),
    message: enveloped ? notificationJson(await job.parts()) : plain,
    ...(message.subject === undefined ? {} : { subject: message.subject }),
    ...(message.bodies ? { messageStructure: 'json' } : {}),
    attributes: message.attributes,
  };
  return { kind: 'record', write: (tx) => record(tx, address, row, RECORDED_MESSAGES_MAX), chars: row.message.length };
}
