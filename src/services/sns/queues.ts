import type { Bus } from '../../bus/bus.ts';
import type { Trace } from '../../kit/trace.ts';
import type { Tx } from '../../store/store.ts';
import { queueOf } from './domain/arn.ts';
import type { Message, StoredAttribute } from './domain/message.ts';
import { RAW_ATTRIBUTES_MAX } from './limits.ts';

/** The sqs room's target: the message arrives in the commit that removes the delivery. */
const DELIVER = 'sqs:deliver';

/** What SQS calls these things; a binary value is base64. */
export interface QueueAttribute {
  readonly DataType: string;
  readonly StringValue?: string;
  readonly BinaryValue?: string;
}

/** The sqs room's payload (`src/services/sqs/deliver.ts`). */
export interface QueueDelivery {
  readonly queueArn: string;
  readonly body: string;
  readonly attributes?: Readonly<Record<string, QueueAttribute>>;
  readonly group?: string;
  readonly deduplicationId?: string;
  readonly traceHeader?: string;
  readonly deadLetterArn?: string;
}

/** Hands a message on to a queue, in the commit that causes it. */
export function toQueue(bus: Bus, tx: Tx, delivery: QueueDelivery, trace: Trace): void {
  const queue = queueOf(delivery.queueArn);
  if (!queue) return;
  bus.enqueue(tx, { target: DELIVER, account: queue.account, region: queue.region, payload: delivery, trace });
}

const queueAttribute = ({ type, value }: StoredAttribute): QueueAttribute =>
  type.startsWith('Binary') ? { DataType: type, BinaryValue: value } : { DataType: type, StringValue: value };

/** The attributes of a message delivered raw; undefined where they are more than the ten that SQS has room for: "Amazon SNS raw message delivery". */
export function rawAttributes({ attributes, replayed }: Pick<Message, 'attributes' | 'replayed'>): Record<string, QueueAttribute> | undefined {
  const entries = Object.entries(replayed ? { ...attributes, Replayed: { type: 'String', value: 'true' } } : attributes);
  return entries.length > RAW_ATTRIBUTES_MAX ? undefined : Object.fromEntries(entries.map(([name, value]) => [name, queueAttribute(value)]));
}
