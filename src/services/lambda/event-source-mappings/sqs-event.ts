import type { Message, MessageAttributeValue } from '@aws-sdk/client-sqs';
import { parseArn } from '../../../kit/arn.ts';
import type { MappingRow } from './rows.ts';

export type SqsRecord = Readonly<Record<string, unknown>> & { readonly messageId: string; readonly receiptHandle: string };

/** AWS's order of a record's attributes. */
const ATTRIBUTES = [
  'ApproximateReceiveCount',
  'AWSTraceHeader',
  'SentTimestamp',
  'DeadLetterQueueSourceArn',
  'SequenceNumber',
  'MessageGroupId',
  'SenderId',
  'MessageDeduplicationId',
  'ApproximateFirstReceiveTimestamp',
] as const;

/** One message as a function gets it; "Using Lambda with Amazon SQS". */
export function sqsRecord(row: MappingRow, message: Message): SqsRecord {
  const attributes = message.Attributes ?? {};
  const md5 = message.MD5OfMessageAttributes;
  // With a batching window AWS writes the digest that is not there as null.
  const absent = row.settings.windowSeconds > 0 ? { md5OfMessageAttributes: null } : {};
  return {
    messageId: message.MessageId ?? '',
    receiptHandle: message.ReceiptHandle ?? '',
    body: message.Body ?? '',
    attributes: Object.fromEntries(ATTRIBUTES.filter((name) => attributes[name] !== undefined).map((name) => [name, attributes[name]])),
    messageAttributes: Object.fromEntries(Object.entries(message.MessageAttributes ?? {}).map(([name, value]) => [name, attributeOf(value)])),
    ...(md5 === undefined ? absent : { md5OfMessageAttributes: md5 }),
    md5OfBody: message.MD5OfBody ?? '',
    eventSource: 'aws:sqs',
    eventSourceARN: row.sourceArn,
    awsRegion: parseArn(row.sourceArn)?.region ?? row.region,
  };
}

function attributeOf(value: MessageAttributeValue): Record<string, unknown> {
  return {
    ...(value.StringValue === undefined ? {} : { stringValue: value.StringValue }),
    ...(value.BinaryValue === undefined ? {} : { binaryValue: Buffer.from(value.BinaryValue).toString('base64') }),
    stringListValues: [],
    binaryListValues: [],
    dataType: value.DataType ?? 'String',
  };
}
