import { Agent, type IncomingMessage, request } from 'node:http';
import { DynamoDBClient, GetItemCommand, ListTablesCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { AwsError } from '../kit/errors.ts';
import type { Ctx, Service } from '../services/service.ts';
import { startGateway, type TestGateway } from './testing/gateway.ts';

const seen: Ctx[] = [];
const dynamodb: Service = {
  name: 'dynamodb',
  operations: {
    GetItem: {
      access: { resource: (ctx, input) => `arn:aws:dynamodb:${ctx.region}:${ctx.account}:table/${String(input['TableName'])}` },
      run: async (ctx: Ctx, input: { TableName: string; Key: Record<string, unknown> }) => {
        seen.push(ctx);
        ctx.meter('ReadRequestUnits', 0.5);
        if (input.TableName === 'missing') throw new AwsError('ResourceNotFoundException', 'Requested resource not found');
        if (input.TableName === 'broken') throw new TypeError('oops');
        return { Item: { ...input.Key, account: { S: ctx.account }, region: { S: ctx.region } } };
      },
    },
  },
};

let croft: TestGateway;
let client: DynamoDBClient;
beforeAll(async () => {
  croft = await startGateway([dynamodb]);
  client = new DynamoDBClient(croft.sdk);
});
afterAll(async () => {
  client.destroy();
  await croft.stop();
});

test('an SDK call reaches the room and its answer the caller', async () => {
  const answer = await client.send(new GetItemCommand({ TableName: 't', Key: { id: { S: '1' } } }));
  expect(answer.Item).toEqual({ id: { S: '1' }, account: { S: '000000000000' }, region: { S: 'us-east-1' } });
  expect(answer.$metadata.requestId).toMatch(/^[0-9a-f-]{36}$/);
});

test('the access key id chooses the account and the scope the region', async () => {
  const other = new DynamoDBClient({ ...croft.sdk, region: 'eu-west-1', credentials: { accessKeyId: '123456789012', secretAccessKey: 'x' } });
  const answer = await other.send(new GetItemCommand({ TableName: 't', Key: {} }));
  expect(answer.Item).toEqual({ account: { S: '123456789012' }, region: { S: 'eu-west-1' } });
  other.destroy();
});

test('modelled errors reach the caller as themselves', async () => {
  await expect(client.send(new GetItemCommand({ TableName: 'missing', Key: {} }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: 'Requested resource not found',
    $metadata: { httpStatusCode: 400 },
  });
});

test('a bug in a room is a logged InternalFailure that tells nothing', async () => {
  await expect(client.send(new GetItemCommand({ TableName: 'broken', Key: {} }))).rejects.toMatchObject({ $metadata: { httpStatusCode: 500 } });
  expect(croft.errors.splice(0).join()).toContain('oops');
});

test('what is modelled but not built answers 501 and names itself', async () => {
  const error = await client.send(new PutItemCommand({ TableName: 't', Item: {} })).catch((e: unknown) => e);
  expect(error).toMatchObject({ name: 'NotImplemented', message: 'dynamodb:PutItem is not implemented by Croft', $metadata: { httpStatusCode: 501 } });
  await expect(client.send(new ListTablesCommand({}))).rejects.toMatchObject({ name: 'NotImplemented' });
});

test('an unknown target gets AWS’s error', async () => {
  const response = await fetch(croft.endpoint, {
    method: 'POST',
    headers: { 'x-amz-target': 'DynamoDB_20120810.NoSuch', 'content-type': 'application/x-amz-json-1.0' },
    body: '{}',
  });
  expect(response.status).toBe(400);
  expect(await response.json()).toMatchObject({ __type: expect.stringContaining('UnknownOperationException') });
});

test('answers name the connection as AWS does: no Keep-Alive, and nothing at all from S3', async () => {
  const head = async (path: string, headers: Record<string, string>) => {
    const { headers: answered } = await rawRequest(`${croft.sdk.endpoint}${path}`, headers);
    return [answered['connection'], answered['keep-alive']];
  };
  expect(await head('/', { 'x-amz-target': 'DynamoDB_20120810.ListTables', 'content-type': 'application/x-amz-json-1.0' })).toEqual(['keep-alive', undefined]);
  expect(await head('/bucket', {})).toEqual([undefined, undefined]);
});

function rawRequest(url: string, headers: Record<string, string>): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const agent = new Agent({ keepAlive: true });
    const sent = request(url, { method: 'POST', headers, agent }, (response) => {
      response.resume().on('end', () => {
        agent.destroy();
        resolve(response);
      });
    });
    sent.on('error', reject).end('{}');
  });
}
