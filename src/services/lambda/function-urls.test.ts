import { request as httpRequest } from 'node:http';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteFunctionUrlConfigCommand,
  GetFunctionUrlConfigCommand,
  LambdaClient,
  ListFunctionUrlConfigsCommand,
  UpdateFunctionUrlConfigCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { urlResponse } from './domain/function-url.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
  const source = `exports.handler = async (event) => {
    if (event.rawPath === '/fail') throw new Error('no');
    if (event.rawPath === '/answer') return JSON.parse(event.body);
    return event;
  }`;
  const Code = { ZipFile: await zipFiles({ 'index.js': source }) };
  await lambda.send(new CreateFunctionCommand({ FunctionName: 'web', Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code }));
  await lambda.send(new CreateAliasCommand({ FunctionName: 'web', Name: 'live', FunctionVersion: '$LATEST' }));
});
afterAll(() => croft.stop());

interface Answer {
  readonly status: number | undefined;
  readonly headers: NodeJS.Dict<string | string[]>;
  readonly text: string;
}

function send(url: string, options: { method?: string; path?: string; headers?: Record<string, string>; body?: string | Buffer } = {}): Promise<Answer> {
  const { host } = new URL(url);
  const { method = 'GET', path = '/', headers = {}, body } = options;
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port: croft.port, method, path, headers: { host, ...headers } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, text }));
    });
    sent.on('error', reject).end(body);
  });
}

it('keeps the configurations of a function’s URLs', async () => {
  const made = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'web', AuthType: 'NONE' }));
  expect(made.FunctionUrl).toMatch(/^http:\/\/[a-z0-9]{32}\.lambda-url\.us-east-1\./);
  expect([made.InvokeMode, made.FunctionArn]).toEqual([undefined, 'arn:aws:lambda:us-east-1:000000000000:function:web']);
  await expect(lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'web', AuthType: 'NONE' }))).rejects.toMatchObject({
    name: 'ResourceConflictException',
  });
  const alias = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'web', Qualifier: 'live', AuthType: 'NONE' }));
  expect(alias.FunctionArn).toMatch(/:web:live$/);
  const listed = await lambda.send(new ListFunctionUrlConfigsCommand({ FunctionName: 'web' }));
  expect(listed.FunctionUrlConfigs?.map(({ FunctionUrl }) => FunctionUrl)).toEqual([made.FunctionUrl, alias.FunctionUrl]);
  await lambda.send(new DeleteAliasCommand({ FunctionName: 'web', Name: 'live' }));
  expect((await send(alias.FunctionUrl ?? '')).status).toBe(403);
  await lambda.send(new DeleteFunctionUrlConfigCommand({ FunctionName: 'web' }));
  await expect(lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: 'web' }))).rejects.toThrow('The resource you requested does not exist.');
  await expect(send(made.FunctionUrl ?? '')).resolves.toMatchObject({ status: 403, text: '{"Message":null}' });
});

describe('a function’s URL', () => {
  let url: string;
  beforeAll(async () => {
    url = (await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'web', AuthType: 'NONE' }))).FunctionUrl ?? '';
  });

  it('gives the request as an event of format 2.0', async () => {
    const { text } = await send(url, {
      method: 'POST',
      path: '//a/b%20c?x=1&x=%2F2',
      headers: { cookie: 'a=1; b=2', 'Content-Type': 'text/plain', 'X-Own': 'Y' },
      body: 'héllo',
    });
    const event = JSON.parse(text) as Record<string, unknown>;
    expect(event).toMatchObject({
      version: '2.0',
      rawPath: '/a/b c',
      rawQueryString: 'x=1&x=%2F2',
      queryStringParameters: { x: '1,/2' },
      cookies: ['a=1', 'b=2'],
      headers: { 'x-own': 'Y', 'x-forwarded-proto': 'http', 'content-type': 'text/plain' },
      requestContext: { accountId: 'anonymous', http: { method: 'POST', path: '/a/b c', sourceIp: '127.0.0.1' }, stage: '$default' },
      body: 'héllo',
      isBase64Encoded: false,
    });
    expect(event['headers']).not.toHaveProperty('cookie');
    const binary = JSON.parse((await send(url, { method: 'POST', body: Buffer.from([0, 255]) })).text) as Record<string, unknown>;
    expect(binary).toMatchObject({ body: 'AP8=', isBase64Encoded: true });
    expect(JSON.parse((await send(url)).text)).not.toHaveProperty('body');
  });

  it('gives the function’s answer', async () => {
    const answer = (value: unknown) =>
      send(url, { method: 'POST', path: '/answer', headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) });
    const full = await answer({ statusCode: '201', headers: { 'x-a': 'b' }, cookies: ['a=1', 'b=2'], body: 'aGk=', isBase64Encoded: true });
    expect(full).toMatchObject({ status: 201, text: 'hi', headers: { 'x-a': 'b', 'set-cookie': ['a=1', 'b=2'], 'content-type': 'application/json' } });
    expect(await answer({ hello: 1 })).toMatchObject({ status: 200, text: '{"hello":1}' });
    expect(await answer({ statusCode: 99 })).toMatchObject({ status: 502, text: 'Internal Server Error' });
    expect(await send(url, { path: '/fail' })).toMatchObject({ status: 502, text: 'Internal Server Error' });
  });

  it('answers browsers by its own rules', async () => {
    const Cors = { AllowOrigins: ['https://*.example.com'], AllowMethods: ['PUT'], AllowHeaders: ['x-a'], MaxAge: 5, AllowCredentials: true };
    await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: 'web', Cors }));
    const ask = { 'access-control-request-method': 'PUT' };
    const asked = await send(url, { method: 'OPTIONS', headers: { ...ask, origin: 'https://a.example.com' } });
    expect(asked.headers).toMatchObject({
      'access-control-allow-origin': 'https://a.example.com',
      'access-control-allow-methods': 'PUT',
      'access-control-allow-headers': 'x-a',
      'access-control-max-age': '5',
      'access-control-allow-credentials': 'true',
    });
    expect((await send(url, { method: 'OPTIONS', headers: { ...ask, origin: 'https://evil.com' } })).headers['access-control-allow-origin']).toBeUndefined();
    expect((await send(url, { headers: { origin: 'https://b.example.com' } })).headers['access-control-allow-origin']).toBe('https://b.example.com');
  });

  it('asks for a signature where it is to, and goes with its function', async () => {
    await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: 'web', AuthType: 'AWS_IAM' }));
    expect((await send(url)).status).toBe(403);
    const authorization = 'AWS4-HMAC-SHA256 Credential=111111111111/20261121/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00';
    const { text } = await send(url, { headers: { authorization } });
    expect(JSON.parse(text)).toMatchObject({ requestContext: { accountId: '111111111111', authorizer: { iam: { accountId: '111111111111' } } } });
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'web' }));
    expect(await send(url)).toMatchObject({ status: 403, text: '{"Message":null}' });
  });
});

it.each([
  ['a text', '"x"', 'x'],
  ['a list', '["x", 3, true]', '["x",3,true]'],
  ['a number', '3.1', '3.1'],
  ['nothing', 'null', 'null'],
])('shows %s as a body', (_name, payload, body) => {
  expect(urlResponse(Buffer.from(payload))).toMatchObject({ status: 200, body: Buffer.from(body) });
});

it('makes no response of headers that HTTP cannot carry', () => {
  expect(urlResponse(Buffer.from('{"statusCode":200,"headers":{"a":"b\\r\\nc: d"}}'))).toBeUndefined();
  expect(urlResponse(Buffer.from('{"statusCode":200,"headers":{"a b":"c"}}'))).toBeUndefined();
});
