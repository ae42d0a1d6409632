import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  DeleteFunctionCommand,
  InvokeAsyncCommand,
  InvokeCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

/** A busy machine takes its time to start a runtime. */
const PATIENT = { timeout: 20_000, interval: 20 };
let croft: TestCroft;
let lambda: LambdaClient;
let directory: string;
/** Lines that the function wrote: request ids and event lengths. */
let calls: () => Promise<string[]>;

beforeAll(async () => {
  // The function writes into a file of this test.
  croft = await startCroft({ logLevel: 'error', isolation: 'process' });
  lambda = new LambdaClient(croft.sdk);
  directory = await mkdtemp(join(tmpdir(), 'croft-async-'));
  const file = join(directory, 'calls');
  calls = async () => (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  const source = `
    const fs = require('node:fs');
    exports.handler = async (event, context) => {
      fs.appendFileSync(process.env.CALLS, context.awsRequestId + ' ' + (event.text ?? '').length + ' ' + context.invokedFunctionArn + '\\n');
      if (event.waitMs) await new Promise((resolve) => setTimeout(resolve, event.waitMs));
      if (event.fail) throw new Error('failed');
    };`;
  const Code = { ZipFile: await zipFiles({ 'index.js': source }) };
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'later',
      Runtime: 'nodejs24.x',
      Role: ROLE,
      Handler: 'index.handler',
      Code,
      Environment: { Variables: { CALLS: file } },
    }),
  );
});
afterAll(async () => {
  await croft.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => writeFile(join(directory, 'calls'), ''));

const send = (event: unknown, FunctionName = 'later') =>
  lambda.send(new InvokeCommand({ FunctionName, InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(event)) }));

it('runs events after the answer, large ones too', async () => {
  const answer = await send({ text: 'x'.repeat(500_000) });
  expect(answer).toMatchObject({ StatusCode: 202, $metadata: { httpStatusCode: 202 } });
  expect(answer.ExecutedVersion).toBeUndefined();
  await expect.poll(calls, PATIENT).toEqual([`${answer.$metadata.requestId} 500000 arn:aws:lambda:us-east-1:000000000000:function:later`]);
  expect((await lambda.send(new InvokeAsyncCommand({ FunctionName: 'later', InvokeArgs: Buffer.from('{"text":"abc"}') }))).Status).toBe(202);
  await expect.poll(async () => (await calls()).length, PATIENT).toBe(2);
});

it('retries a failing event after one and two minutes, under one request id, and then gives up', async () => {
  const { clock, bus } = croft.server.platform;
  clock.freeze();
  try {
    const { $metadata } = await send({ fail: true });
    const ran = async (times: number) => {
      await expect.poll(async () => (await calls()).length, PATIENT).toBe(times);
      expect(await bus.quiet(5000)).toBe(true);
    };
    await ran(1);
    clock.advance(59_000);
    await ran(1);
    clock.advance(1_000);
    await ran(2);
    clock.advance(119_000);
    await ran(2);
    clock.advance(1_000);
    await ran(3);
    clock.advance(3_600_000);
    await ran(3);
    expect(new Set((await calls()).map((line) => line.split(' ')[0]))).toEqual(new Set([$metadata.requestId]));
  } finally {
    clock.release({ keepOffset: true });
  }
});

it('keeps trying an event that is throttled', async () => {
  const { clock, bus } = croft.server.platform;
  await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'later', ReservedConcurrentExecutions: 1 }));
  clock.freeze();
  try {
    const busy = lambda.send(new InvokeCommand({ FunctionName: 'later', Payload: Buffer.from('{"waitMs":1500}') }));
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(1);
    await send({});
    expect(await bus.quiet(5000)).toBe(true);
    expect(await calls()).toHaveLength(1);
    await busy;
    clock.advance(60_000);
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(2);
  } finally {
    clock.release({ keepOffset: true });
  }
});

it('refuses an event for a function that is not there, and drops one whose function has gone', async () => {
  await expect(send({}, 'nothing')).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  const { clock, bus } = croft.server.platform;
  clock.freeze();
  try {
    await send({ fail: true });
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(1);
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'later' }));
    clock.advance(60_000);
    expect(await bus.quiet(5000)).toBe(true);
    expect(bus.nextDueMs()).toBeUndefined();
  } finally {
    clock.release({ keepOffset: true });
  }
});
