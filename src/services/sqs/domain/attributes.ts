import { invalidAttributeName, invalidAttributeValue, unknownAttribute } from '../errors.ts';
import {
  DELAY_SECONDS_MAX,
  MESSAGE_BYTES_MAX,
  POLICY_BYTES_MAX,
  RETENTION_SECONDS_MAX,
  RETENTION_SECONDS_MIN,
  VISIBILITY_SECONDS_MAX,
  WAIT_SECONDS_MAX,
} from '../limits.ts';
import { isFifo } from './settings.ts';

/** Attributes that Croft computes. */
export const COMPUTED: readonly string[] = [
  'ApproximateNumberOfMessages',
  'ApproximateNumberOfMessagesDelayed',
  'ApproximateNumberOfMessagesNotVisible',
  'CreatedTimestamp',
  'LastModifiedTimestamp',
  'QueueArn',
];

const NUMBERS: Readonly<Record<string, readonly [min: number, max: number]>> = {
  DelaySeconds: [0, DELAY_SECONDS_MAX],
  MaximumMessageSize: [1024, MESSAGE_BYTES_MAX],
  MessageRetentionPeriod: [RETENTION_SECONDS_MIN, RETENTION_SECONDS_MAX],
  ReceiveMessageWaitTimeSeconds: [0, WAIT_SECONDS_MAX],
  VisibilityTimeout: [0, VISIBILITY_SECONDS_MAX],
  KmsDataKeyReusePeriodSeconds: [60, 86_400],
};

const FIFO_ONLY = new Set(['FifoQueue', 'ContentBasedDeduplication', 'DeduplicationScope', 'FifoThroughputLimit']);
const OTHERS = new Set(['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId', 'SqsManagedSseEnabled']);

export const SETTABLE: readonly string[] = [...Object.keys(NUMBERS), ...OTHERS, ...FIFO_ONLY];
const READABLE = new Set([...COMPUTED, ...SETTABLE, 'All']);

/** Names that GetQueueAttributes knows. */
export function checkNames(names: readonly string[]): void {
  for (const name of names) if (!READABLE.has(name)) throw unknownAttribute(name);
}

/** Attributes that an empty value takes away. */
const REMOVABLE = new Set(['Policy', 'RedrivePolicy', 'RedriveAllowPolicy', 'KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds']);

/**
 * Checks what is to be set on a queue of that name and brings it to the form in which it is kept; an empty value takes the attribute away.
 * The two redrive policies need other queues and are checked apart (`redrive.ts`). Throws InvalidAttributeName, InvalidAttributeValue.
 */
export function checkAttributes(queueName: string, given: Readonly<Record<string, string>>, creating: boolean): Record<string, string> {
  const fifo = isFifo(queueName);
  const checked: Record<string, string> = {};
  for (const [name, value] of Object.entries(given)) {
    if (COMPUTED.includes(name) || !READABLE.has(name) || name === 'All') throw unknownAttribute(name);
    if (Buffer.byteLength(value, 'utf8') > POLICY_BYTES_MAX) throw invalidAttributeValue(name);
    if (FIFO_ONLY.has(name)) checkFifoOnly(name, value, fifo, creating);
    checked[name] = value === '' && REMOVABLE.has(name) ? '' : normal(name, value);
  }
  return checked;
}

function checkFifoOnly(name: string, value: string, fifo: boolean, creating: boolean): void {
  if (!fifo) {
    if (name === 'DeduplicationScope' || name === 'FifoThroughputLimit')
      throw invalidAttributeName(`You can specify the ${name} only when FifoQueue is set to true.`);
    throw unknownAttribute(name);
  }
  if (name !== 'FifoQueue') return;
  if (creating && value.toLowerCase() !== 'true') throw invalidAttributeValue('FifoQueue');
  if (!creating && value.toLowerCase() === 'false') throw invalidAttributeValue('FifoQueue', 'Modifying queue type is not supported.');
}

function normal(name: string, value: string): string {
  const bounds = NUMBERS[name];
  if (bounds) {
    if (!/^\d{1,10}$/.test(value) || Number(value) < bounds[0] || Number(value) > bounds[1]) throw invalidAttributeValue(name);
    return String(Number(value));
  }
  switch (name) {
    case 'FifoQueue':
    case 'ContentBasedDeduplication':
    case 'SqsManagedSseEnabled':
      if (!/^(true|false)$/i.test(value)) throw invalidAttributeValue(name);
      return value.toLowerCase();
    case 'DeduplicationScope':
      return oneOf(name, value, ['messageGroup', 'queue']);
    case 'FifoThroughputLimit':
      return oneOf(name, value, ['perQueue', 'perMessageGroupId']);
    case 'Policy':
      return policy(value);
    default:
      return value;
  }
}

function oneOf(name: string, value: string, values: readonly string[]): string {
  if (!values.includes(value)) throw invalidAttributeValue(name);
  return value;
}

function policy(value: string): string {
  let parsed: unknown;
  try {
    parsed = JSON.parse(value);
  } catch {
    throw invalidAttributeValue('Policy');
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw invalidAttributeValue('Policy');
  return value;
}

/**
 * What a queue's attributes become: changes over what it had, empty ones taken away, the two kinds of encryption excluding each
 * other, high throughput only with its scope.
 */
export function applyAttributes(had: Readonly<Record<string, string>>, changes: Readonly<Record<string, string>>): Record<string, string> {
  const sse = changes['SqsManagedSseEnabled'] === 'true';
  if (sse && (changes['KmsMasterKeyId'] ?? '') !== '')
    throw invalidAttributeName('You can use one type of server-side encryption (SSE) at one time. You can either enable KMS SSE or SQS SSE.');
  const next: Record<string, string> = { ...had, ...changes };
  if (sse && changes['KmsMasterKeyId'] === undefined) delete next['KmsMasterKeyId'];
  if ((changes['KmsMasterKeyId'] ?? '') !== '') {
    next['SqsManagedSseEnabled'] = 'false';
    next['KmsDataKeyReusePeriodSeconds'] ??= '300';
  }
  for (const name of REMOVABLE) if (next[name] === '') delete next[name];
  if (next['KmsMasterKeyId'] === undefined) delete next['KmsDataKeyReusePeriodSeconds'];
  if (next['FifoThroughputLimit'] === 'perMessageGroupId' && next['DeduplicationScope'] !== 'messageGroup')
    throw invalidAttributeValue('FifoThroughputLimit', 'Value perMessageGroupId is only allowed when the value for DeduplicationScope is messageGroup.');
  return next;
}
