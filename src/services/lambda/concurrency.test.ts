import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  DeleteAliasCommand,
  DeleteFunctionCommand,
  DeleteProvisionedConcurrencyConfigCommand,
  GetAccountSettingsCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
  ListProvisionedConcurrencyConfigsCommand,
  PublishVersionCommand,
  PutFunctionConcurrencyCommand,
  PutProvisionedConcurrencyConfigCommand,
  UpdateAliasCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { systemClock } from '../../kit/clock.ts';
import { createMemoryStore } from '../../store/memory/memory.ts';
import { Concurrency } from './concurrency.ts';
import type { FunctionRow } from './store.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
let zip: Uint8Array;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn', functionMemoryMb: 3072 });
  lambda = clientOf(croft);
  zip = await zipFiles({
    'index.js': `exports.handler = async (event) => {
      if (event.ms) await new Promise((resolve) => setTimeout(resolve, event.ms));
      return { type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE, version: process.env.AWS_LAMBDA_FUNCTION_VERSION, pid: process.env.AWS_LAMBDA_LOG_STREAM_NAME + ' ' + process.pid };
    };`,
  });
});
afterAll(() => croft.stop());

const clientOf = ({ sdk }: TestCroft) => new LambdaClient({ ...sdk, requestHandler: { httpAgent: { maxSockets: 600 } } });
const wait = { maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 };

async function create(name: string, more: Partial<CreateFunctionCommandInput> = {}, client = lambda) {
  await client.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'nodejs24.x',
      Role: ROLE,
      Handler: 'index.handler',
      Timeout: 30,
      Code: { ZipFile: zip },
      ...more,
    }),
  );
  await waitUntilFunctionActiveV2({ client, ...wait }, { FunctionName: name });
}

async function run(name: string, Qualifier?: string, event: unknown = {}, client = lambda) {
  const answer = await client.send(
    new InvokeCommand({ FunctionName: name, ...(Qualifier ? { Qualifier } : {}), Payload: Buffer.from(JSON.stringify(event)), LogType: 'Tail' }),
  );
  const json = JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as { type: string; version: string; pid: string };
  return { ...json, log: Buffer.from(answer.LogResult ?? '', 'base64').toString() };
}

const provision = (FunctionName: string, Qualifier: string, ProvisionedConcurrentExecutions: number) =>
  lambda.send(new PutProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier, ProvisionedConcurrentExecutions }));
const reserve = (FunctionName: string, ReservedConcurrentExecutions: number) =>
  lambda.send(new PutFunctionConcurrencyCommand({ FunctionName, ReservedConcurrentExecutions }));
const configOf = (FunctionName: string, Qualifier: string, client = lambda) =>
  client.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName, Qualifier }));
const ready = (name: string, qualifier: string, client = lambda) =>
  expect.poll(async () => (await configOf(name, qualifier, client)).Status, { timeout: 15_000 }).toBe('READY');
const publish = async (name: string) => (await lambda.send(new PublishVersionCommand({ FunctionName: name }))).Version ?? '';
const outOf = (error: unknown) => error as { name: string; message: string; Reason?: string; retryAfterSeconds?: string };

describe('reserved concurrency', () => {
  it('runs at most so many at once and refuses the rest', async () => {
    await create('reserved');
    await reserve('reserved', 10);
    const settled = await Promise.allSettled(Array.from({ length: 60 }, () => run('reserved', undefined, { ms: 1000 })));
    const pids = new Set(settled.flatMap((one) => (one.status === 'fulfilled' ? [one.value.pid] : [])));
    const refused = settled.flatMap((one) => (one.status === 'rejected' ? [outOf(one.reason)] : []));
    expect(pids.size).toBeLessThanOrEqual(10);
    expect(settled.length - refused.length).toBeGreaterThanOrEqual(10);
    expect(refused.length).toBeGreaterThan(0);
    for (const error of refused) {
      expect(error).toMatchObject({
        name: 'TooManyRequestsException',
        message: 'Rate Exceeded.',
        Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded',
        Type: 'User',
      });
    }
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'reserved' }));
  });

  it('lets calls wait past what the machine holds', async () => {
    // 24 environments fit into the memory.
    await create('waiting');
    const answers = await Promise.all(Array.from({ length: 60 }, () => run('waiting', undefined, { ms: 100 })));
    expect(new Set(answers.map(({ pid }) => pid)).size).toBeLessThanOrEqual(24);
  });
});

it('answers as AWS does on the wire', async () => {
  await create('wire');
  const url = `${croft.endpoint}/2015-03-31/functions/wire/invocations`;
  const authorization = 'AWS4-HMAC-SHA256 Credential=test/20261122/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=00';
  const answer = await fetch(url, { method: 'POST', body: '{}', headers: { authorization } });
  expect([answer.status, answer.headers.get('content-type')]).toEqual([200, 'application/json']);
  expect(answer.headers.get('x-amz-executed-version')).toBe('$LATEST');
  expect(answer.headers.get('x-amzn-remapped-content-length')).toBe('0');
  expect(answer.headers.get('x-amzn-trace-id')).toMatch(/^Root=1-[0-9a-f]{8}-[0-9a-f]{24};/);
  await answer.text();
  await reserve('wire', 0);
  const refused = await fetch(url, { method: 'POST', body: '{}', headers: { authorization } });
  expect([refused.status, refused.headers.get('x-amzn-errortype'), refused.headers.get('retry-after')]).toEqual([429, 'TooManyRequestsException', null]);
  expect(await refused.json()).toEqual({ message: 'Rate Exceeded.', Type: 'User', Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' });
});

describe('rates', () => {
  const fn = (reservedConcurrency?: number): FunctionRow =>
    ({ name: 'f', nextVersion: 1, tags: {}, ...(reservedConcurrency === undefined ? {} : { reservedConcurrency }) }) as FunctionRow;
  const reasonOf = (call: () => unknown) => {
    try {
      call();
    } catch (error) {
      const { members, headers, status } = error as { members: Record<string, unknown>; headers: Record<string, string>; status: number };
      return [status, members['Reason'], headers['Retry-After']];
    }
    return undefined;
  };

  it('allow ten requests a second for each unit of concurrency, with a burst of ten seconds', async () => {
    let nowMs = 0;
    const store = createMemoryStore(systemClock());
    const concurrency = new Concurrency({ ...systemClock(), mono: () => nowMs }, store);
    for (let i = 0; i < 100; i++) expect(reasonOf(() => concurrency.request('f', fn(1)))).toBeUndefined();
    expect(reasonOf(() => concurrency.request('f', fn(1)))).toEqual([429, 'ReservedFunctionInvocationRateLimitExceeded', '1']);
    nowMs = 100;
    expect(reasonOf(() => concurrency.request('f', fn(1)))).toBeUndefined();
    expect(reasonOf(() => concurrency.request('f', fn(1)))).toEqual([429, 'ReservedFunctionInvocationRateLimitExceeded', '1']);
    for (let i = 0; i < 100_000; i++) concurrency.request('g', fn());
    expect(reasonOf(() => concurrency.request('g', fn()))).toEqual([429, 'FunctionInvocationRateLimitExceeded', '1']);
    await store.close();
  });

  it('allow a thousand new environments in ten seconds', async () => {
    let nowMs = 0;
    const store = createMemoryStore(systemClock());
    const concurrency = new Concurrency({ ...systemClock(), mono: () => nowMs }, store);
    for (let i = 0; i < 1000; i++) concurrency.start('f');
    expect(reasonOf(() => concurrency.start('f'))).toEqual([429, 'FunctionInvocationRateLimitExceeded', '1']);
    expect(reasonOf(() => concurrency.start('other'))).toBeUndefined();
    nowMs = 10_000;
    for (let i = 0; i < 1000; i++) concurrency.start('f');
    await store.close();
  });

  it('leave functions that reserve nothing what others do not take, of a thousand', async () => {
    const place = { account: '000000000000', region: 'us-east-1' };
    const store = createMemoryStore(systemClock());
    const concurrency = new Concurrency(systemClock(), store);
    for (let i = 0; i < 1000; i++) await concurrency.enter(place, 'f', fn());
    await expect(Promise.resolve(concurrency.enter(place, 'g', fn()))).rejects.toMatchObject({ members: { Reason: 'ConcurrentInvocationLimitExceeded' } });
    // Another region has a pool of its own, and so has who reserves.
    await concurrency.enter({ ...place, region: 'eu-west-1' }, 'f-eu', fn());
    await concurrency.enter(place, 'h', fn(5));
    concurrency.leave(place, 'f', fn());
    await concurrency.enter(place, 'g', fn());
    await store.close();
  });
});

describe('provisioned concurrency', () => {
  it('is there before the first call, which says so and has no cold start', async () => {
    await create('ahead');
    const version = await publish('ahead');
    expect(await provision('ahead', version, 2)).toMatchObject({
      $metadata: { httpStatusCode: 202 },
      RequestedProvisionedConcurrentExecutions: 2,
      AvailableProvisionedConcurrentExecutions: 0,
      AllocatedProvisionedConcurrentExecutions: 0,
      Status: 'IN_PROGRESS',
    });
    expect((await configOf('ahead', version)).Status).toBe('IN_PROGRESS');
    await ready('ahead', version);
    expect(await configOf('ahead', version)).toMatchObject({ AvailableProvisionedConcurrentExecutions: 2, AllocatedProvisionedConcurrentExecutions: 2 });
    const first = await run('ahead', version);
    expect(first).toMatchObject({ type: 'provisioned-concurrency', version });
    expect(first.log).not.toContain('Init Duration');
    expect(await run('ahead', '$LATEST')).toMatchObject({ type: 'on-demand' });
    const types = await Promise.all([1, 2, 3].map(async () => (await run('ahead', version, { ms: 300 })).type));
    expect(types.sort()).toEqual(['on-demand', 'provisioned-concurrency', 'provisioned-concurrency']);
    const listed = await lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'ahead' }));
    expect(listed.ProvisionedConcurrencyConfigs).toMatchObject([
      { FunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:ahead:${version}`, Status: 'READY' },
    ]);
    await lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: 'ahead', Qualifier: version }));
    await expect(configOf('ahead', version)).rejects.toMatchObject({
      name: 'ProvisionedConcurrencyConfigNotFoundException',
      $metadata: { httpStatusCode: 404 },
    });
    await expect.poll(async () => (await run('ahead', version)).type).toBe('on-demand');
  });

  it('belongs to versions and aliases, once', async () => {
    await create('rules');
    const version = await publish('rules');
    await lambda.send(new CreateAliasCommand({ FunctionName: 'rules', Name: 'live', FunctionVersion: version }));
    await expect(provision('rules', '$LATEST', 1)).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'Provisioned Concurrency Configs cannot be applied to unpublished function versions.',
    });
    await expect(configOf('rules', '$LATEST')).rejects.toMatchObject({ message: 'The function resource provided must be an alias or a published version.' });
    await expect(provision('rules', 'none', 1)).rejects.toMatchObject({
      message: 'Cannot find alias arn: arn:aws:lambda:us-east-1:000000000000:function:rules:none',
    });
    await expect(provision('rules', '9', 1)).rejects.toMatchObject({ message: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:rules:9' });
    await expect(provision('rules', version, 1001)).rejects.toMatchObject({
      message: "Specified ConcurrentExecutions for function is greater than account's unreserved concurrency [1000].",
    });
    await expect(provision('rules', version, 1000)).rejects.toMatchObject({
      message: "Specified ConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [100].",
    });
    await provision('rules', version, 1);
    await expect(provision('rules', 'live', 1)).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: "Alias can't be used for Provisioned Concurrency configuration on an already Provisioned version",
    });
    await lambda.send(new DeleteProvisionedConcurrencyConfigCommand({ FunctionName: 'rules', Qualifier: version }));
    await provision('rules', 'live', 1);
    await expect(provision('rules', version, 1)).rejects.toMatchObject({ message: 'Version is pointed by a Provisioned Concurrency alias' });
    await lambda.send(new DeleteAliasCommand({ FunctionName: 'rules', Name: 'live' }));
    expect((await lambda.send(new ListProvisionedConcurrencyConfigsCommand({ FunctionName: 'rules' }))).ProvisionedConcurrencyConfigs).toEqual([]);
  });

  it('comes out of what is reserved, or of the account', async () => {
    const free = async () => (await lambda.send(new GetAccountSettingsCommand({}))).AccountLimit?.UnreservedConcurrentExecutions;
    const before = (await free()) ?? 0;
    await create('overlap');
    const version = await publish('overlap');
    await provision('overlap', version, 2);
    expect(await free()).toBe(before - 2);
    await ready('overlap', version);
    await expect(reserve('overlap', 1)).rejects.toMatchObject({
      message: " ReservedConcurrentExecutions  1 should not be lower than function's total provisioned concurrency [2].",
    });
    await reserve('overlap', 2);
    expect(await free()).toBe(before - 2);
    await expect(run('overlap')).rejects.toMatchObject({ Reason: 'ReservedFunctionConcurrentInvocationLimitExceeded' });
    expect(await run('overlap', version)).toMatchObject({ type: 'provisioned-concurrency' });
    await expect(provision('overlap', version, 3)).rejects.toMatchObject({
      message: 'Requested Provisioned Concurrency should not be greater than the reservedConcurrentExecution for function',
    });
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'overlap' }));
    expect(await free()).toBe(before);
  });

  it('moves with its alias, and is shared by weights', async () => {
    await create('moving');
    const first = await publish('moving');
    await lambda.send(new CreateAliasCommand({ FunctionName: 'moving', Name: 'live', FunctionVersion: first }));
    await provision('moving', 'live', 2);
    await ready('moving', 'live');
    // The version itself has them too.
    expect(await run('moving', first)).toMatchObject({ type: 'provisioned-concurrency' });
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'moving', Description: 'second' }));
    await waitUntilFunctionUpdatedV2({ client: lambda, ...wait }, { FunctionName: 'moving' });
    const second = await publish('moving');
    await lambda.send(new UpdateAliasCommand({ FunctionName: 'moving', Name: 'live', FunctionVersion: second }));
    await ready('moving', 'live');
    expect(await run('moving', 'live')).toMatchObject({ type: 'provisioned-concurrency', version: second });
    await expect.poll(async () => (await run('moving', first)).type).toBe('on-demand');
    await lambda.send(
      new UpdateAliasCommand({ FunctionName: 'moving', Name: 'live', FunctionVersion: second, RoutingConfig: { AdditionalVersionWeights: { [first]: 0.5 } } }),
    );
    await expect.poll(async () => (await run('moving', first)).type).toBe('provisioned-concurrency');
    expect(await run('moving', second)).toMatchObject({ type: 'provisioned-concurrency' });
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'moving' }));
  });

  it('fails where the function cannot be initialised, and calls run on demand', async () => {
    const broken = await zipFiles({
      'index.js': `if (process.env.AWS_LAMBDA_INITIALIZATION_TYPE !== 'on-demand') throw new Error('broken');
        exports.handler = async () => ({ type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE });`,
    });
    await create('broken', { Code: { ZipFile: broken }, Publish: true });
    await provision('broken', '1', 1);
    expect(await run('broken', '1')).toMatchObject({ type: 'on-demand' });
    await expect.poll(async () => (await configOf('broken', '1')).Status, { timeout: 15_000 }).toBe('FAILED');
    expect(await configOf('broken', '1')).toMatchObject({ StatusReason: 'FUNCTION_ERROR_INIT_FAILURE', AllocatedProvisionedConcurrentExecutions: 0 });
  });

  it('is there again after a restart', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'croft-provisioned-'));
    const options = { dataDir, ephemeral: false, store: 'sqlite', logLevel: 'warn' } as const;
    const before = await startCroft(options);
    const client = clientOf(before);
    await create('kept', { Publish: true }, client);
    await client.send(new PutProvisionedConcurrencyConfigCommand({ FunctionName: 'kept', Qualifier: '1', ProvisionedConcurrentExecutions: 1 }));
    await ready('kept', '1', client);
    await before.stop();
    const after = await startCroft(options);
    try {
      const again = clientOf(after);
      await ready('kept', '1', again);
      expect(await run('kept', '1', {}, again)).toMatchObject({ type: 'provisioned-concurrency' });
    } finally {
      await after.stop();
      await rm(dataDir, { recursive: true, force: true });
    }
  });
});
