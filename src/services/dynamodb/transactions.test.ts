import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as sdk from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { createIds } from '../../kit/ids.ts';

/** Many writers at once on a few items of a durable store: what must hold after any order of them, holds. */
const TableName = 'Accounts';
const rounds = process.env['CROFT_SOAK'] ? 5000 : 300;
const ids = createIds('transactions');
let croft: TestCroft;
let client: sdk.DynamoDBClient;
let dataDir: string;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'croft-transactions-'));
  croft = await startCroft({ store: 'sqlite', ephemeral: false, dataDir });
  client = new sdk.DynamoDBClient(croft.sdk);
  await client.send(
    new sdk.CreateTableCommand({
      TableName,
      BillingMode: 'PAY_PER_REQUEST',
      AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    }),
  );
});

afterAll(async () => {
  client.destroy();
  await croft.stop();
  await rm(dataDir, { recursive: true, force: true });
});

const put = (id: string, balance: number) => client.send(new sdk.PutItemCommand({ TableName, Item: { id: { S: id }, balance: { N: String(balance) } } }));
const add = (id: string, amount: number, condition?: string): sdk.TransactWriteItem => ({
  Update: {
    TableName,
    Key: { id: { S: id } },
    UpdateExpression: 'SET balance = balance + :a',
    ...(condition ? { ConditionExpression: condition } : {}),
    ExpressionAttributeValues: { ':a': { N: String(amount) }, ...(condition ? { ':min': { N: String(-amount) } } : {}) },
  },
});

/** True where the transaction went through, false where a condition refused it. */
async function transact(...TransactItems: sdk.TransactWriteItem[]): Promise<boolean> {
  try {
    await client.send(new sdk.TransactWriteItemsCommand({ TransactItems }));
    return true;
  } catch (error) {
    if (error instanceof sdk.TransactionCanceledException) return false;
    throw error;
  }
}

async function balances(names: readonly string[]): Promise<number[]> {
  const { Responses = [] } = await client.send(
    new sdk.TransactGetItemsCommand({ TransactItems: names.map((id) => ({ Get: { TableName, Key: { id: { S: id } } } })) }),
  );
  return Responses.map((response) => Number(response.Item?.['balance']?.N));
}

it('transfers keep the sum, and no account goes below zero, seen from outside at any time', async () => {
  const names = ['a', 'b', 'c', 'd'];
  await Promise.all(names.map((id) => put(id, 100)));
  let done = false;
  const watching = (async () => {
    while (!done) {
      const now = await balances(names);
      expect(now.reduce((sum, balance) => sum + balance, 0)).toBe(400);
      expect(Math.min(...now)).toBeGreaterThanOrEqual(0);
    }
  })();
  const transfers = Array.from({ length: rounds }, () => {
    const from = Math.floor(ids.float() * names.length);
    const to = (from + 1 + Math.floor(ids.float() * (names.length - 1))) % names.length;
    const amount = 1 + Math.floor(ids.float() * 60);
    return transact(add(names[from] as string, -amount, 'balance >= :min'), add(names[to] as string, amount));
  });
  const results = await Promise.all(transfers);
  done = true;
  await watching;
  expect(results).toContain(true);
  expect((await balances(names)).reduce((sum, balance) => sum + balance, 0)).toBe(400);
});

it('two that each check what the other writes never both go through', async () => {
  const check = (id: string): sdk.TransactWriteItem => ({
    ConditionCheck: { TableName, Key: { id: { S: id } }, ConditionExpression: 'balance = :one', ExpressionAttributeValues: { ':one': { N: '1' } } },
  });
  for (let round = 0; round < 20; round++) {
    await Promise.all([put('x', 1), put('y', 1)]);
    const [first, second] = await Promise.all([transact(check('x'), add('y', -1)), transact(check('y'), add('x', -1))]);
    expect([first, second].filter(Boolean)).toHaveLength(1);
  }
});
