import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import * as logs from '@aws-sdk/client-cloudwatch-logs';
import * as sdk from '@aws-sdk/client-eventbridge';
import * as lambda from '@aws-sdk/client-lambda';
import * as sns from '@aws-sdk/client-sns';
import * as sqs from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { zipFiles } from '../../compute/testing.ts';

interface Got {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

let croft: TestCroft;
let client: sdk.EventBridgeClient;
let queues: sqs.SQSClient;
let endpoint: Server;
let address = '';
let answers: ((got: Got) => { status: number; body?: string; headers?: Record<string, string> })[] = [];
const got: Got[] = [];
let names = 0;

beforeAll(async () => {
  croft = await startCroft();
  client = new sdk.EventBridgeClient(croft.sdk);
  queues = new sqs.SQSClient(croft.sdk);
  croft.server.platform.clock.freeze(Date.UTC(2026, 4, 1, 12));
  endpoint = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const one = { method: request.method ?? '', url: request.url ?? '', headers: request.headers, body: Buffer.concat(chunks).toString() };
    got.push(one);
    const { status, body = '', headers = {} } = answers.shift()?.(one) ?? { status: 200 };
    response.writeHead(status, headers).end(body);
  });
  await new Promise<void>((resolve) => endpoint.listen(0, '127.0.0.1', resolve));
  address = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
});
afterAll(async () => {
  client.destroy();
  queues.destroy();
  endpoint.closeAllConnections();
  endpoint.close();
  await croft.stop();
});

const quiet = () => croft.server.platform.bus.quiet(10_000);
const arn = (resource: string, service = 'events', region = 'us-east-1') => `arn:aws:${service}:${region}:000000000000:${resource}`;

/** A bus with one rule for everything, and one target. */
async function busTo(target: Omit<sdk.Target, 'Id'>): Promise<string> {
  const EventBusName = `bus${names++}`;
  await client.send(new sdk.CreateEventBusCommand({ Name: EventBusName }));
  await client.send(new sdk.PutRuleCommand({ Name: 'all', EventBusName, EventPattern: '{"source":[{"prefix":""}]}' }));
  await client.send(new sdk.PutTargetsCommand({ Rule: 'all', EventBusName, Targets: [{ Id: 't', ...target }] }));
  return EventBusName;
}

const put = async (EventBusName: string, Detail = '{"a":1}') => {
  const { Entries } = await client.send(new sdk.PutEventsCommand({ Entries: [{ EventBusName, Source: 's', DetailType: 'd', Detail }] }));
  await quiet();
  return Entries?.[0]?.EventId ?? '';
};

async function queue(name = `q${names++}`, region = 'us-east-1') {
  const own = region === 'us-east-1' ? queues : new sqs.SQSClient({ ...croft.sdk, region });
  const { QueueUrl = '' } = await own.send(new sqs.CreateQueueCommand({ QueueName: name }));
  const receive = async () =>
    (await own.send(new sqs.ReceiveMessageCommand({ QueueUrl, MessageAttributeNames: ['All'], MaxNumberOfMessages: 10 }))).Messages ?? [];
  return { url: QueueUrl, arn: arn(name, 'sqs', region), receive };
}

describe('targets', () => {
  it('are functions, called with the event', async () => {
    const functions = new lambda.LambdaClient(croft.sdk);
    const code = 'import json\ndef handler(event, context):\n    print(json.dumps(event))\n';
    const ZipFile = await zipFiles({ 'index.py': Buffer.from(code) });
    const { FunctionArn } = await functions.send(
      new lambda.CreateFunctionCommand({
        FunctionName: 'f',
        Runtime: 'python3.12',
        Handler: 'index.handler',
        Role: 'arn:aws:iam::000000000000:role/f',
        Code: { ZipFile },
      }),
    );
    const id = await put(await busTo({ Arn: FunctionArn }));
    const reader = new logs.CloudWatchLogsClient(croft.sdk);
    // Log lines are written after the invocation's end.
    const printed = async (): Promise<string[]> => {
      const input = { logGroupName: '/aws/lambda/f', filterPattern: '"detail-type"' };
      const { events = [] } = await reader.send(new logs.FilterLogEventsCommand(input)).catch((error: Error) => {
        if (error.name !== 'ResourceNotFoundException') throw error;
        return { events: [] };
      });
      return events.map(({ message = '' }) => JSON.parse(message).id);
    };
    while ((await printed()).length === 0) await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await printed()).toEqual([id]);
  });

  it('are topics', async () => {
    const topics = new sns.SNSClient(croft.sdk);
    const { TopicArn } = await topics.send(new sns.CreateTopicCommand({ Name: 't' }));
    const target = await queue();
    await topics.send(new sns.SubscribeCommand({ TopicArn, Protocol: 'sqs', Endpoint: target.arn }));
    const id = await put(await busTo({ Arn: TopicArn }));
    await quiet();
    const [message] = await target.receive();
    expect(JSON.parse(JSON.parse(message?.Body ?? '').Message).id).toBe(id);
  });

  it('are log groups, one stream an event', async () => {
    const client = new logs.CloudWatchLogsClient(croft.sdk);
    const logGroupName = '/aws/events/all';
    await client.send(new logs.CreateLogGroupCommand({ logGroupName }));
    const id = await put(await busTo({ Arn: arn(`log-group:${logGroupName}`, 'logs') }));
    const InputTemplate = '{"timestamp": <at>, "message": "n is <n>"}';
    const shaped = await busTo({
      Arn: arn(`log-group:${logGroupName}:*`, 'logs'),
      InputTransformer: { InputPathsMap: { n: '$.detail.a', at: '$.detail.at' }, InputTemplate },
    });
    const atMs = croft.server.platform.clock.virtual() - 1000;
    await put(shaped, JSON.stringify({ a: 7, at: atMs }));
    const { events = [] } = await client.send(new logs.FilterLogEventsCommand({ logGroupName }));
    expect(events.map(({ timestamp, message = '' }) => [timestamp, message.startsWith('{') ? JSON.parse(message).id : message])).toEqual([
      [atMs, 'n is 7'],
      [atMs + 1000, id],
    ]);
  });

  it('are buses of other regions, where an event gets an id of its own', async () => {
    const region = 'eu-west-1';
    const far = new sdk.EventBridgeClient({ ...croft.sdk, region });
    const target = await queue('far', region);
    await far.send(new sdk.PutRuleCommand({ Name: 'all', EventPattern: '{"source":["s"]}' }));
    await far.send(new sdk.PutTargetsCommand({ Rule: 'all', Targets: [{ Id: 't', Arn: target.arn }] }));
    const id = await put(await busTo({ Arn: arn('event-bus/default', 'events', region) }));
    await quiet();
    const [message] = await target.receive();
    const event = JSON.parse(message?.Body ?? '{}');
    expect([event.region, event.source]).toEqual(['us-east-1', 's']);
    expect(event.id).not.toBe(id);
  });
});

describe('API destinations', () => {
  async function destination(connection: Omit<sdk.CreateConnectionCommandInput, 'Name'>, path = '/hook') {
    const Name = `c${names++}`;
    const { ConnectionArn } = await client.send(new sdk.CreateConnectionCommand({ Name, ...connection }));
    const { ApiDestinationArn } = await client.send(
      new sdk.CreateApiDestinationCommand({ Name, ConnectionArn, InvocationEndpoint: `${address}${path}`, HttpMethod: 'POST' }),
    );
    return ApiDestinationArn ?? '';
  }
  const basic = { AuthorizationType: 'BASIC', AuthParameters: { BasicAuthParameters: { Username: 'u', Password: 'p' } } } as const;

  it('are called with the connection’s authorization and parameters', async () => {
    got.length = 0;
    const HeaderParameters = [{ Key: 'X-Own', Value: 'secret', IsValueSecret: true }];
    const AuthParameters = { ...basic.AuthParameters, InvocationHttpParameters: { HeaderParameters, BodyParameters: [{ Key: 'more', Value: 'b' }] } };
    const Arn = await destination({ AuthorizationType: 'BASIC', AuthParameters }, '/hook/*/x');
    const HttpParameters = { PathParameterValues: ['a b'], HeaderParameters: { 'x-target': 't', 'x-own': 'overridden' }, QueryStringParameters: { q: '1' } };
    await put(await busTo({ Arn, RoleArn: 'arn:aws:iam::000000000000:role/r', InputPath: '$.detail', HttpParameters }));
    expect(got).toHaveLength(1);
    expect(got[0]).toMatchObject({
      method: 'POST',
      url: '/hook/a%20b/x?q=1',
      body: '{"a":1,"more":"b"}',
      headers: {
        authorization: `Basic ${Buffer.from('u:p').toString('base64')}`,
        'user-agent': 'Amazon/EventBridge/ApiDestinations',
        'content-type': 'application/json; charset=utf-8',
        range: 'bytes=0-1048575',
        'x-own': 'secret',
        'x-target': 't',
      },
    });
  });

  it('are tried again when they fail for a while, and not when they refuse', async () => {
    got.length = 0;
    const Arn = await destination(basic);
    const dead = await queue();
    const bus = await busTo({ Arn, DeadLetterConfig: { Arn: dead.arn }, RetryPolicy: { MaximumRetryAttempts: 2 } });
    answers = [() => ({ status: 500 }), () => ({ status: 429, headers: { 'Retry-After': '60' } })];
    await put(bus);
    const { clock } = croft.server.platform;
    clock.advance(2000);
    await quiet();
    expect(got).toHaveLength(2);
    clock.advance(59_000);
    await quiet();
    expect(got).toHaveLength(2);
    clock.advance(2000);
    await quiet();
    expect(got).toHaveLength(3);
    expect(await dead.receive()).toEqual([]);
    answers = Array.from({ length: 3 }, () => () => ({ status: 503 }));
    await put(bus);
    for (let n = 0; n < 2; n++) {
      clock.advance(10_000);
      await quiet();
    }
    const [exhausted] = await dead.receive();
    expect(Object.fromEntries(Object.entries(exhausted?.MessageAttributes ?? {}).map(([key, { StringValue }]) => [key, StringValue]))).toMatchObject({
      ERROR_CODE: 'ERROR_FROM_TARGET',
      EXHAUSTED_RETRY_CONDITION: 'MaximumRetryAttempts',
      RETRY_ATTEMPTS: '2',
    });
    answers = [() => ({ status: 404 })];
    await put(bus);
    const [refused] = await dead.receive();
    expect(refused?.MessageAttributes?.['RETRY_ATTEMPTS']?.StringValue).toBe('0');
  });

  it('are called with an OAuth token, asked for once and anew when it is refused', async () => {
    got.length = 0;
    let token = 0;
    const issue = () => ({ status: 200, body: JSON.stringify({ access_token: `t${++token}`, token_type: 'bearer', expires_in: 3600 }) });
    answers = [issue, () => ({ status: 200 }), () => ({ status: 401 }), issue];
    const Arn = await destination({
      AuthorizationType: 'OAUTH_CLIENT_CREDENTIALS',
      AuthParameters: {
        OAuthParameters: { AuthorizationEndpoint: `${address}/token`, HttpMethod: 'POST', ClientParameters: { ClientID: 'id', ClientSecret: 'secret' } },
      },
    });
    const Name = Arn.split('/')[1];
    const state = async () => (await client.send(new sdk.DescribeApiDestinationCommand({ Name }))).ApiDestinationState;
    expect(await state()).toBe('INACTIVE');
    croft.server.platform.clock.advance(2000);
    await quiet();
    expect(await state()).toBe('ACTIVE');
    const bus = await busTo({ Arn });
    await put(bus);
    await put(bus);
    croft.server.platform.clock.advance(5000);
    await quiet();
    expect(got.map(({ url, headers }) => [url, headers.authorization])).toEqual([
      ['/token', undefined],
      ['/hook', 'Bearer t1'],
      ['/hook', 'Bearer t1'],
      ['/token', undefined],
      ['/hook', 'Bearer t2'],
    ]);
    expect(got[0]?.body).toBe('grant_type=client_credentials&client_id=id&client_secret=secret');
  });
});
