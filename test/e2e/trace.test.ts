import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, PutItemCommand, waitUntilTableExists } from '@aws-sdk/client-dynamodb';
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { zipFiles } from '../../src/compute/testing.ts';
import { startCroft, type TestCroft } from '../harness.ts';
import { cleanEnvironment, ROOT, run } from '../process.ts';
import { createFunction } from './functions.ts';

let croft: TestCroft;
beforeAll(async () => {
  croft = await startCroft();
});
afterAll(() => croft.stop());

const trace = (id: string, ...more: string[]) =>
  run(process.execPath, [join(ROOT, 'src/cli/main.ts'), 'trace', id, '--endpoint', croft.endpoint, ...more], { env: cleanEnvironment(), cwd: ROOT });

describe('croft trace', () => {
  test('tells what a write did, by its request id', async () => {
    const client = new DynamoDBClient(croft.sdk);
    await client.send(
      new CreateTableCommand({
        TableName: 'books',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );
    await waitUntilTableExists({ client, maxWaitTime: 10, minDelay: 0.01, maxDelay: 0.05 }, { TableName: 'books' });
    const { $metadata } = await client.send(new PutItemCommand({ TableName: 'books', Item: { id: { S: 'a' } } }));
    client.destroy();
    const { stdout } = await trace($metadata.requestId ?? '');
    expect(stdout).toMatch(/^1-[0-9a-f]{8}-[0-9a-f]{24} {2}\d{4}-/);
    expect(stdout).toContain('wrote by dynamodb:PutItem arn:aws:dynamodb:us-east-1:000000000000:table/books (1 WriteRequestUnits)');
  });

  test('from an asynchronous invocation to what the function wrote', async () => {
    const lambda = new LambdaClient(croft.sdk);
    const code =
      "const { DynamoDBClient, PutItemCommand } = require('@aws-sdk/client-dynamodb');\nexports.handler = (event) => new DynamoDBClient({}).send(new PutItemCommand({ TableName: 'books', Item: { id: { S: event.id } } })).then(() => 1);";
    await createFunction(lambda, 'writer', await zipFiles({ 'index.js': code }), { Runtime: 'nodejs24.x', Handler: 'index.handler', Timeout: 20 });
    const { $metadata } = await lambda.send(new InvokeCommand({ FunctionName: 'writer', InvocationType: 'Event', Payload: Buffer.from('{"id": "b"}') }));
    lambda.destroy();
    expect(await croft.server.platform.bus.quiet(20_000)).toBe(true);
    const { stdout } = await trace($metadata.requestId ?? '');
    const lines = stdout.trim().split('\n');
    const depth = (words: string) => (lines.find((line) => line.includes(words)) ?? '').search(/\+\d+ ms/);
    expect(depth('request lambda:InvokeFunction'), stdout).toBeGreaterThan(0);
    expect(depth('delivery lambda:invoke'), stdout).toBeGreaterThan(depth('request lambda:InvokeFunction'));
    expect(stdout).toContain('wrote by lambda:InvokeFunction');
    expect(stdout).toContain('wrote by dynamodb:PutItem');
  });

  test('says in a sentence what it does not know', async () => {
    for (const [id, words] of [
      ['00000000-0000-4000-8000-000000000000', 'is not known'],
      ['1-00000000-000000000000000000000000', 'nothing is known'],
      ['!', 'neither a trace'],
    ] as const) {
      const { status, stderr } = await trace(id);
      expect(status).toBeGreaterThan(0);
      expect(stderr).toContain(words);
    }
  });
});
