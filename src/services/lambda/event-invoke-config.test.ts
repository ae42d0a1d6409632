import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateFunctionCommand,
  DeleteFunctionEventInvokeConfigCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionRecursionConfigCommand,
  GetRuntimeManagementConfigCommand,
  InvokeCommand,
  LambdaClient,
  ListFunctionEventInvokeConfigsCommand,
  PutFunctionEventInvokeConfigCommand,
  type PutFunctionEventInvokeConfigCommandInput,
  PutFunctionRecursionConfigCommand,
  PutRuntimeManagementConfigCommand,
  UpdateFunctionEventInvokeConfigCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

const ARN = 'arn:aws:lambda:us-east-1:000000000000:function';
/** A busy machine takes its time to start a runtime. */
const PATIENT = { timeout: 20_000, interval: 20 };
let croft: TestCroft;
let lambda: LambdaClient;
let directory: string;
let calls: () => Promise<Record<string, unknown>[]>;
beforeAll(async () => {
  // The functions write into a file of this test.
  croft = await startCroft({ logLevel: 'error', isolation: 'process' });
  lambda = new LambdaClient(croft.sdk);
  directory = await mkdtemp(join(tmpdir(), 'croft-events-'));
  calls = async () =>
    (await readFile(join(directory, 'calls'), 'utf8'))
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
  const source = `exports.handler = async (event, { functionName }) => {
    require('node:fs').appendFileSync(process.env.CALLS, JSON.stringify({ functionName, event }) + '\\n');
    if (event.fail) throw new Error('failed');
    return { ok: true };
  };`;
  const Code = { ZipFile: await zipFiles({ 'index.js': source }) };
  for (const FunctionName of ['source', 'target']) {
    const Environment = { Variables: { CALLS: join(directory, 'calls') } };
    await lambda.send(new CreateFunctionCommand({ FunctionName, Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code, Environment }));
  }
});
afterAll(async () => {
  await croft.stop();
  await rm(directory, { recursive: true, force: true });
});
beforeEach(() => writeFile(join(directory, 'calls'), ''));

const put = (more: Partial<PutFunctionEventInvokeConfigCommandInput>) =>
  lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'source', ...more }));
const send = (event: unknown) =>
  lambda.send(new InvokeCommand({ FunctionName: 'source', InvocationType: 'Event', Payload: Buffer.from(JSON.stringify(event)) }));

it('keeps how events are handled, for a function and its qualifiers', async () => {
  const none = { OnSuccess: {}, OnFailure: {} };
  expect(await put({ MaximumRetryAttempts: 1, MaximumEventAgeInSeconds: 60 })).toMatchObject({
    FunctionArn: `${ARN}:source:$LATEST`,
    MaximumRetryAttempts: 1,
    MaximumEventAgeInSeconds: 60,
    DestinationConfig: none,
  });
  const changed = await lambda.send(new UpdateFunctionEventInvokeConfigCommand({ FunctionName: 'source', MaximumRetryAttempts: 0 }));
  expect(changed).toMatchObject({ MaximumRetryAttempts: 0, MaximumEventAgeInSeconds: 60 });
  expect((await put({ MaximumRetryAttempts: 2 })).MaximumEventAgeInSeconds).toBeUndefined();
  const { FunctionEventInvokeConfigs: all } = await lambda.send(new ListFunctionEventInvokeConfigsCommand({ FunctionName: 'source' }));
  expect(all).toMatchObject([{ MaximumRetryAttempts: 2 }]);
  await lambda.send(new DeleteFunctionEventInvokeConfigCommand({ FunctionName: 'source' }));
  await expect(lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: 'source' }))).rejects.toThrow(
    `The function ${ARN}:source:$LATEST doesn't have an EventInvokeConfig`,
  );
});

it.each([
  ['nothing', {}, 'You must specify at least one of error handling or destination setting.'],
  ['no function', { FunctionName: 'none', MaximumRetryAttempts: 1 }, "The function doesn't exist."],
  ['itself', { DestinationConfig: { OnSuccess: { Destination: `${ARN}:source` } } }, "You can't specify the function as a destination for itself."],
  ['an unknown function', { DestinationConfig: { OnFailure: { Destination: `${ARN}:none` } } }, `The destination ARN ${ARN}:none is invalid.`],
  [
    'no destination',
    { DestinationConfig: { OnFailure: { Destination: 'arn:aws:iam::000000000000:role/r' } } },
    'onSuccess=null, onFailure=OnFailure(destination=arn:aws:iam',
  ],
  [
    'a queue that is not there',
    { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:q' } } },
    'The destination ARN arn:aws:sqs:us-east-1:000000000000:q is invalid.',
  ],
  [
    'a FIFO queue',
    { DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:q.fifo' } } },
    'The destination ARN arn:aws:sqs:us-east-1:000000000000:q.fifo is invalid.',
  ],
  [
    'a bucket for successes',
    { DestinationConfig: { OnSuccess: { Destination: 'arn:aws:s3:::b' } } },
    'The provided destination config DestinationConfig(onSuccess=OnSuccess(destination=arn:aws:s3:::b), onFailure=null) is invalid.',
  ],
])('refuses %s', async (_name, input, message) => {
  await expect(put(input)).rejects.toThrow(message);
});

it('retries as often as it is told, and tells its destinations', async () => {
  const Destination = `${ARN}:target`;
  await put({ MaximumRetryAttempts: 1, DestinationConfig: { OnSuccess: { Destination }, OnFailure: { Destination } } });
  const { clock, bus } = croft.server.platform;
  clock.freeze();
  try {
    const { $metadata } = await send({ n: 1 });
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(2);
    expect((await calls())[1]).toMatchObject({
      functionName: 'target',
      event: {
        requestContext: { requestId: $metadata.requestId, condition: 'Success', approximateInvokeCount: 1, functionArn: `${ARN}:source:$LATEST` },
        requestPayload: { n: 1 },
        responseContext: { statusCode: 200, executedVersion: '$LATEST' },
        responsePayload: { ok: true },
      },
    });
    await send({ fail: true });
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(3);
    expect(await bus.quiet(5000)).toBe(true);
    clock.advance(60_000);
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(5);
    expect((await calls())[4]).toMatchObject({
      event: { requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 2 }, responseContext: { functionError: 'Unhandled' } },
    });
    expect(await bus.quiet(5000)).toBe(true);
    expect(bus.nextDueMs()).toBeUndefined();
  } finally {
    clock.release({ keepOffset: true });
  }
});

it('gives up an event that is older than it may be', async () => {
  await put({ MaximumEventAgeInSeconds: 60, MaximumRetryAttempts: 2, DestinationConfig: { OnFailure: { Destination: `${ARN}:target` } } });
  const { clock, bus } = croft.server.platform;
  clock.freeze();
  try {
    await send({ fail: true });
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(1);
    expect(await bus.quiet(5000)).toBe(true);
    clock.advance(60_000);
    await expect.poll(async () => (await calls()).length, PATIENT).toBe(3);
    expect((await calls())[2]).toMatchObject({ functionName: 'target', event: { requestContext: { condition: 'EventAgeExceeded' } } });
  } finally {
    clock.release({ keepOffset: true });
  }
});

it('records how loops and runtime updates are to be handled', async () => {
  const FunctionName = 'source';
  expect((await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).RecursiveLoop).toBe('Terminate');
  await lambda.send(new PutFunctionRecursionConfigCommand({ FunctionName, RecursiveLoop: 'Allow' }));
  expect((await lambda.send(new GetFunctionRecursionConfigCommand({ FunctionName }))).RecursiveLoop).toBe('Allow');
  expect((await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName }))).UpdateRuntimeOn).toBe('Auto');
  await lambda.send(new PutRuntimeManagementConfigCommand({ FunctionName, UpdateRuntimeOn: 'FunctionUpdate' }));
  expect((await lambda.send(new GetRuntimeManagementConfigCommand({ FunctionName }))).UpdateRuntimeOn).toBe('FunctionUpdate');
});
