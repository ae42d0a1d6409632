// biome-ignore-all lint/suspicious/noTemplateCurlyInString: templates are written so
import {
  APIGatewayClient,
  CreateAuthorizerCommand,
  CreateDeploymentCommand,
  CreateResourceCommand,
  CreateRestApiCommand,
  PutIntegrationCommand,
  PutIntegrationResponseCommand,
  PutMethodCommand,
} from '@aws-sdk/client-api-gateway';
import { CreateTableCommand, DynamoDBClient, GetItemCommand } from '@aws-sdk/client-dynamodb';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { CreateFunctionCommand, LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';
import { CreateBucketCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ZipFile } from 'yazl';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

/** With signatures checked: what comes to an API is mostly not signed, and what it sends to services is the gateway's own call. */
let croft: TestCroft;
let api: APIGatewayClient;
let restApiId = '';
let rootId = '';
const ACCOUNT = '000000000000';
const credentials = `arn:aws:iam::${ACCOUNT}:role/gateway`;
// biome-ignore lint/suspicious/noExplicitAny: one place for clients of many services
let sdk: any;

beforeAll(async () => {
  croft = await startCroft({ auth: 'verify', rootAccessKeyId: 'AKIDROOT', rootSecretAccessKey: 'secret' });
  sdk = { ...croft.sdk, credentials: { accessKeyId: 'AKIDROOT', secretAccessKey: 'secret' } };
  api = new APIGatewayClient(sdk);
  const trust = { Statement: [{ Effect: 'Allow', Principal: { Service: ['apigateway.amazonaws.com', 'lambda.amazonaws.com'] }, Action: 'sts:AssumeRole' }] };
  await new IAMClient(sdk).send(new CreateRoleCommand({ RoleName: 'gateway', AssumeRolePolicyDocument: JSON.stringify(trust) }));
  const created = await api.send(new CreateRestApiCommand({ name: 'integrations' }));
  restApiId = created.id ?? '';
  rootId = created.rootResourceId ?? '';
});
afterAll(() => croft.stop());

interface Given {
  uri: string;
  requestTemplate?: string;
  responseTemplate?: string;
  parameters?: Record<string, string>;
  httpMethod?: string;
}

async function integrate(pathPart: string, given: Given, more: { authorizationType?: string; authorizerId?: string } = {}): Promise<void> {
  const { id: resourceId } = await api.send(new CreateResourceCommand({ restApiId, parentId: rootId, pathPart }));
  const at = { restApiId, resourceId, httpMethod: 'POST' };
  await api.send(new PutMethodCommand({ ...at, authorizationType: 'NONE', ...more }));
  await api.send(
    new PutIntegrationCommand({
      ...at,
      type: 'AWS',
      integrationHttpMethod: given.httpMethod ?? 'POST',
      credentials,
      uri: `arn:aws:apigateway:us-east-1:${given.uri}`,
      ...(given.requestTemplate === undefined ? {} : { requestTemplates: { 'application/json': given.requestTemplate } }),
      ...(given.parameters ? { requestParameters: given.parameters } : {}),
    }),
  );
  const responseTemplates = given.responseTemplate === undefined ? {} : { responseTemplates: { 'application/json': given.responseTemplate } };
  await api.send(new PutIntegrationResponseCommand({ ...at, statusCode: '200', ...responseTemplates }));
  await api.send(
    new PutIntegrationResponseCommand({ ...at, statusCode: '400', selectionPattern: '4\\d{2}', responseTemplates: { 'application/json': '{"failed":true}' } }),
  );
}

async function zipOf(name: string, text: string): Promise<Buffer> {
  const zip = new ZipFile();
  zip.addBuffer(Buffer.from(text), name);
  zip.end();
  const chunks: Buffer[] = [];
  for await (const chunk of zip.outputStream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

const deploy = () => api.send(new CreateDeploymentCommand({ restApiId, stageName: 'dev' }));

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const answer = await fetch(`${croft.endpoint}/restapis/${restApiId}/dev/_user_request_/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
  return { status: answer.status, text: await answer.text() };
}

describe('integrations with AWS services', () => {
  it('put into DynamoDB, and map its errors', async () => {
    const dynamodb = new DynamoDBClient(sdk);
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'things',
        BillingMode: 'PAY_PER_REQUEST',
        KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
      }),
    );
    await integrate('put', {
      uri: 'dynamodb:action/PutItem',
      requestTemplate: '{"TableName": "$input.path(\'$.table\')", "Item": {"id": {"S": "$input.path(\'$.id\')"}}}',
      responseTemplate: '{"done":true}',
    });
    await deploy();
    expect(await post('put', { table: 'things', id: 'x' })).toEqual({ status: 200, text: '{"done":true}' });
    expect((await dynamodb.send(new GetItemCommand({ TableName: 'things', Key: { id: { S: 'x' } } }))).Item).toEqual({ id: { S: 'x' } });
    expect(await post('put', { table: 'nothing', id: 'x' })).toEqual({ status: 400, text: '{"failed":true}' });
  });

  it('read an object of S3', async () => {
    const s3 = new S3Client({ ...sdk, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'files' }));
    await s3.send(new PutObjectCommand({ Bucket: 'files', Key: 'a.json', Body: '{"from":"s3"}' }));
    await integrate('{key}', {
      uri: 's3:path/files/{object}',
      httpMethod: 'GET',
      parameters: { 'integration.request.path.object': 'method.request.path.key' },
    });
    await deploy();
    expect(await post('a.json', {})).toEqual({ status: 200, text: '{"from":"s3"}' });
    expect(await post('gone.json', {})).toEqual({ status: 400, text: '{"failed":true}' });
  });

  it('say what is not built', async () => {
    await integrate('glacier', { uri: 'glacier:action/ListVaults' });
    await deploy();
    expect(await post('glacier', {})).toMatchObject({ status: 501 });
  });
});

it('lets a request with a token of its own through to the Lambda authorizer', async () => {
  const lambda = new LambdaClient(sdk);
  const code = `exports.handler = async (event) => ({
    principalId: 'p', context: { got: event.authorizationToken },
    policyDocument: { Version: '2012-10-17', Statement: [{ Action: 'execute-api:Invoke', Effect: event.authorizationToken.endsWith('good') ? 'Allow' : 'Deny', Resource: event.methodArn }] },
  });`;
  const { FunctionArn } = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'gate',
      Runtime: 'nodejs22.x',
      Role: credentials,
      Handler: 'index.handler',
      Code: { ZipFile: await zipOf('index.js', code) },
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 30, minDelay: 0.05, maxDelay: 0.2 } as Parameters<typeof waitUntilFunctionActiveV2>[0], {
    FunctionName: 'gate',
  });
  const { id: authorizerId } = await api.send(
    new CreateAuthorizerCommand({
      restApiId,
      name: 'gate',
      type: 'TOKEN',
      identitySource: 'method.request.header.Authorization',
      authorizerUri: `arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/${FunctionArn}/invocations`,
    }),
  );
  await integrate(
    'gated',
    { uri: 'dynamodb:action/ListTables', requestTemplate: '{}', responseTemplate: '{"got":"$context.authorizer.got"}' },
    { authorizationType: 'CUSTOM', ...(authorizerId ? { authorizerId } : {}) },
  );
  await deploy();
  expect(await post('gated', {})).toMatchObject({ status: 401 });
  expect(await post('gated', {}, { authorization: 'Bearer good' })).toEqual({ status: 200, text: '{"got":"Bearer good"}' });
  expect(await post('gated', {}, { authorization: 'Bearer bad' })).toMatchObject({ status: 403 });
  // A token may begin like a signature's scheme and be none.
  expect(await post('gated', {}, { authorization: 'AWSome-good' })).toMatchObject({ status: 200 });
});
