import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../kit/clock.ts';
import { createIds } from '../kit/ids.ts';
import type { Ctx, Service } from '../services/service.ts';
import { ADMIN_PATH, API_PATH, ENDPOINT_PATH, ENTRY } from './chain.ts';
import type { GatewayOptions } from './options.ts';
import { startGateway } from './testing/gateway.ts';
import { openTls } from './tls.ts';

/** A room whose operations end when the test says so. */
function gated(name: string, operation: string) {
  const running: { ctx: Ctx; end: () => void }[] = [];
  const waiters: (() => void)[] = [];
  const room: Service = {
    name,
    operations: {
      [operation]: {
        run: (ctx: Ctx) =>
          new Promise<Record<string, unknown>>((resolve) => {
            running.push({ ctx, end: () => resolve({}) });
            for (const wake of waiters.splice(0)) wake();
          }),
      },
    },
  };
  return {
    room,
    running,
    async started(count: number) {
      while (running.length < count) await new Promise<void>((resolve) => waiters.push(resolve));
    },
  };
}

async function start(rooms: Service[], options: GatewayOptions = {}) {
  const croft = await startGateway(rooms, options);
  onTestFinished(() => croft.stop());
  const send = (headers: Record<string, string>, body = '{}', method = 'POST', path = '/') => {
    const request = httpRequest({ host: '127.0.0.1', port: croft.port, method, path, headers });
    request.end(body);
    const answer = new Promise<{ status: number; headers: IncomingMessage['headers']; body: string }>((resolve, reject) => {
      request.on('error', reject);
      request.on('response', (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (part: string) => {
          text += part;
        });
        response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }));
      });
    });
    return { request, answer };
  };
  return { croft, send };
}

const list = { 'x-amz-target': 'DynamoDB_20120810.ListTables', 'content-type': 'application/x-amz-json-1.0' };

test('past the bound, callers get the throttling error of their protocol, and health still answers', async () => {
  const gate = gated('dynamodb', 'ListTables');
  const { croft, send } = await start([gate.room], { limits: { inFlight: 2, waiting: 1, waitingMs: 60_000 } });
  const first = [send(list), send(list)];
  await gate.started(2);
  const waiting = send(list);
  // The third waits once the server has it; the metrics say when.
  while (!(await (await fetch(`${croft.endpoint}/metrics`)).text()).includes('croft_requests_waiting 1\n'));
  expect(await send(list).answer).toMatchObject({ status: 400, body: expect.stringContaining('ThrottlingException') });
  expect(await send({ authorization: 'AWS4-HMAC-SHA256 Credential=t/2/us-east-1/s3/aws4_request, ' }, '', 'GET', '/b/k').answer).toMatchObject({
    status: 503,
    body: expect.stringContaining('<Code>SlowDown</Code>'),
  });
  expect(
    await send({ 'content-type': 'application/x-www-form-urlencoded' }, 'Action=GetCallerIdentity', 'POST', '/?Action=GetCallerIdentity').answer,
  ).toMatchObject({ status: 400, body: expect.stringContaining('<Code>Throttling</Code>') });
  expect((await fetch(`${croft.endpoint}/_croft/health`)).status).toBe(200);
  for (const { end } of gate.running.splice(0)) end();
  await gate.started(1);
  gate.running[0]?.end();
  expect((await Promise.all([...first, waiting].map(({ answer }) => answer))).map(({ status }) => status)).toEqual([200, 200, 200]);
});

test('what waits too long is throttled', async () => {
  const gate = gated('dynamodb', 'ListTables');
  const { send } = await start([gate.room], { limits: { inFlight: 1, waiting: 5, waitingMs: 5 } });
  const first = send(list);
  await gate.started(1);
  expect((await send(list).answer).status).toBe(400);
  gate.running[0]?.end();
  expect((await first.answer).status).toBe(200);
});

test('a long poll holds no place', async () => {
  const poll = gated('sqs', 'ReceiveMessage');
  const quick: Service = { name: 'dynamodb', operations: { ListTables: { run: async () => ({ TableNames: [] }) } } };
  const { send } = await start([poll.room, quick], { limits: { inFlight: 1, waiting: 0, waitingMs: 0 } });
  const polling = send({ 'x-amz-target': 'AmazonSQS.ReceiveMessage', 'content-type': 'application/x-amz-json-1.0' }, '{"QueueUrl":"q"}');
  await poll.started(1);
  expect((await send(list).answer).status).toBe(200);
  poll.running[0]?.end();
  expect((await polling.answer).status).toBe(200);
});

test('a client that goes away aborts its operation', async () => {
  const gate = gated('dynamodb', 'ListTables');
  const { send } = await start([gate.room]);
  const { request, answer } = send(list);
  answer.catch(() => {});
  await gate.started(1);
  const { signal } = gate.running[0]?.ctx ?? {};
  const aborted = new Promise((resolve) => signal?.addEventListener('abort', resolve));
  request.destroy();
  await aborted;
  gate.running[0]?.end();
});

test('closing waits for what is under way, takes nothing new, and ends every connection', async () => {
  const gate = gated('dynamodb', 'ListTables');
  const { croft, send } = await start([gate.room]);
  const under = send(list);
  await gate.started(1);
  const idle = await new Promise<Socket>((resolve) => {
    const socket = connect(croft.port, '127.0.0.1', () => resolve(socket));
  });
  const idleClosed = new Promise((resolve) => idle.on('close', resolve));
  idle.on('error', () => {});
  idle.resume();
  const closed = croft.gateway.close(60_000);
  await expect(send(list).answer).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  gate.running[0]?.end();
  expect(await under.answer).toMatchObject({ status: 200, headers: { connection: 'close' } });
  await Promise.all([closed, idleClosed]);
});

test('closing cuts what does not end', async () => {
  const gate = gated('dynamodb', 'ListTables');
  const { croft, send } = await start([gate.room]);
  const under = send(list);
  await gate.started(1);
  const closed = croft.gateway.close(20);
  await expect(under.answer).rejects.toMatchObject({ code: 'ECONNRESET' });
  await closed;
  expect(gate.running[0]?.ctx.signal.aborted).toBe(true);
});

test('an upload that is answered early is read away, and the connection goes on', async () => {
  const { croft } = await start([{ name: 's3', operations: {} }]);
  const text = await new Promise<string>((resolve) => {
    let got = '';
    const body = 'x'.repeat(100_000);
    const socket = connect(croft.port, '127.0.0.1', () =>
      socket.write(
        `PUT /b/k HTTP/1.1\r\nHost: localhost\r\nContent-Length: ${body.length}\r\n\r\n${body}GET /_croft/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`,
      ),
    );
    socket.on('data', (part) => {
      got += part.toString('latin1');
    });
    socket.on('close', () => resolve(got));
  });
  expect(text).toMatch(/^HTTP\/1\.1 501 [\s\S]*HTTP\/1\.1 200 /);
});

test.each([
  ['headers that do not end', 'POST / HTTP/1.1\r\nHost: localhost\r\n', /^HTTP\/1\.1 408 /],
  ['a body that does not come', 'POST / HTTP/1.1\r\nHost: localhost\r\nX-Amz-Target: DynamoDB_20120810.ListTables\r\nContent-Length: 10\r\n\r\n{', /^$/],
])('%s are not waited for, with TLS or without', async (_, bytes, expected) => {
  const folder = await mkdtemp(join(tmpdir(), 'croft-tls-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const tls = await openTls({ folder, clock: systemClock(), ids: createIds() });
  for (const options of [{}, { tls }]) {
    const { croft } = await start([{ name: 'dynamodb', operations: {} }], { ...options, limits: { headersTimeoutMs: 30, bodyIdleTimeoutMs: 30 } });
    expect(await untilClosed(croft.port, bytes)).toMatch(expected);
  }
});

function untilClosed(port: number, bytes: string): Promise<string> {
  return new Promise((resolve) => {
    let got = '';
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.on('data', (part) => {
      got += part.toString('latin1');
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(got));
  });
}

test('docs/lifecycle.md shows every step with its error exit, in order', () => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/lifecycle.md'), 'utf8');
  const rows = [...text.matchAll(/^\| `(\w+)` \| (.*) \| (.*) \|$/gm)].map(([, name, does, exit]) => [name, does, exit]);
  const steps = [...ENTRY, ...API_PATH, ...ENDPOINT_PATH, ...ADMIN_PATH].map(({ name, does, errorExit }) => [name, does, errorExit]);
  expect(rows).toEqual(steps);
});

test('an answer with a header that HTTP does not allow is a whole 500', async () => {
  const room: Service = {
    name: 'apigateway',
    operations: {},
    // node:http refuses Trailer beside a Content-Length, once other headers are set already.
    endpoints: { 'execute-api': async () => ({ status: 200, headers: { Trailer: 'x' }, body: 'a longer text than that of the error which takes its place' }) },
  };
  const { send } = await start([room]);
  const answer = await send({}, '', 'GET', '/_aws/execute-api/a/dev/').answer;
  expect([answer.status, answer.body]).toEqual([500, '{"message":"Internal server error"}\n']);
});
