import * as sdk from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand, QueryCommand, UpdateCommand } from '@aws-sdk/lib-dynamodb';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let client: sdk.DynamoDBClient;

beforeAll(async () => {
  croft = await startCroft();
  client = new sdk.DynamoDBClient(croft.sdk);
  await client.send(
    new sdk.CreateTableCommand({
      TableName: 'Orders',
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: ['userId', 'orderId', 'status', 'day'].map((AttributeName) => ({ AttributeName, AttributeType: 'S' })),
      KeySchema: [
        { AttributeName: 'userId', KeyType: 'HASH' },
        { AttributeName: 'orderId', KeyType: 'RANGE' },
      ],
      GlobalSecondaryIndexes: [
        {
          IndexName: 'by-status',
          KeySchema: [
            { AttributeName: 'status', KeyType: 'HASH' },
            { AttributeName: 'day', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'INCLUDE', NonKeyAttributes: ['amount'] },
        },
      ],
      LocalSecondaryIndexes: [
        {
          IndexName: 'by-day',
          KeySchema: [
            { AttributeName: 'userId', KeyType: 'HASH' },
            { AttributeName: 'day', KeyType: 'RANGE' },
          ],
          Projection: { ProjectionType: 'KEYS_ONLY' },
        },
      ],
    }),
  );
  await sdk.waitUntilTableExists({ client, maxWaitTime: 60 }, { TableName: 'Orders' });
});

afterAll(async () => {
  client.destroy();
  await croft.stop();
});

const key = (user: string, order: string) => ({ userId: { S: user }, orderId: { S: order } });

describe('items', () => {
  it('come back in every type', async () => {
    const item = {
      ...key('types', '1'),
      n: { N: '123.4500' },
      b: { B: new Uint8Array([0, 1, 255]) },
      yes: { BOOL: true },
      nil: { NULL: true },
      ss: { SS: ['a', 'b'] },
      ns: { NS: ['1', '2.0'] },
      bs: { BS: [new Uint8Array([1]), new Uint8Array([2])] },
      m: { M: { deep: { L: [{ S: 'x' }, { M: { y: { N: '1' } } }] } } },
      unicode: { S: 'añ\u{1f600}' },
    };
    await client.send(new sdk.PutItemCommand({ TableName: 'Orders', Item: item }));
    const { Item } = await client.send(new sdk.GetItemCommand({ TableName: 'Orders', Key: key('types', '1'), ConsistentRead: true }));
    expect(Item).toEqual({ ...item, n: { N: '123.45' }, ns: { NS: ['1', '2'] } });
  });

  it('are refused with the modelled exceptions', async () => {
    await client.send(new sdk.PutItemCommand({ TableName: 'Orders', Item: { ...key('cond', '1'), v: { N: '1' } } }));
    const put = new sdk.PutItemCommand({
      TableName: 'Orders',
      Item: key('cond', '1'),
      ConditionExpression: 'attribute_not_exists(userId)',
      ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
    });
    const error = await client.send(put).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(sdk.ConditionalCheckFailedException);
    expect((error as sdk.ConditionalCheckFailedException).Item).toEqual({ ...key('cond', '1'), v: { N: '1' } });
    const missing = client.send(new sdk.GetItemCommand({ TableName: 'Nothing', Key: key('a', 'b') }));
    await expect(missing).rejects.toMatchObject({ name: 'ResourceNotFoundException', message: 'Requested resource not found' });
  });

  it.each<[string, Partial<sdk.UpdateItemCommandInput>, unknown]>([
    ['NONE', {}, undefined],
    ['ALL_OLD', { ReturnValues: 'ALL_OLD' }, { ...key('ret', 'x'), n: { N: '1' }, m: { M: { a: { S: 'x' } } } }],
    ['UPDATED_OLD', { ReturnValues: 'UPDATED_OLD' }, { n: { N: '1' } }],
    ['ALL_NEW', { ReturnValues: 'ALL_NEW' }, { ...key('ret', 'x'), n: { N: '2' }, m: { M: { a: { S: 'x' }, b: { N: '1' } } } }],
    ['UPDATED_NEW', { ReturnValues: 'UPDATED_NEW' }, { n: { N: '2' }, m: { M: { b: { N: '1' } } } }],
  ])('UpdateItem returns %s', async (_name, input, attributes) => {
    await client.send(new sdk.PutItemCommand({ TableName: 'Orders', Item: { ...key('ret', 'x'), n: { N: '1' }, m: { M: { a: { S: 'x' } } } } }));
    const { Attributes } = await client.send(
      new sdk.UpdateItemCommand({
        TableName: 'Orders',
        Key: key('ret', 'x'),
        UpdateExpression: 'SET n = n + :one, m.b = :one',
        ExpressionAttributeValues: { ':one': { N: '1' } },
        ...input,
      }),
    );
    expect(Attributes).toEqual(attributes);
  });

  it('are not looked for by a start of the sort key that no sort key can have', async () => {
    const query = (start: string) =>
      client.send(
        new sdk.QueryCommand({
          TableName: 'Orders',
          KeyConditionExpression: 'userId = :u AND begins_with(orderId, :s)',
          ExpressionAttributeValues: { ':u': { S: 'u' }, ':s': { S: start } },
        }),
      );
    await expect(query('x'.repeat(3000))).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'One or more parameter values were invalid: Aggregated size of all range keys has exceeded the size limit of 1024 bytes',
    });
    expect((await query('')).Count).toBe(0);
  });

  it('64 writers of one counter lose nothing', async () => {
    const update = new sdk.UpdateItemCommand({
      TableName: 'Orders',
      Key: key('counter', '1'),
      UpdateExpression: 'ADD hits :one',
      ExpressionAttributeValues: { ':one': { N: '1' } },
    });
    await Promise.all(Array.from({ length: 64 }, () => client.send(update)));
    const { Item } = await client.send(new sdk.GetItemCommand({ TableName: 'Orders', Key: key('counter', '1') }));
    expect(Item?.['hits']).toEqual({ N: '64' });
  });
});

describe('capacity', () => {
  it('is exact to the half unit, by table and index', async () => {
    const Item = { ...key('cap', '1'), status: { S: 'open' }, day: { S: '1' }, pad: { S: 'x'.repeat(5000) } };
    const put = await client.send(
      new sdk.PutItemCommand({ TableName: 'Orders', Item, ReturnConsumedCapacity: 'INDEXES', ReturnItemCollectionMetrics: 'SIZE' }),
    );
    expect(put.ConsumedCapacity).toEqual({
      TableName: 'Orders',
      CapacityUnits: 7,
      Table: { CapacityUnits: 5 },
      GlobalSecondaryIndexes: { 'by-status': { CapacityUnits: 1 } },
      LocalSecondaryIndexes: { 'by-day': { CapacityUnits: 1 } },
    });
    expect(put.ItemCollectionMetrics).toEqual({ ItemCollectionKey: { userId: { S: 'cap' } }, SizeEstimateRangeGB: [0, 1] });
    const get = (ConsistentRead: boolean) =>
      client.send(new sdk.GetItemCommand({ TableName: 'Orders', Key: key('cap', '1'), ConsistentRead, ReturnConsumedCapacity: 'TOTAL' }));
    expect((await get(false)).ConsumedCapacity).toEqual({ TableName: 'Orders', CapacityUnits: 1 });
    expect((await get(true)).ConsumedCapacity).toEqual({ TableName: 'Orders', CapacityUnits: 2 });
  });
});

describe('queries', () => {
  it('read a global index, and of a local one what only the table holds', async () => {
    for (const day of ['1', '2', '3']) {
      await client.send(
        new sdk.PutItemCommand({
          TableName: 'Orders',
          Item: { ...key('q', day), status: { S: 'q-open' }, day: { S: day }, amount: { N: day }, note: { S: day } },
        }),
      );
    }
    const global = await client.send(
      new sdk.QueryCommand({
        TableName: 'Orders',
        IndexName: 'by-status',
        KeyConditionExpression: '#s = :s AND #d > :d',
        FilterExpression: 'amount < :t',
        ExpressionAttributeNames: { '#s': 'status', '#d': 'day' },
        ExpressionAttributeValues: { ':s': { S: 'q-open' }, ':d': { S: '1' }, ':t': { N: '3' } },
      }),
    );
    expect(global).toMatchObject({ Count: 1, ScannedCount: 2, Items: [{ ...key('q', '2'), status: { S: 'q-open' }, day: { S: '2' }, amount: { N: '2' } }] });
    const local = await client.send(
      new sdk.QueryCommand({
        TableName: 'Orders',
        IndexName: 'by-day',
        KeyConditionExpression: 'userId = :u',
        ProjectionExpression: 'note',
        ScanIndexForward: false,
        Limit: 2,
        ExpressionAttributeValues: { ':u': { S: 'q' } },
      }),
    );
    expect(local.Items).toEqual([{ note: { S: '3' } }, { note: { S: '2' } }]);
    expect(local.LastEvaluatedKey).toEqual({ ...key('q', '2'), day: { S: '2' } });
  });

  it('stop at a megabyte', async () => {
    const pad = { S: 'x'.repeat(300_000) };
    for (let n = 0; n < 5; n++) await client.send(new sdk.PutItemCommand({ TableName: 'Orders', Item: { ...key('big', String(n)), pad } }));
    const pages = sdk.paginateQuery(
      { client },
      { TableName: 'Orders', KeyConditionExpression: 'userId = :u', ExpressionAttributeValues: { ':u': { S: 'big' } } },
    );
    const counts: (number | undefined)[] = [];
    for await (const page of pages) counts.push(page.Count);
    expect(counts).toEqual([4, 1]);
  });
});

describe('batches and transactions', () => {
  it('write and read many items', async () => {
    const requests = Array.from({ length: 25 }, (_, n) => ({ PutRequest: { Item: { ...key('batch', String(n)), n: { N: String(n) } } } }));
    expect((await client.send(new sdk.BatchWriteItemCommand({ RequestItems: { Orders: requests } }))).UnprocessedItems).toEqual({});
    const Keys = Array.from({ length: 30 }, (_, n) => key('batch', String(n)));
    const { Responses } = await client.send(new sdk.BatchGetItemCommand({ RequestItems: { Orders: { Keys, ProjectionExpression: 'n' } } }));
    expect(Responses?.['Orders']).toHaveLength(25);
    const twice = client.send(new sdk.BatchGetItemCommand({ RequestItems: { Orders: { Keys: [key('a', 'b'), key('a', 'b')] } } }));
    await expect(twice).rejects.toMatchObject({ message: 'Provided list of item keys contains duplicates' });
  });

  it('are all or nothing, and the same token writes once', async () => {
    const put = (order: string) => ({ Put: { TableName: 'Orders', Item: key('tx', order), ConditionExpression: 'attribute_not_exists(userId)' } });
    const first = { TransactItems: [put('1'), put('2')], ClientRequestToken: 'token-1' };
    await client.send(new sdk.TransactWriteItemsCommand(first));
    await client.send(new sdk.TransactWriteItemsCommand(first));
    await expect(client.send(new sdk.TransactWriteItemsCommand({ TransactItems: [put('9')], ClientRequestToken: 'token-1' }))).rejects.toMatchObject({
      name: 'IdempotentParameterMismatchException',
    });
    const error = await client.send(new sdk.TransactWriteItemsCommand({ TransactItems: [put('3'), put('2')] })).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'TransactionCanceledException', CancellationReasons: [{ Code: 'None' }, { Code: 'ConditionalCheckFailed' }] });
    const { Responses } = await client.send(
      new sdk.TransactGetItemsCommand({ TransactItems: ['1', '3'].map((order) => ({ Get: { TableName: 'Orders', Key: key('tx', order) } })) }),
    );
    expect(Responses).toEqual([{ Item: key('tx', '1') }, {}]);
  });
});

it('a batch of many megabytes is written whole, index entries and all', async () => {
  const text = 'x'.repeat(300_000);
  const requests = Array.from({ length: 25 }, (_, n) => ({
    PutRequest: { Item: { ...key('large', String(n)), status: { S: 'large' }, day: { S: String(n) }, text: { S: text } } },
  }));
  const { UnprocessedItems, ConsumedCapacity } = await client.send(
    new sdk.BatchWriteItemCommand({ RequestItems: { Orders: requests }, ReturnConsumedCapacity: 'INDEXES' }),
  );
  expect(UnprocessedItems).toEqual({});
  expect(ConsumedCapacity?.[0]).toMatchObject({
    TableName: 'Orders',
    Table: { CapacityUnits: 25 * 294 },
    GlobalSecondaryIndexes: { 'by-status': { CapacityUnits: 25 } },
  });
  const { Count } = await client.send(
    new sdk.QueryCommand({
      TableName: 'Orders',
      IndexName: 'by-status',
      KeyConditionExpression: '#s = :s',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':s': { S: 'large' } },
    }),
  );
  expect(Count).toBe(25);
  const transacted = Array.from({ length: 12 }, (_, n) => ({ Put: { TableName: 'Orders', Item: { ...key('large', `t${n}`), text: { S: text } } } }));
  await client.send(new sdk.TransactWriteItemsCommand({ TransactItems: transacted }));
  const { Item } = await client.send(new sdk.GetItemCommand({ TableName: 'Orders', Key: key('large', 't11') }));
  expect(Item?.['text']?.S).toBe(text);
});

it('the document client works unmodified', async () => {
  const documents = DynamoDBDocumentClient.from(client);
  const Item = { userId: 'doc', orderId: '1', amount: 12.5, tags: new Set(['a', 'b']), entries: [{ sku: 'x', count: 2 }], gone: null };
  await documents.send(new PutCommand({ TableName: 'Orders', Item }));
  expect((await documents.send(new GetCommand({ TableName: 'Orders', Key: { userId: 'doc', orderId: '1' } }))).Item).toEqual(Item);
  const { Attributes } = await documents.send(
    new UpdateCommand({
      TableName: 'Orders',
      Key: { userId: 'doc', orderId: '1' },
      UpdateExpression: 'SET entries[0].#c = entries[0].#c + :n, amount = :t REMOVE gone',
      ExpressionAttributeNames: { '#c': 'count' },
      ExpressionAttributeValues: { ':n': 3, ':t': 1e15 },
      ReturnValues: 'ALL_NEW',
    }),
  );
  expect(Attributes).toEqual({ userId: 'doc', orderId: '1', amount: 1e15, tags: Item.tags, entries: [{ sku: 'x', count: 5 }] });
  const { Items } = await documents.send(
    new QueryCommand({ TableName: 'Orders', KeyConditionExpression: 'userId = :u', ExpressionAttributeValues: { ':u': 'doc' } }),
  );
  expect(Items).toHaveLength(1);
});
