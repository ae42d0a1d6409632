import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  type AttributeValue,
  CreateTableCommand,
  DeleteItemCommand,
  DynamoDBClient,
  PutItemCommand,
  ScanCommand,
  TransactWriteItemsCommand,
  UpdateItemCommand,
  UpdateTimeToLiveCommand,
} from '@aws-sdk/client-dynamodb';
import { type _Record, DescribeStreamCommand, DynamoDBStreamsClient, GetRecordsCommand, GetShardIteratorCommand } from '@aws-sdk/client-dynamodb-streams';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../../test/harness.ts';
import { startPostgres, type TestPostgres } from '../../../../test/postgres.ts';

const TableName = 'Replayed';
const KEYS = 12;
const WRITERS = 16;
const ROUNDS = 20;

let postgres: TestPostgres | undefined;
let folder: string;
beforeAll(async () => {
  postgres = await startPostgres();
  folder = await mkdtemp(join(tmpdir(), 'croft-replay-'));
}, 60_000);
afterAll(async () => {
  await postgres?.stop();
  await rm(folder, { recursive: true, force: true });
});

/** One of many writers at once, each write of another kind. */
async function write(client: DynamoDBClient, writer: number): Promise<void> {
  for (let round = 0; round < ROUNDS; round++) {
    const n = writer * ROUNDS + round;
    const Key = { pk: { S: `k${(n * 7) % KEYS}` } };
    const other = { pk: { S: `k${(n * 7 + 5) % KEYS}` } };
    if (round % 4 === 0) await client.send(new PutItemCommand({ TableName, Item: { ...Key, by: { N: String(n) }, ttl: { N: '4000000000' } } }));
    else if (round % 4 === 1) await client.send(new DeleteItemCommand({ TableName, Key }));
    else if (round % 4 === 2) {
      await client.send(new UpdateItemCommand({ TableName, Key, UpdateExpression: 'ADD n :one', ExpressionAttributeValues: { ':one': { N: '1' } } }));
    } else {
      const Put = { TableName, Item: { ...other, both: { N: String(n) } } };
      await client.send(new TransactWriteItemsCommand({ TransactItems: [{ Put }, { Put: { TableName, Item: { ...Key, both: { N: String(n) } } } }] }));
    }
  }
}

async function allRecords(croft: TestCroft, StreamArn: string): Promise<_Record[]> {
  const streams = new DynamoDBStreamsClient(croft.sdk);
  const { StreamDescription } = await streams.send(new DescribeStreamCommand({ StreamArn }));
  const ShardId = StreamDescription?.Shards?.[0]?.ShardId;
  let { ShardIterator } = await streams.send(new GetShardIteratorCommand({ StreamArn, ShardId, ShardIteratorType: 'TRIM_HORIZON' }));
  const records: _Record[] = [];
  for (;;) {
    const page = await streams.send(new GetRecordsCommand({ ShardIterator, Limit: 100 }));
    if (page.Records?.length === 0) return records;
    records.push(...(page.Records ?? []));
    ShardIterator = page.NextShardIterator;
  }
}

it.each(['memory', 'sqlite', 'postgres'] as const)(
  '%s: replaying the stream of concurrent writers gives the table, each old image being the new one before',
  async (store) => {
    if (store === 'postgres' && !postgres) return;
    const croft = await startCroft({
      store: store === 'postgres' ? (postgres?.url ?? '') : store,
      ephemeral: store === 'memory',
      dataDir: join(folder, store),
    });
    try {
      const client = new DynamoDBClient({ ...croft.sdk, maxAttempts: 1 });
      const { TableDescription } = await client.send(
        new CreateTableCommand({
          TableName,
          BillingMode: 'PAY_PER_REQUEST',
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_AND_OLD_IMAGES' },
        }),
      );
      await client.send(new UpdateTimeToLiveCommand({ TableName, TimeToLiveSpecification: { Enabled: true, AttributeName: 'ttl' } }));
      await Promise.all(Array.from({ length: WRITERS }, (_, writer) => write(client, writer)));
      const items = new Map<string | undefined, Record<string, AttributeValue>>();
      const records = await allRecords(croft, TableDescription?.LatestStreamArn ?? '');
      for (const { dynamodb, eventName } of records) {
        const key = dynamodb?.Keys?.['pk']?.S;
        expect(dynamodb?.OldImage).toEqual(items.get(key));
        expect(eventName).toBe(dynamodb?.OldImage === undefined ? 'INSERT' : dynamodb.NewImage === undefined ? 'REMOVE' : 'MODIFY');
        if (dynamodb?.NewImage) items.set(key, dynamodb.NewImage as never);
        else items.delete(key);
      }
      const { Items } = await client.send(new ScanCommand({ TableName }));
      expect(new Map(Items?.map((item) => [item['pk']?.S, item]))).toEqual(items);
      expect(records.length).toBeGreaterThan(WRITERS * ROUNDS * 0.7);
    } finally {
      await croft.stop();
    }
  },
  60_000,
);
