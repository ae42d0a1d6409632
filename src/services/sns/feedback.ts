import { createHash } from 'node:crypto';
import type { Attempt, Outcome } from '../../bus/bus.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Platform } from '../service.ts';
import { type TopicAddress, topicArn } from './domain/arn.ts';
import type { Message } from './domain/message.ts';
import { snsContext } from './principal.ts';
import type { TopicRow } from './store.ts';

/** A line of a topic's delivery log. */
export const FEEDBACK_TARGET = 'sns:feedback';

export interface FeedbackPayload {
  readonly group: string;
  readonly stream: string;
  readonly timeMs: number;
  readonly line: string;
}

export interface Delivered {
  readonly destination: string;
  readonly requestId: string;
  readonly failed: boolean;
}

/** "Amazon SNS message delivery status": the log's line about a delivery, where the topic asks for it. Functions only. */
export function feedbackOf(
  platform: Platform,
  { address, topic, message }: { address: TopicAddress; topic: TopicRow; message: Message },
  delivered: Delivered,
): FeedbackPayload | undefined {
  const { attributes } = topic;
  const asked = attributes[delivered.failed ? 'LambdaFailureFeedbackRoleArn' : 'LambdaSuccessFeedbackRoleArn'];
  // Failures are logged all; successes by the sample rate.
  if (!asked || (!delivered.failed && platform.ids.float() * 100 >= Number(attributes['LambdaSuccessFeedbackSampleRate'] ?? 0))) return undefined;
  const { account, region, name } = address;
  const timeMs = platform.clock.virtual();
  const line = {
    notification: {
      messageMD5Sum: createHash('md5').update(message.body).digest('hex'),
      messageId: message.id,
      topicArn: topicArn(address),
      timestamp: new Date(message.publishedMs).toISOString().replace('T', ' ').replace('Z', ''),
    },
    delivery: {
      deliveryId: platform.ids.uuid(),
      destination: delivered.destination,
      providerResponse: JSON.stringify({ lambdaRequestId: delivered.requestId }),
      dwellTimeMs: Math.max(0, timeMs - message.publishedMs),
      statusCode: delivered.failed ? 404 : 202,
    },
    status: delivered.failed ? 'FAILURE' : 'SUCCESS',
  };
  return {
    group: `sns/${region}/${account}/${name}${delivered.failed ? '/Failure' : ''}`,
    stream: topic.id,
    timeMs,
    line: JSON.stringify(line),
  };
}

export async function writeFeedback(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { group: logGroupName, stream: logStreamName, timeMs: timestamp, line: message } = attempt.payload as FeedbackPayload;
  const ctx = snsContext(platform, attempt);
  for (const [operation, input] of [
    ['CreateLogGroup', { logGroupName }],
    ['CreateLogStream', { logGroupName, logStreamName }],
  ] as const) {
    try {
      await ctx.call('logs', operation, input);
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== 'ResourceAlreadyExistsException') throw error;
    }
  }
  await ctx.call('logs', 'PutLogEvents', { logGroupName, logStreamName, logEvents: [{ timestamp, message }] });
  return { done: true };
}
