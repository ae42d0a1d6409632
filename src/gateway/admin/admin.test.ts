import { DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { systemClock } from '../../kit/clock.ts';
import type { Ctx, Service } from '../../services/service.ts';
import { startGateway, type TestGateway } from '../testing/gateway.ts';

const TRACE = '1-00000001-0123456789abcdef01234567';
const dynamodb: Service = {
  name: 'dynamodb',
  operations: {
    GetItem: {
      access: { resource: (ctx, input) => `arn:aws:dynamodb:${ctx.region}:${ctx.account}:table/${String(input['TableName'])}` },
      recorded: ['ReturnConsumedCapacity'],
      run: async (ctx: Ctx) => {
        ctx.meter('ReadRequestUnits', 0.5);
        await ctx.call('sts', 'GetCallerIdentity', {});
        return {};
      },
    },
  },
};
const sts: Service = { name: 'sts', operations: { GetCallerIdentity: { run: async (ctx: Ctx) => ({ Account: ctx.account }) } } };

let croft: TestGateway;
const backups: string[] = [];
beforeAll(async () => {
  croft = await startGateway(
    [dynamodb, sts],
    {},
    { admin: { health: () => ({ store: 'memory' }), backup: async (folder) => ({ folder: backups.push(folder) && folder }) } },
  );
});
afterAll(() => croft.stop());

async function ask(path: string, body?: unknown): Promise<{ status: number; body: Record<string, unknown> }> {
  const answer = await fetch(croft.endpoint + path, body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) });
  return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
}

async function getItem(trace?: string): Promise<void> {
  const client = new DynamoDBClient(croft.sdk);
  if (trace) client.middlewareStack.add((next) => (args) => next({ ...args, request: addHeader(args.request, 'x-amzn-trace-id', trace) }), { step: 'build' });
  await client.send(new GetItemCommand({ TableName: 'books', Key: { id: { S: '1' } } }));
  client.destroy();
}

function addHeader<T>(request: T, name: string, value: string): T {
  (request as { headers: Record<string, string> }).headers[name] = value;
  return request;
}

test('health, ours and LocalStack’s', async () => {
  expect(await ask('/_croft/health')).toMatchObject({
    status: 200,
    body: { status: 'running', store: 'memory', version: '0.0.0-test', services: { dynamodb: 'running', kms: 'disabled' } },
  });
  expect(await ask('/_localstack/health')).toMatchObject({
    status: 200,
    body: { services: { dynamodb: 'running' }, version: '0.0.0-test', edition: expect.any(String) },
  });
});

test('what is asked wrongly gets a sentence', async () => {
  expect(await ask('/_croft/nothing')).toMatchObject({ status: 404, body: { message: expect.stringContaining('/_croft/health') } });
  expect(await ask('/_croft/health', {})).toMatchObject({ status: 405 });
  expect(await ask('/_croft/clock/freeze')).toMatchObject({ status: 405 });
  expect(await ask('/_croft/meters?acount=1')).toMatchObject({ status: 400, body: { message: expect.stringContaining('known are account, region, service') } });
  expect(await ask('/_croft/lineage')).toMatchObject({ status: 400 });
  expect(await ask('/_croft/access?limit=-1')).toMatchObject({ status: 400 });
  expect(await ask('/_croft/clock/advance', [])).toMatchObject({ status: 400 });
});

test('the metrics are OpenMetrics', async () => {
  await getItem();
  const answer = await fetch(`${croft.endpoint}/metrics`);
  expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text/);
  const text = await answer.text();
  expect(text).toMatch(/\n# EOF\n$/);
  expect(text).toMatch(/croft_requests_total\{service="dynamodb",operation="GetItem",status="200"\} \d/);
  for (const name of ['croft_request_duration_seconds_bucket', 'croft_requests_in_flight', 'croft_event_loop_delay_seconds', 'croft_store'])
    expect(text).toContain(name);
});

test('meters, with what a room adds of its own', async () => {
  await getItem();
  const { body } = await ask('/_croft/meters?service=dynamodb&account=000000000000');
  const readings = body['meters'] as { dimension: string; quantity: number; service: string }[];
  const of = (dimension: string) => readings.find((reading) => reading.dimension === dimension)?.quantity ?? 0;
  expect(of('Requests')).toBeGreaterThan(0);
  expect(of('ReadRequestUnits')).toBe(of('Requests') / 2);
  expect(new Set(readings.map((reading) => reading.service))).toEqual(new Set(['dynamodb']));
});

test('lineage: the request, and the call that it caused, in one trace', async () => {
  await getItem(`Root=${TRACE};Parent=0123456789abcdef;Sampled=1`);
  const { body } = await ask(`/_croft/lineage?trace=${TRACE}`);
  const spans = body['spans'] as { name: string; kind: string; id: string; parent: string; resources: string[] }[];
  const request = spans.find((span) => span.kind === 'request');
  const call = spans.find((span) => span.kind === 'call');
  expect(request).toMatchObject({
    name: 'dynamodb:GetItem',
    parent: '0123456789abcdef',
    status: 200,
    resources: ['arn:aws:dynamodb:us-east-1:000000000000:table/books'],
  });
  expect(call).toMatchObject({ name: 'sts:GetCallerIdentity', parent: request?.id });
});

test('access: action and resource of each call, newest first, also of calls inside', async () => {
  await getItem();
  const { body } = await ask('/_croft/access?limit=2');
  expect(body).toMatchObject({
    enforced: false,
    calls: [
      { action: 'sts:GetCallerIdentity', resources: ['*'], internal: true },
      {
        action: 'dynamodb:GetItem',
        resources: ['arn:aws:dynamodb:us-east-1:000000000000:table/books'],
        principal: 'arn:aws:iam::000000000000:root',
        internal: false,
      },
    ],
  });
  expect((await ask('/_croft/access?action=none:None')).body['calls']).toEqual([]);
});

test('coverage', async () => {
  const { body } = await ask('/_croft/coverage');
  const services = body['services'] as { service: string; implemented: string[]; notImplemented: string[]; recorded: unknown }[];
  expect(services.find((one) => one.service === 'dynamodb')).toMatchObject({
    implemented: ['GetItem'],
    recorded: { GetItem: ['ReturnConsumedCapacity'] },
    notImplemented: expect.arrayContaining(['PutItem']),
  });
});

test('backup', async () => {
  expect(await ask('/_croft/backup', { folder: '/tmp/new' })).toEqual({ status: 200, body: { folder: '/tmp/new' } });
  expect(backups).toEqual(['/tmp/new']);
  expect(await ask('/_croft/backup', {})).toMatchObject({ status: 400 });
});

describe('the clock', () => {
  beforeEach(async () => {
    await ask('/_croft/clock/release', {});
  });
  test('stands still, moves on, and runs again', async () => {
    expect(await ask('/_croft/clock/freeze', { at: '2999-01-01T02:00:00Z' })).toMatchObject({
      status: 200,
      body: { virtual: '2999-01-01T02:00:00.000Z', frozen: true },
    });
    expect(await ask('/_croft/clock/advance', { byMs: 60_000 })).toMatchObject({ body: { virtual: '2999-01-01T02:01:00.000Z', frozen: true } });
    expect(croft.platform.clock.virtual()).toBe(Date.parse('2999-01-01T02:01:00Z'));
    expect((await ask('/_croft/clock/release', {})).body).toMatchObject({ frozen: false, offsetMs: 0 });
  });
  test('does not go back, nor by nonsense', async () => {
    for (const at of ['2001-01-01T00:00:00Z', 'soon', 5]) expect((await ask('/_croft/clock/freeze', { at })).status).toBe(400);
    for (const byMs of [-1, 'x', 1e30, null]) expect((await ask('/_croft/clock/advance', { byMs })).status).toBe(400);
    expect((await ask('/_croft/clock/freeze', { when: 'now' })).body).toMatchObject({ message: expect.stringContaining('unknown field when') });
  });
  test('is not touched in production', async () => {
    const production = await startGateway([], {}, { admin: { production: true } });
    const answer = await fetch(`${production.endpoint}/_croft/clock/freeze`, { method: 'POST' });
    expect([answer.status, await answer.text()]).toEqual([403, expect.stringContaining('production mode')]);
    expect((await fetch(`${production.endpoint}/_croft/clock`)).status).toBe(200);
    await production.stop();
  });
  test('is advanced by the server where it can: what falls due on the way fires', async () => {
    const clock = systemClock();
    const advanced = await startGateway([], {}, { clock, admin: { advanceClock: async (byMs) => ({ fired: byMs / 1000 }) } });
    const answer = await fetch(`${advanced.endpoint}/_croft/clock/advance`, { method: 'POST', body: '{"byMs":5000}' });
    expect(await answer.json()).toMatchObject({ fired: 5 });
    await advanced.stop();
  });
});
