import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { CreateTableCommand, DynamoDBClient, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { GetFunctionConfigurationCommand, LambdaClient, waitUntilFunctionUpdatedV2 } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type CroftProcess, hasSeedApps, ROOT, run, SEED_APPS, VENV } from '../process.ts';
import { createFunction, invoke, zipOf } from './functions.ts';
import { createApi } from './rest-api.ts';
import { STORES, type StoreName, startOn } from './stores.ts';

const app = (name: string) => join(SEED_APPS, name);

/** Vendored pandas, installed once into the cache; undefined (with the reason printed) where it cannot be. */
async function pandas(): Promise<string | undefined> {
  const folder = join(ROOT, '.cache', 'pandas');
  if (existsSync(join(folder, 'pandas'))) return folder;
  mkdirSync(folder, { recursive: true });
  const installed = await run(join(VENV, 'pip'), ['install', '--quiet', '--disable-pip-version-check', '--target', folder, 'pandas']);
  if (installed.status === 0) return folder;
  console.warn(`pandas cannot be installed, its tests are skipped: ${installed.stderr}`);
  return undefined;
}

/** The runtime that fits what this machine's pip installs: compiled packages are for one version of Python. */
async function pipRuntime(): Promise<'python3.12'> {
  const { stdout } = await run(join(VENV, 'python'), ['-c', 'import sys; print("python%d.%d" % sys.version_info[:2])']);
  return stdout.trim() as 'python3.12';
}

const hasZip = await run('zip', ['-v']).then(
  () => true,
  () => false,
);
if (!hasZip) console.warn('the pandas tests are skipped: no zip on this machine');

/** These two install and ship 100 MB: on a second store they would prove nothing about it, so there they are left to the soak run. */
const heavy = (store: StoreName) => it.skipIf(!hasZip || (store !== 'sqlite' && !process.env['CROFT_SOAK']));

describe.skipIf(!hasSeedApps).each(STORES)('the guides’ own code, on %s', (store) => {
  let croft: CroftProcess;
  let lambda: LambdaClient;
  beforeAll(async () => {
    const started = await startOn(store);
    if (started) croft = started;
    lambda = new LambdaClient({ ...croft?.sdk, maxAttempts: 1 });
  });
  beforeEach(({ skip }) => {
    if (!croft) skip('no PostgreSQL on this machine');
  });
  afterAll(() => croft?.dispose());

  it('orders-table: a boto3 script with nothing but endpoint, region and dummy credentials', async () => {
    const { status, stdout, stderr } = await run(join(VENV, 'python'), [join(app('orders-table'), 'orders.py')], { env: croft.environment });
    expect(stderr).toBe('');
    expect(status).toBe(0);
    const lines = stdout.trim().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toBe(`[${lines[1]}]`);
    expect(lines[1]).toContain("'orderId': 'order-456'");
    expect(lines[1]).toContain("'quantity': Decimal('2')");
  });

  it('hello-python: name, and remaining time below the timeout', async () => {
    await createFunction(lambda, 'hello-python', await zipOf(app('hello-python')), { Timeout: 10 });
    const { payload, functionError } = await invoke(lambda, 'hello-python', { name: 'Ada' });
    expect(functionError).toBeUndefined();
    expect(payload).toMatchObject({ statusCode: 200, headers: { 'Content-Type': 'application/json' } });
    const body = JSON.parse(payload.body);
    expect(body.message).toBe('Hello, Ada!');
    expect(body.remaining_time_ms).toBeGreaterThan(0);
    expect(body.remaining_time_ms).toBeLessThanOrEqual(10_000);
  });

  it('hello-event-python and hello-node: the event comes back, and stands in the log stream', async () => {
    await createFunction(lambda, 'hello-event-python', await zipOf(app('hello-event-python')));
    await createFunction(lambda, 'hello-node', await zipOf(app('hello-node')), { Runtime: 'nodejs22.x', Handler: 'index.handler' });
    for (const name of ['hello-event-python', 'hello-node']) {
      const { payload, log } = await invoke(lambda, name, { k: 'v' });
      expect(JSON.parse(payload.body)).toEqual({ message: 'Hello from Lambda!', input: { k: 'v' } });
      expect(log).toMatch(/START RequestId: [0-9a-f-]{36} Version: \$LATEST\n/);
      expect(log).toMatch(/REPORT RequestId: [0-9a-f-]{36}\tDuration: [\d.]+ ms\tBilled Duration: \d+ ms\tMemory Size: 128 MB\tMax Memory Used: \d+ MB\t/);
    }
    const logs = new CloudWatchLogsClient(croft.sdk);
    const line = async (name: string) => {
      for (;;) {
        const page = await logs.send(new FilterLogEventsCommand({ logGroupName: `/aws/lambda/${name}`, filterPattern: '"Event:"' })).catch(() => undefined);
        const message = page?.events?.[0]?.message;
        if (message) return message;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    };
    expect(await line('hello-event-python')).toBe("Event: {'k': 'v'}\n");
    expect(await line('hello-node')).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\tINFO\tEvent: \{ k: 'v' \}\n?$/);
  });

  it('hello-query: greets, and without the parameter raises into a 502', async () => {
    await createFunction(lambda, 'hello-query', await zipOf(app('hello-query')));
    const url = await createApi(croft, { 'GET /hello': 'hello-query' });
    const ada = await fetch(`${url}/hello?name=Ada`);
    expect([ada.status, await ada.text()]).toEqual([200, 'Hello, Ada!']);
    const none = await fetch(`${url}/hello`);
    expect([none.status, await none.json()]).toEqual([502, { message: 'Internal server error' }]);
  });

  it('error-handling: 400, 400, 500, 200', async () => {
    await createFunction(lambda, 'error-handling', await zipOf(app('error-handling')));
    const url = await createApi(croft, { 'POST /': 'error-handling' });
    const post = async (body: string) => {
      const response = await fetch(`${url}/`, { method: 'POST', body });
      return [response.status, await response.json()];
    };
    expect(await post('{}')).toEqual([400, { error: 'Name required' }]);
    expect((await post('{'))[0]).toBe(400);
    expect(await post('{"name":"boom"}')).toEqual([500, { error: 'Internal error' }]);
    expect(await post('[]')).toEqual([500, { error: 'Internal error' }]);
    expect(await post('{"name":"Ada"}')).toEqual([200, { hello: 'Ada' }]);
  });

  it('url-shortener: 201, then a redirect, then 404', async () => {
    const tables = new DynamoDBClient(croft.sdk);
    await tables.send(
      new CreateTableCommand({
        TableName: 'urls',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'short_code', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'short_code', AttributeType: 'S' }],
      }),
    );
    await createFunction(lambda, 'url-shortener', await zipOf(app('url-shortener')), { Timeout: 15 });
    const url = await createApi(croft, { 'POST /urls': 'url-shortener', 'GET /{code}': 'url-shortener' });
    const created = await fetch(`${url}/urls`, { method: 'POST', body: JSON.stringify({ url: 'https://example.com/long' }) });
    expect(created.status).toBe(201);
    const { short_url } = (await created.json()) as { short_url: string };
    const code = short_url.split('/').at(-1);
    const redirect = await fetch(`${url}/${code}`, { redirect: 'manual' });
    expect([redirect.status, redirect.headers.get('location')]).toEqual([301, 'https://example.com/long']);
    const unknown = await fetch(`${url}/nothing`);
    expect([unknown.status, await unknown.text()]).toEqual([404, 'Not found']);
  });

  it('warm-table: the ping finds its environment still there', async () => {
    const tables = new DynamoDBClient(croft.sdk);
    await tables.send(
      new CreateTableCommand({
        TableName: 'warm',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    await tables.send(new PutItemCommand({ TableName: 'warm', Item: { id: { S: 'a' }, name: { S: 'Ada' } } }));
    await createFunction(lambda, 'warm-table', await zipOf(app('warm-table')), { Timeout: 15, Environment: { Variables: { TABLE_NAME: 'warm' } } });
    expect((await invoke(lambda, 'warm-table', { source: 'aws.events' })).payload).toEqual({ statusCode: 200, body: 'Warm' });
    const { payload, log } = await invoke(lambda, 'warm-table', { id: 'a' });
    expect(payload.Item).toEqual({ id: 'a', name: 'Ada' });
    expect(log).not.toContain('Init Duration');
  });

  it('triggers/api_gateway', async () => {
    await createFunction(lambda, 'trigger-api', await zipOf(app('triggers'), ['api_gateway.py']), { Handler: 'api_gateway.lambda_handler' });
    const url = await createApi(croft, { 'GET /users': 'trigger-api', 'POST /users': 'trigger-api' });
    expect(await (await fetch(`${url}/users`)).text()).toBe('Get user');
    const posted = await fetch(`${url}/users`, { method: 'POST' });
    expect([posted.status, await posted.text()]).toEqual([201, 'User created']);
  });

  it('long-running: careful returns before its timeout, careless ends at it, and the next call gets a fresh process', async () => {
    const zip = await zipOf(app('long-running'));
    await createFunction(lambda, 'careful', zip, { Handler: 'lambda_function.careful_handler', Timeout: 3 });
    await createFunction(lambda, 'careless', zip, { Handler: 'lambda_function.careless_handler', Timeout: 2 });
    const careful = await invoke(lambda, 'careful', { buffer_ms: 2_500 });
    expect(careful.functionError).toBeUndefined();
    expect(careful.payload.steps).toBeGreaterThan(0);
    for (const _ of [1, 2]) {
      const careless = await invoke(lambda, 'careless', {});
      expect(careless.functionError).toBe('Unhandled');
      expect(careless.payload.errorType).toBe('Sandbox.Timedout');
      expect(careless.payload.errorMessage).toMatch(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 2\.00 seconds$/);
    }
  });

  heavy(store)('eager-imports and lazy-imports: only who needs pandas pays for it', { timeout: 240_000 }, async ({ skip }) => {
    const vendored = await pandas();
    if (!vendored) return skip('pandas cannot be installed');
    // One archive for both: each handler names its folder.
    const folder = mkdtempSync(join(tmpdir(), 'croft-pandas-'));
    cpSync(vendored, folder, { recursive: true });
    for (const name of ['eager-imports', 'lazy-imports']) cpSync(app(name), join(folder, name), { recursive: true });
    const archive = `${folder}.zip`;
    await run('zip', ['-q', '-r', archive, '.'], { cwd: folder });
    const zip = await readFile(archive);
    for (const name of ['eager-imports', 'lazy-imports']) {
      await createFunction(lambda, name, zip, {
        Timeout: 60,
        MemorySize: 1024,
        Runtime: await pipRuntime(),
        Handler: `${name}/lambda_function.lambda_handler`,
      });
    }
    rmSync(folder, { recursive: true });
    rmSync(archive);
    const eager = await invoke(lambda, 'eager-imports', {});
    const lazy = await invoke(lambda, 'lazy-imports', {});
    expect([eager.payload.body, lazy.payload.body]).toEqual(['heavy', 'light']);
    const init = (log: string) => Number(/Init Duration: ([\d.]+) ms/.exec(log)?.[1]);
    expect(init(lazy.log)).toBeLessThan(init(eager.log));
    expect((await invoke(lambda, 'lazy-imports', { type: 'ml' })).payload.body).toMatch(/^\d+\.\d+/);
  });

  heavy(store)('pandas-deps: by the shell lines of its deploy.sh, as they stand', { timeout: 300_000 }, async () => {
    const server = createServer((_request, response) =>
      response.end(
        JSON.stringify([
          { a: 1, b: 2 },
          { a: 3, b: 4 },
        ]),
      ),
    );
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/data`;
      await createFunction(lambda, 'my-function', await zipOf(app('hello-query')), {
        Timeout: 60,
        MemorySize: 1024,
        Runtime: await pipRuntime(),
        Environment: { Variables: { DATA_URL: url } },
      });
      const folder = mkdtempSync(join(tmpdir(), 'croft-deploy-'));
      cpSync(app('pandas-deps'), folder, { recursive: true });
      const deployed = await run('bash', ['-e', 'deploy.sh'], { cwd: folder, env: croft.environment });
      expect(deployed.stdout + deployed.stderr).toContain('"FunctionName": "my-function"');
      expect(deployed.status).toBe(0);
      await waitUntilFunctionUpdatedV2({ client: lambda, maxWaitTime: 60 }, { FunctionName: 'my-function' });
      const { CodeSize } = await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'my-function' }));
      expect(CodeSize).toBeGreaterThan(10_000_000);
      const { payload, functionError } = await invoke(lambda, 'my-function', {});
      expect(functionError).toBeUndefined();
      expect(JSON.parse(payload.body)).toEqual({ a: { 0: 1, 1: 3 }, b: { 0: 2, 1: 4 } });
    } finally {
      server.close();
    }
  });
});
