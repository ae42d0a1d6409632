import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  PutFunctionConcurrencyCommand,
  UpdateEventSourceMappingCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import {
  CreateQueueCommand,
  type CreateQueueCommandInput,
  GetQueueAttributesCommand,
  ReceiveMessageCommand,
  SendMessageBatchCommand,
  SendMessageCommand,
  SQSClient,
} from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';
import { createPrinted, type Printed, ROLE, zipFiles } from '../testing.ts';

/** Prints every event; fails, or names failures, where a message asks for it. */
const SOURCE = `
import json, time
def handler(event, context):
    print(json.dumps({**event, 'at': time.time_ns()}))
    bodies = [r['body'] for r in event['Records']]
    if any('"fail"' in b for b in bodies):
        raise Exception('asked to')
    return {'batchItemFailures': [{'itemIdentifier': r['messageId']} for r in event['Records'] if 'poison' in r['body']]}
`;
const PATIENT = { timeout: 15_000, interval: 20 };

let croft: TestCroft;
let lambda: LambdaClient;
let sqs: SQSClient;
let printed: Printed<SqsEvent>;
let count = 0;

beforeAll(async () => {
  croft = await startCroft();
  lambda = new LambdaClient(croft.sdk);
  sqs = new SQSClient(croft.sdk);
  printed = createPrinted(croft);
  await createFunction('consumer');
}, 30_000);
afterAll(() => croft.stop());

let from = 0;
beforeEach(async () => {
  from = (await allEvents()).length;
});

interface SqsEvent {
  readonly Records: readonly { readonly body: string; readonly messageId: string; readonly attributes: Record<string, string> }[];
}

async function createFunction(FunctionName: string, source = SOURCE): Promise<void> {
  const ZipFile = await zipFiles({ 'index.py': source });
  await lambda.send(new CreateFunctionCommand({ FunctionName, Runtime: 'python3.12', Handler: 'index.handler', Role: ROLE, Code: { ZipFile } }));
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 1, maxDelay: 1 }, { FunctionName });
}

const allEvents = () => printed('consumer');
const events = async () => (await allEvents()).slice(from);
const bodies = async () => (await events()).flatMap(({ Records }) => Records.map(({ body }) => body));

async function queue(Attributes: CreateQueueCommandInput['Attributes'] = {}): Promise<{ url: string; arn: string }> {
  const name = `queue-${++count}${Attributes['FifoQueue'] ? '.fifo' : ''}`;
  const { QueueUrl = '' } = await sqs.send(new CreateQueueCommand({ QueueName: name, Attributes }));
  return { url: QueueUrl, arn: `arn:aws:sqs:us-east-1:000000000000:${name}` };
}

async function map(EventSourceArn: string, more: Partial<CreateEventSourceMappingCommandInput> = {}): Promise<string> {
  const { UUID = '' } = await lambda.send(new CreateEventSourceMappingCommand({ EventSourceArn, FunctionName: 'consumer', ...more }));
  await settled(UUID);
  return UUID;
}

const state = async (UUID: string) => (await lambda.send(new GetEventSourceMappingCommand({ UUID }))).State;
const settled = (UUID: string, to = 'Enabled') => expect.poll(() => state(UUID), PATIENT).toBe(to);
const send = (QueueUrl: string, MessageBody: string, more: Record<string, unknown> = {}) =>
  sqs.send(new SendMessageCommand({ QueueUrl, MessageBody, ...more }));

async function left(QueueUrl: string): Promise<number> {
  const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
  return Number(Attributes?.['ApproximateNumberOfMessages']) + Number(Attributes?.['ApproximateNumberOfMessagesNotVisible']);
}

describe('a queue’s mapping', () => {
  it('hands messages over as AWS does, and deletes them', async () => {
    const { url, arn } = await queue();
    const uuid = await map(arn);
    await send(url, 'hello', {
      MessageAttributes: { Weeks: { DataType: 'Number', StringValue: '6' }, Raw: { DataType: 'Binary', BinaryValue: Buffer.from('x') } },
    });
    await expect.poll(bodies, PATIENT).toEqual(['hello']);
    expect((await events())[0]).toEqual({
      Records: [
        {
          messageId: expect.stringMatching(/^[0-9a-f-]{36}$/),
          receiptHandle: expect.any(String),
          body: 'hello',
          attributes: {
            ApproximateReceiveCount: '1',
            SentTimestamp: expect.stringMatching(/^\d{13}$/),
            SenderId: expect.any(String),
            ApproximateFirstReceiveTimestamp: expect.stringMatching(/^\d{13}$/),
          },
          messageAttributes: {
            Weeks: { stringValue: '6', stringListValues: [], binaryListValues: [], dataType: 'Number' },
            Raw: { binaryValue: 'eA==', stringListValues: [], binaryListValues: [], dataType: 'Binary' },
          },
          md5OfMessageAttributes: expect.stringMatching(/^[0-9a-f]{32}$/),
          md5OfBody: '5d41402abc4b2a76b9719d911017c592',
          eventSource: 'aws:sqs',
          eventSourceARN: arn,
          awsRegion: 'us-east-1',
        },
      ],
    });
    await expect.poll(() => left(url), PATIENT).toBe(0);
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
    await expect.poll(() => state(uuid).catch((error: Error) => error.name), PATIENT).toBe('ResourceNotFoundException');
    await send(url, 'unheard');
    expect(await left(url)).toBe(1);
  });

  it('brings back what failed when its visibility timeout is over, and nothing else under ReportBatchItemFailures', async () => {
    const { clock } = croft.server.platform;
    const dead = await queue();
    const RedrivePolicy = JSON.stringify({ deadLetterTargetArn: dead.arn, maxReceiveCount: 2 });
    const { url, arn } = await queue({ VisibilityTimeout: '30', RedrivePolicy });
    const uuid = await map(arn, { FunctionResponseTypes: ['ReportBatchItemFailures'] });
    const Entries = ['good', 'poison', 'fine'].map((MessageBody, i) => ({ Id: String(i), MessageBody }));
    clock.freeze();
    try {
      await sqs.send(new SendMessageBatchCommand({ QueueUrl: url, Entries }));
      await expect.poll(async () => (await bodies()).sort(), PATIENT).toEqual(['fine', 'good', 'poison']);
      await expect.poll(() => left(url), PATIENT).toBe(1);
      clock.advance(31_000);
      await expect.poll(async () => (await bodies()).filter((body) => body === 'poison').length, PATIENT).toBe(2);
      clock.advance(31_000);
      await expect.poll(() => left(dead.url), PATIENT).toBe(1);
      expect(await bodies()).toHaveLength(4);
      const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl: dead.url }));
      expect(Messages?.map(({ Body }) => Body)).toEqual(['poison']);
    } finally {
      clock.release({ keepOffset: true });
    }
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  });

  it('leaves all of a batch whose function failed', async () => {
    const { url, arn } = await queue();
    const uuid = await map(arn);
    await send(url, '{"fail": "x"}'.replace('"x"', '"fail"'));
    await expect.poll(async () => (await bodies()).length, PATIENT).toBe(1);
    expect(await left(url)).toBe(1);
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  });

  it('gathers a batch for its window, of more than ten', async () => {
    const { clock } = croft.server.platform;
    const { url, arn } = await queue({ VisibilityTimeout: '300' });
    const uuid = await map(arn, { BatchSize: 100, MaximumBatchingWindowInSeconds: 60 });
    clock.freeze();
    try {
      for (let n = 0; n < 13; n++) await send(url, `m${n}`);
      await expect
        .poll(
          async () =>
            (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }))).Attributes?.['ApproximateNumberOfMessagesNotVisible'],
          PATIENT,
        )
        .toBe('13');
      expect(await events()).toEqual([]);
      clock.advance(60_000);
      await expect.poll(async () => (await events()).length, PATIENT).toBe(1);
      const [event] = await events();
      expect(event?.Records).toHaveLength(13);
      expect(event?.Records[0]).toMatchObject({ md5OfMessageAttributes: null });
    } finally {
      clock.release({ keepOffset: true });
    }
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  });

  it('keeps the order of each group of a FIFO queue, groups side by side', async () => {
    const { url, arn } = await queue({ FifoQueue: 'true', ContentBasedDeduplication: 'true' });
    for (let n = 0; n < 12; n++) for (const MessageGroupId of ['a', 'b']) await send(url, `${MessageGroupId}${n}`, { MessageGroupId });
    const uuid = await map(arn, { BatchSize: 3 });
    await expect.poll(async () => (await bodies()).length, PATIENT).toBe(24);
    for (const group of ['a', 'b']) {
      expect((await bodies()).filter((body) => body.startsWith(group))).toEqual(Array.from({ length: 12 }, (_, n) => `${group}${n}`));
    }
    expect((await events())[0]?.Records[0]?.attributes).toMatchObject({ MessageGroupId: expect.any(String), SequenceNumber: expect.any(String) });
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  });

  it('deletes what its filters do not want', async () => {
    const { url, arn } = await queue();
    const Filters = [{ Pattern: JSON.stringify({ body: { kind: ['wanted'] } }) }, { Pattern: JSON.stringify({ body: ['plain'] }) }];
    const uuid = await map(arn, { FilterCriteria: { Filters } });
    for (const body of ['{"kind":"other"}', 'else', 'plain', '{"kind":"wanted"}']) await send(url, body);
    await expect.poll(async () => (await bodies()).sort(), PATIENT).toEqual(['plain', '{"kind":"wanted"}']);
    await expect.poll(() => left(url), PATIENT).toBe(0);
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  });

  it('waits where the function is throttled, and goes on once it is not', async () => {
    await createFunction('throttled');
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'throttled', ReservedConcurrentExecutions: 0 }));
    const { url, arn } = await queue();
    const uuid = await map(arn, { FunctionName: 'throttled' });
    await send(url, 'patience');
    await expect
      .poll(
        async () =>
          (await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }))).Attributes?.['ApproximateNumberOfMessagesNotVisible'],
        PATIENT,
      )
      .toBe('1');
    expect(await printed('throttled')).toEqual([]);
    await lambda.send(new PutFunctionConcurrencyCommand({ FunctionName: 'throttled', ReservedConcurrentExecutions: 5 }));
    await expect.poll(async () => (await printed('throttled'))[0]?.Records[0]?.body, PATIENT).toBe('patience');
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  });

  it('runs as many batches at once as it may: a maximum, and provisioned pollers', async () => {
    await createFunction('sleeper', 'import time\ndef handler(event, context):\n    time.sleep(1.5)\n');
    const { url, arn } = await queue();
    for (let n = 0; n < 12; n++) await send(url, `m${n}`);
    const inFlight = async () =>
      Number((await sqs.send(new GetQueueAttributesCommand({ QueueUrl: url, AttributeNames: ['All'] }))).Attributes?.['ApproximateNumberOfMessagesNotVisible']);
    const uuid = await map(arn, { FunctionName: 'sleeper', BatchSize: 1, ScalingConfig: { MaximumConcurrency: 2 } });
    const seen: number[] = [];
    const done = async () => {
      seen.push(await inFlight());
      return left(url);
    };
    await expect.poll(done, PATIENT).toBeLessThan(11);
    expect(Math.max(...seen)).toBe(2);
    const changed = await lambda.send(
      new UpdateEventSourceMappingCommand({ UUID: uuid, ScalingConfig: {}, ProvisionedPollerConfig: { MinimumPollers: 2, MaximumPollers: 3 } }),
    );
    expect(changed.ScalingConfig).toBeUndefined();
    expect(changed.ProvisionedPollerConfig).toEqual({ MinimumPollers: 2, MaximumPollers: 3 });
    await expect.poll(inFlight, PATIENT).toBeGreaterThan(5);
    await expect.poll(() => left(url), PATIENT).toBe(0);
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID: uuid }));
  });

  it('rests while it is disabled, and is changed while it runs', async () => {
    const { url, arn } = await queue();
    const created = await lambda.send(new CreateEventSourceMappingCommand({ EventSourceArn: arn, FunctionName: 'consumer', Enabled: false }));
    expect(created.State).toBe('Disabled');
    const UUID = created.UUID ?? '';
    await send(url, 'first');
    const enabling = await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: true, BatchSize: 1 }));
    expect([enabling.State, enabling.BatchSize]).toEqual(['Enabling', 1]);
    await settled(UUID);
    await expect.poll(bodies, PATIENT).toEqual(['first']);
    const disabling = await lambda.send(new UpdateEventSourceMappingCommand({ UUID, Enabled: false }));
    expect(disabling.State).toBe('Disabling');
    await settled(UUID, 'Disabled');
    await send(url, 'second');
    const updating = await lambda.send(new UpdateEventSourceMappingCommand({ UUID, ScalingConfig: { MaximumConcurrency: 2 } }));
    expect([updating.State, updating.ScalingConfig]).toEqual(['Updating', { MaximumConcurrency: 2 }]);
    await settled(UUID, 'Disabled');
    expect(await left(url)).toBe(1);
    await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
  });
});
