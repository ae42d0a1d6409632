import { createServer, request as httpRequest } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CreateFunctionCommand, CreateFunctionUrlConfigCommand, InvokeWithResponseStreamCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

/** The function goes on only when its first chunk has arrived here. */
let open = () => {};
const arrived = new Promise<void>((resolve) => {
  open = resolve;
});
const gate = createServer((_request, response) => void arrived.then(() => response.end()));
let gatePort = 0;
let croft: TestCroft;
let lambda: LambdaClient;
beforeAll(async () => {
  await new Promise<void>((resolve) => gate.listen(0, '127.0.0.1', resolve));
  gatePort = (gate.address() as AddressInfo).port;
  croft = await startCroft({ logLevel: 'warn', allowHostPort: String(gatePort) });
  lambda = new LambdaClient(croft.sdk);
});
afterAll(async () => {
  gate.closeAllConnections();
  gate.close();
  await croft.stop();
});

async function create(FunctionName: string, source: string) {
  const Code = { ZipFile: await zipFiles({ 'index.js': source }) };
  await lambda.send(new CreateFunctionCommand({ FunctionName, Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code, Timeout: 10 }));
}

/** What came: each chunk, and the end. */
async function invoke(FunctionName: string, event: unknown, onChunk: (text: string) => void = () => {}) {
  const answer = await lambda.send(new InvokeWithResponseStreamCommand({ FunctionName, Payload: Buffer.from(JSON.stringify(event)) }));
  let text = '';
  let end: unknown;
  for await (const one of answer.EventStream ?? []) {
    if (one.PayloadChunk) {
      const chunk = Buffer.from(one.PayloadChunk.Payload ?? []).toString();
      text += chunk;
      onChunk(chunk);
    }
    end = one.InvokeComplete ?? end;
  }
  return { text, end, version: answer.ExecutedVersion };
}

const STREAMING = `
const { once } = require('node:events'), http = require('node:http');
exports.handler = awslambda.streamifyResponse(async (event, out) => {
  if (event.rawPath) out = awslambda.HttpResponseStream.from(out, { statusCode: 201, headers: { 'x-a': 'b' }, cookies: ['c=1'] });
  out.write('first');
  if (event.gate) await once(http.get(event.gate), 'response');
  if (event.fail) throw new Error('broken');
  if (event.exit) { await new Promise((done) => setTimeout(done, 50)); process.exit(3); }
  out.write('last');
  out.end();
});`;

it('passes on what a function streams, while it runs', async () => {
  await create('streams', STREAMING);
  const answer = await invoke('streams', { gate: `http://127.0.0.1:${gatePort}/` }, (text) => text === 'first' && open());
  expect(answer).toEqual({ text: 'firstlast', end: {}, version: '$LATEST' });
});

it('says how a stream ended that did not end well, and goes on', async () => {
  const failed = await invoke('streams', { fail: true });
  expect(failed).toMatchObject({ text: 'first', end: { ErrorCode: 'Unhandled', ErrorDetails: expect.stringContaining('broken') } });
  const died = await invoke('streams', { exit: true });
  expect(died).toMatchObject({ text: 'first', end: { ErrorCode: 'Unhandled', ErrorDetails: expect.stringContaining('exit status 3') } });
  expect((await invoke('streams', {})).text).toBe('firstlast');
});

it('answers in one piece for a function that does not stream', async () => {
  await create('whole', 'exports.handler = async (event) => { if (event.fail) throw new Error("no"); return { a: 1 } }');
  expect(await invoke('whole', {})).toMatchObject({ text: '{"a":1}', end: {} });
  expect(await invoke('whole', { fail: true })).toMatchObject({ text: '', end: { ErrorCode: 'Unhandled' } });
});

it('streams to a function’s URL, its head first', async () => {
  const { FunctionUrl = '' } = await lambda.send(
    new CreateFunctionUrlConfigCommand({ FunctionName: 'streams', AuthType: 'NONE', InvokeMode: 'RESPONSE_STREAM' }),
  );
  const answer = await new Promise<Record<string, unknown>>((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port: croft.port, headers: { host: new URL(FunctionUrl).host } }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve({ status: response.statusCode, own: response.headers['x-a'], cookies: response.headers['set-cookie'], text }));
    });
    sent.on('error', reject).end();
  });
  expect(answer).toEqual({ status: 201, own: 'b', cookies: ['c=1'], text: 'firstlast' });
});
