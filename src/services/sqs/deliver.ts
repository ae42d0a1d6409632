import type { MessageAttributeValue, SendMessageCommandInput } from '@aws-sdk/client-sqs';
import type { Attempt, Outcome } from '../../bus/bus.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Platform } from '../service.ts';
import { addressOfArn } from './domain/address.ts';
import { sendMessage } from './operations/send-message.ts';

/** A message for a queue, enqueued by another room in the commit that causes it: it arrives in the commit that removes the delivery, so once. */
export const DELIVER_TARGET = 'sqs:deliver';

/** Messages on their way at once. */
export const DELIVER_CONCURRENCY = 64;

export interface DeliverPayload {
  readonly queueArn: string;
  readonly body: string;
  /** By name; a binary value is base64. */
  readonly attributes?: Readonly<Record<string, { readonly DataType: string; readonly StringValue?: string; readonly BinaryValue?: string }>>;
  readonly group?: string;
  readonly deduplicationId?: string;
  readonly traceHeader?: string;
  /** The queue for it where the first is gone or refuses it; without one it is dropped. */
  readonly deadLetterArn?: string;
  /** Who sends, as SenderId states it; SNS where absent. */
  readonly senderId?: string;
}

const SNS_SENDER = 'AIDAISMY7JYY5F7RTT6AO';

export async function deliver(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as DeliverPayload;
  for (const arn of [payload.queueArn, payload.deadLetterArn]) {
    const address = arn === undefined ? undefined : addressOfArn(arn);
    if (!address) continue;
    const { account, region, name } = address;
    const userId = payload.senderId ?? SNS_SENDER;
    const principal = { account, accessKeyId: '', arn: userId, userId, type: 'service' as const };
    const ctx = platform.contextFor({ account, region, principal, trace: attempt.trace, service: 'sqs' });
    try {
      await sendMessage(ctx, { QueueUrl: `http://sqs/${account}/${name}`, ...messageOf(payload) }, (tx) => attempt.settle(tx));
      return { done: true };
    } catch (error) {
      if (!(error instanceof AwsError) || error.fault === 'server') throw error;
      platform.log.warn({ queue: arn, reason: error.message }, 'a message could not be delivered to a queue');
    }
  }
  return { done: true };
}

function messageOf({ body, attributes, group, deduplicationId, traceHeader }: DeliverPayload): Omit<SendMessageCommandInput, 'QueueUrl'> {
  const decoded = Object.entries(attributes ?? {}).map(([key, { BinaryValue, ...value }]): [string, MessageAttributeValue] => [
    key,
    BinaryValue === undefined ? value : { ...value, BinaryValue: Buffer.from(BinaryValue, 'base64') },
  ]);
  return {
    MessageBody: body,
    ...(decoded.length > 0 ? { MessageAttributes: Object.fromEntries(decoded) } : {}),
    ...(traceHeader === undefined ? {} : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: traceHeader } } }),
    ...(group === undefined ? {} : { MessageGroupId: group }),
    ...(deduplicationId === undefined ? {} : { MessageDeduplicationId: deduplicationId }),
  };
}
