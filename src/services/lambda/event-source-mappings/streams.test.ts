import { CreateTableCommand, DeleteItemCommand, DeleteTableCommand, DynamoDBClient, PutItemCommand, UpdateTimeToLiveCommand } from '@aws-sdk/client-dynamodb';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  UpdateEventSourceMappingCommand,
  UpdateFunctionConfigurationCommand,
} from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, ListObjectsV2Command, S3Client } from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';
import { createPrinted, type Printed, ROLE, zipFiles } from '../testing.ts';

/** Prints every event. Fails with a record named `fail…`, and reports `poison…`, until it is healed. */
const SOURCE = `
import json, os, time
def handler(event, context):
    print(json.dumps({**event, 'at': time.time_ns()}))
    keys = [r['dynamodb']['Keys']['pk']['S'] for r in event['Records']]
    healed = 'HEALED' in os.environ
    if not healed and any(k.startswith('fail') for k in keys):
        raise Exception('asked to')
    failures = [] if healed else [{'itemIdentifier': r['dynamodb']['SequenceNumber']} for r in event['Records'] if r['dynamodb']['Keys']['pk']['S'].startswith('poison')]
    answer = {'batchItemFailures': failures}
    if 'window' in event:
        answer['state'] = {'count': event['state'].get('count', 0) + len(keys)}
    return answer
`;
const PATIENT = { timeout: 15_000, interval: 20 };

let croft: TestCroft;
let lambda: LambdaClient;
let tables: DynamoDBClient;
let printed: Printed<StreamEvent>;
let count = 0;

beforeAll(async () => {
  croft = await startCroft();
  lambda = new LambdaClient(croft.sdk);
  tables = new DynamoDBClient(croft.sdk);
  printed = createPrinted(croft);
}, 30_000);
afterAll(() => croft.stop());

interface StreamEvent {
  readonly Records: readonly { readonly dynamodb: { readonly Keys: { readonly pk: { readonly S: string } } } }[];
  readonly window?: { readonly start: string; readonly end: string };
  readonly state?: Record<string, unknown>;
  readonly isFinalInvokeForWindow?: boolean;
}

/** A function of its own for every test. */
beforeEach(async () => {
  count++;
  const ZipFile = await zipFiles({ 'index.py': SOURCE });
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: `consumer-${count}`,
      Runtime: 'python3.12',
      Handler: 'index.handler',
      Role: ROLE,
      Code: { ZipFile },
    }),
  );
});

const events = () => printed(`consumer-${count}`);
/** The keys of each batch. */
const batches = async () => (await events()).map(({ Records }) => Records.map((record) => record.dynamodb.Keys.pk.S).join(' '));
const heal = () => lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: `consumer-${count}`, Environment: { Variables: { HEALED: '1' } } }));

async function table(): Promise<{ arn: string; put: (pk: string) => Promise<unknown>; remove: (pk: string) => Promise<unknown> }> {
  const TableName = `table-${count}`;
  const { TableDescription } = await tables.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  );
  let version = 0;
  return {
    arn: TableDescription?.LatestStreamArn ?? '',
    put: (pk) => tables.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, raw: { B: Buffer.from('foobar') }, version: { N: String(version++) } } })),
    remove: (pk) => tables.send(new DeleteItemCommand({ TableName, Key: { pk: { S: pk } } })),
  };
}

async function map(EventSourceArn: string, more: Partial<CreateEventSourceMappingCommandInput> = {}): Promise<string> {
  const { UUID = '' } = await lambda.send(
    new CreateEventSourceMappingCommand({ EventSourceArn, FunctionName: `consumer-${count}`, StartingPosition: 'TRIM_HORIZON', ...more }),
  );
  await expect.poll(async () => (await describeMapping(UUID)).State, PATIENT).toBe('Enabled');
  return UUID;
}
const describeMapping = (UUID: string) => lambda.send(new GetEventSourceMappingCommand({ UUID }));
const unmap = (UUID: string) => lambda.send(new DeleteEventSourceMappingCommand({ UUID }));

async function inFrozenTime(test: (advance: (ms: number) => void) => Promise<void>): Promise<void> {
  const { clock } = croft.server.platform;
  clock.freeze();
  try {
    await test((ms) => clock.advance(ms));
  } finally {
    clock.release({ keepOffset: true });
  }
}

describe('a stream’s mapping', () => {
  it('hands records over as AWS does, from the oldest on', async () => {
    const { arn, put } = await table();
    await put('a');
    const uuid = await map(arn);
    await expect.poll(batches, PATIENT).toEqual(['a']);
    expect((await events())[0]).toEqual({
      Records: [
        {
          eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
          eventName: 'INSERT',
          eventVersion: '1.1',
          eventSource: 'aws:dynamodb',
          awsRegion: 'us-east-1',
          dynamodb: {
            ApproximateCreationDateTime: expect.any(Number),
            Keys: { pk: { S: 'a' } },
            NewImage: { pk: { S: 'a' }, raw: { B: 'Zm9vYmFy' }, version: { N: '0' } },
            SequenceNumber: expect.stringMatching(/^\d{21}$/),
            SizeBytes: expect.any(Number),
            StreamViewType: 'NEW_IMAGE',
          },
          eventSourceARN: arn,
        },
      ],
    });
    await put('b');
    await expect.poll(batches, PATIENT).toEqual(['a', 'b']);
    await expect.poll(async () => (await describeMapping(uuid)).LastProcessingResult, PATIENT).toBe('OK');
    await unmap(uuid);
  });

  it('begins after what was there, with LATEST, and goes on where it was when it is enabled again', async () => {
    const { arn, put } = await table();
    await put('before');
    const uuid = await map(arn, { StartingPosition: 'LATEST' });
    await put('after');
    await expect.poll(batches, PATIENT).toEqual(['after']);
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: false }));
    await expect.poll(async () => (await describeMapping(uuid)).State, PATIENT).toBe('Disabled');
    await put('meanwhile');
    await lambda.send(new UpdateEventSourceMappingCommand({ UUID: uuid, Enabled: true }));
    await expect.poll(batches, PATIENT).toEqual(['after', 'meanwhile']);
    await unmap(uuid);
  });

  it('keeps its LATEST, however long nothing comes', async () => {
    const { arn, put } = await table();
    await inFrozenTime(async (advance) => {
      await put('before');
      advance(2_000);
      const uuid = await map(arn, { StartingPosition: 'LATEST' });
      advance(20 * 60_000);
      await put('after');
      await expect.poll(batches, PATIENT).toEqual(['after']);
      await unmap(uuid);
    });
  });

  it('reads a deleted table’s stream to its end', async () => {
    const { arn, put } = await table();
    for (const pk of ['a', 'b', 'c']) await put(pk);
    await tables.send(new DeleteTableCommand({ TableName: `table-${count}` }));
    const uuid = await map(arn, { BatchSize: 2, MaximumBatchingWindowInSeconds: 300 });
    await expect.poll(batches, PATIENT).toEqual(['a b', 'c']);
    await unmap(uuid);
  });

  it('hands over what time to live deleted as what it is', async () => {
    const { arn, put } = await table();
    const TableName = `table-${count}`;
    await inFrozenTime(async (advance) => {
      await tables.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'until' } }));
      const until = { N: String(Math.floor(croft.server.platform.clock.virtual() / 1000) + 10) };
      await tables.send(new PutItemCommand({ TableName, Item: { pk: { S: 'gone' }, until } }));
      const uuid = await map(arn, {
        FilterCriteria: { Filters: [{ Pattern: '{"userIdentity": {"type": ["Service"], "principalId": ["dynamodb.amazonaws.com"]}}' }] },
      });
      const later = async () => {
        advance(60_000);
        return batches();
      };
      await expect.poll(later, PATIENT).toEqual(['gone']);
      await put('more');
      await unmap(uuid);
    });
  });

  it('tries a batch again in order, before any later record, until it succeeds', async () => {
    const { arn, put } = await table();
    await inFrozenTime(async (advance) => {
      const uuid = await map(arn);
      await put('fail');
      await expect.poll(batches, PATIENT).toEqual(['fail']);
      await put('later');
      await expect.poll(async () => (await describeMapping(uuid)).LastProcessingResult, PATIENT).toBe('PROBLEM: Function call failed');
      const later = async () => {
        advance(1_000);
        return (await batches()).length;
      };
      await expect.poll(later, PATIENT).toBeGreaterThan(1);
      await heal();
      await expect.poll(async () => [await later(), (await batches()).at(-1)][1], PATIENT).toBe('later');
      expect(new Set((await batches()).slice(0, -1))).toEqual(new Set(['fail']));
      await unmap(uuid);
    });
  });

  it('gives up after its retries, and tells its destination', async () => {
    const sqs = new SQSClient(croft.sdk);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'discarded' }));
    const { arn, put } = await table();
    const uuid = await map(arn, { MaximumRetryAttempts: 1, DestinationConfig: { OnFailure: { Destination: 'arn:aws:sqs:us-east-1:000000000000:discarded' } } });
    await put('fail');
    await put('next');
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 10 }));
    const record = JSON.parse(Messages?.[0]?.Body ?? '{}') as Record<string, never>;
    expect(record).toEqual({
      requestContext: {
        requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
        functionArn: `arn:aws:lambda:us-east-1:000000000000:function:consumer-${count}`,
        condition: 'RetryAttemptsExhausted',
        approximateInvokeCount: 2,
      },
      responseContext: { statusCode: 200, executedVersion: '$LATEST', functionError: 'Unhandled' },
      version: '1.0',
      timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
      DDBStreamBatchInfo: {
        shardId: expect.stringMatching(/^shardId-/),
        startSequenceNumber: expect.stringMatching(/^\d{21}$/),
        endSequenceNumber: expect.stringMatching(/^\d{21}$/),
        approximateArrivalOfFirstRecord: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        approximateArrivalOfLastRecord: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/),
        batchSize: expect.any(Number),
        streamArn: arn,
      },
    });
    await unmap(uuid);
  });

  it('halves a batch that fails, until what fails is alone; and puts that into a bucket with its records', async () => {
    const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'discarded' }));
    const { arn, put } = await table();
    for (const pk of ['a', 'b', 'fail', 'c', 'd']) await put(pk);
    const uuid = await map(arn, {
      BisectBatchOnFunctionError: true,
      MaximumRetryAttempts: 0,
      DestinationConfig: { OnFailure: { Destination: 'arn:aws:s3:::discarded' } },
    });
    await expect.poll(async () => (await batches()).at(-1), PATIENT).toBe('c d');
    expect(await batches()).toEqual(['a b fail c d', 'a b fail', 'a b', 'fail', 'c d']);
    await expect.poll(async () => (await s3.send(new ListObjectsV2Command({ Bucket: 'discarded' }))).KeyCount, PATIENT).toBe(1);
    const { Contents } = await s3.send(new ListObjectsV2Command({ Bucket: 'discarded' }));
    const Key = Contents?.[0]?.Key ?? '';
    expect(Key).toMatch(new RegExp(`^aws/lambda/${uuid}/shardId-[0-9a-f-]+/\\d{4}/\\d\\d/\\d\\d/\\d{4}-\\d\\d-\\d\\dT\\d\\d\\.\\d\\d\\.\\d\\d-[0-9a-f-]{36}$`));
    const { Body } = await s3.send(new GetObjectCommand({ Bucket: 'discarded', Key }));
    const record = JSON.parse((await Body?.transformToString()) ?? '{}');
    expect(record.payload.Records).toHaveLength(1);
    expect(record.DDBStreamBatchInfo.batchSize).toBe(1);
    await unmap(uuid);
  });

  it('goes on behind the records that a function did not report as failed', async () => {
    const { arn, put } = await table();
    for (const pk of ['a', 'poison', 'b']) await put(pk);
    const uuid = await map(arn, { FunctionResponseTypes: ['ReportBatchItemFailures'], MaximumRetryAttempts: 1 });
    await expect.poll(async () => (await batches()).length, PATIENT).toBe(3);
    expect(await batches()).toEqual(['a poison b', 'poison b', 'poison b']);
    await unmap(uuid);
  });

  it('gives up records that are too old', async () => {
    const { arn, put } = await table();
    await inFrozenTime(async (advance) => {
      const uuid = await map(arn, { MaximumRecordAgeInSeconds: 60 });
      await put('fail');
      await expect.poll(batches, PATIENT).toEqual(['fail']);
      advance(120_000);
      await put('young');
      // The wait before the next try may begin after the jump.
      const next = async () => {
        advance(500);
        return (await batches()).at(-1);
      };
      await expect.poll(next, PATIENT).toBe('young');
      expect(await batches()).toEqual(['fail', 'young']);
      await unmap(uuid);
    });
  });

  it('leaves out what its filters do not want', async () => {
    const { arn, put, remove } = await table();
    const uuid = await map(arn, {
      FilterCriteria: { Filters: [{ Pattern: '{"eventName": ["REMOVE"], "dynamodb": {"Keys": {"pk": {"S": [{"prefix": "w"}]}}}}' }] },
    });
    for (const pk of ['wanted', 'other']) await put(pk);
    for (const pk of ['wanted', 'other']) await remove(pk);
    await put('last');
    await expect.poll(batches, PATIENT).toEqual(['wanted']);
    await unmap(uuid);
  });

  it('waits for its batching window', async () => {
    const { arn, put } = await table();
    await inFrozenTime(async (advance) => {
      const uuid = await map(arn, { MaximumBatchingWindowInSeconds: 30, BatchSize: 3 });
      await put('a');
      await put('b');
      advance(29_000);
      await put('c');
      await expect.poll(batches, PATIENT).toEqual(['a b c']);
      await put('d');
      // Nothing but the window's end brings it.
      await expect.poll(async () => (await batches()).length, PATIENT).toBe(1);
      advance(30_000);
      await expect.poll(batches, PATIENT).toEqual(['a b c', 'd']);
      await unmap(uuid);
    });
  });

  it('processes keys side by side with a parallelization factor, each in its order', async () => {
    const { arn, put } = await table();
    for (let n = 0; n < 8; n++) for (const pk of ['a', 'b', 'c', 'd']) await put(pk);
    const uuid = await map(arn, { ParallelizationFactor: 4, BatchSize: 2 });
    const all = async () =>
      (await events()).flatMap(({ Records }) => Records as unknown as { dynamodb: { NewImage: { pk: { S: string }; version: { N: string } } } }[]);
    await expect.poll(async () => (await all()).length, PATIENT).toBe(32);
    for (const pk of ['a', 'b', 'c', 'd']) {
      const versions = (await all()).filter(({ dynamodb }) => dynamodb.NewImage.pk.S === pk).map(({ dynamodb }) => Number(dynamodb.NewImage.version.N));
      expect(versions).toEqual([...versions].sort((x, y) => x - y));
      expect(versions).toHaveLength(8);
    }
    await unmap(uuid);
  });

  it('carries state through a tumbling window, and ends it', async () => {
    const { arn, put } = await table();
    await inFrozenTime(async (advance) => {
      const uuid = await map(arn, { TumblingWindowInSeconds: 60, BatchSize: 2 });
      for (const pk of ['a', 'b', 'c']) await put(pk);
      await expect.poll(async () => (await events()).reduce((sum, { Records }) => sum + Records.length, 0), PATIENT).toBe(3);
      advance(60_000);
      await expect.poll(async () => (await events()).at(-1)?.isFinalInvokeForWindow, PATIENT).toBe(true);
      const last = (await events()).at(-1);
      expect(last?.Records).toEqual([]);
      expect(last?.state).toEqual({ count: 3 });
      expect(Date.parse(last?.window?.end ?? '') - Date.parse(last?.window?.start ?? '')).toBe(60_000);
      expect((await events())[0]).toMatchObject({ state: {}, isFinalInvokeForWindow: false, isWindowTerminatedEarly: false, eventSourceARN: arn });
      await unmap(uuid);
    });
  });
});
