import {
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectTaggingCommand,
  type Event,
  GetBucketNotificationConfigurationCommand,
  type NotificationConfiguration,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
  S3Client,
  UploadPartCommand,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let s3: S3Client;
let sqs: SQSClient;
beforeAll(async () => {
  croft = await startCroft();
  s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
  sqs = new SQSClient(croft.sdk);
});
afterAll(async () => {
  s3.destroy();
  sqs.destroy();
  await croft.stop();
});

let made = 0;

async function bucketWithQueue(events: Event[], filter?: { Name: 'prefix' | 'suffix'; Value: string }[]) {
  const Bucket = `notified-${++made}`;
  const name = `notices-${made}`;
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name }));
  const QueueArn = `arn:aws:sqs:us-east-1:000000000000:${name}`;
  await s3.send(new CreateBucketCommand({ Bucket }));
  const Filter = filter ? { Filter: { Key: { FilterRules: filter } } } : {};
  await configure(Bucket, { QueueConfigurations: [{ Id: 'one', QueueArn, Events: events, ...Filter }] });
  const [first] = await receive(QueueUrl, 1);
  return { Bucket, QueueUrl, QueueArn, test: first as Record<string, string> };
}

function configure(Bucket: string, NotificationConfiguration: NotificationConfiguration, SkipDestinationValidation = false) {
  return s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration, SkipDestinationValidation }));
}

// biome-ignore lint/suspicious/noExplicitAny: events are compared as they are
type Message = any;

/** The bodies of `count` messages; long polls, so that nothing has to be slept for. */
async function receive(QueueUrl: string, count: number): Promise<Message[]> {
  const bodies: Message[] = [];
  for (let empty = 0; bodies.length < count && empty < 3; ) {
    const { Messages = [] } = await sqs.send(
      new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 2, MaxNumberOfMessages: 1, MessageSystemAttributeNames: ['All'] }),
    );
    if (Messages.length === 0) empty++;
    for (const { Body = '', ReceiptHandle, Attributes } of Messages) {
      const body = JSON.parse(Body) as Message;
      bodies.push(body.Records ? { ...body.Records[0], attributes: Attributes } : body);
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
    }
  }
  return bodies;
}

describe('notifications to a queue', () => {
  test('the test event, then every field that AWS sends', async () => {
    const { Bucket, QueueUrl, test: testEvent } = await bucketWithQueue(['s3:ObjectCreated:*']);
    expect(testEvent).toMatchObject({ Service: 'Amazon S3', Event: 's3:TestEvent', Bucket });
    expect(Object.keys(testEvent)).toEqual(['Service', 'Event', 'Time', 'Bucket', 'RequestId', 'HostId']);
    const { ETag, $metadata } = await s3.send(new PutObjectCommand({ Bucket, Key: 'my folder/a@b+c.txt', Body: 'hello' }));
    const [record] = await receive(QueueUrl, 1);
    expect(record).toMatchObject({
      eventVersion: '2.1',
      eventSource: 'aws:s3',
      awsRegion: 'us-east-1',
      eventName: 'ObjectCreated:Put',
      userIdentity: { principalId: expect.any(String) },
      requestParameters: { sourceIPAddress: '127.0.0.1' },
      responseElements: { 'x-amz-request-id': $metadata.requestId, 'x-amz-id-2': $metadata.extendedRequestId },
      s3: {
        s3SchemaVersion: '1.0',
        configurationId: 'one',
        bucket: { name: Bucket, ownerIdentity: { principalId: expect.any(String) }, arn: `arn:aws:s3:::${Bucket}` },
        object: { key: 'my+folder/a%40b%2Bc.txt', size: 5, eTag: ETag?.replaceAll('"', ''), sequencer: expect.stringMatching(/^[0-9A-F]{18}$/) },
      },
    });
    expect(record.eventTime).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect(record.s3.object.versionId).toBeUndefined();
  });

  test('each way an object is made, changed and removed has its event; sequencers grow', async () => {
    const { Bucket, QueueUrl } = await bucketWithQueue(['s3:ObjectCreated:*', 's3:ObjectRemoved:*', 's3:ObjectTagging:*']);
    const at = { Bucket, Key: 'k' };
    await s3.send(new PutObjectCommand({ ...at, Body: '1' }));
    await s3.send(new CopyObjectCommand({ ...at, Key: 'copy', CopySource: `${Bucket}/k` }));
    const { UploadId } = await s3.send(new CreateMultipartUploadCommand(at));
    const { ETag } = await s3.send(new UploadPartCommand({ ...at, UploadId, PartNumber: 1, Body: 'part' }));
    await s3.send(new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts: [{ PartNumber: 1, ETag }] } }));
    await s3.send(new PutObjectTaggingCommand({ ...at, Tagging: { TagSet: [{ Key: 'a', Value: 'b' }] } }));
    await s3.send(new DeleteObjectTaggingCommand(at));
    await s3.send(new DeleteObjectCommand(at));
    const records = await receive(QueueUrl, 6);
    const byName = new Map(records.map((record) => [record.eventName, record]));
    expect([...byName.keys()].sort()).toEqual([
      'ObjectCreated:CompleteMultipartUpload',
      'ObjectCreated:Copy',
      'ObjectCreated:Put',
      'ObjectRemoved:Delete',
      'ObjectTagging:Delete',
      'ObjectTagging:Put',
    ]);
    expect(byName.get('ObjectTagging:Put')).toMatchObject({ eventVersion: '2.3', s3: { object: { key: 'k', eTag: expect.stringMatching(/-1$/) } } });
    expect(byName.get('ObjectTagging:Put').s3.object.sequencer).toBeUndefined();
    expect(Object.keys(byName.get('ObjectRemoved:Delete').s3.object)).toEqual(['key', 'sequencer']);
    const order = ['ObjectCreated:Put', 'ObjectCreated:CompleteMultipartUpload', 'ObjectRemoved:Delete'].map((name) => byName.get(name).s3.object.sequencer);
    expect([...order].sort()).toEqual(order);
  });

  test('a versioned bucket names versions and tells delete markers', async () => {
    const { Bucket, QueueUrl } = await bucketWithQueue(['s3:ObjectCreated:Put', 's3:ObjectRemoved:*']);
    await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'v', Body: 'x' }));
    const marker = await s3.send(new DeleteObjectCommand({ Bucket, Key: 'v' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'v', VersionId }));
    const records = await receive(QueueUrl, 3);
    const of = (name: string) => records.find((record) => record.eventName === name)?.s3.object;
    expect(of('ObjectCreated:Put')).toMatchObject({ versionId: VersionId });
    expect(of('ObjectRemoved:DeleteMarkerCreated')).toMatchObject({ versionId: marker.VersionId, eTag: 'd41d8cd98f00b204e9800998ecf8427e' });
    expect(of('ObjectRemoved:Delete')).toMatchObject({ versionId: VersionId });
  });

  test('filters hold, and the trace header goes along', async () => {
    const { Bucket, QueueUrl } = await bucketWithQueue(
      ['s3:ObjectCreated:*'],
      [
        { Name: 'suffix', Value: '.jpg' },
        { Name: 'prefix', Value: 'in/' },
      ],
    );
    const traced = new S3Client({ ...croft.sdk, forcePathStyle: true });
    const header = 'Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=1';
    traced.middlewareStack.add(
      (next) => (args) => {
        (args.request as { headers: Record<string, string> }).headers['X-Amzn-Trace-Id'] = header;
        return next(args);
      },
      { step: 'build' },
    );
    for (const Key of ['in/a.png', 'a.jpg', 'in/a.jpg']) await traced.send(new PutObjectCommand({ Bucket, Key, Body: 'x' }));
    const records = await receive(QueueUrl, 1);
    expect(records.map((record) => [record.s3.object.key, record.attributes.AWSTraceHeader])).toEqual([['in/a.jpg', header]]);
    const kept = await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket }));
    expect(kept.QueueConfigurations?.[0]?.Filter?.Key?.FilterRules).toEqual([
      { Name: 'Suffix', Value: '.jpg' },
      { Name: 'Prefix', Value: 'in/' },
    ]);
  });

  test('a write that fails tells nobody', async () => {
    const { Bucket, QueueUrl } = await bucketWithQueue(['s3:ObjectCreated:*']);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '1' }));
    await expect(s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '2', IfNoneMatch: '*' }))).rejects.toThrow();
    await s3.send(new PutObjectCommand({ Bucket, Key: 'last', Body: '3' }));
    const keys = (await receive(QueueUrl, 2)).map((record) => record.s3.object.key);
    expect(keys.sort()).toEqual(['k', 'last']);
  });
});

describe('notifications elsewhere', () => {
  test('EventBridge hears of everything, in its own form', async () => {
    const Bucket = 'bussed';
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'from-bus' }));
    const ctx = croft.server.platform.contextFor({ account: '000000000000', region: 'us-east-1' });
    await ctx.call('events', 'PutRule', { Name: 'of-s3', EventPattern: JSON.stringify({ source: ['aws.s3'], detail: { bucket: { name: [Bucket] } } }) });
    await ctx.call('events', 'PutTargets', { Rule: 'of-s3', Targets: [{ Id: 'q', Arn: 'arn:aws:sqs:us-east-1:000000000000:from-bus' }] });
    await s3.send(new CreateBucketCommand({ Bucket }));
    await configure(Bucket, { EventBridgeConfiguration: {} });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'a b', Body: 'x' }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'a b' }));
    const events = await receive(QueueUrl ?? '', 2);
    const created = events.find((event) => event['detail-type'] === 'Object Created');
    expect(created).toMatchObject({
      source: 'aws.s3',
      resources: [`arn:aws:s3:::${Bucket}`],
      detail: {
        version: '0',
        bucket: { name: Bucket },
        object: { key: 'a b', size: 1 },
        reason: 'PutObject',
        requester: '000000000000',
        'source-ip-address': '127.0.0.1',
      },
    });
    const deleted = events.find((event) => event['detail-type'] === 'Object Deleted');
    expect(deleted.detail).toMatchObject({ reason: 'DeleteObject', 'deletion-type': 'Permanently Deleted' });
    expect(deleted.detail.object.sequencer > created.detail.object.sequencer).toBe(true);
  });

  test('a topic passes it on', async () => {
    const Bucket = 'published';
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'from-topic' }));
    const ctx = croft.server.platform.contextFor({ account: '000000000000', region: 'us-east-1' });
    const { TopicArn } = await ctx.call('sns', 'CreateTopic', { Name: 'of-s3' });
    const Endpoint = 'arn:aws:sqs:us-east-1:000000000000:from-topic';
    await ctx.call('sns', 'Subscribe', { TopicArn, Protocol: 'sqs', Endpoint });
    await s3.send(new CreateBucketCommand({ Bucket }));
    await configure(Bucket, { TopicConfigurations: [{ TopicArn: String(TopicArn), Events: ['s3:ObjectCreated:*'] }] });
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x' }));
    const messages = (await receive(QueueUrl ?? '', 2)).map(({ Subject, Message }) => ({ Subject, message: JSON.parse(Message) }));
    expect(messages.map(({ Subject }) => Subject)).toEqual(['Amazon S3 Notification', 'Amazon S3 Notification']);
    expect(messages.map(({ message }) => message.Event ?? message.Records[0].eventName).sort()).toEqual(['ObjectCreated:Put', 's3:TestEvent']);
  });
});

describe('what S3 refuses', () => {
  const events: Event[] = ['s3:ObjectCreated:*'];
  const arn = (name: string, region = 'us-east-1') => `arn:aws:sqs:${region}:000000000000:${name}`;
  const rule = (QueueArn: string, more: object = {}) => ({ QueueArn, Events: events, ...more });
  const filter = (Name: string, Value: string) => ({ Filter: { Key: { FilterRules: [{ Name: Name as 'prefix', Value }] } } });
  const cases: [string, NotificationConfiguration, Record<string, string>][] = [
    [
      'an ARN of nothing',
      { QueueConfigurations: [rule('nothing')] },
      { message: 'The ARN could not be parsed', ArgumentName: 'Queue', ArgumentValue: 'nothing' },
    ],
    [
      'an event of nothing',
      { QueueConfigurations: [{ QueueArn: arn('q'), Events: ['s3:ObjectEaten:*' as Event] }] },
      { message: 'The event is not supported for notifications', ArgumentValue: 's3:ObjectEaten:*' },
    ],
    [
      'a rule that is neither',
      { QueueConfigurations: [rule(arn('q'), filter('middle', 'x'))] },
      { message: 'filter rule name must be either prefix or suffix' },
    ],
    [
      'another region',
      { QueueConfigurations: [rule(arn('q', 'eu-west-1'))] },
      { message: 'The notification destination service region is not valid for the bucket location constraint' },
    ],
    [
      'the same event twice',
      { QueueConfigurations: [rule(arn('q')), { QueueArn: arn('r'), Events: ['s3:ObjectCreated:Put'] }] },
      { message: 'Configurations overlap. Configurations on the same bucket cannot share a common event type.' },
    ],
    [
      'suffixes that overlap',
      { QueueConfigurations: [rule(arn('q'), filter('suffix', 'jpg')), rule(arn('r'), filter('suffix', 'pg'))] },
      {
        message: 'Configuration is ambiguously defined. Cannot have overlapping suffixes in two rules if the prefixes are overlapping for the same event type.',
      },
    ],
    [
      'queues that are not there',
      { QueueConfigurations: [rule(arn('no-1'), filter('prefix', 'a')), rule(arn('no-2'), filter('prefix', 'b'))] },
      {
        message: 'Unable to validate the following destination configurations',
        ArgumentName1: arn('no-1'),
        ArgumentValue1: 'The destination queue does not exist',
        ArgumentName2: arn('no-2'),
      },
    ],
    [
      'a function that is not there',
      { LambdaFunctionConfigurations: [{ LambdaFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:no', Events: events }] },
      {
        message: 'Unable to validate the following destination configurations',
        ArgumentName1: 'arn:aws:lambda:us-east-1:000000000000:function:no, null',
        ArgumentValue1: 'Not authorized to invoke function [arn:aws:lambda:us-east-1:000000000000:function:no]',
      },
    ],
  ];
  beforeAll(() => s3.send(new CreateBucketCommand({ Bucket: 'refusing' })));

  test.each(cases)('%s', async (_name, configuration, error) => {
    await expect(configure('refusing', configuration)).rejects.toMatchObject({ name: 'InvalidArgument', ...error });
    expect(await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: 'refusing' }))).not.toHaveProperty('QueueConfigurations');
  });

  test('prefixes that do not overlap are taken, and without validation queues need not be there', async () => {
    await configure('refusing', { QueueConfigurations: [rule(arn('no-1'), filter('prefix', 'a')), rule(arn('no-2'), filter('prefix', 'b'))] }, true);
    expect((await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: 'refusing' }))).QueueConfigurations).toHaveLength(2);
    await configure('refusing', {});
    expect(await s3.send(new GetBucketNotificationConfigurationCommand({ Bucket: 'refusing' }))).not.toHaveProperty('QueueConfigurations');
  });
});
