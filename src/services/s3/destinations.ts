import { parseArn } from '../../kit/arn.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Ctx } from '../service.ts';
import { notificationOf } from './domain/event.ts';
import type { NotificationRule } from './domain/notification.ts';
import type { Notice } from './notify.ts';

/** The subject of every message that S3 publishes to a topic. */
const SUBJECT = 'Amazon S3 Notification';

function bodyOf(notice: Notice): string {
  return JSON.stringify(notice.event ? notificationOf(notice.event, notice.configurationId) : notice.test);
}

/** A context where the destination lives: it may be another account's. */
function at(ctx: Ctx, arn: string): Ctx {
  const { account, region } = parseArn(arn) ?? ctx;
  const { platform, principal, trace } = ctx;
  return platform.contextFor({ account: /^\d{12}$/.test(account) ? account : ctx.account, region: region || ctx.region, principal, trace, service: 's3' });
}

async function queueUrl(ctx: Ctx, arn: string): Promise<string> {
  const { resource = '', account = '' } = parseArn(arn) ?? {};
  const { QueueUrl } = await at(ctx, arn).call('sqs', 'GetQueueUrl', { QueueName: resource, QueueOwnerAWSAccountId: account });
  return String(QueueUrl);
}

export async function sendToQueue(ctx: Ctx, notice: Notice): Promise<void> {
  const QueueUrl = await queueUrl(ctx, notice.arn);
  const trace = notice.traceHeader;
  await at(ctx, notice.arn).call('sqs', 'SendMessage', {
    QueueUrl,
    MessageBody: bodyOf(notice),
    ...(trace === undefined ? {} : { MessageSystemAttributes: { AWSTraceHeader: { DataType: 'String', StringValue: trace } } }),
  });
}

export async function publishToTopic(ctx: Ctx, notice: Notice): Promise<void> {
  await at(ctx, notice.arn).call('sns', 'Publish', { TopicArn: notice.arn, Subject: SUBJECT, Message: bodyOf(notice) });
}

/** What S3 says of a destination that it cannot use; undefined where it can. */
export async function refusalOf(ctx: Ctx, { kind, arn }: Pick<NotificationRule, 'kind' | 'arn'>): Promise<{ name: string; value: string } | undefined> {
  try {
    switch (kind) {
      case 'queue':
        if (arn.endsWith('.fifo')) return { name: arn, value: 'FIFO SQS queues are not supported' };
        await queueUrl(ctx, arn);
        return undefined;
      case 'topic':
        if (arn.endsWith('.fifo')) return { name: arn, value: 'FIFO SNS topics are not supported' };
        await at(ctx, arn).call('sns', 'GetTopicAttributes', { TopicArn: arn });
        return undefined;
      case 'function':
        await at(ctx, arn).call('lambda', 'GetFunctionConfiguration', { FunctionName: arn });
        return undefined;
    }
  } catch (error) {
    if (!(error instanceof AwsError) || error.status >= 500) throw error;
    return kind === 'function'
      ? { name: `${arn}, null`, value: `Not authorized to invoke function [${arn}]` }
      : { name: arn, value: `The destination ${kind} does not exist` };
  }
}
