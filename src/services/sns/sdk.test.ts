import { createVerify, X509Certificate } from 'node:crypto';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as sdk from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let sns: sdk.SNSClient;
let queues: sqs.SQSClient;
let names = 0;

beforeAll(async () => {
  croft = await startCroft();
  sns = new sdk.SNSClient(croft.sdk);
  queues = new sqs.SQSClient(croft.sdk);
  croft.server.platform.clock.freeze();
});
afterAll(async () => {
  sns.destroy();
  queues.destroy();
  await croft.stop();
});

const quiet = async () => expect(await croft.server.platform.bus.quiet(10_000)).toBe(true);
const pass = (seconds: number) => croft.server.platform.clock.advance(seconds * 1000);
const fifoName = (fifo: boolean) => `n${names++}${fifo ? '.fifo' : ''}`;

async function topic(Attributes: Record<string, string> = {}): Promise<string> {
  const { TopicArn } = await sns.send(new sdk.CreateTopicCommand({ Name: fifoName(Attributes['FifoTopic'] === 'true'), Attributes }));
  return TopicArn ?? '';
}
async function queue(fifo = false): Promise<{ url: string; arn: string }> {
  const QueueName = fifoName(fifo);
  const { QueueUrl = '' } = await queues.send(new sqs.CreateQueueCommand({ QueueName, Attributes: fifo ? { FifoQueue: 'true' } : {} }));
  return { url: QueueUrl, arn: `arn:aws:sqs:us-east-1:000000000000:${QueueName}` };
}
async function subscribe(TopicArn: string, Endpoint: string, Attributes: Record<string, string> = {}, Protocol = 'sqs'): Promise<string> {
  const { SubscriptionArn } = await sns.send(new sdk.SubscribeCommand({ TopicArn, Protocol, Endpoint, Attributes, ReturnSubscriptionArn: true }));
  return SubscriptionArn ?? '';
}
async function received(QueueUrl: string): Promise<sqs.Message[]> {
  await quiet();
  const all: sqs.Message[] = [];
  for (;;) {
    const { Messages = [] } = await queues.send(
      new sqs.ReceiveMessageCommand({ QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'], MessageSystemAttributeNames: ['All'] }),
    );
    if (Messages.length === 0) return all;
    all.push(...Messages);
    for (const { ReceiptHandle } of Messages) await queues.send(new sqs.DeleteMessageCommand({ QueueUrl, ReceiptHandle }));
  }
}
const publish = (TopicArn: string, Message: string, more: Partial<sdk.PublishCommandInput> = {}) =>
  sns.send(new sdk.PublishCommand({ TopicArn, Message, ...more }));
const failure = async (promise: Promise<unknown>) => {
  try {
    await promise;
  } catch (error) {
    const { name, message, $metadata } = error as { name: string; message: string; $metadata: { httpStatusCode: number } };
    return [name, $metadata.httpStatusCode, message];
  }
  throw new Error('expected a rejection');
};

describe('standard topics', () => {
  it('hand messages on to queues, enveloped and raw, with a signature that holds', async () => {
    const arn = await topic({ SignatureVersion: '2' });
    const [enveloped, raw] = [await queue(), await queue()];
    const subscription = await subscribe(arn, enveloped.arn);
    await subscribe(arn, raw.arn, { RawMessageDelivery: 'true' });
    const MessageAttributes = { a: { DataType: 'Number', StringValue: '1' }, b: { DataType: 'Binary', BinaryValue: new Uint8Array([2, 3, 4]) } };
    const { MessageId } = await publish(arn, 'hello ✓', { Subject: 'greeting', MessageAttributes });
    const [plain] = await received(raw.url);
    expect(plain).toMatchObject({ Body: 'hello ✓', MessageAttributes });
    const [message] = await received(enveloped.url);
    expect(message?.Attributes?.['SenderId']).toBe('AIDAISMY7JYY5F7RTT6AO');
    const body = JSON.parse(message?.Body ?? '') as Record<string, string>;
    expect(Object.keys(body)).toEqual([
      ...[
        'Type',
        'MessageId',
        'TopicArn',
        'Subject',
        'Message',
        'Timestamp',
        'SignatureVersion',
        'Signature',
        'SigningCertURL',
        'UnsubscribeURL',
        'MessageAttributes',
      ],
    ]);
    expect(body).toMatchObject({
      Type: 'Notification',
      MessageId,
      SignatureVersion: '2',
      UnsubscribeURL: `http://localhost:${croft.port}/?Action=Unsubscribe&SubscriptionArn=${subscription}`,
      MessageAttributes: { a: { Type: 'Number', Value: '1' }, b: { Type: 'Binary', Value: 'AgME' } },
    });
    const certificate = new X509Certificate(await (await fetch(body['SigningCertURL'] ?? '')).text());
    const text = ['Message', 'MessageId', 'Subject', 'Timestamp', 'TopicArn', 'Type'].map((name) => `${name}\n${body[name]}\n`).join('');
    expect(
      createVerify('RSA-SHA256')
        .update(text)
        .verify(certificate.publicKey, body['Signature'] ?? '', 'base64'),
    ).toBe(true);
    expect(
      createVerify('RSA-SHA256')
        .update(`${text}x`)
        .verify(certificate.publicKey, body['Signature'] ?? '', 'base64'),
    ).toBe(false);
  });

  it('filter by attributes and by body, and forget the filter', async () => {
    const arn = await topic();
    const [byAttribute, byBody] = [await queue(), await queue()];
    const filtered = await subscribe(arn, byAttribute.arn, { RawMessageDelivery: 'true', FilterPolicy: '{"kind":["a"]}' });
    await subscribe(arn, byBody.arn, { RawMessageDelivery: 'true', FilterPolicyScope: 'MessageBody', FilterPolicy: '{"x":{"y":[{"numeric":[">",1]}]}}' });
    await publish(arn, '{"x":{"y":2}}', { MessageAttributes: { kind: { DataType: 'String', StringValue: 'b' } } });
    await publish(arn, '{"x":{"y":0}}', { MessageAttributes: { kind: { DataType: 'String.Array', StringValue: '["a"]' } } });
    expect((await received(byAttribute.url)).map(({ Body }) => Body)).toEqual(['{"x":{"y":0}}']);
    expect((await received(byBody.url)).map(({ Body }) => Body)).toEqual(['{"x":{"y":2}}']);
    await sns.send(new sdk.SetSubscriptionAttributesCommand({ SubscriptionArn: filtered, AttributeName: 'FilterPolicy', AttributeValue: '' }));
    await publish(arn, 'all');
    expect(await received(byAttribute.url)).toHaveLength(1);
  });

  it('give each protocol its own text, and dead letters what a queue that is gone should have got', async () => {
    const arn = await topic();
    const [gone, dead] = [await queue(), await queue()];
    await subscribe(arn, gone.arn, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn }) });
    await queues.send(new sqs.DeleteQueueCommand({ QueueUrl: gone.url }));
    await publish(arn, '{"default":"d","sqs":"for queues"}', { MessageStructure: 'json' });
    const [letter] = await received(dead.url);
    expect(JSON.parse(letter?.Body ?? '{}')).toMatchObject({ Type: 'Notification', Message: 'for queues' });
  });

  it('reach more subscriptions than one commit takes, each once', async () => {
    const arn = await topic();
    for (let i = 0; i < 230; i++) await subscribe(arn, `+1555${1_000_000 + i}`, {}, 'sms');
    await publish(arn, 'to all');
    await quiet();
    const { sms_messages: kept } = (await (await fetch(`${croft.endpoint}/_aws/sns/sms-messages`)).json()) as {
      sms_messages: Record<string, { Message: string }[]>;
    };
    const mine = Object.entries(kept).filter(([number]) => number.startsWith('+1555'));
    expect(mine).toHaveLength(230);
    expect(mine.every(([, messages]) => messages.length === 1 && messages[0]?.Message === 'to all')).toBe(true);
    const first = await sns.send(new sdk.ListSubscriptionsByTopicCommand({ TopicArn: arn }));
    expect(first.Subscriptions).toHaveLength(100);
    let [count, token] = [0, undefined as string | undefined];
    do {
      const page = await sns.send(new sdk.ListSubscriptionsByTopicCommand({ TopicArn: arn, ...(token ? { NextToken: token } : {}) }));
      count += page.Subscriptions?.length ?? 0;
      token = page.NextToken;
    } while (token);
    expect(count).toBe(230);
    await sns.send(new sdk.DeleteTopicCommand({ TopicArn: arn }));
    await quiet();
    expect((await sns.send(new sdk.ListSubscriptionsCommand({}))).Subscriptions?.filter(({ TopicArn }) => TopicArn === arn)).toEqual([]);
  });

  it('publish batches whole or not at all', async () => {
    const arn = await topic();
    const target = await queue();
    await subscribe(arn, target.arn, { RawMessageDelivery: 'true' });
    const batch = (...entries: sdk.PublishBatchRequestEntry[]) => sns.send(new sdk.PublishBatchCommand({ TopicArn: arn, PublishBatchRequestEntries: entries }));
    expect((await batch({ Id: '1', Message: 'a' }, { Id: '2', Message: 'b' })).Successful?.map(({ Id }) => Id)).toEqual(['1', '2']);
    expect(await failure(batch({ Id: '1', Message: 'a' }, { Id: '1', Message: 'b' }))).toEqual([
      'BatchEntryIdsNotDistinctException',
      400,
      'Two or more batch entries in the request have the same Id.',
    ]);
    expect((await failure(batch({ Id: '1', Message: 'a'.repeat(262_144) }, { Id: '2', Message: 'b' })))[0]).toBe('BatchRequestTooLongException');
    expect((await received(target.url)).map(({ Body }) => Body).sort()).toEqual(['a', 'b']);
  });

  it('word what is wrong as AWS does', async () => {
    const arn = await topic();
    expect(await failure(publish(`${arn}x`, 'm'))).toEqual(['NotFoundException', 404, 'Topic does not exist']);
    expect(await failure(publish('x', 'm'))).toEqual([
      'InvalidParameterException',
      400,
      'Invalid parameter: TopicArn Reason: An ARN must have at least 6 elements, not 1',
    ]);
    expect(await failure(publish(arn, 'a'.repeat(262_145)))).toEqual(['InvalidParameterException', 400, 'Invalid parameter: Message too long']);
    expect(await failure(subscribe(arn, 'x', {}, 'carrier-pigeon'))).toEqual([
      'InvalidParameterException',
      400,
      'Invalid parameter: Amazon SNS does not support this protocol string: carrier-pigeon',
    ]);
    expect(await failure(sns.send(new sdk.CreateTopicCommand({ Name: 'a.fifo' })))).toEqual([
      'InvalidParameterException',
      400,
      'Invalid parameter: Topic Name',
    ]);
    expect(await failure(publish(arn, 'm', { MessageAttributes: { a: { DataType: 'Number', StringValue: '' } } }))).toEqual([
      'InvalidParameterValueException',
      400,
      "The message attribute 'a' must contain non-empty message attribute value for message attribute type 'Number'.",
    ]);
  });
});

describe('FIFO topics', () => {
  it('keep the order of each group, know duplicates for five minutes, and number what they take', async () => {
    const arn = await topic({ FifoTopic: 'true', ContentBasedDeduplication: 'true' });
    const [ordered, plain] = [await queue(true), await queue()];
    await subscribe(arn, ordered.arn, { RawMessageDelivery: 'true' });
    await subscribe(arn, plain.arn);
    const sent = [];
    for (let i = 0; i < 20; i++) sent.push(await publish(arn, `m${i}`, { MessageGroupId: `g${i % 2}` }));
    const again = await publish(arn, 'm3', { MessageGroupId: 'g1' });
    expect([again.MessageId, again.SequenceNumber]).toEqual([sent[3]?.MessageId, sent[3]?.SequenceNumber]);
    const numbers = sent.map(({ SequenceNumber }) => SequenceNumber ?? '');
    expect(numbers).toEqual([...numbers].sort());
    expect(numbers[0]).toMatch(/^\d{20}$/);
    const messages = await received(ordered.url);
    for (const group of ['g0', 'g1']) {
      const bodies = messages.filter(({ Attributes }) => Attributes?.['MessageGroupId'] === group).map(({ Body }) => Body);
      expect(bodies).toEqual(sent.map((_, i) => `m${i}`).filter((_, i) => `g${i % 2}` === group));
    }
    const envelopes = (await received(plain.url)).map(({ Body = '' }) => JSON.parse(Body) as Record<string, string>);
    expect(envelopes).toHaveLength(20);
    expect(envelopes[0]).toHaveProperty('SequenceNumber');
    expect(envelopes[0]).not.toHaveProperty('Signature');
    pass(301);
    await publish(arn, 'm3', { MessageGroupId: 'g1' });
    expect(await received(ordered.url)).toHaveLength(1);
  });

  it('archive what they take, and replay it to one subscription', async () => {
    const arn = await topic({ FifoTopic: 'true', ContentBasedDeduplication: 'true', ArchivePolicy: '{"MessageRetentionPeriod":"1"}' });
    const attributes = (await sns.send(new sdk.GetTopicAttributesCommand({ TopicArn: arn }))).Attributes;
    expect(attributes).toMatchObject({ ArchivePolicy: '{"MessageRetentionPeriod":"1"}' });
    const start = attributes?.['BeginningArchiveTime'];
    for (let i = 0; i < 120; i++) await publish(arn, `m${i}`, { MessageGroupId: 'g' });
    await quiet();
    const target = await queue(true);
    const subscription = await subscribe(arn, target.arn, { ReplayPolicy: JSON.stringify({ PointType: 'Timestamp', StartingPoint: start }) });
    const again = (await received(target.url)).map(({ Body = '' }) => JSON.parse(Body) as Record<string, string>);
    expect(again.map(({ Message }) => Message)).toEqual(Array.from({ length: 120 }, (_, i) => `m${i}`));
    expect(again[0]).toMatchObject({ Replayed: 'true' });
    expect((await sns.send(new sdk.GetSubscriptionAttributesCommand({ SubscriptionArn: subscription }))).Attributes).toMatchObject({
      ReplayStatus: 'Completed',
    });
    expect((await failure(sns.send(new sdk.DeleteTopicCommand({ TopicArn: arn }))))[0]).toBe('InvalidStateException');
    await sns.send(new sdk.SetTopicAttributesCommand({ TopicArn: arn, AttributeName: 'ArchivePolicy', AttributeValue: '{}' }));
    await sns.send(new sdk.DeleteTopicCommand({ TopicArn: arn }));
  });

  it('take only queues, and ask for groups', async () => {
    const arn = await topic({ FifoTopic: 'true' });
    expect(await failure(publish(arn, 'm'))).toEqual([
      'InvalidParameterException',
      400,
      'Invalid parameter: The MessageGroupId parameter is required for FIFO topics',
    ]);
    expect((await failure(subscribe(arn, 'http://localhost/', {}, 'http')))[0]).toBe('InvalidParameterException');
    const standard = await topic();
    expect((await failure(subscribe(standard, (await queue(true)).arn)))[2]).toContain('FIFO SQS Queues can not be subscribed to standard SNS topics');
  });
});

interface Post {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** An HTTP endpoint that answers with the next of `statuses`, then 200. */
async function endpoint(...statuses: number[]) {
  const posts: Post[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      posts.push({ headers: request.headers, body: Buffer.concat(chunks).toString('utf8') });
      response.statusCode = statuses.shift() ?? 200;
      response.end();
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}/`, posts, close: () => new Promise((resolve) => server.close(resolve)) };
}

describe('HTTP endpoints', () => {
  it('are asked, then sent to, tried again, and told when they are unsubscribed', async () => {
    const arn = await topic();
    const dead = await queue();
    const target = await endpoint(200, 500, 503, 200, 404);
    const subscription = await subscribe(arn, target.url, { RedrivePolicy: JSON.stringify({ deadLetterTargetArn: dead.arn }) }, 'http');
    await quiet();
    const asked = JSON.parse(target.posts[0]?.body ?? '{}') as Record<string, string>;
    expect(target.posts[0]?.headers).toMatchObject({ 'x-amz-sns-message-type': 'SubscriptionConfirmation', 'x-amz-sns-topic-arn': arn });
    await publish(arn, 'too early');
    await quiet();
    expect(target.posts).toHaveLength(1);
    expect((await fetch(asked['SubscribeURL'] ?? '')).status).toBe(200);
    const { Attributes } = await sns.send(new sdk.GetSubscriptionAttributesCommand({ SubscriptionArn: subscription }));
    expect(Attributes).toMatchObject({ PendingConfirmation: 'false', Protocol: 'http' });
    await publish(arn, 'hello');
    await quiet();
    expect(target.posts).toHaveLength(2);
    for (let retry = 0; retry < 2; retry++) {
      pass(25);
      await quiet();
    }
    expect(target.posts.slice(1).map(({ body }) => (JSON.parse(body) as Record<string, string>)['Message'])).toEqual(['hello', 'hello', 'hello']);
    expect(target.posts[1]?.headers).toMatchObject({ 'x-amz-sns-subscription-arn': subscription, 'content-type': 'text/plain; charset=UTF-8' });
    await publish(arn, 'refused');
    expect((await received(dead.url)).map(({ Body = '' }) => (JSON.parse(Body) as Record<string, string>)['Message'])).toEqual(['refused']);
    await sns.send(new sdk.UnsubscribeCommand({ SubscriptionArn: subscription }));
    await quiet();
    const told = JSON.parse(target.posts.at(-1)?.body ?? '{}') as Record<string, string>;
    expect(told['Type']).toBe('UnsubscribeConfirmation');
    await sns.send(new sdk.ConfirmSubscriptionCommand({ TopicArn: arn, Token: told['Token'] ?? '' }));
    expect((await sns.send(new sdk.ListSubscriptionsByTopicCommand({ TopicArn: arn }))).Subscriptions?.map(({ SubscriptionArn }) => SubscriptionArn)).toEqual([
      subscription,
    ]);
    await target.close();
  });
});

describe('what is kept instead of sent', () => {
  it('can be read: email with its token, SMS, push', async () => {
    const arn = await topic();
    const email = await subscribe(arn, 'someone@example.com', {}, 'email');
    const { subscription_token: token } = (await (await fetch(`${croft.endpoint}/_aws/sns/subscription-tokens/${email}`)).json()) as {
      subscription_token: string;
    };
    await sns.send(new sdk.ConfirmSubscriptionCommand({ TopicArn: arn, Token: token }));
    await publish(arn, 'to the inbox', { Subject: 'hello' });
    await quiet();
    const { email_messages: emails } = (await (await fetch(`${croft.endpoint}/_aws/sns/email-messages?emailAddress=someone@example.com`)).json()) as {
      email_messages: Record<string, { Subject: string | null; Message: string; Token?: string }[]>;
    };
    expect(emails['someone@example.com']).toMatchObject([{ Token: token }, { Subject: 'hello', Message: 'to the inbox' }]);
    await sns.send(new sdk.PublishCommand({ PhoneNumber: '+491701234567', Message: 'sms' }));
    expect(await failure(sns.send(new sdk.PublishCommand({ PhoneNumber: '+1a234', Message: 'sms' })))).toEqual([
      'InvalidParameterException',
      400,
      'Invalid parameter: PhoneNumber Reason: +1a234 is not valid to publish to',
    ]);
    const Attributes = { PlatformPrincipal: 'p', PlatformCredential: 'c' };
    const { PlatformApplicationArn } = await sns.send(new sdk.CreatePlatformApplicationCommand({ Name: 'app', Platform: 'GCM', Attributes }));
    const { EndpointArn } = await sns.send(new sdk.CreatePlatformEndpointCommand({ PlatformApplicationArn, Token: 'device' }));
    await sns.send(new sdk.PublishCommand({ TargetArn: EndpointArn, Message: '{"GCM":"push"}', MessageStructure: 'json' }));
    const pushed = (await (await fetch(`${croft.endpoint}/_aws/sns/platform-endpoint-messages`)).json()) as {
      platform_endpoint_messages: Record<string, { Message: string }[]>;
    };
    expect(pushed.platform_endpoint_messages[EndpointArn ?? '']).toMatchObject([{ Message: 'push' }]);
    await sns.send(new sdk.SetEndpointAttributesCommand({ EndpointArn, Attributes: { Enabled: 'false' } }));
    expect((await failure(sns.send(new sdk.PublishCommand({ TargetArn: EndpointArn, Message: 'm' }))))[0]).toBe('EndpointDisabledException');
    expect((await fetch(`${croft.endpoint}/_aws/sns/sms-messages`, { method: 'DELETE' })).status).toBe(204);
  });
});
