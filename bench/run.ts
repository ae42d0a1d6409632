/**
 * `npm run bench`: in one run, so that the ratios hold whatever else the machine does — bare node:http echo, GetItem, durable PutItem and
 * warm Invoke at 64 connections, the event loop's delay under mixed load, start-up time and idle memory. Runs the build (`npm run build`).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { BatchWriteItemCommand, CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { CreateFunctionCommand, InvokeCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { ZipFile } from 'yazl';
import type { LoadPlan, LoadResult } from './load.ts';

const ROOT = resolve(import.meta.dirname, '..');
const CONNECTIONS = 64;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 5);
const STARTS = 5;
/** GetItem goes around these; PutItem writes the same names and many more. */
const ITEMS = 10_000;
const AUTHORIZATION = 'authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/{service}/aws4_request, SignedHeaders=host, Signature=0\r\n';
const ITEM = { id: { S: 'user-{n}' }, name: { S: 'Ada Lovelace' }, email: { S: 'ada@example.com' }, text: { S: 'x'.repeat(280) }, visits: { N: '12' } };

interface Started {
  readonly child: ChildProcess;
  readonly port: number;
  readonly readyMs: number;
}

function started(args: readonly string[], pattern: RegExp): Promise<Started> {
  const began = performance.now();
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  return new Promise((done, fail) => {
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const port = pattern.exec(out)?.[1];
      if (port) done({ child, port: Number(port), readyMs: performance.now() - began });
    });
    child.once('exit', (code) => fail(new Error(`${args[0]} ended with ${code}: ${out}`)));
  });
}

const startCroft = (dataDir: string) =>
  started([join(ROOT, 'dist/cli/main.js'), 'start', '--port', '0', '--data-dir', dataDir, '--log-level', 'warn'], /:(\d+) [\s\S]*Ready\./);

function load(plan: Omit<LoadPlan, 'seconds' | 'warmupSeconds'>, seconds = SECONDS): Promise<LoadResult> {
  const whole: LoadPlan = { ...plan, seconds, warmupSeconds: 1 };
  const child = spawn(process.execPath, [join(ROOT, 'bench/load.ts'), JSON.stringify(whole)], { stdio: ['ignore', 'pipe', 'inherit'] });
  let out = '';
  child.stdout.on('data', (chunk: Buffer) => {
    out += chunk.toString();
  });
  return new Promise((done, fail) =>
    child.on('close', (code) => (code === 0 ? done(JSON.parse(out) as LoadResult) : fail(new Error(`load ended with ${code}`)))),
  );
}

function dynamo(operation: string, body: unknown): { head: string; body: string } {
  const head = `POST / HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/x-amz-json-1.0\r\nx-amz-target: DynamoDB_20120810.${operation}\r\n${AUTHORIZATION.replace('{service}', 'dynamodb')}`;
  return { head, body: JSON.stringify(body) };
}

const get = dynamo('GetItem', { TableName: 'bench', Key: { id: { S: 'user-{k}' } } });
const put = dynamo('PutItem', { TableName: 'bench', Item: ITEM });
const invoke = {
  head: `POST /2015-03-31/functions/bench/invocations HTTP/1.1\r\nhost: localhost\r\n${AUTHORIZATION.replace('{service}', 'lambda')}`,
  body: '{"n": 1}',
};

function rssMb(pid: number | undefined): number {
  const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kilobytes) / 1024);
}

async function functionZip(): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from('exports.handler = async (event) => event;'), 'index.js');
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

async function prepare(port: number): Promise<void> {
  const config = { endpoint: `http://127.0.0.1:${port}`, region: 'us-east-1', credentials: { accessKeyId: 'test', secretAccessKey: 'test' } };
  const tables = new DynamoDBClient(config);
  await tables.send(
    new CreateTableCommand({
      TableName: 'bench',
      BillingMode: 'PAY_PER_REQUEST',
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    }),
  );
  await new Promise((done) => setTimeout(done, 1_000));
  for (let from = 0; from < ITEMS; from += 25) {
    const puts = Array.from({ length: 25 }, (_, i) => ({ PutRequest: { Item: { ...ITEM, id: { S: `user-${from + i}` } } } }));
    await tables.send(new BatchWriteItemCommand({ RequestItems: { bench: puts } }));
  }
  const lambda = new LambdaClient(config);
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'bench',
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Role: 'arn:aws:iam::000000000000:role/bench',
      Code: { ZipFile: await functionZip() },
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30 }, { FunctionName: 'bench' });
  await lambda.send(new InvokeCommand({ FunctionName: 'bench' }));
}

async function loopDelay(port: number): Promise<string> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
  return /croft_event_loop_delay_seconds\{[^}]*quantile="0.99"[^}]*\} ([\d.e-]+)/.exec(text)?.[1] ?? '?';
}

const rows: string[][] = [['', 'per second', 'of echo', 'p50 ms', 'p99 ms', 'errors']];
const row = (name: string, result: LoadResult, echo: number) => {
  rows.push([
    name,
    String(result.perSecond),
    `${Math.round((100 * result.perSecond) / echo)} %`,
    String(result.p50Ms),
    String(result.p99Ms),
    String(result.errors),
  ]);
  if (result.firstError) console.error(`${name}: ${result.firstError}`);
};

const dataDir = mkdtempSync(join(tmpdir(), 'croft-bench-'));
const readies: number[] = [];
for (let i = 0; i < STARTS; i++) {
  const once = await startCroft(dataDir);
  readies.push(once.readyMs);
  const ended = new Promise((done) => once.child.once('exit', done));
  once.child.kill('SIGTERM');
  await ended;
}
const echo = await started([join(ROOT, 'bench/echo.ts')], /(\d+)\n/);
const croft = await startCroft(dataDir);
try {
  await new Promise((done) => setTimeout(done, 2_000));
  const idleMb = rssMb(croft.child.pid);
  await prepare(croft.port);
  const bare = await load({ port: echo.port, connections: CONNECTIONS, ...put });
  row('bare node:http echo', bare, bare.perSecond);
  row('GetItem', await load({ port: croft.port, connections: CONNECTIONS, ...get }), bare.perSecond);
  row('PutItem, durable', await load({ port: croft.port, connections: CONNECTIONS, ...put }), bare.perSecond);
  row('Invoke, warm, 8 connections', await load({ port: croft.port, connections: 8, ...invoke }), bare.perSecond);
  row('GetItem, 1 connection', await load({ port: croft.port, connections: 1, ...get }), bare.perSecond);
  row('PutItem, durable, 1 connection', await load({ port: croft.port, connections: 1, ...put }), bare.perSecond);
  await loopDelay(croft.port);
  const mixed = await Promise.all([
    load({ port: croft.port, connections: 32, ...get }),
    load({ port: croft.port, connections: 32, ...put }),
    load({ port: croft.port, connections: 4, ...invoke }),
  ]);
  const delay = await loopDelay(croft.port);
  const bareAfter = await load({ port: echo.port, connections: CONNECTIONS, ...put }, 2);
  console.log(rows.map((cells) => cells.map((cell, i) => (i === 0 ? cell.padEnd(32) : cell.padStart(11))).join('')).join('\n'));
  console.log(`\nmixed load (32 GetItem, 32 PutItem, 4 Invoke): ${mixed.map((m) => m.perSecond).join(' + ')} per second; event-loop delay p99 ${delay} s`);
  console.log(`echo again at the end: ${bareAfter.perSecond} per second (drift of the machine)`);
  console.log(`start to Ready.: ${readies.map((ms) => Math.round(ms)).join(', ')} ms; idle memory ${idleMb} MB, after the load ${rssMb(croft.child.pid)} MB`);
} finally {
  echo.child.kill();
  const ended = new Promise((done) => croft.child.once('exit', done));
  croft.child.kill('SIGTERM');
  await ended;
  rmSync(dataDir, { recursive: true, force: true });
}
