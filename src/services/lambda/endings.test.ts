import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { CreateEventBusCommand, EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CreateEventSourceMappingCommand,
  CreateFunctionCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  PutFunctionEventInvokeConfigCommand,
  PutFunctionRecursionConfigCommand,
} from '@aws-sdk/client-lambda';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutBucketNotificationConfigurationCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateTopicCommand, PublishCommand, SNSClient, SubscribeCommand } from '@aws-sdk/client-sns';
import { CreateQueueCommand, DeleteMessageCommand, type Message, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { projectRoot } from '../../kit/root.ts';
import { createPrinted, ROLE, zipFiles } from './testing.ts';

const PATIENT = { timeout: 15_000, interval: 20 };
const ARN = 'arn:aws:lambda:us-east-1:000000000000:function';

let croft: TestCroft;
let lambda: LambdaClient;
let sqs: SQSClient;

beforeAll(async () => {
  croft = await startCroft();
  lambda = new LambdaClient(croft.sdk);
  sqs = new SQSClient(croft.sdk);
});
afterAll(() => croft.stop());

/** Fails where it is asked to; sends on where it has somewhere to send to, with the trace that it was given, as the SDKs do. */
const SOURCE = `
import json, os, urllib.request
def handler(event, context):
    print(json.dumps({'trace': os.environ.get('_X_AMZN_TRACE_ID')}))
    if isinstance(event, dict) and event.get('fail'):
        raise Exception('intentional failure')
    if 'NEXT_QUEUE' in os.environ:
        call('AmazonSQS.SendMessage', 'application/x-amz-json-1.0', '/', {'QueueUrl': os.environ['NEXT_QUEUE'], 'MessageBody': 'on'})
    if 'NEXT_FUNCTION' in os.environ:
        call(None, 'application/json', '/2015-03-31/functions/' + os.environ['NEXT_FUNCTION'] + '/invocations', {}, {'X-Amz-Invocation-Type': os.environ.get('TYPE', 'Event')})
    return {'hello': 'world'}
def call(target, kind, path, body, headers={}):
    service = 'sqs' if target else 'lambda'
    auth = 'AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/' + service + '/aws4_request, SignedHeaders=host, Signature=x'
    all = {'Content-Type': kind, 'X-Amzn-Trace-Id': os.environ['_X_AMZN_TRACE_ID'], 'Authorization': auth, **({'X-Amz-Target': target} if target else {}), **headers}
    urllib.request.urlopen(urllib.request.Request(os.environ['AWS_ENDPOINT_URL'] + path, json.dumps(body).encode(), all)).read()
`;

async function createFunction(FunctionName: string, more: { Variables?: Record<string, string>; dead?: string } = {}): Promise<void> {
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Runtime: 'python3.12',
      Handler: 'index.handler',
      Role: ROLE,
      Timeout: 20,
      Code: { ZipFile: await zipFiles({ 'index.py': SOURCE }) },
      ...(more.Variables ? { Environment: { Variables: more.Variables } } : {}),
      ...(more.dead === undefined ? {} : { DeadLetterConfig: { TargetArn: more.dead } }),
    }),
  );
}

async function queue(QueueName: string): Promise<{ url: string; arn: string }> {
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName }));
  return { url: QueueUrl, arn: `arn:aws:sqs:us-east-1:000000000000:${QueueName}` };
}

async function receive(QueueUrl: string): Promise<Message> {
  const { Messages } = await sqs.send(
    new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 15, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] }),
  );
  const [message] = Messages ?? [];
  if (!message) throw new Error('no message came');
  await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
  return message;
}

const send = (FunctionName: string, event: unknown) =>
  lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(event)) }));
const configure = (FunctionName: string, more: Record<string, unknown>) =>
  lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName, MaximumRetryAttempts: 0, ...more }));

describe('a dead-letter queue', () => {
  it('is given the event as it was, and why it failed', async () => {
    const { url, arn } = await queue('dead');
    await createFunction('failing', { dead: arn });
    await configure('failing', {});
    const sent = await send('failing', { fail: true });
    const message = await receive(url);
    expect(message.Body).toBe('{"fail":true}');
    expect(message.MessageAttributes).toEqual({
      RequestID: { DataType: 'String', StringValue: sent.$metadata.requestId },
      ErrorCode: { DataType: 'Number', StringValue: '200' },
      ErrorMessage: { DataType: 'String', StringValue: 'intentional failure' },
    });
    expect(message.Attributes?.['AWSTraceHeader']).toMatch(/^Root=1-/);
  });

  it('may be a topic', async () => {
    const sns = new SNSClient(croft.sdk);
    const { TopicArn } = await sns.send(new CreateTopicCommand({ Name: 'dead' }));
    const { url, arn } = await queue('dead-topic');
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arn }));
    await createFunction('failing-to-topic', { dead: TopicArn ?? '' });
    await configure('failing-to-topic', {});
    await send('failing-to-topic', { fail: true });
    const notification = JSON.parse((await receive(url)).Body ?? '{}');
    expect(notification).toMatchObject({ Type: 'Notification', Message: '{"fail":true}', MessageAttributes: { ErrorCode: { Type: 'Number', Value: '200' } } });
  });

  it('is given at once what a function without concurrency is sent', async () => {
    const { url, arn } = await queue('dead-zero');
    const failures = await queue('failed-zero');
    await createFunction('switched-off', { dead: arn });
    await configure('switched-off', { MaximumRetryAttempts: 2, DestinationConfig: { OnFailure: { Destination: failures.arn } } });
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'switched-off', ReservedConcurrentExecutions: 0 }));
    await send('switched-off', { a: 1 });
    expect((await receive(url)).MessageAttributes?.['ErrorCode']?.StringValue).toBe('429');
    const record = JSON.parse((await receive(failures.url)).Body ?? '{}');
    expect(record.requestContext).toMatchObject({ condition: 'ZeroReservedConcurrency', approximateInvokeCount: 0 });
    expect(record).not.toHaveProperty('responseContext');
  });
});

describe('a destination', () => {
  const record = (name: string, more: Record<string, unknown>) => ({
    version: '1.0',
    timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
    requestContext: { requestId: expect.any(String), functionArn: `${ARN}:${name}:$LATEST`, condition: 'Success', approximateInvokeCount: 1 },
    requestPayload: {},
    responseContext: { statusCode: 200, executedVersion: '$LATEST' },
    responsePayload: { hello: 'world' },
    ...more,
  });

  it('may be a queue', async () => {
    const { url, arn } = await queue('done');
    await createFunction('to-queue');
    await configure('to-queue', { DestinationConfig: { OnSuccess: { Destination: arn } } });
    await send('to-queue', {});
    expect(JSON.parse((await receive(url)).Body ?? '{}')).toEqual(record('to-queue', {}));
  });

  it('may be an event bus', async () => {
    const events = new EventBridgeClient(croft.sdk);
    const { EventBusArn = '' } = await events.send(new CreateEventBusCommand({ Name: 'outcomes' }));
    const { url, arn } = await queue('from-bus');
    await events.send(new PutRuleCommand({ Name: 'all', EventBusName: 'outcomes', EventPattern: '{"source": ["lambda"]}' }));
    await events.send(new PutTargetsCommand({ Rule: 'all', EventBusName: 'outcomes', Targets: [{ Id: 'q', Arn: arn }] }));
    await createFunction('to-bus');
    await configure('to-bus', { DestinationConfig: { OnSuccess: { Destination: EventBusArn }, OnFailure: { Destination: EventBusArn } } });
    await send('to-bus', {});
    const event = JSON.parse((await receive(url)).Body ?? '{}');
    expect(event).toMatchObject({
      source: 'lambda',
      'detail-type': 'Lambda Function Invocation Result - Success',
      resources: [EventBusArn, `${ARN}:to-bus:$LATEST`],
      detail: record('to-bus', {}),
    });
    await send('to-bus', { fail: true });
    expect(JSON.parse((await receive(url)).Body ?? '{}')['detail-type']).toBe('Lambda Function Invocation Result - Failure');
  });

  it('may be a bucket, for failures', async () => {
    const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'failures' }));
    await createFunction('to-bucket');
    await configure('to-bucket', { DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::failures' } } });
    await send('to-bucket', { fail: true });
    const list = () => s3.send(new ListObjectsV2Command({ Bucket: 'failures' }));
    await expect.poll(async () => (await list()).KeyCount, PATIENT).toBe(1);
    const Key = (await list()).Contents?.[0]?.Key;
    expect(Key).toMatch(/^aws\/lambda\/async\/to-bucket\/\d{4}\/\d\d\/\d\d\/\d{4}-\d\d-\d\dT\d\d\.\d\d\.\d\d-[0-9a-f-]{36}$/);
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'failures', Key }));
    expect(JSON.parse((await Body?.transformToString()) ?? '{}')).toMatchObject({ requestContext: { condition: 'RetriesExhausted' } });
  });
});

describe('a recursive loop', () => {
  const dropped = async (account = '000000000000') => {
    const meters = (await (await fetch(`${croft.endpoint}/_croft/meters`)).json()) as {
      meters?: { service: string; dimension: string; quantity: number; account: string }[];
    };
    return (meters.meters ?? [])
      .filter((one) => one.service === 'lambda' && one.dimension === 'RecursiveInvocationsDropped' && one.account === account)
      .reduce((sum, { quantity }) => sum + quantity, 0);
  };
  const runs = (name: string) => createPrinted<{ trace: string }>(croft)(name);

  it('over a queue ends after 16 runs, counted and told', async () => {
    const { url, arn } = await queue('loop');
    await createFunction('looping', { Variables: { NEXT_QUEUE: url } });
    await lambda.send(new CreateEventSourceMappingCommand({ EventSourceArn: arn, FunctionName: 'looping', BatchSize: 1 }));
    await lambda.send(new InvokeCommand({ FunctionName: 'looping' }));
    await expect.poll(async () => (await runs('looping')).length, PATIENT).toBe(16);
    expect((await runs('looping')).at(-1)?.trace).toMatch(/;Lineage=[0-9a-f]{8}:16$/);
    await expect.poll(() => dropped(), PATIENT).toBe(1);
  });

  it('of a function with itself sends its event to the dead-letter queue', async () => {
    const { url, arn } = await queue('loop-dead');
    await createFunction('itself', { Variables: { NEXT_FUNCTION: 'itself' }, dead: arn });
    await send('itself', { begin: true });
    expect((await receive(url)).MessageAttributes?.['ErrorMessage']?.StringValue).toContain('recursive loop');
    await expect.poll(async () => (await runs('itself')).length, PATIENT).toBe(16);
  });

  // scripts/runtimes.sh brings boto3.
  const withSdk = it.skipIf(!existsSync(join(projectRoot(), 'runtimes/python/vendor/boto3')));
  const SDK_SOURCE = `
import boto3, json, os
def handler(event, context):
    print(json.dumps({'trace': os.environ['_X_AMZN_TRACE_ID']}))
    record = event['Records'][0]
    if 's3' in record:
        bucket, key = record['s3']['bucket']['name'], record['s3']['object']['key']
        boto3.client('s3').put_object(Bucket=bucket, Key='again/' + key, Body=b'x')
    else:
        boto3.client('sns').publish(TopicArn=os.environ['TOPIC'], Message='again')
`;
  async function createSdkFunction(FunctionName: string, Variables: Record<string, string> = {}): Promise<void> {
    const ZipFile = await zipFiles({ 'index.py': SDK_SOURCE });
    const Environment = { Variables };
    await lambda.send(
      new CreateFunctionCommand({ FunctionName, Runtime: 'python3.12', Handler: 'index.handler', Role: ROLE, Timeout: 20, Code: { ZipFile }, Environment }),
    );
  }

  withSdk('over a bucket, by boto3', async () => {
    const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'looped' }));
    await createSdkFunction('over-bucket');
    const LambdaFunctionConfigurations = [{ LambdaFunctionArn: `${ARN}:over-bucket`, Events: ['s3:ObjectCreated:*' as const] }];
    const NotificationConfiguration = { LambdaFunctionConfigurations };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket: 'looped', NotificationConfiguration, SkipDestinationValidation: true }));
    const before = await dropped();
    await s3.send(new PutObjectCommand({ Bucket: 'looped', Key: 'photo', Body: 'x' }));
    await expect.poll(() => dropped(), PATIENT).toBe(before + 1);
    await expect.poll(async () => (await runs('over-bucket')).length, PATIENT).toBe(16);
  });

  withSdk('over a topic and its queue, by boto3', async () => {
    const sns = new SNSClient(croft.sdk);
    const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'looped' }));
    const { arn } = await queue('looped-by-topic');
    await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: arn }));
    await createSdkFunction('over-topic', { TOPIC: TopicArn });
    await lambda.send(new CreateEventSourceMappingCommand({ EventSourceArn: arn, FunctionName: 'over-topic', BatchSize: 1 }));
    const before = await dropped();
    await sns.send(new PublishCommand({ TopicArn, Message: 'begin' }));
    await expect.poll(() => dropped(), PATIENT).toBe(before + 1);
    await expect.poll(async () => (await runs('over-topic')).length, PATIENT).toBe(16);
  });

  withSdk('over an event bus goes on, as on AWS', async () => {
    const events = new EventBridgeClient(croft.sdk);
    const source = `
import boto3, json, os
def handler(event, context):
    print(json.dumps({'trace': os.environ['_X_AMZN_TRACE_ID']}))
    boto3.client('events').put_events(Entries=[{'Source': 'again', 'DetailType': 'd', 'Detail': '{}', 'EventBusName': 'meant'}])
`;
    await events.send(new CreateEventBusCommand({ Name: 'meant' }));
    await lambda.send(
      new CreateFunctionCommand({
        FunctionName: 'over-bus',
        Runtime: 'python3.12',
        Handler: 'index.handler',
        Role: ROLE,
        Timeout: 20,
        Code: { ZipFile: await zipFiles({ 'index.py': source }) },
      }),
    );
    await events.send(new PutRuleCommand({ Name: 'again', EventBusName: 'meant', EventPattern: '{"source": ["again"]}' }));
    await events.send(new PutTargetsCommand({ Rule: 'again', EventBusName: 'meant', Targets: [{ Id: 'f', Arn: `${ARN}:over-bus` }] }));
    await send('over-bus', {});
    await expect.poll(async () => (await runs('over-bus')).length, PATIENT).toBeGreaterThan(18);
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'over-bus', ReservedConcurrentExecutions: 0 }));
  });

  it('goes on where that is allowed', async () => {
    await createFunction('allowed', { Variables: { NEXT_FUNCTION: 'allowed' } });
    await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName: 'allowed', RecursiveLoop: 'Allow' }));
    await send('allowed', {});
    await expect.poll(async () => (await runs('allowed')).length, PATIENT).toBeGreaterThan(20);
    await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName: 'allowed', RecursiveLoop: 'Terminate' }));
  });
});
