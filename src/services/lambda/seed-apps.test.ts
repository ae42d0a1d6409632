import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateFunctionCommand, InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { projectRoot } from '../../kit/root.ts';
import { ROLE, zipFiles } from './testing.ts';

const APPS = join(projectRoot(), '../shared/seed-apps');
const SDK = join(projectRoot(), 'runtimes');

let croft: TestCroft;
let lambda: LambdaClient;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'error' });
  lambda = new LambdaClient(croft.sdk);
});
afterAll(() => croft.stop());

async function deploy(app: string, name: string, more: { Handler?: string; Timeout?: number; Runtime?: 'nodejs22.x' } = {}) {
  const files = (await readdir(join(APPS, app))).filter((file) => /\.(py|js)$/.test(file));
  const zip = await zipFiles(Object.fromEntries(await Promise.all(files.map(async (file) => [file, await readFile(join(APPS, app, file))] as const))));
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'python3.12',
      Handler: 'lambda_function.lambda_handler',
      Role: ROLE,
      Code: { ZipFile: zip },
      ...more,
    }),
  );
}

async function call(name: string, event: unknown = {}) {
  const answer = await lambda.send(new InvokeCommand({ FunctionName: name, Payload: Buffer.from(JSON.stringify(event)), LogType: 'Tail' }));
  return {
    error: answer.FunctionError,
    json: JSON.parse(Buffer.from(answer.Payload ?? []).toString()),
    log: Buffer.from(answer.LogResult ?? '', 'base64').toString(),
  };
}

// The guides' own apps are beside the project, not in it: a clone alone has none.
describe.skipIf(!existsSync(APPS))('the guides’ apps, unmodified', () => {
  it('hello-python', async () => {
    await deploy('hello-python', 'hello-python');
    const { json } = await call('hello-python', { name: 'Ada' });
    const body = JSON.parse(json.body);
    expect([json.statusCode, body.message]).toEqual([200, 'Hello, Ada!']);
    expect(body.remaining_time_ms).toBeGreaterThan(0);
    expect(body.remaining_time_ms).toBeLessThan(3000);
  });

  it('hello-event-python', async () => {
    await deploy('hello-event-python', 'hello-event-python');
    const { json, log } = await call('hello-event-python', { a: 1 });
    expect(JSON.parse(json.body)).toEqual({ message: 'Hello from Lambda!', input: { a: 1 } });
    expect(log).toContain("\nEvent: {'a': 1}\n");
  });

  it('hello-node', async () => {
    await deploy('hello-node', 'hello-node', { Runtime: 'nodejs22.x', Handler: 'index.handler' });
    const { json, log } = await call('hello-node', { a: 1 });
    expect(JSON.parse(json.body)).toEqual({ message: 'Hello from Lambda!', input: { a: 1 } });
    expect(log).toMatch(/\n\d{4}-\d\d-\d\dT[\d:.]+Z\t[0-9a-f-]{36}\tINFO\tEvent: \{ a: 1 \}\n/);
  });

  it('error-handling', async () => {
    await deploy('error-handling', 'error-handling');
    const answer = async (body: string) => (await call('error-handling', { body })).json;
    expect(await answer('{}')).toEqual({ statusCode: 400, body: '{"error": "Name required"}' });
    expect((await answer('{')).statusCode).toBe(400);
    expect(await answer('{"name":"boom"}')).toEqual({ statusCode: 500, body: '{"error": "Internal error"}' });
    expect((await answer('[]')).statusCode).toBe(500);
    expect(await answer('{"name":"Ada"}')).toEqual({ statusCode: 200, body: '{"hello": "Ada"}' });
  });

  it('long-running', async () => {
    await deploy('long-running', 'careful', { Handler: 'lambda_function.careful_handler', Timeout: 2 });
    const careful = await call('careful', { buffer_ms: 1500 });
    expect(careful.error).toBeUndefined();
    expect(careful.json.steps).toBeGreaterThan(0);
    await deploy('long-running', 'careless', { Handler: 'lambda_function.careless_handler', Timeout: 1 });
    const careless = await call('careless');
    expect(careless.error).toBe('Unhandled');
    expect(careless.json).toEqual({
      errorType: 'Sandbox.Timedout',
      errorMessage: expect.stringMatching(/^RequestId: [0-9a-f-]{36} Error: Task timed out after 1\.00 seconds$/),
    });
  });

  it('lazy-imports', async () => {
    await deploy('lazy-imports', 'lazy');
    expect((await call('lazy')).json).toEqual({ statusCode: 200, body: 'light' });
    expect((await call('lazy', { source: 'aws.events' })).json).toEqual({ statusCode: 200 });
    // pandas is the app's own dependency, and not in this package.
    expect((await call('lazy', { type: 'ml' })).json).toMatchObject({ errorType: 'ModuleNotFoundError', errorMessage: "No module named 'pandas'" });
  });
});

// scripts/runtimes.sh brings the SDKs.
describe('the SDKs that the runtimes provide', () => {
  const source = {
    python: "import boto3\nsts = boto3.client('sts')\ndef handler(event, context):\n    return sts.get_caller_identity()['Arn']\n",
    cjs: "const { STSClient, GetCallerIdentityCommand } = require('@aws-sdk/client-sts');\nconst sts = new STSClient();\nexports.handler = async () => (await sts.send(new GetCallerIdentityCommand())).Arn;",
    esm: "import { STSClient, GetCallerIdentityCommand } from '@aws-sdk/client-sts';\nconst sts = new STSClient();\nexport const handler = async () => (await sts.send(new GetCallerIdentityCommand())).Arn;",
  };
  async function answerOf(name: string, runtime: 'python3.12' | 'nodejs22.x', files: Record<string, string>) {
    const zip = await zipFiles(files);
    await lambda.send(
      new CreateFunctionCommand({ FunctionName: name, Runtime: runtime, Handler: 'index.handler', Role: ROLE, Timeout: 20, Code: { ZipFile: zip } }),
    );
    return (await call(name)).json;
  }

  it.skipIf(!existsSync(join(SDK, 'python/vendor/boto3')))('reach Croft with the role’s credentials: boto3', async () => {
    expect(await answerOf('boto3', 'python3.12', { 'index.py': source.python })).toBe('arn:aws:sts::000000000000:assumed-role/functions/boto3');
  });

  it.skipIf(!existsSync(join(SDK, 'python/vendor/boto3')))('reach a DynamoDB table, with no configuration', async () => {
    const dynamodb = new DynamoDBClient(croft.sdk);
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'notes',
        BillingMode: 'PAY_PER_REQUEST',
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
      }),
    );
    const handler = `
import boto3
from decimal import Decimal
table = boto3.resource('dynamodb').Table('notes')
def handler(event, context):
    table.put_item(Item={'id': 'a', 'price': Decimal('19.99')})
    return table.get_item(Key={'id': 'a'})['Item']
`;
    expect(await answerOf('notes', 'python3.12', { 'index.py': handler })).toEqual({ id: 'a', price: 19.99 });
    expect((await dynamodb.send(new GetItemCommand({ TableName: 'notes', Key: { id: { S: 'a' } } }))).Item).toEqual({ id: { S: 'a' }, price: { N: '19.99' } });
  });

  it.skipIf(!existsSync(join(SDK, 'node/vendor/node_modules')))('reach Croft with the role’s credentials: JavaScript v3, required and imported', async () => {
    expect(await answerOf('cjs', 'nodejs22.x', { 'index.js': source.cjs })).toBe('arn:aws:sts::000000000000:assumed-role/functions/cjs');
    expect(await answerOf('esm', 'nodejs22.x', { 'index.mjs': source.esm })).toBe('arn:aws:sts::000000000000:assumed-role/functions/esm');
  });

  it('yield to what the function bundles', async () => {
    const mine = { 'boto3/__init__.py': 'name = "mine"', 'index.py': 'import boto3\ndef handler(event, context):\n    return boto3.name\n' };
    expect(await answerOf('own-boto3', 'python3.12', mine)).toBe('mine');
    const own = {
      'node_modules/@aws-sdk/client-sts/package.json': '{"name":"@aws-sdk/client-sts","main":"main.js"}',
      'node_modules/@aws-sdk/client-sts/main.js': 'exports.name = "mine";',
      'index.mjs': "import { name } from '@aws-sdk/client-sts';\nexport const handler = async () => name;",
    };
    expect(await answerOf('own-sdk', 'nodejs22.x', own)).toBe('mine');
  });
});
