import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, ScanCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { CreateEventSourceMappingCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { CreateQueueCommand, GetQueueAttributesCommand, SendMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterEach, describe, expect, it } from 'vitest';
import { createFunction, zipOf } from '../e2e/functions.ts';
import { STORES, startOn } from '../e2e/stores.ts';
import type { CroftProcess } from '../process.ts';

/** Rounds of writing and killing: many in the soak run. */
const ROUNDS = process.env['CROFT_SOAK'] ? 50 : 1;
/** Writes to each key before the process is killed. */
const WRITES = 15;
const KEYS = ['queue-a', 'queue-b', 'stream-a', 'stream-b', 'stream-c'];
const PATIENT = { timeout: 60_000, interval: 200 };

/** Appends what it is given to the key's list, in the order in which it is given. */
const CONSUMER = `
import boto3, json
seen = boto3.resource("dynamodb").Table("seen")
def note(key, value):
    seen.update_item(Key={"id": key}, UpdateExpression="SET vs = list_append(if_not_exists(vs, :none), :one)", ExpressionAttributeValues={":none": [], ":one": [value]})
def lambda_handler(event, context):
    for record in event["Records"]:
        if "body" in record:
            body = json.loads(record["body"])
            note("queue-" + body["key"], body["version"])
        else:
            image = record["dynamodb"]["NewImage"]
            note("stream-" + image["id"]["S"], int(image["version"]["N"]))
`;

let croft: CroftProcess | undefined;
afterEach(() => croft?.dispose());

const table = (TableName: string, stream = false) =>
  new CreateTableCommand({
    TableName,
    BillingMode: 'PAY_PER_REQUEST',
    KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
    AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
    ...(stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: 'NEW_IMAGE' as const } } : {}),
  });

const clientsOf = (c: CroftProcess) => ({
  tables: new DynamoDBClient({ ...c.sdk, maxAttempts: 1 }),
  sqs: new SQSClient({ ...c.sdk, maxAttempts: 1 }),
  lambda: new LambdaClient({ ...c.sdk, maxAttempts: 1 }),
});

/** Nothing is skipped: what comes again may go back, but never ahead of what is next. */
function inOrder(versions: readonly number[]): boolean {
  let next = 0;
  for (const version of versions) {
    if (version > next) return false;
    next = Math.max(next, version + 1);
  }
  return true;
}

describe.each(STORES)('kill -9 on %s', (store) => {
  it('event source mappings go on: every message and record at least once, each key in order', { timeout: 90_000 + ROUNDS * 20_000 }, async ({ skip }) => {
    croft = await startOn(store);
    if (!croft) return skip('no PostgreSQL on this machine');
    let { tables, sqs, lambda } = clientsOf(croft);
    const { TableDescription } = await tables.send(table('source', true));
    await tables.send(table('seen'));
    await waitUntilTableExists({ client: tables, maxWaitTime: 30, minDelay: 1 }, { TableName: 'seen' });
    const { QueueUrl = '' } = await sqs.send(
      new CreateQueueCommand({ QueueName: 'source.fifo', Attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true', VisibilityTimeout: '6' } }),
    );
    const folder = mkdtempSync(join(tmpdir(), 'croft-crash-'));
    writeFileSync(join(folder, 'lambda_function.py'), CONSUMER);
    await createFunction(lambda, 'consumer', await zipOf(folder), { Timeout: 6 });
    const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['QueueArn'] }));
    await lambda.send(new CreateEventSourceMappingCommand({ FunctionName: 'consumer', EventSourceArn: Attributes?.['QueueArn'], BatchSize: 5 }));
    const EventSourceArn = TableDescription?.LatestStreamArn;
    const StartingPosition = 'TRIM_HORIZON';
    await lambda.send(
      new CreateEventSourceMappingCommand({ FunctionName: 'consumer', EventSourceArn, StartingPosition, BatchSize: 7, ParallelizationFactor: 2 }),
    );

    /** The next version of each key: a write without an answer is written again under its number. */
    const versions = new Map<string, number>();
    for (let round = 0; round < ROUNDS; round++) {
      let alive = true;
      const writer = async (key: string, write: (version: number) => Promise<unknown>) => {
        while (alive) {
          const version = versions.get(key) ?? 0;
          await write(version).then(
            () => versions.set(key, version + 1),
            () => undefined,
          );
          // A few hundred writes a round: what takes long is their processing.
          await new Promise((resolve) => setTimeout(resolve, 15));
        }
      };
      const queueWriter = (key: string) =>
        writer(`queue-${key}`, (version) => sqs.send(new SendMessageCommand({ QueueUrl, MessageGroupId: key, MessageBody: JSON.stringify({ key, version }) })));
      const tableWriter = (id: string) =>
        writer(`stream-${id}`, (version) => tables.send(new PutItemCommand({ TableName: 'source', Item: { id: { S: id }, version: { N: String(version) } } })));
      const writing = [...['a', 'b'].map(queueWriter), ...['a', 'b', 'c'].map(tableWriter)];
      // Killed in the middle of writing and processing.
      const behind = () => KEYS.filter((key) => (versions.get(key) ?? 0) < (round + 1) * WRITES);
      await expect.poll(behind, PATIENT).toEqual([]);
      await croft.kill();
      alive = false;
      await Promise.all(writing);
      croft = await croft.restart();
      ({ tables, sqs, lambda } = clientsOf(croft));
    }

    const seen = async () => {
      const { Items } = await tables.send(new ScanCommand({ TableName: 'seen', ConsistentRead: true }));
      return new Map(Items?.map((item) => [item['id']?.S ?? '', (item['vs']?.L ?? []).map(({ N }) => Number(N))]));
    };
    const missing = async () => {
      const all = await seen();
      return [...versions].filter(([key, version]) => !all.get(key)?.includes(version - 1)).map(([key]) => key);
    };
    await expect.poll(missing, PATIENT).toEqual([]);
    for (const [key, list] of await seen()) expect([key, inOrder(list)]).toEqual([key, true]);
  });
});
