import {
  CreateTableCommand,
  DynamoDBClient,
  GetItemCommand,
  PutItemCommand,
  QueryCommand,
  ScanCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { advanceClock } from '../../server/clock-control.ts';

const TableName = 'Sessions';
const MINUTE_MS = 60_000;

let croft: TestCroft;
let client: DynamoDBClient;
let nowS: number;
let streamArn: string;

beforeEach(async () => {
  croft = await startCroft();
  client = new DynamoDBClient(croft.sdk);
  const { clock } = croft.server.platform;
  nowS = Math.floor(clock.virtual() / 1000);
  clock.freeze(nowS * 1000);
  const { TableDescription } = await client.send(
    new CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [
        { AttributeName: 'pk', AttributeType: 'S' },
        { AttributeName: 'kind', AttributeType: 'S' },
      ],
      KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      GlobalSecondaryIndexes: [{ IndexName: 'by-kind', KeySchema: [{ AttributeName: 'kind', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } }],
      StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
    }),
  );
  streamArn = TableDescription?.LatestStreamArn ?? '';
});

afterEach(() => croft.stop());

const put = (pk: string, ttl?: string) =>
  client.send(new PutItemCommand({ TableName, Item: { pk: { S: pk }, kind: { S: 'k' }, ...(ttl === undefined ? {} : { ttl: { N: ttl } }) } }));
const enable = (Enabled: boolean) => client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled, AttributeName: 'ttl' } }));
const left = async () => ((await client.send(new ScanCommand({ TableName }))).Items ?? []).map(({ pk }) => pk?.S).sort();
const quiet = async () => expect(await croft.server.platform.bus.quiet(5000)).toBe(true);
const advance = async (byMs: number) => {
  const { clock, bus } = croft.server.platform;
  expect((await advanceClock(clock, bus, byMs)).quiet).toBe(true);
};

async function records() {
  const streams = new DynamoDBStreamsClient(croft.sdk);
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn: streamArn }));
  const ShardId = StreamDescription?.Shards?.[0]?.ShardId;
  const { ShardIterator } = await streams.send(new GetShardIteratorCommand({ StreamArn: streamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }));
  return (await streams.send(new GetRecordsCommand({ ShardIterator }))).Records ?? [];
}

it('removes items within a minute of their time, from indexes too, and says in the stream who did', async () => {
  await enable(true);
  await put('soon', String(nowS + 100));
  await put('later', String(nowS + 1000));
  await put('never');
  await put('no number here', '-1');
  await put('long ago', String(nowS - 6 * 365 * 86_400));
  await put('just over', String(nowS - 10));
  await advance(MINUTE_MS);
  expect(await left()).toEqual(['later', 'long ago', 'never', 'no number here', 'soon']);
  await advance(2 * MINUTE_MS);
  expect(await left()).toEqual(['later', 'long ago', 'never', 'no number here']);
  const page = await client.send(
    new QueryCommand({ TableName, IndexName: 'by-kind', KeyConditionExpression: 'kind = :k', ExpressionAttributeValues: { ':k': { S: 'k' } } }),
  );
  expect(page.Count).toBe(4);
  const removed = (await records()).filter(({ eventName }) => eventName === 'REMOVE');
  expect(removed.map(({ dynamodb, userIdentity }) => [dynamodb?.OldImage?.['pk']?.S, userIdentity])).toEqual([
    ['just over', { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' }],
    ['soon', { PrincipalId: 'dynamodb.amazonaws.com', Type: 'Service' }],
  ]);
});

it('goes by the time that an item has in the end', async () => {
  await enable(true);
  await put('moved', String(nowS + 100));
  await put('kept', String(nowS + 100));
  await put('hurried', String(nowS + 100_000));
  const set = (pk: string, expression: string, ttl?: number) =>
    client.send(
      new UpdateItemCommand({
        TableName,
        Key: { pk: { S: pk } },
        UpdateExpression: expression,
        ExpressionAttributeNames: { '#ttl': 'ttl' },
        ...(ttl === undefined ? {} : { ExpressionAttributeValues: { ':ttl': { N: String(ttl) } } }),
      }),
    );
  await set('moved', 'SET #ttl = :ttl', nowS + 1000);
  await set('kept', 'REMOVE #ttl');
  await set('hurried', 'SET #ttl = :ttl', nowS + 1);
  await advance(3 * MINUTE_MS);
  expect(await left()).toEqual(['kept', 'moved']);
  await advance(20 * MINUTE_MS);
  expect(await left()).toEqual(['kept']);
});

it('takes in the items that were there before, and lets all be once switched off', async () => {
  for (let n = 0; n < 230; n++) await put(`old ${n}`, String(nowS + 10));
  await put('kept', String(nowS + 1000));
  await enable(true);
  await quiet();
  await advance(2 * MINUTE_MS);
  expect(await left()).toEqual(['kept']);
  await enable(false);
  await quiet();
  await advance(60 * MINUTE_MS);
  expect(await left()).toEqual(['kept']);
  // Switched on again, what has expired meanwhile goes.
  await enable(true);
  await advance(2 * MINUTE_MS);
  expect(await left()).toEqual([]);
  expect((await client.send(new GetItemCommand({ TableName, Key: { pk: { S: 'kept' } } }))).Item).toBeUndefined();
});
