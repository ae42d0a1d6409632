import { invalidParameter } from '../errors.ts';
import { FILTER_POLICY_BYTES_MAX } from '../limits.ts';
import { queueOf, type Scope } from './arn.ts';
import { DeliveryPolicyError, subscriptionPolicy } from './delivery-policy.ts';
import { compileFilterPolicy, type FilterPolicy, FilterPolicyError } from './filter-policy.ts';
import { parseJson } from './json-source.ts';
import { checkReplayPolicy } from './replay-policy.ts';

const NAMES = new Set(['DeliveryPolicy', 'FilterPolicy', 'FilterPolicyScope', 'RawMessageDelivery', 'RedrivePolicy', 'ReplayPolicy', 'SubscriptionRoleArn']);
/** Attributes that a subscription has without being told. */
const DEFAULTS: Readonly<Record<string, string>> = { RawMessageDelivery: 'false', FilterPolicyScope: 'MessageAttributes' };

export type SubscriptionAttributes = Readonly<Record<string, string>>;

/** What a subscription is, as far as its attributes must fit it. */
export interface Subject extends Scope {
  readonly protocol: string;
  readonly endpoint: string;
  readonly fifoTopic: boolean;
  /** The topic has an archive. */
  readonly archived: boolean;
}

/** How a refused attribute is worded: Subscribe names `Attributes` first. */
type Refuse = (reason: string) => Error;
const ofSubscribe: Refuse = (reason) => invalidParameter('Attributes', reason);
const ofSet: Refuse = (reason) => invalidParameter(reason);

/** SetSubscriptionAttributes: the attributes with one changed; throws InvalidParameter. */
export function withAttribute(has: SubscriptionAttributes, name: string | undefined, value: string, subject: Subject): SubscriptionAttributes {
  if (name === undefined || !NAMES.has(name)) throw invalidParameter('AttributeName');
  return checked({ ...has }, { [name]: value }, subject, ofSet);
}

/** Subscribe's attributes; throws InvalidParameter. */
export function newAttributes(given: Readonly<Record<string, string | undefined>>, subject: Subject): SubscriptionAttributes {
  for (const name of Object.keys(given)) {
    if (!NAMES.has(name)) throw invalidParameter('Attributes', `Unknown attribute: ${name}`);
  }
  return checked({}, given, subject, ofSubscribe);
}

function checked(into: Record<string, string>, given: Readonly<Record<string, string | undefined>>, subject: Subject, refuse: Refuse): SubscriptionAttributes {
  for (const [name, value = ''] of Object.entries(given)) {
    const kept = checkOne(name, value, subject, refuse);
    if (kept === '') delete into[name];
    else into[name] = kept;
  }
  if (
    into['FilterPolicy'] !== undefined &&
    (into['FilterPolicyScope'] ?? 'MessageAttributes') === 'MessageAttributes' &&
    filterOf(into['FilterPolicy'], refuse).nested
  )
    throw invalidParameter('Filter policy scope MessageAttributes does not support nested filter policy');
  return into;
}

function checkOne(name: string, value: string, subject: Subject, refuse: Refuse): string {
  switch (name) {
    case 'RawMessageDelivery':
      if (!/^(true|false)$/i.test(value)) throw refuse(`RawMessageDelivery: Invalid value [${value}]. Must be true or false.`);
      if (/^true$/i.test(value) && !['sqs', 'http', 'https', 'firehose'].includes(subject.protocol))
        throw refuse(`Delivery protocol [${subject.protocol}] does not support raw message delivery.`);
      return value.toLowerCase();
    case 'FilterPolicyScope':
      if (value !== 'MessageAttributes' && value !== 'MessageBody')
        throw refuse(`FilterPolicyScope: Invalid value [${value}]. Please use either MessageBody or MessageAttributes`);
      return value;
    case 'FilterPolicy':
      if (value === '' || value === '{}') return '';
      filterOf(value, refuse);
      return value;
    case 'RedrivePolicy':
      return value === '' ? '' : checkRedrive(value, subject, refuse);
    case 'DeliveryPolicy':
      return checkDelivery(value, refuse);
    case 'ReplayPolicy': {
      const checked = checkReplayPolicy(value);
      if ('reason' in checked) throw refuse(`ReplayPolicy: ${checked.reason}`);
      if (checked.kept !== '' && !subject.archived) throw refuse('ReplayPolicy: the topic has no ArchivePolicy');
      return checked.kept;
    }
    default:
      return value;
  }
}

function filterOf(text: string, refuse: Refuse): FilterPolicy {
  if (Buffer.byteLength(text) > FILTER_POLICY_BYTES_MAX) throw refuse('FilterPolicy: Filter policy is too long');
  const parsed = parseJson(text);
  if ('failure' in parsed) throw refuse(`FilterPolicy: failed to parse JSON. ${parsed.failure}`);
  try {
    return compileFilterPolicy(parsed.value);
  } catch (error) {
    if (error instanceof FilterPolicyError) throw refuse(`FilterPolicy: ${error.message}`);
    throw error;
  }
}

function checkRedrive(text: string, { account, region, fifoTopic, protocol, endpoint }: Subject, refuse: Refuse): string {
  const parsed = parseJson(text);
  if ('failure' in parsed) throw refuse(`RedrivePolicy: failed to parse JSON. ${parsed.failure}`);
  const { deadLetterTargetArn: arn } = (parsed.value ?? {}) as { deadLetterTargetArn?: unknown };
  if (arn === undefined || arn === null || arn === '') return '';
  const queue = typeof arn === 'string' ? queueOf(arn) : undefined;
  if (!queue) throw refuse('RedrivePolicy: deadLetterTargetArn is an invalid arn');
  if (queue.account !== account || queue.region !== region)
    throw refuse('RedrivePolicy: deadLetterTargetArn must be in the same account and region as the subscription');
  const fifo = fifoTopic && protocol === 'sqs' && endpoint.endsWith('.fifo');
  if (fifo && !queue.fifo) throw refuse('RedrivePolicy: must use a FIFO queue as DLQ for a FIFO Subscription to a FIFO Topic.');
  if (!fifo && queue.fifo) throw refuse('RedrivePolicy: must use a standard queue as DLQ for a subscription that is not FIFO.');
  return text;
}

function checkDelivery(value: string, refuse: Refuse): string {
  try {
    const policy = subscriptionPolicy(value);
    return policy ? JSON.stringify(policy) : '';
  } catch (error) {
    if (error instanceof DeliveryPolicyError) throw refuse(`DeliveryPolicy: ${error.message}`);
    throw error;
  }
}

/** Subscribing again what is subscribed is no error where what is asked for is what there is. */
export function differs(asked: SubscriptionAttributes, has: SubscriptionAttributes): boolean {
  return Object.entries(asked).some(([name, value]) => value !== (has[name] ?? DEFAULTS[name]));
}

export const isRaw = (attributes: SubscriptionAttributes): boolean => attributes['RawMessageDelivery'] === 'true';

/** The queue for what could not be delivered. */
export function deadLetterQueueOf(attributes: SubscriptionAttributes): string | undefined {
  const text = attributes['RedrivePolicy'];
  return text === undefined ? undefined : (JSON.parse(text) as { deadLetterTargetArn?: string }).deadLetterTargetArn;
}

/** GetSubscriptionAttributes: attributes as they are shown. A scope without a policy is not. */
export function described(attributes: SubscriptionAttributes): Record<string, string> {
  const { FilterPolicyScope: scope, ...rest } = attributes;
  return {
    RawMessageDelivery: 'false',
    ...rest,
    ...(rest['FilterPolicy'] === undefined ? {} : { FilterPolicyScope: scope ?? 'MessageAttributes' }),
  };
}
