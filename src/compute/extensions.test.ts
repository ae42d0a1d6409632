import { afterAll, beforeAll, expect, it } from 'vitest';
import { call, packageOf, processesOf, startCompute, type TestCompute, type TestFunction, testFunction } from './testing.ts';
import type { FunctionSpec } from './types.ts';

let plane: TestCompute;
beforeAll(async () => {
  plane = await startCompute();
});
afterAll(() => plane.stop());

/**
 * An extension that does what its variables say: `EVENTS`, `SUBSCRIBE` (an API's path), `FAIL`, `EXIT`, `SLOW_MS` after an invoke, `STUBBORN` at
 * shutdown. What it gets it prints.
 */
const EXTENSION = `#!${process.execPath}
const http = require('node:http');
const net = require('node:net');
const api = 'http://' + process.env.AWS_LAMBDA_RUNTIME_API;
const name = require('node:path').basename(process.argv[1]);
const say = (...parts) => console.log(name, ...parts.map((part) => typeof part === 'string' ? part : JSON.stringify(part)));
(async () => {
  const events = (process.env.EVENTS ?? 'INVOKE,SHUTDOWN').split(',').filter(Boolean);
  const registered = await fetch(api + '/2020-01-01/extension/register', {
    method: 'POST', headers: { 'Lambda-Extension-Name': name, 'Lambda-Extension-Accept-Feature': 'accountId' }, body: JSON.stringify({ events }) });
  const id = registered.headers.get('lambda-extension-identifier');
  say('registered', registered.status, await registered.json());
  say('variables', Object.keys(process.env).filter((key) => /^(_|AWS_EXEC|LAMBDA_TASK|AWS_LAMBDA_LOG)/.test(key)));
  const identified = { 'Lambda-Extension-Identifier': id };
  if (process.env.FAIL) {
    const failed = await fetch(api + '/2020-01-01/extension/init/error', { method: 'POST', headers: { ...identified, 'Lambda-Extension-Function-Error-Type': 'Extension.Mine' } });
    say('failed', failed.status);
    process.exit(1);
  }
  if (process.env.SUBSCRIBE) {
    const got = (batch) => { for (const event of batch) console.error('GOT ' + JSON.stringify(event)); };
    const tcp = process.env.PROTOCOL === 'TCP';
    const server = tcp
      ? net.createServer((socket) => socket.on('data', (data) => got(String(data).trim().split('\\n').map((line) => JSON.parse(line)))))
      : http.createServer(async (request, response) => {
          let body = '';
          for await (const chunk of request) body += chunk;
          say('batch', request.method, request.url, request.headers.host.split(':')[0]);
          got(JSON.parse(body));
          response.end();
        });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address();
    const destination = tcp ? { protocol: 'TCP', port } : { protocol: 'HTTP', URI: 'http://sandbox.localdomain:' + port + '/mine?a=b' };
    const subscribed = await fetch(api + process.env.SUBSCRIBE, {
      method: 'PUT', headers: identified, body: JSON.stringify({ schemaVersion: process.env.SCHEMA, types: ['platform', 'function'], buffering: { timeoutMs: 25, maxItems: 1000, maxBytes: 262144 }, destination }) });
    say('subscribed', subscribed.status, await subscribed.text());
  }
  for (;;) {
    const next = await fetch(api + '/2020-01-01/extension/event/next', { headers: identified });
    const event = await next.json();
    say('event', event, next.headers.has('lambda-extension-event-identifier'));
    if (process.env.EXIT && event.eventType === 'INVOKE') process.exit(Number(process.env.EXIT));
    if (event.eventType === 'SHUTDOWN') {
      if (process.env.STUBBORN) await new Promise((resolve) => setTimeout(resolve, 60_000));
      process.exit(0);
    }
    if (process.env.SLOW_MS) await new Promise((resolve) => setTimeout(resolve, Number(process.env.SLOW_MS)));
  }
})();
`;

const HANDLER =
  'import os, time\nprint("loading")\nloaded = os.urandom(8).hex()\ndef handler(event, context):\n  print("handling")\n  if event.get("sleep"): time.sleep(event["sleep"])\n  return loaded\n';

async function make(
  functionName: string,
  variables: Record<string, string>,
  options: { readonly names?: readonly string[]; readonly source?: string } & Partial<FunctionSpec> = {},
): Promise<TestFunction> {
  const { names = ['watcher'], source = HANDLER, ...spec } = options;
  const layer = await packageOf(Object.fromEntries(names.map((name) => [`extensions/${name}`, EXTENSION])));
  return testFunction({ 'index.py': source }, { runtime: 'python3.11', functionName, variables, layers: [layer], timeoutMs: 3000, ...spec });
}

/** The machine may be busy. */
const WAIT = { timeout: 15_000 };
const linesOf = (fn: TestFunction, pattern: RegExp) => fn.log.filter((line) => pattern.test(line));
/** What extensions wrote of `what`, as JSON. */
const said = (fn: TestFunction, what: string) =>
  linesOf(fn, new RegExp(` ${what} `)).map((line) => line.slice(line.indexOf(` ${what} `) + what.length + 2).trim());
const telemetryOf = (fn: TestFunction) =>
  linesOf(fn, /^GOT /).map((line) => JSON.parse(line.slice(4)) as { type: string; record: Record<string, unknown> | string; time: string });

/** The types of events, of which one may come a little earlier or later. */
const typesBut = (events: readonly { readonly type: string }[], floating: string): string[] => {
  const types = events.map(({ type }) => type);
  expect(types).toContain(floating);
  return types.filter((type) => type !== floating);
};

it('starts extensions before the runtime, tells them of invocations, and of the end', async () => {
  const fn = await make('plain', {}, { names: ['second', 'first'] });
  const { requestId } = await call(plane, fn, {}, { tail: true });
  expect(said(fn, 'registered').sort()).toEqual(
    ['first', 'second'].map(() => '200 {"accountId":"000000000000","functionName":"plain","functionVersion":"$LATEST","handler":"index.handler"}'),
  );
  expect(said(fn, 'variables')).toEqual(['[]', '[]']);
  const order = fn.log.map((line) => /^(INIT_START|loading|EXTENSION|START|handling|END|REPORT)/.exec(line)?.[1]).filter((word) => word);
  expect(order).toEqual(['INIT_START', 'loading', 'EXTENSION', 'EXTENSION', 'START', 'handling', 'END', 'REPORT']);
  expect(fn.log).toContain('EXTENSION\tName: first\tState: Ready\tEvents: [INVOKE, SHUTDOWN]\n');
  expect(said(fn, 'event')).toHaveLength(2);
  expect(JSON.parse(said(fn, 'event')[0]?.replace(/ true$/, '') ?? '')).toEqual({
    eventType: 'INVOKE',
    deadlineMs: expect.any(Number),
    requestId,
    invokedFunctionArn: 'arn:aws:lambda:us-east-1:000000000000:function:plain',
    tracing: { type: 'X-Amzn-Trace-Id', value: expect.stringContaining('Root=1-67891233-') },
  });
  plane.compute.retire(fn.spec.key);
  await expect
    .poll(() => said(fn, 'event').filter((line) => line.includes('"SHUTDOWN"') && line.includes('"shutdownReason":"spindown"')), WAIT)
    .toHaveLength(2);
});

it('waits for extensions after the answer, and counts that as part of the invocation', async () => {
  const fn = await make('slow', { SLOW_MS: '400', EVENTS: 'INVOKE' });
  const first = await call(plane, fn);
  await expect.poll(() => linesOf(fn, /^REPORT/).length, WAIT).toBe(1);
  const second = await call(plane, fn);
  expect(second.json).toBe(first.json);
  await expect.poll(() => linesOf(fn, /^REPORT/).length, WAIT).toBe(2);
  const reported = linesOf(fn, /^REPORT/).map((line) => Number(/Duration: ([\d.]+) ms/.exec(line)?.[1]));
  for (const ms of reported) expect(ms).toBeGreaterThan(390);
  // Who called did not wait for that.
  expect(first.report.durationMs).toBeLessThan(reported[0] ?? 0);
});

it('fails where an extension ends, and starts everything anew for the next invocation', async () => {
  const fn = await make('crash', { EXIT: '3' });
  const ended = await call(plane, fn, { sleep: 2 }, { tail: true });
  expect(ended.json).toEqual({ errorType: 'Extension.Crash', errorMessage: `RequestId: ${ended.requestId} Error: exit status 3` });
  expect(fn.log).toContain(`RequestId: ${ended.requestId} Error: exit status 3\nExtension.Crash\n`);
  expect(linesOf(fn, /^REPORT/)[0]).toMatch(/\tStatus: error\tError Type: Extension\.Crash\n$/);
});

it('fails init where an extension says so', async () => {
  const fn = await make('refuses', { FAIL: '1' });
  const { json, requestId } = await call(plane, fn);
  expect(said(fn, 'failed')).toEqual(['202', '202']);
  expect(json).toEqual({ errorType: 'Extension.InitError', errorMessage: `RequestId: ${requestId} Error: exit status 1` });
  expect(fn.log).toContain('EXTENSION\tName: watcher\tState: InitError\tEvents: [INVOKE, SHUTDOWN]\tError Type: Extension.Mine\n');
  expect(linesOf(fn, /^INIT_REPORT .*Phase: init\tStatus: error\tError Type: Extension\.InitError\n$/)).toHaveLength(1);
});

it('cannot start what is no program', async () => {
  const layer = await packageOf({ 'extensions/text': 'no program' });
  const fn = await testFunction({ 'index.py': HANDLER }, { runtime: 'python3.11', functionName: 'text', layers: [layer] });
  const { json, requestId } = await call(plane, fn);
  expect(json).toEqual({
    errorType: 'Extension.LaunchError',
    errorMessage: `RequestId: ${requestId} Error: fork/exec /opt/extensions/text: permission denied`,
  });
  expect(fn.log).toContain('EXTENSION\tName: text\tState: LaunchError\tEvents: []\tError Type: PermissionDenied\n');
});

it('tells extensions of a timeout and resets with them', async () => {
  const fn = await make('timeout', {}, { timeoutMs: 1000 });
  const before = await call(plane, fn, {}, { tail: true });
  const ended = await call(plane, fn, { sleep: 30 }, { tail: true });
  expect(ended.json).toMatchObject({ errorType: 'Sandbox.Timedout' });
  const after = await call(plane, fn);
  expect(after.json).not.toBe(before.json);
  expect(said(fn, 'event').some((line) => line.includes('"shutdownReason":"timeout"'))).toBe(true);
  expect(said(fn, 'registered')).toHaveLength(2);
  // What starts anew is not told in the log.
  expect(linesOf(fn, /^INIT_START/)).toHaveLength(1);
});

it('kills what does not end within the shutdown phase', async () => {
  const fn = await make('stubborn', { STUBBORN: '1' });
  await call(plane, fn, {}, { tail: true });
  await expect.poll(() => plane.compute.stats()['idle'], WAIT).toBeGreaterThan(0);
  plane.compute.retire(fn.spec.key);
  await expect.poll(() => said(fn, 'event').length, WAIT).toBe(2);
  const left = () => processesOf('stubborn', 'AWS_LAMBDA_FUNCTION_NAME').length;
  expect(left()).toBeGreaterThan(0);
  await expect.poll(left, WAIT).toBe(0);
});

const INTERNAL = `
import json, os, signal, sys, threading, urllib.error, urllib.request
api = 'http://' + os.environ['AWS_LAMBDA_RUNTIME_API']
def ask(method, path, headers={}, body=None):
    request = urllib.request.Request(api + path, method=method, headers=headers, data=None if body is None else json.dumps(body).encode())
    try:
        with urllib.request.urlopen(request) as response: return response.status, response.headers.get('Lambda-Extension-Identifier'), response.read().decode()
    except urllib.error.HTTPError as error: return error.code, None, json.loads(error.read())['errorType'] + ' ' 
register = '/2020-01-01/extension/register'
answers = [
    ask('POST', register, {}, {})[2],
    ask('POST', register, {'Lambda-Extension-Name': 'mine'}, {'events': ['SHUTDOWN']})[2],
    ask('POST', register, {'Lambda-Extension-Name': 'mine'}, {'events': ['OTHER']})[2],
    ask('GET', '/2020-01-01/extension/event/next')[2],
    ask('GET', '/2020-01-01/extension/event/next', {'Lambda-Extension-Identifier': 'x'})[2],
    ask('GET', '/2020-01-01/extension/event/next', {'Lambda-Extension-Identifier': '00000000-0000-4000-8000-000000000000'})[2],
]
_, identifier, _ = ask('POST', register, {'Lambda-Extension-Name': 'mine'}, {'events': ['INVOKE']})
answers.append(ask('POST', register, {'Lambda-Extension-Name': 'mine'}, {'events': []})[2])
answers.append(ask('POST', '/2020-01-01/extension/exit/error', {'Lambda-Extension-Identifier': identifier})[2])
answers.append(ask('PUT', '/2022-07-01/telemetry', {'Lambda-Extension-Identifier': identifier}, {'types': [], 'destination': {'protocol': 'HTTP', 'URI': 'http://sandbox.localdomain/x'}})[2])
signal.signal(signal.SIGTERM, lambda *_: (print('terminated', flush=True), os._exit(0)))
def serve():
    while True:
        print('internal', ask('GET', '/2020-01-01/extension/event/next', {'Lambda-Extension-Identifier': identifier})[2], flush=True)
threading.Thread(target=serve, daemon=True).start()
def handler(event, context):
    late = ask('POST', register, {'Lambda-Extension-Name': 'late'}, {'events': []})[2]
    closed = ask('PUT', '/2022-07-01/telemetry', {'Lambda-Extension-Identifier': identifier}, {})[2]
    return answers + [late, closed]
`;

it('takes internal extensions, and refuses in AWS’s words', async () => {
  const fn = await testFunction({ 'index.py': INTERNAL }, { runtime: 'python3.11', functionName: 'internal' });
  const { json } = await call(plane, fn);
  expect((json as string[]).map((text) => text.trim())).toEqual([
    'Extension.InvalidExtensionName',
    'Extension.InvalidEventType',
    'Extension.InvalidEventType',
    'Extension.MissingExtensionIdentifier',
    'Extension.InvalidExtensionIdentifier',
    'Extension.UnknownExtensionIdentifier',
    'Extension.InvalidExtensionState',
    'Extension.MissingHeader',
    'ValidationError',
    'Extension.RegistrationClosed',
    'Telemetry.SubscriptionClosed',
  ]);
  await expect.poll(() => linesOf(fn, /^internal .*"eventType":"INVOKE"/), WAIT).toHaveLength(1);
  plane.compute.retire(fn.spec.key);
  // Any extension at all: the runtime may end by itself.
  await expect.poll(() => linesOf(fn, /^terminated/), WAIT).toHaveLength(1);
});

it('sends telemetry, what came before the subscription included', async () => {
  const fn = await make('telemetry', { SUBSCRIBE: '/2022-07-01/telemetry', SCHEMA: '2022-12-13' });
  const { requestId } = await call(plane, fn);
  await expect.poll(() => telemetryOf(fn).map(({ type }) => type), WAIT).toContain('platform.report');
  const events = telemetryOf(fn);
  // The runtime starts while the extension subscribes.
  expect(typesBut(events, 'platform.telemetrySubscription')).toEqual([
    'platform.initStart',
    'function',
    'platform.extension',
    'platform.initRuntimeDone',
    'platform.initReport',
    'platform.start',
    'function',
    'platform.runtimeDone',
    'platform.report',
  ]);
  const recordOf = (type: string) => events.find((event) => event.type === type)?.record;
  expect(recordOf('platform.initStart')).toMatchObject({
    initializationType: 'on-demand',
    phase: 'init',
    runtimeVersion: 'python:3.11.v1',
    functionName: 'telemetry',
  });
  expect(recordOf('platform.telemetrySubscription')).toEqual({ name: 'watcher', state: 'Subscribed', types: ['platform', 'function'] });
  expect(recordOf('function')).toBe('loading\n');
  expect(recordOf('platform.extension')).toEqual({ name: 'watcher', state: 'Ready', events: ['INVOKE', 'SHUTDOWN'] });
  expect(recordOf('platform.start')).toEqual({ requestId, version: '$LATEST' });
  expect(recordOf('platform.runtimeDone')).toMatchObject({
    requestId,
    status: 'success',
    metrics: { durationMs: expect.any(Number), producedBytes: expect.any(Number) },
    spans: ['responseLatency', 'responseDuration', 'runtimeOverhead'].map((name) => ({ name, start: expect.any(String), durationMs: expect.any(Number) })),
  });
  expect(recordOf('platform.report')).toMatchObject({ requestId, status: 'success', metrics: { memorySizeMB: 128, initDurationMs: expect.any(Number) } });
  expect(said(fn, 'batch')[0]).toBe('POST /mine?a=b sandbox.localdomain');
  expect(fn.log).toContain('TELEMETRY\tName: watcher\tState: Subscribed\tTypes: [Platform, Function]\n');
});

it('serves the Logs API in its own words, over TCP', async () => {
  const fn = await make('logs', { SUBSCRIBE: '/2020-08-15/logs', SCHEMA: '2021-03-18', PROTOCOL: 'TCP' });
  await call(plane, fn);
  await expect.poll(() => telemetryOf(fn).map(({ type }) => type), WAIT).toContain('platform.report');
  expect(typesBut(telemetryOf(fn), 'platform.logsSubscription')).toEqual([
    'function',
    'platform.extension',
    'platform.start',
    'function',
    'platform.runtimeDone',
    'platform.end',
    'platform.report',
  ]);
  expect(fn.log).toContain('LOGS\tName: watcher\tState: Subscribed\tTypes: [Platform, Function]\n');
});
