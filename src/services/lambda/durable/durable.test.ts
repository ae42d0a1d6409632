import { EventBridgeClient, PutRuleCommand, PutTargetsCommand } from '@aws-sdk/client-eventbridge';
import {
  CheckpointDurableExecutionCommand,
  CreateFunctionCommand,
  GetDurableExecutionCommand,
  GetDurableExecutionHistoryCommand,
  GetFunctionConfigurationCommand,
  InvokeCommand,
  LambdaClient,
  ListDurableExecutionsByFunctionCommand,
  PutFunctionEventInvokeConfigCommand,
  SendDurableExecutionCallbackFailureCommand,
  SendDurableExecutionCallbackHeartbeatCommand,
  SendDurableExecutionCallbackSuccessCommand,
  StopDurableExecutionCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, DeleteMessageCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';
import { ROLE, zipFiles } from '../testing.ts';

/** A busy machine takes its time to start a runtime. */
const PATIENT = { timeout: 20_000, interval: 20 };
const UNKNOWN = 'arn:aws:lambda:us-east-1:000000000000:function:flow:$LATEST/durable-execution/none/none';

/**
 * Speaks the protocol by itself: `input.script` is a list of checkpoints, one an invocation; after the last one the function succeeds
 * with what its operations came to.
 */
const SOURCE = `
const { CheckpointDurableExecution } = {};
async function post(path, body) {
  const answer = await fetch(process.env.AWS_ENDPOINT_URL + '/2025-12-01/durable-executions/' + path, {
    method: 'POST', body: JSON.stringify(body),
    headers: { 'content-type': 'application/json', authorization: 'AWS4-HMAC-SHA256 Credential=' + process.env.AWS_ACCESS_KEY_ID + '/20260101/us-east-1/lambda/aws4_request, SignedHeaders=host, Signature=0' },
  });
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}
exports.handler = async (event) => {
  const operations = event.InitialExecutionState.Operations;
  const input = JSON.parse(operations[0].ExecutionDetails.InputPayload ?? '{}');
  const script = input.script ?? [];
  const turn = operations.filter((one) => one.Id.startsWith('turn')).length;
  if (input.crash > turn) process.exit(1);
  if (turn >= script.length) {
    if (input.fail) return { Status: 'FAILED', Error: { ErrorMessage: input.fail, ErrorType: 'Failed' } };
    if (input.output) return input.output;
    return { Status: 'SUCCEEDED', Result: JSON.stringify({ operations: operations.slice(1), updated: event.UpdatedOperationIds }) };
  }
  let token = event.CheckpointToken;
  const mark = [{ Id: 'turn' + turn, Type: 'STEP', Action: 'START' }, { Id: 'turn' + turn, Type: 'STEP', Action: 'SUCCEED' }];
  const answer = await post(encodeURIComponent(event.DurableExecutionArn) + '/checkpoint', { CheckpointToken: token, Updates: [...mark, ...script[turn]] });
  return { Status: 'PENDING' };
};`;

let croft: TestCroft;
let lambda: LambdaClient;

beforeAll(async () => {
  croft = await startCroft();
  lambda = new LambdaClient(croft.sdk);
  const Code = { ZipFile: await zipFiles({ 'index.js': SOURCE }) };
  const plain = { Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code } as const;
  await lambda.send(new CreateFunctionCommand({ ...plain, FunctionName: 'flow', DurableConfig: { ExecutionTimeout: 600 } }));
  await lambda.send(new CreateFunctionCommand({ ...plain, FunctionName: 'long', DurableConfig: { ExecutionTimeout: 901, RetentionPeriodInDays: 3 } }));
  const echo = await zipFiles({ 'index.js': 'exports.handler = async (event) => { if (event.fail) throw new TypeError(event.fail); return event; };' });
  await lambda.send(new CreateFunctionCommand({ ...plain, FunctionName: 'echo', Code: { ZipFile: echo } }));
});
afterAll(() => croft.stop());

interface Input {
  readonly script?: readonly object[][];
  readonly fail?: string;
  readonly output?: object;
  readonly crash?: number;
}

async function start(input: Input, DurableExecutionName?: string): Promise<string> {
  const answer = await lambda.send(
    new InvokeCommand({
      FunctionName: 'flow:$LATEST',
      InvocationType: 'Event',
      Payload: JSON.stringify(input),
      ...(DurableExecutionName ? { DurableExecutionName } : {}),
    }),
  );
  expect(answer.StatusCode).toBe(202);
  return answer.DurableExecutionArn ?? '';
}

const get = (DurableExecutionArn: string) => lambda.send(new GetDurableExecutionCommand({ DurableExecutionArn }));
const historyOf = async (DurableExecutionArn: string) => (await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn }))).Events ?? [];
const typesOf = async (arn: string) => (await historyOf(arn)).map((event) => event.EventType).filter((type) => !type?.startsWith('Step'));
const ended = (arn: string, Status: string) => expect.poll(() => get(arn), PATIENT).toMatchObject({ Status });
const reached = (arn: string, type: string) => expect.poll(() => typesOf(arn), PATIENT).toContain(type);
const suspended = (arn: string) => reached(arn, 'InvocationCompleted');

describe('invoking', () => {
  it('answers with the result, and the ARN of the execution', async () => {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'flow', Qualifier: '$LATEST', Payload: '{"a":1}' }));
    expect(answer).toMatchObject({ StatusCode: 200, ExecutedVersion: '$LATEST' });
    expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toEqual({ operations: [], updated: [] });
    const execution = await get(answer.DurableExecutionArn ?? '');
    expect(execution).toMatchObject({
      Status: 'SUCCEEDED',
      InputPayload: '{"a":1}',
      Version: '$LATEST',
      FunctionArn: expect.stringMatching(/:function:flow:\$LATEST$/),
    });
    expect(await typesOf(answer.DurableExecutionArn ?? '')).toEqual(['ExecutionStarted', 'InvocationCompleted', 'ExecutionSucceeded']);
  });

  it("answers a failure as the function's", async () => {
    const answer = await lambda.send(new InvokeCommand({ FunctionName: 'flow:$LATEST', Payload: JSON.stringify({ fail: 'no' }) }));
    expect(answer.FunctionError).toBe('Unhandled');
    expect(JSON.parse(answer.Payload?.transformToString() ?? '')).toEqual({ errorMessage: 'no', errorType: 'Failed' });
  });

  it('wants a qualifier, and an execution timeout that a caller can wait for', async () => {
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'flow' }))).rejects.toThrow('You cannot invoke a durable function using an unqualified ARN.');
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'long:$LATEST' }))).rejects.toThrow(
      'You cannot synchronously invoke a durable function with an executionTimeout greater than 15 minutes.',
    );
    await expect(lambda.send(new InvokeCommand({ FunctionName: 'echo', DurableExecutionName: 'x' }))).rejects.toThrow('durable functions');
    expect(await lambda.send(new InvokeCommand({ FunctionName: 'flow:$LATEST', InvocationType: 'DryRun' }))).toMatchObject({ StatusCode: 204 });
  });

  it('finds an execution again by its name, and refuses another input', async () => {
    const input = { script: [] };
    const arn = await start(input, 'once');
    expect(arn).toContain('/durable-execution/once/');
    await ended(arn, 'SUCCEEDED');
    expect(await start(input, 'once')).toBe(arn);
    await expect(start({ fail: 'other' }, 'once')).rejects.toMatchObject({
      name: 'DurableExecutionAlreadyStartedException',
      message: `Execution already started: ${arn}`,
    });
  });

  it('fails an execution whose function answers no output', async () => {
    const arn = await start({ output: { Status: 'DONE' } });
    await ended(arn, 'FAILED');
    expect((await get(arn)).Error).toEqual({ ErrorMessage: 'Invalid Status in invocation output.', ErrorType: 'InvalidParameterValueException' });
  });
});

describe('configuration', () => {
  it('is shown, and only changed where it was from the start', async () => {
    expect((await lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'flow' }))).DurableConfig).toEqual({
      ExecutionTimeout: 600,
      RetentionPeriodInDays: 14,
    });
    const changed = await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'long', DurableConfig: { ExecutionTimeout: 1000 } }));
    expect(changed.DurableConfig).toEqual({ ExecutionTimeout: 1000, RetentionPeriodInDays: 3 });
    await expect(lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'echo', DurableConfig: { ExecutionTimeout: 5 } }))).rejects.toThrow(
      'existing function',
    );
  });
});

describe('operations', () => {
  it('waits on the virtual clock, and tells the function what changed', async () => {
    const arn = await start({ script: [[{ Id: 'w', Type: 'WAIT', Action: 'START', Name: 'nap', SubType: 'Wait', WaitOptions: { WaitSeconds: 500 } }]] });
    await suspended(arn);
    croft.server.platform.clock.advance(500_000);
    await ended(arn, 'SUCCEEDED');
    const result = JSON.parse((await get(arn)).Result ?? '{}') as { operations: object[]; updated: string[] };
    expect(result.updated).toEqual(['w']);
    expect(result.operations.at(-1)).toMatchObject({ Id: 'w', Type: 'WAIT', Status: 'SUCCEEDED', WaitDetails: { ScheduledEndTimestamp: expect.any(Number) } });
    const wait = (await historyOf(arn)).find((event) => event.EventType === 'WaitStarted');
    expect(wait).toMatchObject({ Id: 'w', Name: 'nap', SubType: 'Wait', WaitStartedDetails: { Duration: 500 } });
    expect(await typesOf(arn)).toEqual([
      'ExecutionStarted',
      'WaitStarted',
      'InvocationCompleted',
      'WaitSucceeded',
      'InvocationCompleted',
      'ExecutionSucceeded',
    ]);
  });

  it('retries a step when its delay is over', async () => {
    const retry = { Id: 's', Type: 'STEP', Action: 'RETRY', Error: { ErrorMessage: 'flaky' }, StepOptions: { NextAttemptDelaySeconds: 60 } };
    const arn = await start({
      script: [
        [{ Id: 's', Type: 'STEP', Action: 'START' }, retry],
        [
          { Id: 's', Type: 'STEP', Action: 'SUCCEED', Payload: '7' },
          { Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 1 } },
        ],
      ],
    });
    await suspended(arn);
    croft.server.platform.clock.advance(60_000);
    await ended(arn, 'SUCCEEDED');
    const steps = (await historyOf(arn)).filter((event) => event.Id === 's');
    expect(steps.map((event) => event.EventType)).toEqual(['StepStarted', 'StepFailed', 'StepSucceeded']);
    expect(steps[1]?.StepFailedDetails).toMatchObject({
      Error: { Payload: { ErrorMessage: 'flaky' } },
      RetryDetails: { CurrentAttempt: 1, NextAttemptDelaySeconds: 60 },
    });
    expect(steps[2]?.StepSucceededDetails).toMatchObject({ Result: { Payload: '7' }, RetryDetails: { CurrentAttempt: 2 } });
  });

  const callback = (options: object) => ({ script: [[{ Id: 'c', Type: 'CALLBACK', Action: 'START', CallbackOptions: options }]] });
  const callbackIdOf = async (arn: string) => {
    await suspended(arn);
    return (await historyOf(arn)).find((event) => event.EventType === 'CallbackStarted')?.CallbackStartedDetails?.CallbackId ?? '';
  };

  it('takes the answer of a callback once', async () => {
    const arn = await start(callback({}));
    const CallbackId = await callbackIdOf(arn);
    await lambda.send(new SendDurableExecutionCallbackSuccessCommand({ CallbackId, Result: Buffer.from('"yes"') }));
    await ended(arn, 'SUCCEEDED');
    expect(JSON.parse((await get(arn)).Result ?? '{}').operations.at(-1)).toMatchObject({
      Status: 'SUCCEEDED',
      CallbackDetails: { CallbackId, Result: '"yes"' },
    });
    await expect(lambda.send(new SendDurableExecutionCallbackFailureCommand({ CallbackId }))).rejects.toMatchObject({
      name: 'CallbackTimeoutException',
      message: 'The callback is either timed out or already completed',
    });
    await expect(lambda.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId: 'AAAA' }))).rejects.toThrow('Invalid callback id');
  });

  it('takes the failure of a callback', async () => {
    const arn = await start(callback({}));
    await lambda.send(
      new SendDurableExecutionCallbackFailureCommand({ CallbackId: await callbackIdOf(arn), Error: { ErrorType: 'Rejected', ErrorMessage: 'no' } }),
    );
    await ended(arn, 'SUCCEEDED');
    const failed = (await historyOf(arn)).find((event) => event.EventType === 'CallbackFailed');
    expect(failed?.CallbackFailedDetails?.Error?.Payload).toEqual({ ErrorType: 'Rejected', ErrorMessage: 'no' });
  });

  it('times callbacks out, unless a heartbeat comes in time', async () => {
    const arn = await start(callback({ HeartbeatTimeoutSeconds: 30, TimeoutSeconds: 300 }));
    const CallbackId = await callbackIdOf(arn);
    croft.server.platform.clock.advance(25_000);
    await lambda.send(new SendDurableExecutionCallbackHeartbeatCommand({ CallbackId }));
    croft.server.platform.clock.advance(25_000);
    expect(await typesOf(arn)).not.toContain('CallbackTimedOut');
    croft.server.platform.clock.advance(10_000);
    await ended(arn, 'SUCCEEDED');
    const event = (await historyOf(arn)).find((one) => one.EventType === 'CallbackTimedOut');
    expect(event?.CallbackTimedOutDetails?.Error?.Payload?.ErrorType).toBe('Callback.Heartbeat');
  });

  const chained = (FunctionName: string, Payload: string) => ({
    script: [[{ Id: 'i', Type: 'CHAINED_INVOKE', Action: 'START', Payload, ChainedInvokeOptions: { FunctionName } }]],
  });

  it('runs chained functions, durable and plain, and hands their results and failures on', async () => {
    const outcomes = await Promise.all(
      [
        chained('flow:$LATEST', '{}'),
        chained('flow:$LATEST', JSON.stringify({ fail: 'child' })),
        chained('echo', '{"b":2}'),
        chained('echo', JSON.stringify({ fail: 'plain' })),
        chained('nobody', '{}'),
        chained('flow', '{}'),
      ].map(async (input) => {
        const arn = await start(input);
        await ended(arn, 'SUCCEEDED');
        return JSON.parse((await get(arn)).Result ?? '{}').operations.at(-1) as { Status: string; ChainedInvokeDetails: object };
      }),
    );
    expect(outcomes.map(({ Status, ChainedInvokeDetails }) => [Status, ChainedInvokeDetails])).toMatchObject([
      ['SUCCEEDED', { Result: '{"operations":[],"updated":[]}' }],
      ['FAILED', { Error: { ErrorMessage: 'child', ErrorType: 'Failed' } }],
      ['SUCCEEDED', { Result: '{"b":2}' }],
      ['FAILED', { Error: { ErrorMessage: 'plain', ErrorType: 'TypeError' } }],
      [
        'FAILED',
        {
          Error: { ErrorType: 'ResourceNotFoundException', ErrorMessage: 'Function not found: arn:aws:lambda:us-east-1:000000000000:function:nobody:$LATEST' },
        },
      ],
      ['FAILED', { Error: { ErrorMessage: 'You cannot invoke a durable function using an unqualified ARN.' } }],
    ]);
  });

  it('hands the tenant of a chained invocation on', async () => {
    const Code = { ZipFile: await zipFiles({ 'index.js': 'exports.handler = async (event, context) => context.tenantId;' }) };
    const TenancyConfig = { TenantIsolationMode: 'PER_TENANT' } as const;
    await lambda.send(new CreateFunctionCommand({ FunctionName: 'tenants', Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code, TenancyConfig }));
    const call = (options: object) => ({
      script: [[{ Id: 'i', Type: 'CHAINED_INVOKE', Action: 'START', ChainedInvokeOptions: { FunctionName: 'tenants', ...options } }]],
    });
    const arn = await start(call({ TenantId: 'blue' }));
    await ended(arn, 'SUCCEEDED');
    expect(JSON.parse((await get(arn)).Result ?? '{}').operations.at(-1)).toMatchObject({ ChainedInvokeDetails: { Result: '"blue"' } });
    const without = await start(call({}));
    await ended(without, 'SUCCEEDED');
    expect(JSON.parse((await get(without)).Result ?? '{}').operations.at(-1)).toMatchObject({ Status: 'FAILED' });
  });

  it('keeps results of a megabyte, and inputs of more', async () => {
    const big = 'x'.repeat(1_000_000);
    const arn = await start({
      script: [[{ Id: 'i', Type: 'CHAINED_INVOKE', Action: 'START', Payload: JSON.stringify(big), ChainedInvokeOptions: { FunctionName: 'echo' } }]],
      output: { Status: 'SUCCEEDED', Result: '1' },
    });
    await ended(arn, 'SUCCEEDED');
    const event = (await historyOf(arn)).find((one) => one.EventType === 'ChainedInvokeSucceeded');
    expect(event?.ChainedInvokeSucceededDetails?.Result?.Payload).toHaveLength(big.length + 2);
    const compact = await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn, IncludeExecutionData: false }));
    expect(compact.Events?.find((one) => one.EventType === 'ChainedInvokeSucceeded')?.ChainedInvokeSucceededDetails?.Result).toEqual({ Truncated: true });
  });
});

describe('ends', () => {
  const waiting: Input = { script: [[{ Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 5000 } }]] };

  it('stops, once', async () => {
    const DurableExecutionArn = await start(waiting);
    await suspended(DurableExecutionArn);
    const first = await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn, Error: { ErrorMessage: 'enough' } }));
    expect(await get(DurableExecutionArn)).toMatchObject({ Status: 'STOPPED', Error: { ErrorMessage: 'enough' }, EndTimestamp: first.StopTimestamp });
    expect(await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn }))).toMatchObject({ StopTimestamp: first.StopTimestamp });
    expect((await typesOf(DurableExecutionArn)).at(-1)).toBe('ExecutionStopped');
  });

  it('times out, and is forgotten after its retention', async () => {
    const arn = await start(waiting);
    await suspended(arn);
    croft.server.platform.clock.advance(600_000);
    await ended(arn, 'TIMED_OUT');
    expect((await get(arn)).Error).toEqual({ ErrorMessage: 'Execution timed out after 600 seconds.' });
    croft.server.platform.clock.advance(14 * 86_400_000);
    await expect.poll(() => get(arn).catch((error: Error) => error.name), PATIENT).toBe('ResourceNotFoundException');
  });

  it('tries a function that crashes again, and gives up', async () => {
    const arn = await start({ crash: 1 });
    for (const seconds of [1, 2, 4, 8]) {
      await expect.poll(async () => (await typesOf(arn)).length, PATIENT).toBeGreaterThan(1);
      await croft.server.platform.bus.quiet(10_000);
      croft.server.platform.clock.advance(seconds * 1000);
    }
    await ended(arn, 'FAILED');
    expect((await get(arn)).Error?.ErrorType).toBe('Runtime.ExitError');
    const errors = (await historyOf(arn))
      .filter((event) => event.EventType === 'InvocationCompleted')
      .map((event) => event.InvocationCompletedDetails?.Error?.Payload?.ErrorType);
    expect(errors).toEqual(Array(5).fill('Runtime.ExitError'));
  });
});

describe('destinations', () => {
  it('are told how the execution of an event ended, and dead letters what it was of', async () => {
    const sqs = new SQSClient(croft.sdk);
    const queue = async (QueueName: string) => {
      const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName }));
      return { QueueUrl, arn: `arn:aws:sqs:us-east-1:000000000000:${QueueName}` };
    };
    const [records, dead] = [await queue('records'), await queue('dead')];
    const Code = { ZipFile: await zipFiles({ 'index.js': SOURCE }) };
    const settings = { Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code, DurableConfig: { ExecutionTimeout: 600 } } as const;
    await lambda.send(new CreateFunctionCommand({ ...settings, FunctionName: 'told', DeadLetterConfig: { TargetArn: dead.arn } }));
    const DestinationConfig = { OnSuccess: { Destination: records.arn }, OnFailure: { Destination: records.arn } };
    await lambda.send(new PutFunctionEventInvokeConfigCommand({ FunctionName: 'told', Qualifier: '$LATEST', DestinationConfig }));
    const next = async ({ QueueUrl }: { QueueUrl: string | undefined }) => {
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10, MessageAttributeNames: ['All'] }));
      const [message] = Messages ?? [];
      await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message?.ReceiptHandle }));
      return { body: JSON.parse(message?.Body ?? 'null'), attributes: message?.MessageAttributes };
    };
    await lambda.send(new InvokeCommand({ FunctionName: 'told:$LATEST', InvocationType: 'Event', Payload: '{"a":1}' }));
    expect((await next(records)).body).toMatchObject({
      requestContext: { condition: 'Success' },
      requestPayload: { a: 1 },
      responsePayload: { operations: [] },
    });
    await lambda.send(new InvokeCommand({ FunctionName: 'told:$LATEST', InvocationType: 'Event', Payload: '{"fail":"no"}' }));
    expect((await next(records)).body).toMatchObject({
      requestContext: { condition: 'RetriesExhausted', approximateInvokeCount: 1 },
      responsePayload: { errorMessage: 'no' },
    });
    expect(await next(dead)).toMatchObject({ body: { fail: 'no' }, attributes: { ErrorMessage: { StringValue: 'no' } } });
  });

  it('and rules of the default event bus are told of each status', async () => {
    const [sqs, rules] = [new SQSClient(croft.sdk), new EventBridgeClient(croft.sdk)];
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'statuses' }));
    await rules.send(new PutRuleCommand({ Name: 'statuses', EventPattern: '{"source":["aws.lambda"],"detail":{"durableExecutionName":["announced"]}}' }));
    await rules.send(new PutTargetsCommand({ Rule: 'statuses', Targets: [{ Id: 'queue', Arn: 'arn:aws:sqs:us-east-1:000000000000:statuses' }] }));
    const arn = await start({}, 'announced');
    const told: object[] = [];
    const receive = async () => {
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 1, MaxNumberOfMessages: 10 }));
      told.push(...(Messages ?? []).map(({ Body }) => JSON.parse(Body ?? '')));
      return told.length;
    };
    await expect.poll(receive, PATIENT).toBe(2);
    const notice = (detail: object) => ({
      'detail-type': 'Durable Execution Status Change',
      detail: expect.objectContaining({ durableExecutionArn: arn, ...detail }),
    });
    expect(told).toEqual(
      expect.arrayContaining([
        expect.objectContaining(notice({ status: 'RUNNING' })),
        expect.objectContaining(notice({ status: 'SUCCEEDED', endTimestamp: expect.any(String) })),
      ]),
    );
  });
});

describe('refusals', () => {
  it('knows no execution but its own', async () => {
    await expect(get(UNKNOWN)).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'Durable Execution does not exist' });
    await expect(lambda.send(new CheckpointDurableExecutionCommand({ DurableExecutionArn: UNKNOWN, CheckpointToken: 'QUJD', Updates: [] }))).rejects.toThrow(
      'Invalid checkpoint token',
    );
    await expect(get('nonsense')).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('lists by status, time and name, in pages', async () => {
    const list = (more: object) => lambda.send(new ListDurableExecutionsByFunctionCommand({ FunctionName: 'flow', ...more }));
    const stopped = await start({ script: [[{ Id: 'w', Type: 'WAIT', Action: 'START', WaitOptions: { WaitSeconds: 50 } }]] });
    await lambda.send(new StopDurableExecutionCommand({ DurableExecutionArn: stopped }));
    for (let i = 0; i < 4; i++) await start({});
    const all = (await list({})).DurableExecutions ?? [];
    expect(all.length).toBeGreaterThan(4);
    const times = all.map((one) => one.StartTimestamp?.getTime() ?? 0);
    expect(times).toEqual([...times].sort((a, b) => b - a));
    expect((await list({ ReverseOrder: true })).DurableExecutions?.map((one) => one.DurableExecutionArn).sort()).toEqual(
      all.map((one) => one.DurableExecutionArn).sort(),
    );
    expect((await list({ Statuses: ['STOPPED'] })).DurableExecutions?.map((one) => one.DurableExecutionArn)).toEqual([stopped]);
    expect((await list({ DurableExecutionName: 'nobody' })).DurableExecutions).toEqual([]);
    const pages: string[] = [];
    for (let Marker: string | undefined, more = true; more; ) {
      const page = await list({ MaxItems: 3, Marker });
      pages.push(...(page.DurableExecutions ?? []).map((one) => one.DurableExecutionArn ?? ''));
      Marker = page.NextMarker;
      more = Marker !== undefined;
    }
    expect(pages).toEqual(all.map((one) => one.DurableExecutionArn));
    await expect(list({ Marker: 'bogus' })).rejects.toThrow('Invalid Marker');
    await expect(list({ Statuses: ['RUNNING', 'FAILED'] })).rejects.toThrow('Cannot filter by more than one status');
  });

  it('pages the history both ways', async () => {
    const arn = await start({});
    await ended(arn, 'SUCCEEDED');
    const first = await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn, MaxItems: 2 }));
    const rest = await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn, MaxItems: 2, Marker: first.NextMarker }));
    expect([...(first.Events ?? []), ...(rest.Events ?? [])].map((event) => event.EventId)).toEqual([1, 2, 3]);
    expect(rest.NextMarker).toBeUndefined();
    const back = await lambda.send(new GetDurableExecutionHistoryCommand({ DurableExecutionArn: arn, ReverseOrder: true }));
    expect(back.Events?.map((event) => event.EventId)).toEqual([3, 2, 1]);
  });
});
