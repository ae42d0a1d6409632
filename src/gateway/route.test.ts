import { describe, expect, test } from 'vitest';
import { claimedCredential } from '../identity/scope.ts';
import { serviceIndex } from '../models/index.ts';
import { readHost } from './hosts.ts';
import { createRouter, RouteError } from './route.ts';

const router = createRouter(serviceIndex);

function route(method: string, url: string, headers: Record<string, string> = {}) {
  const [path = '', query = ''] = url.split('?');
  const all = { host: 'localhost:4566', ...headers };
  return router.route({ method, path, query, headers: all, credential: claimedCredential(all, query) });
}

const signed = (service: string, region = 'us-east-1') => ({
  authorization: `AWS4-HMAC-SHA256 Credential=test/20240101/${region}/${service}/aws4_request, SignedHeaders=host, Signature=0`,
});
const form = { 'content-type': 'application/x-www-form-urlencoded; charset=utf-8' };

describe('AWS APIs', () => {
  test.each([
    [
      'target, JSON 1.0',
      'POST',
      '/',
      { 'x-amz-target': 'DynamoDB_20120810.GetItem', 'content-type': 'application/x-amz-json-1.0' },
      'dynamodb',
      'awsJson1_0',
      'GetItem',
    ],
    [
      'target, JSON 1.1',
      'POST',
      '/',
      { 'x-amz-target': 'Logs_20140328.PutLogEvents', 'content-type': 'application/x-amz-json-1.1' },
      'logs',
      'awsJson1_1',
      'PutLogEvents',
    ],
    [
      'target of two services with one signing name',
      'POST',
      '/',
      { 'x-amz-target': 'DynamoDBStreams_20120810.ListStreams', ...signed('dynamodb') },
      'dynamodbstreams',
      'awsJson1_0',
      'ListStreams',
    ],
    [
      'CBOR',
      'POST',
      '/service/GraniteServiceVersion20100801/operation/PutMetricData',
      { 'smithy-protocol': 'rpc-v2-cbor' },
      'cloudwatch',
      'rpcv2Cbor',
      'PutMetricData',
    ],
    ['query by scope', 'POST', '/', { ...signed('sts'), ...form }, 'sts', 'awsQuery', undefined],
    ['an older SDK’s query to SQS', 'POST', '/', { ...signed('sqs'), ...form }, 'sqs', 'awsQuery', undefined],
    ['an older SDK’s query to CloudWatch', 'POST', '/', { ...signed('monitoring'), ...form }, 'cloudwatch', 'awsQuery', undefined],
    [
      'JSON to CloudWatch',
      'POST',
      '/',
      { 'x-amz-target': 'GraniteServiceVersion20100801.ListMetrics', 'content-type': 'application/x-amz-json-1.0' },
      'cloudwatch',
      'awsJson1_0',
      'ListMetrics',
    ],
    ['query string, unsigned', 'GET', '/?Action=GetCallerIdentity&Version=2011-06-15', {}, 'sts', 'awsQuery', undefined],
    ['REST by scope', 'GET', '/2015-03-31/functions', signed('lambda'), 'lambda', 'restJson', undefined],
    ['REST by path, unsigned', 'POST', '/2015-03-31/functions/f/invocations', {}, 'lambda', 'restJson', undefined],
    ['one signing name, API Gateway v1', 'GET', '/restapis', signed('apigateway'), 'apigateway', 'restJson', undefined],
    ['and v2', 'GET', '/v2/apis', signed('apigateway'), 'apigatewayv2', 'restJson', undefined],
    ['S3 by scope', 'PUT', '/bucket/key', signed('s3'), 's3', 'restXml', undefined],
    ['unsigned falls to S3', 'GET', '/bucket/key', {}, 's3', 'restXml', undefined],
    ['presigned', 'GET', '/bucket/key?X-Amz-Credential=test%2F20240101%2Feu-west-1%2Fs3%2Faws4_request', {}, 's3', 'restXml', undefined],
    ['an object whose URL says Action', 'GET', '/bucket/key?Action=x', {}, 's3', 'restXml', undefined],
    ['a queue’s URL', 'GET', '/000000000000/q?Action=ReceiveMessage&Version=2012-11-05', {}, 'sqs', 'awsQuery', undefined],
    ['a bucket named metrics', 'GET', '/metrics', signed('s3'), 's3', 'restXml', undefined],
    ['host', 'GET', '/schedules', { host: 'scheduler.eu-west-1.localhost.localstack.cloud:4566' }, 'scheduler', 'restJson', undefined],
    [
      'account-based DynamoDB host without a target',
      'POST',
      '/',
      { host: '000000000000.ddb.us-east-1.localhost.localstack.cloud' },
      'dynamodb',
      'awsJson1_0',
      undefined,
    ],
  ])('%s', (_, method, url, headers, service, codec, operation) => {
    expect(route(method, url, headers as Record<string, string>)).toMatchObject({ kind: 'api', service, codec, ...(operation ? { operation } : {}) });
  });

  test.each([
    ['bucket.s3.localhost:4566', '/bucket/key'],
    // An SDK whose endpoint is http://localhost:4566.
    ['bucket.localhost:4566', '/bucket/key'],
    ['lambda.localhost:4566', '/lambda/key'],
    ['my.bucket.localhost.localstack.cloud:4566', '/my.bucket/key'],
    ['croft.localhost:4566', undefined],
    ['bucket.s3.localhost.localstack.cloud:4566', '/bucket/key'],
    ['bucket.s3.us-east-1.localhost.localstack.cloud:4566', '/bucket/key'],
    ['bucket.s3.amazonaws.com', '/bucket/key'],
    ['bucket.s3.dualstack.eu-west-1.amazonaws.com', '/bucket/key'],
    ['my.dotted.bucket.s3.eu-west-1.amazonaws.com', '/my.dotted.bucket/key'],
    ['s3.localhost.localstack.cloud', undefined],
    ['localhost', undefined],
  ])('the bucket of %s moves into the path', (host, path) => {
    const found = route('GET', '/key', { host, ...signed('s3') });
    expect(found).toMatchObject({ kind: 'api', service: 's3' });
    expect('path' in found ? found.path : undefined).toBe(path);
  });

  test('a signed call for another service goes there, whatever the host says', () => {
    expect(route('GET', '/2015-03-31/functions', { host: 'bucket.s3.localhost', ...signed('lambda') })).toMatchObject({ service: 'lambda' });
  });

  test.each([
    ['DynamoDB_20120810.Nope', 'dynamodb'],
    ['Nope', undefined],
    ['Nope.Nope', undefined],
  ])('an unknown target %s', (target, service) => {
    const error = catchOf(() => route('POST', '/', { 'x-amz-target': target, 'content-type': 'application/x-amz-json-1.0' }));
    expect(error).toBeInstanceOf(RouteError);
    expect(error).toMatchObject({ service, codec: 'awsJson1_0', error: { code: 'UnknownOperationException', status: 400 } });
  });

  test('a query body names its service by version and action', () => {
    expect(router.byQueryBody('ListTopics', '2010-03-31')).toBe('sns');
    expect(router.byQueryBody('ListQueues', '2012-11-05')).toBe('sqs');
    expect(router.byQueryBody('CreateStack', undefined)).toBe('cloudformation');
    expect(router.byQueryBody('TagResource', undefined)).toBeUndefined();
    expect(router.byQueryBody(undefined, '2010-03-31')).toBeUndefined();
  });
});

describe('function endpoints', () => {
  test.each([
    ['abc123.execute-api.localhost:4566', '/prod/x', { endpoint: 'execute-api', id: 'abc123', path: '/prod/x' }],
    ['abc123.execute-api.localhost.localstack.cloud:4566', '/prod', { endpoint: 'execute-api', id: 'abc123', path: '/prod' }],
    ['abc123.execute-api.eu-west-1.localhost.localstack.cloud', '/', { endpoint: 'execute-api', id: 'abc123', path: '/', region: 'eu-west-1' }],
    ['abc123.execute-api.us-east-1.amazonaws.com', '/p', { endpoint: 'execute-api', id: 'abc123', region: 'us-east-1' }],
    ['url9.lambda-url.us-east-1.localhost:4566', '/', { endpoint: 'lambda-url', id: 'url9', region: 'us-east-1' }],
    ['url9.lambda-url.us-east-1.on.aws', '/', { endpoint: 'lambda-url', id: 'url9' }],
    ['localhost:4566', '/restapis/abc123/prod/_user_request_/a/b', { endpoint: 'execute-api', id: 'abc123', stage: 'prod', path: '/a/b' }],
    ['localhost:4566', '/restapis/abc123/prod/_user_request_', { endpoint: 'execute-api', id: 'abc123', stage: 'prod', path: '/' }],
    ['localhost:4566', '/_aws/execute-api/abc123/prod/a', { endpoint: 'execute-api', id: 'abc123', stage: 'prod', path: '/a' }],
    ['localhost:4566', '/_aws/execute-api/abc123', { endpoint: 'execute-api', id: 'abc123', stage: '', path: '/' }],
  ])('%s%s', (host, path, expected) => {
    expect(route('GET', path, { host })).toMatchObject({ kind: 'endpoint', ...expected });
  });
  test('an API’s own /metrics, /_croft and restapis paths are its own', () => {
    const host = 'abc123.execute-api.localhost:4566';
    for (const path of ['/metrics', '/_croft/health', '/2015-03-31/functions']) expect(route('GET', path, { host })).toMatchObject({ kind: 'endpoint', path });
  });
});

test.each(['/_croft/health', '/_localstack/health', '/_croft', '/metrics', '/_croft/nothing'])('%s is the admin API', (path) => {
  expect(route('GET', path)).toEqual({ kind: 'admin' });
});

test.each(['', ':', '[', '[::1', '.localhost', '..s3..localhost', 'a'.repeat(5000), '.execute-api.localhost', '\u0000', 's3.s3.s3.localhost'])(
  'host %j does no harm',
  (host) => {
    expect(() => readHost(host)).not.toThrow();
  },
);

function catchOf(run: () => unknown): unknown {
  try {
    run();
  } catch (error) {
    return error;
  }
  throw new Error('nothing was thrown');
}
