import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CloudFormationClient, CreateStackCommand, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { CreateTableCommand, DynamoDBClient, GetItemCommand, PutItemCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, GetObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterEach, describe, expect, it } from 'vitest';
import { createFunction, invoke, zipOf } from '../e2e/functions.ts';
import { STORES, startOn } from '../e2e/stores.ts';
import type { CroftProcess } from '../process.ts';

/** Rounds of writing and killing: many in the soak run. */
const ROUNDS = process.env['CROFT_SOAK'] ? 50 : 3;
const SEED = Number(process.env['CROFT_SEED'] ?? Math.floor(Math.random() * 1e9));

/** A generator that repeats itself with the same seed (mulberry32). */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** All of them, a few at a time: one after the other takes minutes. */
async function together<T>(all: readonly T[], check: (one: T) => Promise<void>): Promise<void> {
  for (let from = 0; from < all.length; from += 32) await Promise.all(all.slice(from, from + 32).map(check));
}

const WRITER = `
import boto3, os
table = boto3.resource("dynamodb").Table("crash")
def lambda_handler(event, context):
    table.put_item(Item={"id": event["id"], "by": "function"})
    return event["id"]
`;

let croft: CroftProcess | undefined;
afterEach(() => croft?.dispose());

describe.each(STORES)('kill -9 on %s', (store) => {
  it(`loses nothing that was acknowledged (seed ${SEED})`, { timeout: 60_000 + ROUNDS * 20_000 }, async ({ skip }) => {
    const next = random(SEED);
    croft = await startOn(store);
    if (!croft) return skip('no PostgreSQL on this machine');
    const clients = (c: CroftProcess) => ({
      tables: new DynamoDBClient({ ...c.sdk, maxAttempts: 1 }),
      s3: new S3Client({ ...c.sdk, forcePathStyle: true, maxAttempts: 1 }),
      lambda: new LambdaClient({ ...c.sdk, maxAttempts: 1 }),
    });
    let { tables, s3, lambda } = clients(croft);
    await tables.send(
      new CreateTableCommand({
        TableName: 'crash',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    await waitUntilTableExists({ client: tables, maxWaitTime: 30, minDelay: 1 }, { TableName: 'crash' });
    await s3.send(new CreateBucketCommand({ Bucket: 'crash' }));
    const folder = mkdtempSync(join(tmpdir(), 'croft-crash-'));
    writeFileSync(join(folder, 'lambda_function.py'), WRITER);
    await createFunction(lambda, 'writer', await zipOf(folder), { Timeout: 20 });

    const items = new Set<string>();
    const objects = new Map<string, string>();
    const accepted = new Set<string>();
    let n = 0;
    for (let round = 0; round < ROUNDS; round++) {
      let alive = true;
      const writer = async (write: (id: string) => Promise<void>) => {
        while (alive) await write(`${round}-${n++}`).catch(() => undefined);
      };
      const put = async (id: string) => {
        await tables.send(new PutItemCommand({ TableName: 'crash', Item: { id: { S: id } } }));
        items.add(id);
      };
      const upload = async (id: string) => {
        await s3.send(new PutObjectCommand({ Bucket: 'crash', Key: id, Body: id.repeat(5_000) }));
        objects.set(id, id.repeat(5_000));
      };
      const enqueue = async (id: string) => {
        await lambda.send(new InvokeCommand({ FunctionName: 'writer', InvocationType: 'Event', Payload: Buffer.from(JSON.stringify({ id: `f${id}` })) }));
        accepted.add(`f${id}`);
      };
      const writers = [...Array<typeof put>(8).fill(put), ...Array<typeof put>(4).fill(upload), enqueue].map(writer);
      await new Promise((resolve) => setTimeout(resolve, 300 + next() * 1_200));
      await croft.kill();
      alive = false;
      await Promise.all(writers);
      croft = await croft.restart();
      ({ tables, s3, lambda } = clients(croft));
      expect((await invoke(lambda, 'writer', { id: `after-${round}` })).payload).toBe(`after-${round}`);
      await together([...items], async (id) => {
        const { Item } = await tables.send(new GetItemCommand({ TableName: 'crash', Key: { id: { S: id } }, ConsistentRead: true }));
        expect(Item, id).toEqual({ id: { S: id } });
      });
      await together([...objects], async ([key, body]) => {
        expect(await (await s3.send(new GetObjectCommand({ Bucket: 'crash', Key: key }))).Body?.transformToString()).toBe(body);
      });
      items.clear();
      objects.clear();
    }
    // Every accepted event ends in its function, however often the server died meanwhile.
    for (const id of accepted) {
      for (;;) {
        const { Item } = await tables.send(new GetItemCommand({ TableName: 'crash', Key: { id: { S: id } } }));
        if (Item) break;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
    }
    expect(accepted.size).toBeGreaterThan(0);
  });

  it('in the middle of a stack operation: it goes on after the restart and ends', { timeout: 90_000 }, async ({ skip }) => {
    croft = await startOn(store);
    if (!croft) return skip('no PostgreSQL on this machine');
    const tables = Object.fromEntries(
      Array.from({ length: 30 }, (_, i) => [
        `Table${i}`,
        {
          Type: 'AWS::DynamoDB::Table',
          ...(i > 0 ? { DependsOn: `Table${i - 1}` } : {}),
          Properties: {
            TableName: `table-${i}`,
            BillingMode: 'PAY_PER_REQUEST',
            KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
            AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
          },
        },
      ]),
    );
    await new CloudFormationClient(croft.sdk).send(new CreateStackCommand({ StackName: 'many', TemplateBody: JSON.stringify({ Resources: tables }) }));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await croft.kill();
    croft = await croft.restart();
    const stacks = new CloudFormationClient(croft.sdk);
    for (;;) {
      const status = (await stacks.send(new DescribeStacksCommand({ StackName: 'many' }))).Stacks?.[0]?.StackStatus;
      if (status === 'CREATE_COMPLETE') break;
      expect(status).toBe('CREATE_IN_PROGRESS');
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  });
});
