import { invalidParameter } from '../errors.ts';
import { DISPLAY_NAME_CHARS_MAX } from '../limits.ts';
import { DeliveryPolicyError, effectiveTopicPolicy, topicPolicy } from './delivery-policy.ts';
import { checkPolicy } from './policy.ts';
import { checkArchivePolicy } from './replay-policy.ts';

const FEEDBACK = ['Application', 'Firehose', 'HTTP', 'Lambda', 'SQS'].flatMap((protocol) =>
  ['FailureFeedbackRoleArn', 'SuccessFeedbackRoleArn', 'SuccessFeedbackSampleRate'].map((name) => `${protocol}${name}`),
);

/** Attributes that SetTopicAttributes takes. */
const SETTABLE = new Set([
  'ArchivePolicy',
  'ContentBasedDeduplication',
  'DeliveryPolicy',
  'DisplayName',
  'FifoThroughputScope',
  'KmsMasterKeyId',
  'Policy',
  'SignatureVersion',
  'TracingConfig',
  ...FEEDBACK,
]);

/** Kept and described, without effect. */
export const RECORDED_ATTRIBUTES = ['KmsMasterKeyId', ...FEEDBACK.filter((name) => !name.startsWith('Lambda'))];

export type TopicAttributes = Readonly<Record<string, string>>;

/** Attributes as kept, those of a FIFO topic checked against its type; throws InvalidParameter. What resets to nothing is the empty text. */
export function checkTopicAttribute(name: string, value: string, fifo: boolean): string {
  const one = (values: readonly string[]): string => {
    const found = values.find((wanted) => wanted.toLowerCase() === value.toLowerCase());
    if (found === undefined) throw invalidParameter(name, `${value} is not valid: must be one of ${values.join(', ')}`);
    return found;
  };
  switch (name) {
    case 'DisplayName':
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is refused
      if (value.length > DISPLAY_NAME_CHARS_MAX || /[\x00-\x1f\x7f]/.test(value)) throw invalidParameter('DisplayName');
      return value;
    case 'Policy':
      if (value !== '') checkPolicy(value);
      return value;
    case 'SignatureVersion':
      return one(['1', '2']);
    case 'TracingConfig':
      return one(['Active', 'PassThrough']);
    case 'ContentBasedDeduplication':
      if (!fifo) throw invalidParameter('Content-based deduplication can only be set for FIFO topics');
      return one(['true', 'false']);
    case 'FifoThroughputScope':
      if (!fifo) throw invalidParameter('FifoThroughputScope can only be set for FIFO topics');
      return one(['Topic', 'MessageGroup']);
    case 'DeliveryPolicy':
      return checkDeliveryPolicy(value);
    case 'ArchivePolicy': {
      if (!fifo) throw invalidParameter('ArchivePolicy can only be set for FIFO topics');
      const checked = checkArchivePolicy(value);
      if ('reason' in checked) throw invalidParameter(`ArchivePolicy: ${checked.reason}`);
      return checked.kept;
    }
    default:
      if (name.endsWith('SampleRate') && !(/^\d{1,3}$/.test(value) && Number(value) <= 100)) throw invalidParameter(name);
      return value;
  }
}

function checkDeliveryPolicy(value: string): string {
  try {
    const policy = topicPolicy(value);
    return policy ? JSON.stringify(policy) : '';
  } catch (error) {
    if (error instanceof DeliveryPolicyError) throw invalidParameter(`DeliveryPolicy: ${error.message}`);
    throw error;
  }
}

export const isSettable = (name: string): boolean => SETTABLE.has(name);

/** CreateTopic's attributes: `FifoTopic` too. Throws InvalidParameter. */
export function checkNewTopic(given: Readonly<Record<string, string | undefined>>): TopicAttributes {
  const attributes: Record<string, string> = {};
  const fifo = (given['FifoTopic'] ?? '').toLowerCase() === 'true';
  for (const [name, value = ''] of Object.entries(given)) {
    if (name === 'FifoTopic') {
      if (!/^(true|false)$/i.test(value)) throw invalidParameter('FifoTopic', `${value} is not valid: must be true or false`);
      if (fifo) attributes['FifoTopic'] = 'true';
    } else if (!isSettable(name)) throw invalidParameter('Attributes', `Unknown attribute ${name}`);
    else {
      const kept = checkTopicAttribute(name, value, fifo);
      if (kept !== '' || name === 'DisplayName') attributes[name] = kept;
    }
  }
  if (fifo) attributes['ContentBasedDeduplication'] ??= 'false';
  return attributes;
}

/** CreateTopic of a topic that exists is no error where what it asks for is what there is. */
export function asksForAnother(given: TopicAttributes, asked: Readonly<Record<string, unknown>>, has: TopicAttributes): boolean {
  return Object.entries(given).some(([name, value]) => name in asked && !equal(value, has[name] ?? (name === 'DisplayName' ? '' : undefined)));
}

function equal(one: string, other: string | undefined): boolean {
  if (one === other) return true;
  if (other === undefined || !one.startsWith('{')) return false;
  return canonical(one) === canonical(other);
}

function canonical(text: string): string {
  const sorted = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(sorted);
    if (typeof value !== 'object' || value === null) return value;
    return Object.fromEntries(
      Object.entries(value)
        .sort(([a], [b]) => (a < b ? -1 : 1))
        .map(([key, one]) => [key, sorted(one)]),
    );
  };
  try {
    return JSON.stringify(sorted(JSON.parse(text)));
  } catch {
    return text;
  }
}

/** The policy that is kept, parsed. */
export const deliveryPolicyOf = (attributes: TopicAttributes): Record<string, unknown> | undefined =>
  attributes['DeliveryPolicy'] === undefined ? undefined : (JSON.parse(attributes['DeliveryPolicy']) as Record<string, unknown>);

/** GetTopicAttributes, but for counts and what names the topic. */
export function describedAttributes(attributes: TopicAttributes, policy: string): Record<string, string> {
  return { DisplayName: '', ...attributes, Policy: policy, EffectiveDeliveryPolicy: JSON.stringify(effectiveTopicPolicy(deliveryPolicyOf(attributes))) };
}
