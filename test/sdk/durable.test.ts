import { existsSync, readdirSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  type CreateFunctionCommandInput,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  InvokeCommand,
  LambdaClient,
  SendDurableExecutionCallbackSuccessCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { createFunction } from '../e2e/functions.ts';
import { type CroftProcess, ROOT, startProcess } from '../process.ts';

/** Filled by scripts/test-tools.sh. */
const SDKS = join(ROOT, '.cache', 'durable-sdk');
const PATIENT = { timeout: 60_000, interval: 100 };

const PYTHON = `
from aws_durable_execution_sdk_python.config import Duration, StepConfig
from aws_durable_execution_sdk_python.execution import durable_execution
from aws_durable_execution_sdk_python.retries import RetryStrategyConfig, create_retry_strategy
from aws_durable_execution_sdk_python.config import JitterStrategy

def flaky(step):
    if step.attempt < 2:
        raise RuntimeError("not yet")
    return step.attempt

@durable_execution
def flow(event, context):
    if "nap" in event:
        before = context.step(lambda _: event["nap"], name="before")
        context.wait(Duration.from_seconds(event["nap"]), name="nap")
        return {"slept": before}
    retry = StepConfig(retry_strategy=create_retry_strategy(RetryStrategyConfig(max_attempts=3, initial_delay=Duration.from_seconds(1), jitter_strategy=JitterStrategy.NONE)))
    attempts = context.step(flaky, name="flaky", config=retry)
    context.wait(Duration.from_seconds(1), name="nap")
    branches = context.parallel([lambda c: c.step(lambda _: "a"), lambda c: c.step(lambda _: "b")], name="both").get_results()
    echoed = context.invoke("echo", {"n": event["n"]}, name="chain")
    approved = context.create_callback(name="approval").result()
    return {"attempts": attempts, "branches": branches, "echoed": echoed, "approved": approved}
`;

const JAVASCRIPT = `
const { withDurableExecution } = require('@aws/durable-execution-sdk-js');
exports.flow = withDurableExecution(async (event, context) => {
  if (event.nap) {
    const before = await context.step('before', async () => event.nap);
    await context.wait('nap', { seconds: event.nap });
    return { slept: before };
  }
  const attempts = await context.step('flaky', async (step) => {
    if (step.attempt < 2) throw new Error('not yet');
    return step.attempt;
  }, { retryStrategy: (error, attempt) => ({ shouldRetry: attempt < 3, delay: { seconds: 1 } }) });
  await context.wait('nap', { seconds: 1 });
  const both = await context.parallel('both', [async (c) => c.step('a', async () => 'a'), async (c) => c.step('b', async () => 'b')]);
  const echoed = await context.invoke('chain', 'echo', { n: event.n });
  const [promise] = await context.createCallback('approval');
  const approved = await promise;
  return { attempts, branches: both.getResults(), echoed, approved };
});
exports.echo = async (event) => event;
`;

/** A function's package: its source and its SDK, without which AWS's runtimes would bring an older one. */
async function zip(file: string, source: string, folder: string, prefix: string, wanted: (name: string) => boolean): Promise<Buffer> {
  const zipped = new ZipFile();
  zipped.addBuffer(Buffer.from(source), file);
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    const name = join(prefix, path.slice(folder.length + 1));
    if (entry.isFile() && wanted(name)) zipped.addBuffer(await readFile(path), name);
  }
  zipped.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zipped.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const LANGUAGES = {
  python: async (): Promise<[Buffer, Partial<CreateFunctionCommandInput>]> => {
    const name = 'aws_durable_execution_sdk_python';
    const code = await zip('flow.py', PYTHON, join(SDKS, 'python', name), name, (file) => file.endsWith('.py'));
    return [code, { Runtime: 'python3.13', Handler: 'flow.flow' }];
  },
  javascript: async (): Promise<[Buffer, Partial<CreateFunctionCommandInput>]> => {
    const name = 'node_modules/@aws/durable-execution-sdk-js';
    const code = await zip('flow.js', JAVASCRIPT, join(SDKS, 'js', 'package'), name, (file) => /package\.json$|dist-cjs\/index\.js$/.test(file));
    return [code, { Runtime: 'nodejs24.x', Handler: 'flow.flow' }];
  },
};

describe.skipIf(!existsSync(SDKS))('the durable execution SDKs', { timeout: 120_000 }, () => {
  let croft: CroftProcess;
  let lambda: LambdaClient;
  const connect = () => {
    lambda = new LambdaClient({ ...croft.sdk, maxAttempts: 1 });
  };
  beforeAll(async () => {
    croft = await startProcess();
    connect();
    for (const [language, make] of Object.entries(LANGUAGES)) {
      const [code, settings] = await make();
      await createFunction(lambda, language, code, { ...settings, Timeout: 30, MemorySize: 256, DurableConfig: { ExecutionTimeout: 300 } });
    }
    const [code] = await LANGUAGES.javascript();
    await createFunction(lambda, 'echo', code, { Runtime: 'nodejs24.x', Handler: 'flow.echo' });
  });
  afterAll(() => croft.dispose());

  const start = async (language: string, event: object): Promise<string> => {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: `${language}:$LATEST`, InvocationType: 'Event', Payload: JSON.stringify(event) }));
    return answer.DurableExecutionArn ?? '';
  };
  const eventsOf = async (DurableExecutionArn: string) => (await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn }))).Events ?? [];
  const statusOf = async (DurableExecutionArn: string) => {
    const { Status, Result, Error: error } = await lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
    return { Status, ...(Result === undefined ? {} : { Result: JSON.parse(Result) as unknown }), ...(error ? { error } : {}) };
  };

  it.each(Object.keys(LANGUAGES))('%s: retries, waits, runs branches, chains and is called back', async (language) => {
    const arn = await start(language, { n: 1 });
    const callback = async () => (await eventsOf(arn)).find((event) => event.EventType === 'CallbackStarted' && event.Name === 'approval');
    await expect.poll(callback, PATIENT).toBeDefined();
    const CallbackId = (await callback())?.CallbackStartedDetails?.CallbackId;
    await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from(JSON.stringify('yes')) }));
    await expect.poll(async () => (await statusOf(arn)).Status, PATIENT).not.toBe('RUNNING');
    const ended = await statusOf(arn);
    expect(ended).toMatchObject({ Status: 'SUCCEEDED', Result: { attempts: 2, branches: ['a', 'b'], echoed: { n: 1 } } });
    expect(JSON.stringify(ended.Result)).toContain('yes');
    const types = (await eventsOf(arn)).map((event) => event.EventType);
    for (const type of ['StepFailed', 'WaitSucceeded', 'ContextSucceeded', 'ChainedInvokeSucceeded', 'CallbackSucceeded']) expect(types).toContain(type);
  });

  it.each(Object.keys(LANGUAGES))('%s: a caller gets the result', async (language) => {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: `${language}:$LATEST`, Payload: JSON.stringify({ nap: 1 }) }));
    expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toEqual({ slept: 1 });
  });

  it('goes on after kill -9', async () => {
    const arns = await Promise.all(Object.keys(LANGUAGES).map((language) => start(language, { nap: 3 })));
    for (const arn of arns) await expect.poll(async () => (await eventsOf(arn)).map((event) => event.EventType), PATIENT).toContain('WaitStarted');
    await croft.kill();
    croft = await croft.restart();
    connect();
    for (const arn of arns) {
      await expect.poll(async () => (await statusOf(arn)).Status, PATIENT).toBe('SUCCEEDED');
      expect((await statusOf(arn)).Result).toEqual({ slept: 3 });
      const steps = (await eventsOf(arn)).filter((event) => event.Name === 'before').map((event) => event.EventType);
      expect(steps).toEqual(['StepStarted', 'StepSucceeded']);
    }
  });
});
