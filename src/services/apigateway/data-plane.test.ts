import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { fakePlatform } from '../../../test/fake-platform.ts';
import { AwsError } from '../../kit/errors.ts';
import type { EndpointRequest, Service } from '../service.ts';
import { createApiGatewayRoom } from './index.ts';

type Rig = Awaited<ReturnType<typeof fakePlatform>>;
interface Answer {
  status: number;
  headers: Record<string, string>;
  multiHeaders?: Record<string, string[]>;
  body: string;
  // biome-ignore lint/suspicious/noExplicitAny: bodies are looked into freely
  json: any;
}

const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function:f';
const uriOf = (arn: string) => `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${arn}/invocations`;
const STAGE = 'dev';

let rig: Rig;
let room: Service;
let restApiId: string;
let rootId: string;
/** What the function answers: a value, an error, or a wait; and the events it got. */
let answer: (event: Record<string, unknown>, functionName: string) => unknown;
let events: Record<string, unknown>[];

// A fake, because these tests are about what API Gateway sends and what it makes of the answer; the real room is covered end to end.
const lambda: Service = {
  name: 'lambda',
  operations: {
    Invoke: {
      run: async (_ctx, input: { FunctionName: string; Payload: Uint8Array }) => {
        const event = JSON.parse(Buffer.from(input.Payload).toString('utf8')) as Record<string, unknown>;
        events.push(event);
        const value = await answer(event, input.FunctionName);
        if (value instanceof AwsError) throw value;
        if (value instanceof Error) {
          return { StatusCode: 200, FunctionError: 'Unhandled', Payload: Buffer.from(JSON.stringify({ errorMessage: value.message, errorType: 'Exception' })) };
        }
        return { StatusCode: 200, Payload: Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)) };
      },
    },
  },
};

// biome-ignore lint/suspicious/noExplicitAny: answers are looked into freely
const api = (operation: string, input: Record<string, unknown> = {}): Promise<any> => rig.ctx.call('apigateway', operation, { restApiId, ...input });

async function resource(path: string): Promise<string> {
  let parentId = rootId;
  let full = '';
  for (const pathPart of path.split('/').slice(1)) {
    full += `/${pathPart}`;
    const { items } = await api('GetResources', { limit: 500 });
    const found = items.find((row: { path: string }) => row.path === full);
    parentId = found ? found.id : (await api('CreateResource', { parentId, pathPart })).id;
  }
  return parentId;
}

async function method(path: string, httpMethod: string, integration: Record<string, unknown>, more: Record<string, unknown> = {}): Promise<string> {
  const resourceId = path === '/' ? rootId : await resource(path);
  await api('PutMethod', { resourceId, httpMethod, authorizationType: 'NONE', ...more });
  await api('PutIntegration', { resourceId, httpMethod, ...integration });
  return resourceId;
}

const proxy = { type: 'AWS_PROXY', integrationHttpMethod: 'POST', uri: uriOf(FUNCTION) };
const deploy = (more: Record<string, unknown> = {}) => api('CreateDeployment', { stageName: STAGE, ...more });

async function request(
  httpMethod: string,
  url: string,
  options: { headers?: [string, string][]; body?: string | Buffer; stage?: string; host?: string } = {},
): Promise<Answer> {
  const mark = url.indexOf('?');
  const rawHeaders = options.headers ?? [];
  const incoming: EndpointRequest = {
    method: httpMethod,
    path: mark === -1 ? url : url.slice(0, mark),
    query: mark === -1 ? '' : url.slice(mark + 1),
    headers: Object.fromEntries(rawHeaders.map(([name, value]) => [name.toLowerCase(), value])),
    body: Buffer.from(options.body ?? ''),
    id: restApiId,
    ...(options.stage === undefined ? {} : { stage: options.stage }),
    rawHeaders,
    host: options.host ?? `${restApiId}.execute-api.localhost:4566`,
    scheme: 'http',
    httpVersion: '1.1',
    sourceIp: '127.0.0.1',
  };
  const handler = room.endpoints?.['execute-api'];
  if (!handler) throw new Error('no endpoint');
  const wire = await handler(rig.ctx, incoming);
  const body = Buffer.isBuffer(wire.body) ? wire.body.toString('latin1') : String(wire.body);
  let json: unknown;
  try {
    json = JSON.parse(body);
  } catch {
    json = undefined;
  }
  return { status: wire.status, headers: wire.headers, multiHeaders: (wire.multiHeaders ?? {}) as Record<string, string[]>, body, json };
}

beforeEach(async () => {
  room = createApiGatewayRoom();
  rig = await fakePlatform([room, lambda]);
  events = [];
  answer = (event) => ({ statusCode: 200, body: JSON.stringify(event) });
  const created = await rig.ctx.call('apigateway', 'CreateRestApi', { name: 'test' });
  restApiId = String(created['id']);
  rootId = String(created['rootResourceId']);
});
afterEach(() => room.stop?.());

describe('routing', () => {
  const marked = (name: string) => ({ type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' }, _name: name });
  const mocked = async (path: string, httpMethod: string, name: string) => {
    const { _name, ...integration } = marked(name);
    const resourceId = await method(path, httpMethod, integration);
    await api('PutIntegrationResponse', {
      resourceId,
      httpMethod,
      statusCode: '200',
      responseTemplates: { 'application/json': JSON.stringify({ route: _name }) },
    });
  };
  const route = async (httpMethod: string, path: string) => (await request(httpMethod, `/${STAGE}${path}`)).json;

  it('prefers literal to parameter to greedy, the method to ANY, and falls back where the method is missing', async () => {
    await mocked('/', 'GET', 'root');
    await mocked('/test', 'POST', 'literal');
    await mocked('/test/any', 'ANY', 'any');
    await mocked('/test/{id}', 'GET', 'parameter');
    await mocked('/test/{id}/more', 'GET', 'below parameter');
    await mocked('/{proxy+}', 'OPTIONS', 'greedy');
    await deploy();
    expect(await route('GET', '')).toEqual({ route: 'root' });
    expect(await route('GET', '/')).toEqual({ route: 'root' });
    expect(await route('POST', '/test')).toEqual({ route: 'literal' });
    expect(await route('POST', '/test/')).toEqual({ route: 'literal' });
    expect(await route('OPTIONS', '/test')).toEqual({ route: 'greedy' });
    expect(await route('OPTIONS', '/test/any')).toEqual({ route: 'any' });
    expect(await route('GET', '/test/7')).toEqual({ route: 'parameter' });
    expect(await route('GET', '/test/any/more')).toEqual({ route: 'below parameter' });
    expect(await route('OPTIONS', '/a/b/c')).toEqual({ route: 'greedy' });
    for (const [httpMethod, path] of [
      ['GET', '/nope'],
      ['DELETE', '/test'],
      ['GET', '/test/7/8'],
    ] as const) {
      const missing = await request(httpMethod, `/${STAGE}${path}`);
      expect([missing.status, missing.body, missing.headers['x-amzn-ErrorType']]).toEqual([
        403,
        '{"message":"Missing Authentication Token"}',
        'MissingAuthenticationTokenException',
      ]);
    }
  });

  it('serves what was deployed, and what is deployed next', async () => {
    await mocked('/a', 'GET', 'first');
    await deploy();
    expect(await route('GET', '/a')).toEqual({ route: 'first' });
    await mocked('/b', 'GET', 'second');
    expect((await request('GET', `/${STAGE}/b`)).status).toBe(403);
    await deploy();
    expect(await route('GET', '/b')).toEqual({ route: 'second' });
    expect((await request('GET', '/a', { stage: STAGE })).json).toEqual({ route: 'first' });
    await api('DeleteStage', { stageName: STAGE });
    const gone = await request('GET', `/${STAGE}/a`);
    expect([gone.status, gone.body, gone.headers['x-amzn-ErrorType']]).toEqual([403, '{"message":"Forbidden"}', 'ForbiddenException']);
    await deploy();
    await api('DeleteRestApi');
    expect((await request('GET', `/${STAGE}/a`)).status).toBe(403);
  });
});

describe('Lambda proxy', () => {
  it('sends the whole event', async () => {
    rig.clock.freeze(Date.UTC(2026, 10, 21, 21, 5, 21, 7));
    const resourceId = await method('/pets/{id}', 'ANY', proxy, { operationName: 'Pet' });
    const deployment = await deploy({ variables: { v: '1' } });
    await request('POST', `/${STAGE}/pets/a%20b/?q=1&q=2&e=&p=a+b%2B`, {
      headers: [
        ['host', 'x.execute-api.localhost:4566'],
        ['tEsT-HEADeR', 'aValUE'],
        ['authorization', 'token'],
        ['User-Agent', 'ua'],
        ['Content-Length', '5'],
        ['Connection', 'keep-alive'],
        ['X-Multi', 'a'],
        ['x-multi', 'b'],
        ['X-Forwarded-For', '9.9.9.9'],
      ],
      body: '{"a":1}',
    });
    const [event] = events as [Record<string, Record<string, unknown>>];
    const trace = expect.stringMatching(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24}$/);
    const headers = {
      Host: 'x.execute-api.localhost:4566',
      'tEsT-HEADeR': 'aValUE',
      Authorization: 'token',
      'User-Agent': 'ua',
      'X-Multi': 'b',
      'X-Amzn-Trace-Id': trace,
      'X-Forwarded-For': '9.9.9.9, 127.0.0.1',
      'X-Forwarded-Port': '4566',
      'X-Forwarded-Proto': 'http',
    };
    expect(event).toEqual({
      resource: '/pets/{id}',
      path: '/pets/a%20b/',
      httpMethod: 'POST',
      headers,
      multiValueHeaders: { ...Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, [value]])), 'X-Multi': ['a', 'b'] },
      queryStringParameters: { q: '2', e: '', p: 'a b+' },
      multiValueQueryStringParameters: { q: ['1', '2'], e: [''], p: ['a b+'] },
      pathParameters: { id: 'a%20b' },
      stageVariables: { v: '1' },
      requestContext: {
        resourceId,
        resourcePath: '/pets/{id}',
        operationName: 'Pet',
        httpMethod: 'POST',
        extendedRequestId: expect.stringMatching(/^[A-Za-z0-9]{15}=$/),
        requestTime: '21/Nov/2026:21:05:21 +0000',
        path: `/${STAGE}/pets/a%20b/`,
        accountId: '000000000000',
        protocol: 'HTTP/1.1',
        stage: STAGE,
        domainPrefix: restApiId,
        requestTimeEpoch: Date.UTC(2026, 10, 21, 21, 5, 21, 7),
        requestId: rig.ctx.requestId,
        identity: {
          accessKey: null,
          accountId: null,
          caller: null,
          cognitoAuthenticationProvider: null,
          cognitoAuthenticationType: null,
          cognitoIdentityId: null,
          cognitoIdentityPoolId: null,
          principalOrgId: null,
          sourceIp: '127.0.0.1',
          user: null,
          userAgent: 'ua',
          userArn: null,
        },
        domainName: `${restApiId}.execute-api.localhost:4566`,
        deploymentId: deployment.id,
        apiId: restApiId,
      },
      body: '{"a":1}',
      isBase64Encoded: false,
    });
  });

  it('has null for what a request lacks, and slashes as AWS has them', async () => {
    await method('/{proxy+}', 'ANY', proxy);
    await method('/hard', 'ANY', proxy);
    await deploy();
    const seen = async (path: string) => {
      await request('GET', path);
      const event = events.at(-1) as { path: string; pathParameters: unknown; requestContext: { path: string } };
      return [event.path, event.pathParameters, event.requestContext.path];
    };
    expect(await seen(`/${STAGE}/a//b`)).toEqual(['/a//b', { proxy: 'a//b' }, `/${STAGE}/a//b`]);
    expect(await seen(`//${STAGE}/a`)).toEqual(['/a', { proxy: 'a' }, `/${STAGE}/a`]);
    expect(await seen(`/${STAGE}//a`)).toEqual(['/a', { proxy: 'a' }, `/${STAGE}//a`]);
    expect(await seen(`/${STAGE}/a/`)).toEqual(['/a/', { proxy: 'a' }, `/${STAGE}/a/`]);
    expect(await seen(`/${STAGE}//hard`)).toEqual(['/hard', null, `/${STAGE}//hard`]);
    expect(events.at(-1)).toMatchObject({
      queryStringParameters: null,
      multiValueQueryStringParameters: null,
      stageVariables: null,
      body: null,
      isBase64Encoded: false,
    });
  });

  it.each<[string, unknown, number, string]>([
    ['nothing but a status', { statusCode: 201 }, 201, ''],
    ['a status in text', { statusCode: '201', body: 'x' }, 201, 'x'],
    ['only headers', { headers: { a: 'b' } }, 200, ''],
    ['null headers', { statusCode: 200, headers: null }, 200, ''],
    ['base64 that no one asked for', { statusCode: 200, body: 'dGVzdA==', isBase64Encoded: true }, 200, 'dGVzdA=='],
    ['an unknown member', { statusCode: 200, wrong: 1 }, 502, '{"message": "Internal server error"}'],
    ['an empty object', {}, 502, '{"message": "Internal server error"}'],
    ['a string', 'justAString', 502, '{"message": "Internal server error"}'],
    ['null', 'null', 502, '{"message": "Internal server error"}'],
    ['a list', [], 502, '{"message": "Internal server error"}'],
    ['a body that is an object', { statusCode: 200, body: {} }, 502, '{"message": "Internal server error"}'],
    ['a status that is no number', { statusCode: 'test' }, 502, '{"message": "Internal server error"}'],
    ['a status out of range', { statusCode: 99 }, 502, '{"message": "Internal server error"}'],
    ['a multi-value header that is no list', { statusCode: 200, multiValueHeaders: { a: 'b' } }, 502, '{"message": "Internal server error"}'],
    ['a header with a line break', { statusCode: 200, headers: { a: 'b\r\nc: d' } }, 502, '{"message": "Internal server error"}'],
    ['an error', new Error('boom'), 502, '{"message": "Internal server error"}'],
    ['a refusal', new AwsError('AccessDeniedException', 'no', { status: 403 }), 500, '{"message": "Internal server error"}'],
    ['throttling', new AwsError('TooManyRequestsException', 'no', { status: 429 }), 500, '{"message": "Internal server error"}'],
    ['a broken service', new AwsError('ServiceException', 'no', { status: 500 }), 502, '{"message": "Internal server error"}'],
  ])('%s', async (_name, value, status, body) => {
    await method('/', 'ANY', proxy);
    await deploy();
    answer = () => value;
    const got = await request('GET', `/${STAGE}`);
    expect([got.status, got.body]).toEqual([status, body]);
    if (status === 502) expect(got.headers['x-amzn-ErrorType']).toBe('InternalServerErrorException');
  });

  it('merges headers, remaps the reserved and adds its own', async () => {
    await method('/', 'ANY', proxy);
    await deploy();
    answer = () => ({
      statusCode: 200,
      headers: { 'test-multi': 'solo', flag: true, Date: 'x', 'Transfer-Encoding': 'chunked' },
      multiValueHeaders: { 'tesT-Multi': ['multi'], 'Set-Cookie': ['a=1', 'b=2'] },
    });
    const got = await request('GET', `/${STAGE}`);
    expect(got.multiHeaders).toEqual({ 'tesT-Multi': ['multi', 'solo'], 'Set-Cookie': ['a=1', 'b=2'] });
    expect(got.headers).toEqual({
      flag: 'true',
      'x-amzn-Remapped-Date': 'x',
      'Content-Type': 'application/json',
      'x-amzn-RequestId': rig.ctx.requestId,
      'x-amz-apigw-id': expect.stringMatching(/=$/),
      Connection: 'keep-alive',
      'X-Amzn-Trace-Id': expect.stringContaining('Root=1-'),
    });
  });

  it('carries binary bodies both ways where the API has the media type', async () => {
    await api('UpdateRestApi', { patchOperations: [{ op: 'add', path: '/binaryMediaTypes/image~1*' }] });
    await method('/', 'ANY', proxy);
    await deploy();
    answer = (event) => ({ statusCode: 200, headers: { 'content-type': 'image/png' }, body: event['body'], isBase64Encoded: true });
    const bytes = Buffer.from([0, 255, 128, 10]);
    const got = await request('POST', `/${STAGE}`, {
      headers: [
        ['Content-Type', 'image/png'],
        ['Accept', 'image/png, */*'],
      ],
      body: bytes,
    });
    expect(events[0]).toMatchObject({ isBase64Encoded: true, body: bytes.toString('base64') });
    expect(Buffer.from(got.body, 'latin1')).toEqual(bytes);
  });

  it('calls by POST only, through stage variables, and gives up in time', async () => {
    await method('/get', 'ANY', { ...proxy, integrationHttpMethod: 'GET' });
    await method('/var', 'ANY', { ...proxy, uri: uriOf(`\${stageVariables.fn}`) });
    await method('/slow', 'ANY', { ...proxy, timeoutInMillis: 50 });
    await deploy({ variables: { fn: `${FUNCTION}:live` } });
    expect((await request('GET', `/${STAGE}/get`)).status).toBe(500);
    answer = (_event, name) => ({ statusCode: 200, body: name });
    expect((await request('GET', `/${STAGE}/var`)).body).toBe(`${FUNCTION}:live`);
    let release = () => {};
    answer = () => new Promise((resolve) => (release = () => resolve({ statusCode: 200 })));
    const late = await request('GET', `/${STAGE}/slow`);
    release();
    expect([late.status, late.body]).toEqual([504, '{"message": "Endpoint request timed out"}']);
  });

  it('refuses a body over 10 MB', async () => {
    await method('/', 'ANY', proxy);
    await deploy();
    const got = await request('POST', `/${STAGE}`, { body: Buffer.alloc(10 * 1024 * 1024 + 1) });
    expect([got.status, got.body]).toEqual([413, '{"message":"Request Too Long"}']);
  });
});

describe('mock and templates', () => {
  it('answers a CORS preflight as SAM writes it', async () => {
    const resourceId = await method('/', 'OPTIONS', { type: 'MOCK', requestTemplates: { 'application/json': '{\n  "statusCode" : 200\n}\n' } });
    await api('PutIntegrationResponse', {
      resourceId,
      httpMethod: 'OPTIONS',
      statusCode: '200',
      responseParameters: { 'method.response.header.Access-Control-Allow-Origin': "'*'", 'method.response.header.X-Path': 'method.request.querystring.q' },
      responseTemplates: { 'application/json': '{}\n' },
    });
    await deploy();
    const got = await request('OPTIONS', `/${STAGE}?q=7`);
    expect(got).toMatchObject({
      status: 200,
      body: '{}\n',
      headers: { 'Access-Control-Allow-Origin': '*', 'X-Path': '7', 'Content-Type': 'application/json' },
    });
    expect(got.headers).not.toHaveProperty('X-Amzn-Trace-Id');
  });

  it('fills in references, selects by status, and refuses what it lacks', async () => {
    const resourceId = await method('/{id}', 'POST', {
      type: 'MOCK',
      requestTemplates: { 'application/json': '{"statusCode": $input.params("code")}', 'text/plain': '#macro(x)#end{"statusCode": 200}' },
      passthroughBehavior: 'NEVER',
    });
    await api('PutIntegrationResponse', { resourceId, httpMethod: 'POST', statusCode: '200', responseTemplates: { 'application/json': '' } });
    await api('PutIntegrationResponse', {
      resourceId,
      httpMethod: 'POST',
      statusCode: '404',
      selectionPattern: '4\\d{2}',
      responseTemplates: { 'application/json': '{"id":"$input.params(\'id\')","stage":"$context.stage","cost":"5$"}' },
    });
    await deploy();
    const json: [string, string][] = [['Content-Type', 'application/json']];
    expect(await request('POST', `/${STAGE}/x?code=404`, { headers: json })).toMatchObject({ status: 404, json: { id: 'x', stage: STAGE, cost: '5$' } });
    expect((await request('POST', `/${STAGE}/x?code=200`, { headers: json })).status).toBe(200);
    const macro = await request('POST', `/${STAGE}/x`, { headers: [['Content-Type', 'text/plain']] });
    expect([macro.status, macro.json.message]).toEqual([501, 'A mapping template with the directive #macro is not implemented by Croft']);
    expect(await request('POST', `/${STAGE}/x`, { headers: [['Content-Type', 'a/b']] })).toMatchObject({
      status: 415,
      json: { message: 'Unsupported Media Type' },
    });
  });

  it('maps a custom Lambda integration by the error message', async () => {
    const resourceId = await method('/', 'POST', {
      ...proxy,
      type: 'AWS',
      requestTemplates: { 'application/json': '{"name":$input.json(\'$.user.name\'),"all":$input.body}' },
    });
    await api('PutIntegrationResponse', { resourceId, httpMethod: 'POST', statusCode: '200' });
    await api('PutIntegrationResponse', {
      resourceId,
      httpMethod: 'POST',
      statusCode: '400',
      selectionPattern: '.*four hundred.*',
      responseTemplates: { 'application/json': '{"m":$input.json(\'$.errorMessage\')}' },
    });
    await deploy();
    answer = () => ({ ok: true });
    expect(await request('POST', `/${STAGE}`, { body: '{"user":{"name":"Ada"}}' })).toMatchObject({ status: 200, json: { ok: true } });
    expect(events[0]).toEqual({ name: 'Ada', all: { user: { name: 'Ada' } } });
    answer = () => new Error('this is\nfour hundred!');
    expect(await request('POST', `/${STAGE}`, { body: '{"user":{"name":"Ada"}}' })).toMatchObject({ status: 400, json: { m: 'this is\nfour hundred!' } });
  });

  it('answers errors as the API says', async () => {
    await method('/', 'ANY', proxy);
    await api('PutGatewayResponse', { responseType: 'DEFAULT_4XX', responseParameters: { 'gatewayresponse.header.Access-Control-Allow-Origin': "'*'" } });
    await api('PutGatewayResponse', {
      responseType: 'MISSING_AUTHENTICATION_TOKEN',
      statusCode: '404',
      responseTemplates: { 'application/json': '{"message":$context.error.messageString,"type":"$context.error.responseType","stage":"$context.stage"}' },
    });
    await deploy();
    expect(await request('GET', `/${STAGE}/nope`)).toMatchObject({
      status: 404,
      json: { message: 'Missing Authentication Token', type: 'MISSING_AUTHENTICATION_TOKEN', stage: STAGE },
    });
    expect(await request('POST', `/${STAGE}`, { body: Buffer.alloc(10 * 1024 * 1024 + 1) })).toMatchObject({
      status: 413,
      headers: { 'Access-Control-Allow-Origin': '*' },
    });
  });
});

describe('TestInvokeMethod', () => {
  it('runs the method as it is, with a log', async () => {
    rig.clock.freeze(Date.UTC(2026, 10, 21, 21, 5, 21));
    const resourceId = await method('/pets/{petId}', 'GET', { type: 'MOCK', requestTemplates: { 'application/json': '{"statusCode": 200}' } });
    await api('PutIntegrationResponse', {
      resourceId,
      httpMethod: 'GET',
      statusCode: '200',
      responseTemplates: { 'application/json': '{"petId": "$input.params(\'petId\')"}' },
    });
    const invoke = (input: Record<string, unknown>) => api('TestInvokeMethod', { resourceId, httpMethod: 'GET', ...input });
    const got = await invoke({ pathWithQueryString: '/pets/123?foo=bar' });
    const id = rig.ctx.requestId;
    expect(got).toMatchObject({
      status: 200,
      body: '{"petId": "123"}',
      headers: { 'Content-Type': 'application/json' },
      multiValueHeaders: { 'Content-Type': ['application/json'] },
      latency: expect.any(Number),
    });
    const lines = got.log.replaceAll(/[0-9a-f]{8}-[0-9a-f-]{27}/g, id).split('\n');
    expect(lines).toEqual([
      `Execution log for request ${id}`,
      ...[
        `Starting execution for request: ${id}`,
        'HTTP Method: GET, Resource Path: /pets/123',
        'Method request path: {petId=123}',
        'Method request query string: {foo=bar}',
        'Method request headers: {}',
        'Method request body before transformations: ',
        'Method response body after transformations: {"petId": "123"}',
        'Method response headers: {Content-Type=application/json}',
        'Successfully completed execution',
        'Method completed with status: 200',
      ].map((line) => `Sat Nov 21 21:05:21 UTC 2026 : ${line}`),
      '',
    ]);
    expect((await invoke({})).body).toBe('{"petId": "{petId}"}');
    expect((await invoke({ pathWithQueryString: '/random/test/x' })).body).toBe('{"petId": ""}');
  });
});

describe('who may call', () => {
  it('asks a TOKEN authorizer, remembers it, and passes on its context', async () => {
    const { id: authorizerId } = await api('CreateAuthorizer', {
      name: 'a',
      type: 'TOKEN',
      authorizerUri: uriOf(`${FUNCTION}-auth`),
      identitySource: 'method.request.header.Auth',
      identityValidationExpression: '[a-z]+',
    });
    await method('/x', 'GET', proxy, { authorizationType: 'CUSTOM', authorizerId });
    await deploy();
    const policy = (Effect: string) => ({ Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect, Resource: '*' }] });
    answer = (event, name) => {
      if (!name.endsWith('-auth')) return { statusCode: 200, body: JSON.stringify((event['requestContext'] as Record<string, unknown>)['authorizer']) };
      const token = event['authorizationToken'];
      if (token === 'nobody') return new Error('Unauthorized');
      if (token === 'broken') return { nothing: true };
      return { principalId: 'me', policyDocument: policy(token === 'deny' ? 'Deny' : 'Allow'), context: { level: 7, ok: true } };
    };
    const get = async (token?: string) => {
      const got = await request('GET', `/${STAGE}/x`, { headers: token === undefined ? [] : [['Auth', token]] });
      return [got.status, got.json];
    };
    expect(await get('allow')).toEqual([200, { level: '7', ok: 'true', principalId: 'me', integrationLatency: expect.any(Number) }]);
    expect(events[0]).toEqual({
      type: 'TOKEN',
      authorizationToken: 'allow',
      methodArn: `arn:aws:execute-api:us-east-1:000000000000:${restApiId}/${STAGE}/GET/x`,
    });
    await get('allow');
    expect(events.filter((event) => event['type'] === 'TOKEN')).toHaveLength(1);
    rig.clock.advance(301_000);
    await get('allow');
    expect(events.filter((event) => event['type'] === 'TOKEN')).toHaveLength(2);
    expect(await get()).toEqual([401, { message: 'Unauthorized' }]);
    expect(await get('UPPER')).toEqual([401, { message: 'Unauthorized' }]);
    expect(await get('nobody')).toEqual([401, { message: 'Unauthorized' }]);
    expect(await get('deny')).toEqual([403, { Message: expect.stringContaining('not authorized to access this resource with an explicit deny') }]);
    expect(await get('broken')).toEqual([500, { message: null }]);
  });

  it('leaves nothing open that it cannot check', async () => {
    const { id: authorizerId } = await api('CreateAuthorizer', { name: 'c', type: 'COGNITO_USER_POOLS', providerARNs: ['arn:x'] });
    await method('/cognito', 'GET', proxy, { authorizationType: 'COGNITO_USER_POOLS', authorizerId });
    await deploy();
    expect((await request('GET', `/${STAGE}/cognito`, { headers: [['Authorization', 'x']] })).status).toBe(501);
    expect(events).toEqual([]);
  });

  it('knows a signed caller where the method wants one', async () => {
    await method('/iam', 'GET', proxy, { authorizationType: 'AWS_IAM' });
    await deploy();
    expect((await request('GET', `/${STAGE}/iam`)).status).toBe(200);
    expect(events[0]).toMatchObject({
      requestContext: {
        identity: { accessKey: 'test', accountId: '000000000000', userArn: 'arn:aws:iam::000000000000:root', caller: '000000000000', user: '000000000000' },
      },
    });
    (rig.ctx as { principal: unknown }).principal = { ...rig.ctx.principal, type: 'anonymous' };
    expect((await request('GET', `/${STAGE}/iam`)).json).toEqual({ message: 'Missing Authentication Token' });
  });

  it('wants a key of a plan that has the stage', async () => {
    await method('/', 'GET', proxy, { apiKeyRequired: true });
    await deploy();
    const key = await api('CreateApiKey', { name: 'k', enabled: true });
    const get = async () => (await request('GET', `/${STAGE}`, { headers: [['X-API-Key', key.value]] })).status;
    expect(await get()).toBe(403);
    const plan = await api('CreateUsagePlan', { name: 'p', apiStages: [{ apiId: restApiId, stage: STAGE }] });
    await api('CreateUsagePlanKey', { usagePlanId: plan.id, keyId: key.id, keyType: 'API_KEY' });
    expect(await get()).toBe(200);
    expect(events[0]).toMatchObject({ requestContext: { identity: { apiKey: key.value, apiKeyId: key.id } } });
    await api('UpdateApiKey', { apiKey: key.id, patchOperations: [{ op: 'replace', path: '/enabled', value: 'false' }] });
    expect(await get()).toBe(403);
    expect((await request('GET', `/${STAGE}`)).json).toEqual({ message: 'Forbidden' });
  });

  it('validates parameters and body', async () => {
    const { id: requestValidatorId } = await api('CreateRequestValidator', { name: 'v', validateRequestBody: true, validateRequestParameters: true });
    await api('CreateModel', { name: 'M', contentType: 'application/json', schema: '{"type":"object","required":["a"],"properties":{"a":{"type":"number"}}}' });
    await method('/{id}', 'POST', proxy, {
      requestValidatorId,
      requestModels: { 'application/json': 'M' },
      requestParameters: { 'method.request.querystring.q': true, 'method.request.header.h': true, 'method.request.path.id': true },
    });
    await deploy();
    const post = async (url: string, headers: [string, string][], body: string) => {
      const got = await request('POST', `/${STAGE}${url}`, { headers, body });
      return [got.status, got.status === 200 ? undefined : got.json];
    };
    expect(await post('/1', [], '{}')).toEqual([400, { message: 'Missing required request parameters: [h, q]' }]);
    expect(await post('/1?q=1', [['h', 'x']], '{}')).toEqual([400, { message: 'Invalid request body' }]);
    expect(await post('/1?q=1', [['h', 'x']], 'not json')).toEqual([400, { message: 'Invalid request body' }]);
    expect(await post('/1?q=1', [['h', 'x']], '{"a":"text"}')).toEqual([400, { message: 'Invalid request body' }]);
    expect(await post('/1?q=1', [['h', 'x']], '{"a":1}')).toEqual([200, undefined]);
  });
});

describe('HTTP integrations', () => {
  let backend: Server;
  let base: string;
  let seen: { method: string; url: string; headers: IncomingMessage['headers']; body: string }[];

  beforeAll(async () => {
    backend = createServer((incoming, response) => {
      let body = '';
      incoming.on('data', (chunk: Buffer) => (body += chunk.toString()));
      incoming.on('end', () => {
        seen.push({ method: incoming.method ?? '', url: incoming.url ?? '', headers: incoming.headers, body });
        response.writeHead(incoming.url?.includes('fail') ? 418 : 200, { 'X-Back': 'y', 'Content-Type': 'text/plain', 'Content-Length': '5' });
        response.end('hello');
      });
    });
    await new Promise<void>((resolve) => backend.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(backend.address() as AddressInfo).port}`;
  });
  afterAll(() => new Promise((resolve) => backend.close(resolve)));
  beforeEach(() => {
    seen = [];
  });

  it('passes a proxied request through', async () => {
    await method('/{proxy+}', 'ANY', {
      type: 'HTTP_PROXY',
      integrationHttpMethod: 'ANY',
      uri: `${base}/base/{proxy}`,
      requestParameters: { 'integration.request.path.proxy': 'method.request.path.proxy', 'integration.request.header.X-Static': "'s'" },
    });
    await deploy();
    const got = await request('PUT', `/${STAGE}/a/b?x=1&x=2`, {
      headers: [
        ['Content-Type', 'text/x'],
        ['X-Client', 'c'],
      ],
      body: 'data',
    });
    expect(got).toMatchObject({ status: 200, body: 'hello', headers: { 'x-back': 'y', 'content-type': 'text/plain', 'x-amzn-Remapped-content-length': '5' } });
    expect(seen[0]).toMatchObject({
      method: 'PUT',
      url: '/base/a/b?x=1&x=2',
      body: 'data',
      headers: { 'x-client': 'c', 'x-static': 's', 'x-amzn-apigateway-api-id': restApiId, 'content-type': 'text/x' },
    });
  });

  it('maps a custom one by status, and says no more than it must when the backend is gone', async () => {
    const resourceId = await method('/{p}', 'GET', {
      type: 'HTTP',
      integrationHttpMethod: 'POST',
      uri: `${base}/{p}`,
      requestParameters: { 'integration.request.path.p': 'method.request.path.p' },
    });
    await api('PutIntegrationResponse', { resourceId, httpMethod: 'GET', statusCode: '200' });
    await api('PutIntegrationResponse', {
      resourceId,
      httpMethod: 'GET',
      statusCode: '503',
      selectionPattern: '4\\d{2}',
      responseParameters: { 'method.response.header.X-From': 'integration.response.header.X-Back' },
    });
    await method('/gone/x', 'GET', { type: 'HTTP_PROXY', integrationHttpMethod: 'GET', uri: 'http://127.0.0.1:1/' });
    await deploy();
    expect(await request('GET', `/${STAGE}/ok`)).toMatchObject({ status: 200, body: 'hello' });
    expect(await request('GET', `/${STAGE}/fail`)).toMatchObject({ status: 503, headers: { 'X-From': 'y' } });
    expect(seen[0]?.method).toBe('POST');
    expect(await request('GET', `/${STAGE}/gone/x`)).toMatchObject({ status: 500, json: { message: 'Internal server error' } });
  });
});
