import {
  BatchWriteItemCommand,
  CreateTableCommand,
  DeleteItemCommand,
  DeleteTableCommand,
  DescribeTableCommand,
  DynamoDBClient,
  PutItemCommand,
  type StreamViewType,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTableCommand,
} from '@aws-sdk/client-dynamodb';
import {
  type _Record,
  DescribeStreamCommand,
  DynamoDBStreamsClient,
  GetRecordsCommand,
  GetShardIteratorCommand,
  type GetShardIteratorCommandInput,
  ListStreamsCommand,
} from '@aws-sdk/client-dynamodb-streams';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';

const HOUR_MS = 3_600_000;

let croft: TestCroft;
let tables: DynamoDBClient;
let streams: DynamoDBStreamsClient;

beforeEach(async () => {
  croft = await startCroft();
  croft.server.platform.clock.freeze();
  tables = new DynamoDBClient(croft.sdk);
  streams = new DynamoDBStreamsClient(croft.sdk);
});

afterEach(() => croft.stop());

const put = (pk: string, rest: Record<string, { S: string } | { B: Uint8Array }> = {}, TableName = 'Watched') =>
  tables.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, ...rest } }));

async function create(StreamViewType: StreamViewType, TableName = 'Watched'): Promise<string> {
  const { TableDescription } = await tables.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      StreamSpecification: { StreamEnabled: true, StreamViewType },
    }),
  );
  return TableDescription?.LatestStreamArn ?? '';
}

const describeStream = async (StreamArn: string) => (await streams.send(new DescribeStreamCommand({ StreamArn }))).StreamDescription;

async function iterator(StreamArn: string, ShardIteratorType: GetShardIteratorCommandInput['ShardIteratorType'], SequenceNumber?: string) {
  const ShardId = (await describeStream(StreamArn))?.Shards?.[0]?.ShardId;
  return (await streams.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType, SequenceNumber }))).ShardIterator;
}

const get = (ShardIterator: string | undefined, Limit?: number) => streams.send(new GetRecordsCommand({ ShardIterator, Limit }));
const all = async (arn: string): Promise<_Record[]> => (await get(await iterator(arn, 'TRIM_HORIZON'))).Records ?? [];
const names = (records: readonly _Record[] = []) => records.map(({ eventName, dynamodb }) => `${eventName} ${dynamodb?.Keys?.['pk']?.S}`);

describe('a stream', () => {
  it('has a record of every change, in order, with sizes as AWS counts them, and none of what changes nothing', async () => {
    const arn = await create('NEW_AND_OLD_IMAGES');
    await put('Fred');
    await put('Fred');
    await put('Fred', { name: { S: 'Fred' }, raw: { B: Uint8Array.from([1, 2]) } });
    await tables.send(new UpdateItemCommand({ TableName: 'Watched', Key: { pk: { S: 'Fred' } }, UpdateExpression: 'REMOVE nothing' }));
    await tables.send(new DeleteItemCommand({ TableName: 'Watched', Key: { pk: { S: 'Fred' } } }));
    await tables.send(new DeleteItemCommand({ TableName: 'Watched', Key: { pk: { S: 'Fred' } } }));
    await tables.send(new BatchWriteItemCommand({ RequestItems: { Watched: [{ PutRequest: { Item: { pk: { S: 'batch' } } } }] } }));
    await tables.send(new TransactWriteItemsCommand({ TransactItems: [{ Put: { TableName: 'Watched', Item: { pk: { S: 'transacted' } } } }] }));
    const records = await all(arn);
    expect(names(records)).toEqual(['INSERT Fred', 'MODIFY Fred', 'REMOVE Fred', 'INSERT batch', 'INSERT transacted']);
    const [inserted, modified, removed] = records;
    const now = Math.floor(croft.server.platform.clock.virtual() / 1000) * 1000;
    expect(inserted).toEqual({
      eventID: expect.stringMatching(/^[0-9a-f]{32}$/),
      eventName: 'INSERT',
      eventVersion: '1.1',
      eventSource: 'aws:dynamodb',
      awsRegion: 'us-east-1',
      dynamodb: {
        ApproximateCreationDateTime: new Date(now),
        Keys: { pk: { S: 'Fred' } },
        NewImage: { pk: { S: 'Fred' } },
        SequenceNumber: expect.stringMatching(/^\d{21}$/),
        SizeBytes: 12,
        StreamViewType: 'NEW_AND_OLD_IMAGES',
      },
    });
    const whole = { pk: { S: 'Fred' }, name: { S: 'Fred' }, raw: { B: Uint8Array.from([1, 2]) } };
    expect(modified?.dynamodb).toMatchObject({ OldImage: { pk: { S: 'Fred' } }, NewImage: whole, SizeBytes: 6 + 19 + 6 });
    expect(removed?.dynamodb).toMatchObject({ OldImage: whole });
    expect(removed?.dynamodb?.NewImage).toBeUndefined();
    const numbers = records.map(({ dynamodb }) => BigInt(dynamodb?.SequenceNumber ?? 0));
    expect([...numbers].sort((a, b) => (a < b ? -1 : 1))).toEqual(numbers);
  });

  it.each([
    ['KEYS_ONLY', undefined, undefined],
    ['NEW_IMAGE', 'new', undefined],
    ['OLD_IMAGE', undefined, 'old'],
  ] as const)('of %s has those images only', async (view, fresh, old) => {
    const arn = await create(view);
    await put('a', { v: { S: 'old' } });
    await put('a', { v: { S: 'new' } });
    const record = (await all(arn))[1]?.dynamodb;
    expect([record?.NewImage?.['v']?.S, record?.OldImage?.['v']?.S, record?.StreamViewType]).toEqual([fresh, old, view]);
  });

  it('keeps records larger than a store value whole', async () => {
    const arn = await create('NEW_AND_OLD_IMAGES');
    const large = (byte: number) => ({ B: new Uint8Array(400_000).fill(byte) });
    await put('a', { v: large(1) });
    await put('a', { v: large(2) });
    const first = await get(await iterator(arn, 'TRIM_HORIZON'));
    const second = await get(first.NextShardIterator);
    const records = [...(first.Records ?? []), ...(second.Records ?? [])];
    expect(names(records)).toEqual(['INSERT a', 'MODIFY a']);
    expect(Buffer.from(records[1]?.dynamodb?.OldImage?.['v']?.B ?? []).equals(Buffer.from(large(1).B))).toBe(true);
    expect(Buffer.from(records[1]?.dynamodb?.NewImage?.['v']?.B ?? []).equals(Buffer.from(large(2).B))).toBe(true);
  });

  it('keeps items that are far longer in JSON', async () => {
    const arn = await create('NEW_AND_OLD_IMAGES');
    const text = '\u0001'.repeat(390_000);
    await put('a', { v: { S: text } });
    await tables.send(new DeleteItemCommand({ TableName: 'Watched', Key: { pk: { S: 'a' } } }));
    const [inserted, removed] = await all(arn);
    expect(inserted?.dynamodb?.NewImage?.['v']?.S === text && removed?.dynamodb?.OldImage?.['v']?.S === text).toBe(true);
  });

  it('is read from any place in it', async () => {
    const arn = await create('KEYS_ONLY');
    await put('a');
    const latest = await iterator(arn, 'LATEST');
    await put('b');
    await put('c');
    const [, b] = await all(arn);
    const number = b?.dynamodb?.SequenceNumber;
    expect(names((await get(latest)).Records)).toEqual(['INSERT b', 'INSERT c']);
    expect(names((await get(await iterator(arn, 'AT_SEQUENCE_NUMBER', number))).Records)).toEqual(['INSERT b', 'INSERT c']);
    expect(names((await get(await iterator(arn, 'AFTER_SEQUENCE_NUMBER', number))).Records)).toEqual(['INSERT c']);
    const page = await get(await iterator(arn, 'TRIM_HORIZON'), 2);
    expect(names(page.Records)).toEqual(['INSERT a', 'INSERT b']);
    const rest = await get(page.NextShardIterator);
    expect(names(rest.Records)).toEqual(['INSERT c']);
    expect((await get(rest.NextShardIterator)).Records).toEqual([]);
  });

  it('is described and listed', async () => {
    const arn = await create('NEW_IMAGE');
    await create('NEW_IMAGE', 'Watched2');
    const { Table } = await tables.send(new DescribeTableCommand({ TableName: 'Watched' }));
    expect(Table).toMatchObject({ LatestStreamArn: arn, StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' } });
    const label = Table?.LatestStreamLabel;
    expect(label).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}$/);
    expect(await describeStream(arn)).toMatchObject({
      StreamArn: arn,
      StreamLabel: label,
      StreamStatus: 'ENABLED',
      TableName: 'Watched',
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      Shards: [{ ShardId: expect.stringMatching(/^shardId-\d{20}-[0-9a-f]{8}$/), SequenceNumberRange: { StartingSequenceNumber: expect.any(String) } }],
    });
    expect((await streams.send(new ListStreamsCommand({ TableName: 'Watched' }))).Streams).toEqual([
      { StreamArn: arn, StreamLabel: label, TableName: 'Watched' },
    ]);
    const page = await streams.send(new ListStreamsCommand({ Limit: 1 }));
    expect(page.LastEvaluatedStreamArn).toBe(arn);
    const next = await streams.send(new ListStreamsCommand({ ExclusiveStartStreamArn: arn }));
    expect(next.Streams?.map(({ TableName }) => TableName)).toEqual(['Watched2']);
    const missing = `${arn}0`;
    await expect(describeStream(missing)).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: `Requested resource not found: Stream: ${missing} not found`,
    });
  });
});

it('refuses whatever is no stream, shard, iterator or table', async () => {
  const arn = await create('KEYS_ONLY');
  const long = '\u00e9'.repeat(900);
  const of = (content: unknown) => `${arn}|1|${Buffer.from(JSON.stringify(content)).toString('base64url')}`;
  await expect(describeStream(`arn:aws:dynamodb:us-east-1:000000000000:table/${long}/stream/x`)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  await expect(
    streams.send(new GetShardIteratorCommand({ StreamArn: arn, ShardId: 'shardId-'.padEnd(30, '0'), ShardIteratorType: 'LATEST' })),
  ).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
  });
  for (const type of ['AT_SEQUENCE_NUMBER', 'AFTER_SEQUENCE_NUMBER'] as const) {
    await expect(iterator(arn, type)).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(iterator(arn, type, '9'.repeat(40))).rejects.toMatchObject({ name: 'ValidationException' });
  }
  for (const text of [arn, `${arn}|1|`, `${arn}|1|e30`, of(null), of([]), of({ a: '-1', t: 1 }), of({ a: '1', t: '1' }), of({ a: '9'.repeat(40), t: 1e300 })]) {
    await expect(get(text)).rejects.toMatchObject({ name: 'ValidationException' });
  }
  await expect(get(of({ a: '0', t: 1e300 }).replace('Watched', 'Another'))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  expect((await get(of({ a: '9'.repeat(18), t: 1e300 }))).Records).toEqual([]);
  await expect(streams.send(new ListStreamsCommand({ TableName: long }))).rejects.toMatchObject({ name: 'ValidationException' });
  await expect(streams.send(new ListStreamsCommand({ ExclusiveStartStreamArn: 'x'.repeat(40) }))).rejects.toMatchObject({ name: 'ValidationException' });
});

describe('time', () => {
  it('ends iterators after 15 minutes', async () => {
    const shard = await iterator(await create('KEYS_ONLY'), 'TRIM_HORIZON');
    croft.server.platform.clock.advance(15 * 60_000 - 1);
    await get(shard);
    croft.server.platform.clock.advance(1);
    await expect(get(shard)).rejects.toMatchObject({ name: 'ExpiredIteratorException' });
    await expect(get('nonsense')).rejects.toMatchObject({ name: 'ValidationException' });
  });

  it('trims records after a day', async () => {
    const { clock, store, bus } = croft.server.platform;
    const arn = await create('KEYS_ONLY');
    await put('old');
    const [old] = await all(arn);
    clock.advance(23 * HOUR_MS);
    await put('young');
    clock.advance(HOUR_MS + 10 * 60_000);
    expect(await bus.quiet(5000)).toBe(true);
    expect(names(await all(arn))).toEqual(['INSERT young']);
    await expect(iterator(arn, 'AT_SEQUENCE_NUMBER', old?.dynamodb?.SequenceNumber)).rejects.toMatchObject({ name: 'TrimmedDataAccessException' });
    clock.advance(24 * HOUR_MS);
    expect(await bus.quiet(5000)).toBe(true);
    expect(await all(arn)).toEqual([]);
    // Nothing waits any more, until a write asks for it again.
    expect(bus.nextDueMs()).toBeUndefined();
    expect((await store.range({ from: '\x00', to: '\xff' })).entries.length).toBeGreaterThan(0);
    await put('next');
    expect(names(await all(arn))).toEqual(['INSERT next']);
    expect(bus.nextDueMs()).toBe(clock.virtual() + 24 * HOUR_MS);
  });

  it('lets a disabled stream, and one of a deleted table, be read for a day', async () => {
    const { clock, bus } = croft.server.platform;
    const arn = await create('KEYS_ONLY');
    await put('a');
    const update = (StreamEnabled: boolean) =>
      tables.send(
        new UpdateTableCommand({
          TableName: 'Watched',
          StreamSpecification: StreamEnabled ? { StreamEnabled, StreamViewType: 'KEYS_ONLY' } : { StreamEnabled },
        }),
      );
    await expect(update(true)).rejects.toMatchObject({ name: 'ValidationException', message: 'Table already has an enabled stream: TableName: Watched' });
    await update(false);
    await expect(update(false)).rejects.toMatchObject({ message: 'Table has no stream to disable: TableName: Watched' });
    const { Table } = await tables.send(new DescribeTableCommand({ TableName: 'Watched' }));
    expect([Table?.StreamSpecification, Table?.LatestStreamArn]).toEqual([undefined, arn]);
    await put('unseen');
    const { TableDescription } = await update(true);
    const second = TableDescription?.LatestStreamArn ?? '';
    expect(second).not.toBe(arn);
    await put('b');
    await tables.send(new DeleteTableCommand({ TableName: 'Watched' }));
    for (const [stream, expected] of [
      [arn, ['INSERT a']],
      [second, ['INSERT b']],
    ] as const) {
      expect((await describeStream(stream))?.StreamStatus).toBe('DISABLED');
      const page = await get(await iterator(stream, 'TRIM_HORIZON'));
      expect([names(page.Records), page.NextShardIterator]).toEqual([expected, undefined]);
    }
    clock.advance(24 * HOUR_MS);
    expect(await bus.quiet(5000)).toBe(true);
    await expect(describeStream(arn)).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    expect((await streams.send(new ListStreamsCommand({}))).Streams).toEqual([]);
  });
});
