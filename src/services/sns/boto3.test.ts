import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as lambda from '@aws-sdk/client-lambda';
import { LambdaClient } from '@aws-sdk/client-lambda';
import * as sns from '@aws-sdk/client-sns';
import { expect, it } from 'vitest';
import { startCroft } from '../../../test/harness.ts';
import { hasSeedApps, run, SEED_APPS, VENV } from '../../../test/process.ts';
import { zipFiles } from '../../compute/testing.ts';

const SCRIPT = `
import boto3, json

sns, sqs = boto3.resource('sns'), boto3.resource('sqs')
topic = sns.create_topic(Name='boto', Tags=[{'Key': 'k', 'Value': 'v'}])
assert topic.arn == sns.create_topic(Name='boto').arn
queue = sqs.create_queue(QueueName='boto')
subscription = topic.subscribe(Protocol='sqs', Endpoint=queue.attributes['QueueArn'])
assert json.loads(topic.attributes['EffectiveDeliveryPolicy'])['http']['defaultHealthyRetryPolicy']['numRetries'] == 3
sent = topic.publish(Message='hello', MessageAttributes={'a': {'DataType': 'String', 'StringValue': 'b'}})
got = queue.receive_messages(WaitTimeSeconds=20)
body = json.loads(got[0].body)
assert body['MessageId'] == sent['MessageId'] and body['MessageAttributes'] == {'a': {'Type': 'String', 'Value': 'b'}}, body
assert [one.arn for one in topic.subscriptions.all()] == [subscription.arn]
topic.add_permission(Label='l', AWSAccountId=['000000000000'], ActionName=['Publish'])
topic.reload()
assert len(json.loads(topic.attributes['Policy'])['Statement']) == 2
client = sns.meta.client
for wrong, code in (
    (lambda: client.get_topic_attributes(TopicArn=topic.arn + 'x'), 'NotFound'),
    (lambda: client.publish(TopicArn=topic.arn, Message=''), 'InvalidParameter'),
    (lambda: client.list_tags_for_resource(ResourceArn=topic.arn + 'x'), 'ResourceNotFound'),
    (lambda: client.confirm_subscription(TopicArn=topic.arn, Token='abc'), 'InvalidParameter'),
):
    try:
        wrong()
        raise SystemExit('expected ' + code)
    except client.exceptions.ClientError as error:
        assert error.response['Error']['Code'] == code, error.response
subscription.delete()
topic.delete()
assert list(sns.topics.all()) == []
print('ok')
`;

it('serves boto3 unmodified', async () => {
  const croft = await startCroft();
  try {
    const env = { AWS_ENDPOINT_URL: croft.endpoint, AWS_DEFAULT_REGION: 'us-east-1', AWS_ACCESS_KEY_ID: 'test', AWS_SECRET_ACCESS_KEY: 'test' };
    const { status, stdout, stderr } = await run(join(VENV, 'python'), ['-'], { env, input: SCRIPT });
    expect([status, stdout.trim(), stderr]).toEqual([0, 'ok', '']);
  } finally {
    await croft.stop();
  }
}, 60_000);

it.skipIf(!hasSeedApps)(
  "calls the guides' function with the event that SNS sends",
  async () => {
    const croft = await startCroft();
    const functions = new LambdaClient(croft.sdk);
    const topics = new sns.SNSClient(croft.sdk);
    const lines = new logs.CloudWatchLogsClient(croft.sdk);
    try {
      const ZipFile = await zipFiles({ 'sns_message.py': readFileSync(join(SEED_APPS, 'triggers/sns_message.py'), 'utf8') });
      const { FunctionArn } = await functions.send(
        new lambda.CreateFunctionCommand({
          FunctionName: 'orders',
          Runtime: 'python3.12',
          Handler: 'sns_message.lambda_handler',
          Role: 'arn:aws:iam::000000000000:role/functions',
          Code: { ZipFile },
        }),
      );
      await lambda.waitUntilFunctionActiveV2({ client: functions, maxWaitTime: 30 }, { FunctionName: 'orders' });
      const Attributes = { LambdaSuccessFeedbackRoleArn: 'arn:aws:iam::000000000000:role/logs', LambdaSuccessFeedbackSampleRate: '100' };
      const { TopicArn } = await topics.send(new sns.CreateTopicCommand({ Name: 'orders', Attributes }));
      await topics.send(new sns.SubscribeCommand({ TopicArn, Protocol: 'lambda', Endpoint: FunctionArn }));
      await topics.send(new sns.PublishCommand({ TopicArn, Message: '42' }));
      expect(await croft.server.platform.bus.quiet(30_000)).toBe(true);
      // Log lines come after the call.
      await expect
        .poll(
          async () => (await lines.send(new logs.FilterLogEventsCommand({ logGroupName: '/aws/lambda/orders' }))).events?.map(({ message }) => message?.trim()),
          {
            timeout: 20_000,
          },
        )
        .toContain('order 42');
      const { events = [] } = await lines.send(new logs.FilterLogEventsCommand({ logGroupName: 'sns/us-east-1/000000000000/orders' }));
      expect(events.map(({ message = '' }) => JSON.parse(message))).toMatchObject([
        { status: 'SUCCESS', delivery: { destination: FunctionArn, statusCode: 202 } },
      ]);
    } finally {
      functions.destroy();
      topics.destroy();
      lines.destroy();
      await croft.stop();
    }
  },
  60_000,
);
