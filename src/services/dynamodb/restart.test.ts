import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-dynamodb';
import { expect, it } from 'vitest';
import { startCroft } from '../../../test/harness.ts';

const TableName = 'Kept';

it('tables, items, indexes and work under way are there after a restart', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'croft-dynamodb-'));
  const options = { store: 'sqlite' as const, ephemeral: false, dataDir };
  try {
    const first = await startCroft(options);
    let client = new sdk.DynamoDBClient(first.sdk);
    await client.send(
      new sdk.CreateTableCommand({
        TableName,
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
      }),
    );
    await Promise.all(
      Array.from({ length: 250 }, (_, n) => client.send(new sdk.PutItemCommand({ TableName, Item: { pk: { S: String(n) }, g: { S: String(n % 2) } } }))),
    );
    await client.send(
      new sdk.UpdateTableCommand({
        TableName,
        AttributeDefinitions: [{ AttributeName: 'g', AttributeType: 'S' }],
        GlobalSecondaryIndexUpdates: [
          { Create: { IndexName: 'by-g', KeySchema: [{ AttributeName: 'g', KeyType: 'HASH' }], Projection: { ProjectionType: 'KEYS_ONLY' } } },
        ],
      }),
    );
    client.destroy();
    await first.stop();

    const second = await startCroft(options);
    client = new sdk.DynamoDBClient(second.sdk);
    await second.server.platform.bus.quiet(10_000);
    const { Table } = await client.send(new sdk.DescribeTableCommand({ TableName }));
    expect(Table).toMatchObject({
      TableStatus: 'ACTIVE',
      ItemCount: 250,
      GlobalSecondaryIndexes: [{ IndexName: 'by-g', IndexStatus: 'ACTIVE', ItemCount: 250 }],
    });
    const page = await client.send(
      new sdk.QueryCommand({ TableName, IndexName: 'by-g', KeyConditionExpression: 'g = :g', ExpressionAttributeValues: { ':g': { S: '1' } } }),
    );
    expect(page.Count).toBe(125);
    client.destroy();
    await second.stop();
  } finally {
    await rm(dataDir, { recursive: true, force: true });
  }
});
