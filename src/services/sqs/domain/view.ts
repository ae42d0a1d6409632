import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import type { MessageRow, StateRow, StoredAttribute } from '../store.ts';
import { attributesMd5 } from './content.ts';

export type SystemAttributes = Record<string, string>;

/** A message's system attributes as ReceiveMessage words them. */
export function systemAttributesOf(message: MessageRow, state: StateRow | undefined): SystemAttributes {
  const firstMs = state?.firstReceivedMs ?? message.firstReceivedMs;
  return {
    SenderId: message.senderId,
    ...(firstMs === undefined ? {} : { ApproximateFirstReceiveTimestamp: String(firstMs) }),
    ApproximateReceiveCount: String((message.receivesBefore ?? 0) + (state?.receives ?? 0)),
    SentTimestamp: String(message.sentMs),
    ...(message.sequenceNumber === undefined ? {} : { SequenceNumber: message.sequenceNumber }),
    ...(message.deduplicationId === undefined ? {} : { MessageDeduplicationId: message.deduplicationId }),
    ...(message.group === undefined ? {} : { MessageGroupId: message.group }),
    ...(message.traceHeader === undefined ? {} : { AWSTraceHeader: message.traceHeader }),
    ...(message.sourceArn === undefined ? {} : { DeadLetterQueueSourceArn: message.sourceArn }),
  };
}

/** `All`, `.*` and `*`, names, and beginnings of names as `beginning.*`. */
function chosenAttributes(attributes: readonly StoredAttribute[], names: readonly string[]): readonly StoredAttribute[] {
  if (names.some((name) => name === 'All' || name === '.*' || name === '*')) return attributes;
  const wanted = (name: string) => names.some((asked) => asked === name || (asked.endsWith('.*') && name.startsWith(asked.slice(0, -2))));
  return attributes.filter(({ name }) => wanted(name));
}

const valueView = ({ type, value }: StoredAttribute): MessageAttributeValue =>
  typeof value === 'string' ? { StringValue: value, DataType: type } : { BinaryValue: value, DataType: type };

/** A message as ReceiveMessage answers it; the digest of its attributes covers those returned. */
export function messageView(message: MessageRow, handle: string, system: SystemAttributes, names: readonly string[]): Message {
  const attributes = chosenAttributes(message.attributes, names);
  const md5 = attributes.length === message.attributes.length ? message.attributesMd5 : attributesMd5(attributes);
  return {
    MessageId: message.id,
    ReceiptHandle: handle,
    MD5OfBody: message.bodyMd5,
    Body: message.body,
    ...(Object.keys(system).length > 0 ? { Attributes: system } : {}),
    ...(md5 === undefined ? {} : { MD5OfMessageAttributes: md5 }),
    ...(attributes.length > 0 ? { MessageAttributes: Object.fromEntries(attributes.map((one) => [one.name, valueView(one)])) } : {}),
  };
}
