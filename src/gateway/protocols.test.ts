import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { Readable } from 'node:stream';
import { CloudWatchClient, ListMetricsCommand } from '@aws-sdk/client-cloudwatch';
import { GetFunctionCommand, InvokeCommand, LambdaClient, ListLayersCommand } from '@aws-sdk/client-lambda';
import { GetObjectCommand, HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { GetCallerIdentityCommand, STSClient } from '@aws-sdk/client-sts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGateway, type TestGateway } from './testing/gateway.ts';
import { testRooms } from './testing/rooms.ts';

const { rooms, objects } = testRooms();
let croft: TestGateway;
beforeAll(async () => {
  croft = await startGateway(rooms, { maxBodyBytes: 1_000_000 });
});
afterAll(() => croft.stop());

describe('each SDK client in its own protocol', () => {
  test('awsQuery: STS', async () => {
    const sts = new STSClient(croft.sdk);
    expect(await sts.send(new GetCallerIdentityCommand({}))).toMatchObject({ Account: '000000000000', Arn: 'arn:aws:iam::000000000000:root' });
  });
  test('JSON: SQS', async () => {
    expect(
      await new SQSClient({ ...croft.sdk, md5: false }).send(new SendMessageCommand({ QueueUrl: `${croft.endpoint}/000000000000/q`, MessageBody: 'hi' })),
    ).toMatchObject({ MessageId: 'hi' });
  });
  test('CBOR: CloudWatch', async () => {
    expect((await new CloudWatchClient(croft.sdk).send(new ListMetricsCommand({}))).Metrics).toEqual([{ Namespace: 'us-east-1' }]);
  });
  test('restJson: Lambda, with its errors', async () => {
    const lambda = new LambdaClient(croft.sdk);
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'f', Payload: '{"a":1}' }));
    expect(Buffer.from(answer.Payload ?? []).toString()).toBe('{"a":1}');
    await expect(lambda.send(new GetFunctionCommand({ FunctionName: 'f' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      Type: 'User',
      $metadata: { httpStatusCode: 404 },
    });
    await expect(lambda.send(new ListLayersCommand({}))).rejects.toMatchObject({ name: 'NotImplemented', $metadata: { httpStatusCode: 501 } });
  });
  test.each([true, false])('restXml: S3 streams both ways, path style %s', async (forcePathStyle) => {
    // A virtual host needs no DNS here: *.localhost is this machine.
    const s3 = new S3Client({
      ...croft.sdk,
      endpoint: forcePathStyle ? croft.endpoint : `http://localhost:${croft.port}`,
      forcePathStyle,
      ...lookupLocal(),
    });
    const body = Buffer.alloc(300_000, 'abc');
    await s3.send(
      new PutObjectCommand({
        Bucket: 'b',
        Key: 'dir/k y',
        Body: Readable.from([body.subarray(0, 100_000), body.subarray(100_000)]),
        ContentLength: body.length,
      }),
    );
    expect(objects.get('b/dir/k y')?.equals(body)).toBe(true);
    const got = await s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'dir/k y' }));
    expect(Buffer.from((await got.Body?.transformToByteArray()) ?? []).equals(body)).toBe(true);
    expect((await s3.send(new HeadObjectCommand({ Bucket: 'b', Key: 'dir/k y' }))).ContentLength).toBe(300_000);
    await expect(s3.send(new GetObjectCommand({ Bucket: 'b', Key: 'none' }))).rejects.toMatchObject({ name: 'NoSuchKey' });
    objects.clear();
  });
});

describe('the same service in another protocol', () => {
  test('an older SDK’s query to SQS and CloudWatch, told apart by the body', async () => {
    const sqs = await post('/', { 'content-type': 'application/x-www-form-urlencoded' }, 'Action=ListQueues&Version=2012-11-05');
    expect(sqs).toMatchObject({ status: 200, body: expect.stringContaining('<QueueUrl>000000000000/us-east-1</QueueUrl>') });
    const cloudwatch = await post(
      '/',
      { 'content-type': 'application/x-www-form-urlencoded', ...scope('monitoring', 'eu-west-1') },
      'Action=ListMetrics&Version=2010-08-01',
    );
    expect(cloudwatch).toMatchObject({ status: 200, body: expect.stringContaining('<Namespace>eu-west-1</Namespace>') });
  });
  test('SQS, sent to the queue’s own URL', async () => {
    const answer = await post(
      '/000000000000/q',
      { 'content-type': 'application/x-www-form-urlencoded', ...scope('sqs') },
      'Action=SendMessage&Version=2012-11-05&MessageBody=hi',
    );
    expect(answer).toMatchObject({ status: 200, body: expect.stringContaining('<MessageId>hi</MessageId>') });
  });
  test('Action in the query string', async () => {
    expect(await send('GET', '/?Action=GetCallerIdentity&Version=2011-06-15')).toMatchObject({
      status: 200,
      body: expect.stringContaining('<Account>000000000000</Account>'),
    });
  });
});

describe('what names no operation', () => {
  const form = { 'content-type': 'application/x-www-form-urlencoded' };
  test.each([
    [
      'query, unknown action',
      () => post('/', { ...form, ...scope('sts') }, 'Action=Nope&Version=2011-06-15'),
      400,
      '<Code>InvalidAction</Code><Message>The action Nope is not valid for this web service.</Message>',
    ],
    ['query, no action', () => post('/', { ...form, ...scope('sts') }, 'Version=2011-06-15'), 400, 'MissingAction'],
    ['query, unsigned and unknown', () => post('/', form, 'Action=Nope'), 400, 'InvalidAction'],
    ['Lambda, unknown path', () => send('GET', '/2015-03-31/nope', scope('lambda')), 404, 'UnknownOperationException'],
    ['JSON without a target', () => post('/', { 'content-type': 'application/x-amz-json-1.0', ...scope('sqs') }, '{}'), 400, 'UnknownOperationException'],
    [
      'a modelled service without a room',
      () => post('/', { 'x-amz-target': 'TrentService.Encrypt', 'content-type': 'application/x-amz-json-1.1' }, '{}'),
      501,
      'kms:Encrypt is not implemented by Croft',
    ],
    ['a REST service without a room', () => send('GET', '/schedules', scope('scheduler')), 501, 'scheduler:ListSchedules is not implemented by Croft'],
    ['CBOR', () => post('/service/GraniteServiceVersion20100801/operation/Nope', { 'smithy-protocol': 'rpc-v2-cbor' }, ''), 404, 'UnknownOperationException'],
  ])('%s', async (_, ask, status, text) => {
    const answer = await ask();
    expect(answer.status).toBe(status);
    // The REST JSON protocol names the error in a header.
    expect(`${answer.body} ${String(answer.headers['x-amzn-errortype'])}`).toContain(text);
    expect(croft.errors).toEqual([]);
  });
  test('S3, a method that no object has', async () => {
    expect(await send('PATCH', '/b/k', scope('s3'))).toMatchObject({ status: 405, body: expect.stringContaining('<Code>MethodNotAllowed</Code>') });
  });
});

describe('hostile input is the sender’s fault', () => {
  const json = { 'x-amz-target': 'AmazonSQS.SendMessage', 'content-type': 'application/x-amz-json-1.0' };
  test.each([
    ['broken JSON', json, '{'],
    ['deep JSON', json, '['.repeat(100_000)],
    ['a wrong type', json, '{"QueueUrl": {"a": 1}}'],
    ['a missing member', json, '{}'],
    ['broken form', { 'content-type': 'application/x-www-form-urlencoded', ...scope('sqs') }, '%&=%zz&Action=SendMessage&=&a.1.=x'],
    ['broken CBOR', { 'smithy-protocol': 'rpc-v2-cbor', 'content-type': 'application/cbor' }, '\xff\xff'],
    ['a body that is too long', json, 'x'.repeat(1_000_001)],
    ['a strange credential', { ...json, authorization: 'AWS4-HMAC-SHA256 Credential=/////,,,' }, '{}'],
    ['a strange region', { ...json, ...scope('sqs', '../../etc') }, '{"QueueUrl":"q","MessageBody":"m"}'],
  ])('%s', async (_, headers, body) => {
    const path = 'smithy-protocol' in headers ? '/service/GraniteServiceVersion20100801/operation/ListMetrics' : '/';
    const answer = await post(path, headers as Record<string, string>, body);
    expect(answer.status).toBeLessThan(500);
    expect(croft.errors).toEqual([]);
  });
  test('the error of a body that is too long, announced or not', async () => {
    const long = 'x'.repeat(1_000_001);
    expect(await post('/', json, long)).toMatchObject({ status: 413, body: expect.stringContaining('RequestEntityTooLargeException') });
    expect(await post('/', { ...json, 'transfer-encoding': 'chunked' }, long)).toMatchObject({ status: 413 });
    expect(await post('/b?delete', scope('s3'), long)).toMatchObject({ status: 400, body: expect.stringContaining('MaxMessageLengthExceeded') });
  });
  test.each([
    ['no HTTP', 'hello\r\n\r\n', '400'],
    ['headers without end', `GET / HTTP/1.1\r\nHost: localhost\r\nA: ${'x'.repeat(40_000)}\r\n\r\n`, '431'],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc', '400'],
    ['length and chunks', 'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', '400'],
  ])('%s', async (_, bytes, status) => {
    expect((await raw(bytes)).slice(9, 12)).toBe(status);
  });
});

describe('function endpoints', () => {
  test.each([
    [
      'host',
      'abc.execute-api.eu-west-1.localhost',
      '/prod/a%20b?x=1',
      { id: 'abc', path: '/prod/a%20b', query: 'x=1', region: 'eu-west-1', body: 'hi', caller: 'anonymous' },
    ],
    ['path', 'localhost', '/restapis/abc/prod/_user_request_/a?x=1', { id: 'abc', stage: 'prod', path: '/a', query: 'x=1' }],
  ])('by %s', async (_, host, path, expected) => {
    expect(JSON.parse((await post(path, { host }, 'hi')).body)).toMatchObject(expected);
  });
  test('whose answer HTTP cannot carry', async () => {
    expect(await send('GET', '/restapis/abc/prod/_user_request_/broken')).toMatchObject({
      status: 500,
      body: expect.stringContaining('Internal server error'),
    });
    expect(croft.errors.splice(0).join()).toContain('Invalid status code');
  });
  test('that no room answers', async () => {
    expect(await send('GET', '/', { host: 'x.lambda-url.us-east-1.localhost' })).toMatchObject({ status: 404 });
  });
});

test('100-continue: the body is asked for only when the request is fine', async () => {
  const head = (target: string) =>
    `POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: ${target}\r\nContent-Type: application/x-amz-json-1.0\r\nExpect: 100-continue\r\nContent-Length: 36\r\nConnection: close\r\n\r\n`;
  const fine = await raw(head('AmazonSQS.SendMessage'), (text) =>
    text.includes('100 Continue') ? '{"QueueUrl":"q", "MessageBody":"mmm"}'.slice(0, 36) : undefined,
  );
  expect(fine).toContain('100 Continue');
  expect(await raw(head('AmazonSQS.Nope'))).not.toContain('100 Continue');
});

test('several requests on one connection', async () => {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const ports = new Set<number | undefined>();
  for (let i = 0; i < 3; i++) {
    await send('GET', '/_croft/health', {}, undefined, agent, (port) => ports.add(port));
  }
  expect(ports.size).toBe(1);
  agent.destroy();
});

interface Answer {
  readonly status: number;
  readonly headers: Record<string, unknown>;
  readonly body: string;
}

function scope(service: string, region = 'us-east-1'): Record<string, string> {
  return { authorization: `AWS4-HMAC-SHA256 Credential=test/20240101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0` };
}

function post(path: string, headers: Record<string, string>, body: string): Promise<Answer> {
  return send('POST', path, headers, body);
}

/** node:http, because fetch sets Host and Content-Length itself. */
function send(
  method: string,
  path: string,
  headers: Record<string, string> = {},
  body?: string,
  agent?: Agent,
  onPort?: (port: number | undefined) => void,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: croft.port, method, path, headers, ...(agent ? { agent } : {}) }, (response) => {
      const parts: Buffer[] = [];
      onPort?.(response.socket.localPort);
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts).toString('latin1') }));
    });
    request.on('error', reject);
    request.end(body === undefined ? undefined : Buffer.from(body, 'latin1'));
  });
}

/** Bytes on a socket; all that comes back until it closes. */
function raw(bytes: string, reply?: (soFar: string) => string | undefined): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    let replied = false;
    const socket = connect(croft.port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (part) => {
      text += part.toString('latin1');
      const answer = replied ? undefined : reply?.(text);
      if (answer === undefined) return;
      replied = true;
      socket.write(answer);
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
}

/** Resolvers differ in what they do with names under .localhost. */
function lookupLocal() {
  return {
    requestHandler: {
      httpAgent: new Agent({
        lookup: (_name, options, done) => (options.all ? done(null, [{ address: '127.0.0.1', family: 4 }]) : done(null, '127.0.0.1', 4)),
      }),
    },
  };
}
