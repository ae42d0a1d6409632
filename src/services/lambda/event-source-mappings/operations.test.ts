import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateEventSourceMappingCommand,
  type CreateEventSourceMappingCommandInput,
  CreateFunctionCommand,
  DeleteEventSourceMappingCommand,
  DeleteFunctionCommand,
  GetEventSourceMappingCommand,
  LambdaClient,
  ListEventSourceMappingsCommand,
  ListTagsCommand,
  PublishVersionCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateEventSourceMappingCommand,
} from '@aws-sdk/client-lambda';
import { CreateQueueCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';
import { ROLE, zipFiles } from '../testing.ts';

const PATIENT = { timeout: 15_000, interval: 20 };
const SQS = 'arn:aws:sqs:us-east-1:000000000000';
const FUNCTION = 'arn:aws:lambda:us-east-1:000000000000:function';
const UNKNOWN = '3cc6ee2e-8ff5-4d04-9a6e-0d0f1c2b3a49';

let croft: TestCroft;
let lambda: LambdaClient;
let stream: string;

beforeAll(async () => {
  croft = await startCroft();
  lambda = new LambdaClient(croft.sdk);
  const sqs = new SQSClient(croft.sdk);
  for (const QueueName of ['plain', 'other', 'third']) await sqs.send(new CreateQueueCommand({ QueueName }));
  await sqs.send(new CreateQueueCommand({ QueueName: 'ordered.fifo', Attributes: { FifoQueue: 'true' } }));
  const { TableDescription } = await new DynamoDBClient(croft.sdk).send(
    new CreateTableCommand({
      TableName: 'table',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' },
    }),
  );
  stream = TableDescription?.LatestStreamArn ?? '';
  const ZipFile = await zipFiles({ 'index.py': 'def handler(event, context):\n    return None\n' });
  for (const [FunctionName, Timeout] of [
    ['fn', 3],
    ['slow', 60],
    ['leaving', 3],
  ] as const) {
    await lambda.send(new CreateFunctionCommand({ FunctionName, Timeout, Runtime: 'python3.12', Handler: 'index.handler', Role: ROLE, Code: { ZipFile } }));
  }
  await lambda.send(new PublishVersionCommand({ FunctionName: 'fn' }));
}, 30_000);
afterAll(() => croft.stop());

const create = (input: Partial<CreateEventSourceMappingCommandInput>) => lambda.send(new CreateEventSourceMappingCommand({ FunctionName: 'fn', ...input }));
const get = (UUID: string | undefined) => lambda.send(new GetEventSourceMappingCommand({ UUID }));
async function remove(UUID: string | undefined): Promise<void> {
  await expect.poll(async () => (await get(UUID)).State, PATIENT).toMatch(/abled$/);
  await lambda.send(new DeleteEventSourceMappingCommand({ UUID }));
  await expect.poll(() => get(UUID).catch((error: Error) => error.name), PATIENT).toBe('ResourceNotFoundException');
}

describe('CreateEventSourceMapping', () => {
  it('of a queue answers as recorded', async () => {
    const made = await create({ EventSourceArn: `${SQS}:plain` });
    const { $metadata, ...mapping } = made;
    expect($metadata.httpStatusCode).toBe(202);
    expect(mapping).toEqual({
      UUID: expect.stringMatching(/^[0-9a-f-]{36}$/),
      BatchSize: 10,
      EventSourceArn: `${SQS}:plain`,
      EventSourceMappingArn: `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${mapping.UUID}`,
      FunctionArn: `${FUNCTION}:fn`,
      FunctionResponseTypes: [],
      LastModified: expect.any(Date),
      MaximumBatchingWindowInSeconds: 0,
      State: 'Creating',
      StateTransitionReason: 'USER_INITIATED',
    });
    await remove(made.UUID);
  });

  it('of a stream answers as recorded', async () => {
    const made = await create({ EventSourceArn: stream, StartingPosition: 'LATEST', FilterCriteria: { Filters: [] } });
    const { $metadata: _, ...mapping } = made;
    expect(mapping).toEqual({
      UUID: expect.any(String),
      BatchSize: 100,
      BisectBatchOnFunctionError: false,
      DestinationConfig: { OnFailure: {} },
      EventSourceArn: stream,
      EventSourceMappingArn: expect.any(String),
      FunctionArn: `${FUNCTION}:fn`,
      FunctionResponseTypes: [],
      LastModified: expect.any(Date),
      LastProcessingResult: 'No records processed',
      MaximumBatchingWindowInSeconds: 0,
      MaximumRecordAgeInSeconds: -1,
      MaximumRetryAttempts: -1,
      ParallelizationFactor: 1,
      StartingPosition: 'LATEST',
      State: 'Creating',
      StateTransitionReason: 'User action',
      TumblingWindowInSeconds: 0,
    });
    await remove(made.UUID);
  });

  const queue = { EventSourceArn: `${SQS}:plain` };
  const onStream = () => ({ EventSourceArn: stream, StartingPosition: 'TRIM_HORIZON' as const });
  it.each<[string, () => Partial<CreateEventSourceMappingCommandInput>, string, string]>([
    ['no source', () => ({ FunctionName: 'nothing' }), 'InvalidParameterValueException', 'Unrecognized event source.'],
    ['an unknown source', () => ({ EventSourceArn: 'arn:aws:sns:us-east-1:000000000000:t' }), 'InvalidParameterValueException', 'Unrecognized event source.'],
    ['no function', () => ({ ...queue, FunctionName: 'nothing' }), 'InvalidParameterValueException', 'Function does not exist'],
    [
      'a success destination, before the function',
      () => ({ ...queue, FunctionName: 'nothing', DestinationConfig: { OnSuccess: { Destination: `${SQS}:other` } } }),
      'InvalidParameterValueException',
      'Unsupported DestinationConfig parameter for given event source mapping type.',
    ],
    [
      'no queue',
      () => ({ EventSourceArn: `${SQS}:nothing` }),
      'InvalidParameterValueException',
      'Error occurred while ReceiveMessage. SQS Error Code: AWS.SimpleQueueService.NonExistentQueue. SQS Error Message: The specified queue does not exist.',
    ],
    ['no stream', () => ({ EventSourceArn: `${stream}0`, StartingPosition: 'LATEST' }), 'InvalidParameterValueException', 'Stream not found: '],
    [
      'a queue that shows its messages too early',
      () => ({ ...queue, FunctionName: 'slow' }),
      'InvalidParameterValueException',
      'Queue visibility timeout: 30 seconds is less than Function timeout: 60 seconds',
    ],
    [
      'a large batch without window',
      () => ({ ...queue, BatchSize: 11 }),
      'InvalidParameterValueException',
      'Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10',
    ],
    [
      'a window of a FIFO queue',
      () => ({ EventSourceArn: `${SQS}:ordered.fifo`, MaximumBatchingWindowInSeconds: 1 }),
      'InvalidParameterValueException',
      'Batching window is not supported for FIFO queues',
    ],
    [
      'a position in a queue',
      () => ({ ...queue, StartingPosition: 'LATEST' }),
      'InvalidParameterValueException',
      'StartingPosition is not valid for SQS event sources.',
    ],
    [
      'no position in a stream',
      () => ({ EventSourceArn: stream }),
      'InvalidParameterValueException',
      "1 validation error detected: Value null at 'startingPosition' failed to satisfy constraint: Member must not be null.",
    ],
    [
      'a time in a stream of DynamoDB',
      () => ({ EventSourceArn: stream, StartingPosition: 'AT_TIMESTAMP', StartingPositionTimestamp: new Date(0) }),
      'InvalidParameterValueException',
      'Unsupported starting position for arn type: arn:aws:dynamodb',
    ],
    [
      'a filter that is none',
      () => ({ ...queue, FilterCriteria: { Filters: [{ Pattern: '["x"]' }] } }),
      'InvalidParameterValueException',
      'Invalid filter pattern definition.',
    ],
    ['too few pollers', () => ({ ...queue, ProvisionedPollerConfig: { MinimumPollers: 1 } }), 'InvalidParameterValueException', 'MinimumPollers'],
    [
      'two ways of scaling',
      () => ({ ...queue, ProvisionedPollerConfig: { MinimumPollers: 2 }, ScalingConfig: { MaximumConcurrency: 2 } }),
      'InvalidParameterValueException',
      'ScalingConfig and ProvisionedPollerConfig',
    ],
    [
      'pollers of a stream',
      () => ({ ...onStream(), ProvisionedPollerConfig: { MinimumPollers: 2 } }),
      'InvalidParameterValueException',
      'Unsupported ProvisionedPollerConfig parameter for given event source mapping type.',
    ],
    [
      'scaling of a stream',
      () => ({ ...onStream(), ScalingConfig: { MaximumConcurrency: 2 } }),
      'InvalidParameterValueException',
      'Unsupported ScalingConfig parameter',
    ],
    [
      'Kinesis',
      () => ({ EventSourceArn: 'arn:aws:kinesis:us-east-1:000000000000:stream/s', StartingPosition: 'LATEST' }),
      'NotImplemented',
      'An event source of Kinesis',
    ],
    ['MSK', () => ({ EventSourceArn: 'arn:aws:kafka:us-east-1:000000000000:cluster/c/1' }), 'NotImplemented', 'An event source of Amazon MSK'],
    ['MQ', () => ({ EventSourceArn: 'arn:aws:mq:us-east-1:000000000000:broker:b:1' }), 'NotImplemented', 'An event source of Amazon MQ'],
    [
      'Kafka of one’s own',
      () => ({ SelfManagedEventSource: { Endpoints: { KAFKA_BOOTSTRAP_SERVERS: ['kafka:1000'] } } }),
      'InvalidParameterValueException',
      "Required 'sourceAccessConfigurations' parameter is missing.",
    ],
  ])('refuses %s', async (_name, input, name, message) => {
    await expect(create(input())).rejects.toMatchObject({ name, message: expect.stringContaining(message) });
  });

  it('refuses a second mapping of the same source and function, but not of another qualifier', async () => {
    const first = await create({ EventSourceArn: `${SQS}:plain` });
    await expect(create({ EventSourceArn: `${SQS}:plain` })).rejects.toMatchObject({
      name: 'ResourceConflictException',
      message: `An event source mapping with SQS arn (" ${SQS}:plain ") and function (" fn ") already exists. Please update or delete the existing mapping with UUID ${first.UUID}`,
    });
    const version = await create({ EventSourceArn: `${SQS}:plain`, FunctionName: `${FUNCTION}:fn:1` });
    expect(version.FunctionArn).toBe(`${FUNCTION}:fn:1`);
    await remove(first.UUID);
    await remove(version.UUID);
  });
});

describe('the other operations', () => {
  it('know no other mappings', async () => {
    const refused = { name: 'ResourceNotFoundException', message: 'The resource you requested does not exist.' };
    await expect(get(UNKNOWN)).rejects.toMatchObject(refused);
    await expect(lambda.send(new UpdateEventSourceMappingCommand({ UUID: UNKNOWN, Enabled: false }))).rejects.toMatchObject(refused);
    await expect(lambda.send(new DeleteEventSourceMappingCommand({ UUID: UNKNOWN }))).rejects.toMatchObject(refused);
  });

  it('list in pages, by source and by function; neither need exist', async () => {
    const made = await Promise.all(['plain', 'other', 'third'].map((name) => create({ EventSourceArn: `${SQS}:${name}`, Enabled: false })));
    const uuids: string[] = [];
    let Marker: string | undefined;
    do {
      const page = await lambda.send(new ListEventSourceMappingsCommand({ MaxItems: 2, Marker }));
      uuids.push(...(page.EventSourceMappings ?? []).map(({ UUID = '' }) => UUID));
      Marker = page.NextMarker;
    } while (Marker !== undefined);
    expect(uuids).toEqual(made.map(({ UUID }) => UUID).sort());
    const list = async (input: { EventSourceArn?: string; FunctionName?: string }) =>
      (await lambda.send(new ListEventSourceMappingsCommand(input))).EventSourceMappings?.map(({ EventSourceArn }) => EventSourceArn);
    expect(await list({ EventSourceArn: `${SQS}:other` })).toEqual([`${SQS}:other`]);
    expect(await list({ FunctionName: 'fn', EventSourceArn: `${SQS}:third` })).toEqual([`${SQS}:third`]);
    expect(await list({ FunctionName: 'nothing' })).toEqual([]);
    expect(await list({ EventSourceArn: `${SQS}:nothing` })).toEqual([]);
    for (const { UUID } of made) await remove(UUID);
  });

  it('change what they are told, check it, and leave the rest', async () => {
    const { UUID } = await create({ EventSourceArn: stream, StartingPosition: 'TRIM_HORIZON', BatchSize: 7, MaximumRetryAttempts: 3 });
    await expect.poll(async () => (await get(UUID)).State, PATIENT).toBe('Enabled');
    const changed = await lambda.send(
      new UpdateEventSourceMappingCommand({
        UUID,
        FunctionName: 'slow',
        DestinationConfig: { OnFailure: { Destination: `${SQS}:other` } },
        ParallelizationFactor: 2,
      }),
    );
    expect(changed).toMatchObject({
      State: 'Updating',
      BatchSize: 7,
      MaximumRetryAttempts: 3,
      ParallelizationFactor: 2,
      FunctionArn: `${FUNCTION}:slow`,
      DestinationConfig: { OnFailure: { Destination: `${SQS}:other` } },
    });
    await expect.poll(async () => (await get(UUID)).State, PATIENT).toBe('Enabled');
    await expect(lambda.send(new UpdateEventSourceMappingCommand({ UUID, FunctionName: 'nothing' }))).rejects.toThrow('Function does not exist');
    await remove(UUID);
  });

  it('keep a mapping whose function has gone', async () => {
    const { UUID } = await create({ EventSourceArn: `${SQS}:plain`, FunctionName: 'leaving' });
    await expect.poll(async () => (await get(UUID)).State, PATIENT).toBe('Enabled');
    await lambda.send(new DeleteFunctionCommand({ FunctionName: 'leaving' }));
    expect((await get(UUID)).State).toBe('Enabled');
    await remove(UUID);
  });

  it('tag mappings', async () => {
    const { UUID, EventSourceMappingArn: Resource } = await create({ EventSourceArn: `${SQS}:plain`, Enabled: false, Tags: { a: '1' } });
    await lambda.send(new TagResourceCommand({ Resource, Tags: { b: '2' } }));
    await lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] }));
    expect((await lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ b: '2' });
    await remove(UUID);
  });
});
