import { request as httpRequest } from 'node:http';
import { CreateRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import {
  AddPermissionCommand,
  CreateFunctionCommand,
  CreateFunctionUrlConfigCommand,
  LambdaClient,
  PutResourcePolicyCommand,
  UpdateFunctionUrlConfigCommand,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { urlAllowed } from './domain/url-policy.ts';
import { zipFiles } from './testing.ts';

/** With signatures checked: what a function's role and policy say counts. */
let croft: TestCroft;
let lambda: LambdaClient;
let iam: IAMClient;
beforeAll(async () => {
  croft = await startCroft({ auth: 'verify', rootAccessKeyId: 'AKIAROOT', rootSecretAccessKey: 'root-secret' });
  const sdk = { ...croft.sdk, credentials: { accessKeyId: 'AKIAROOT', secretAccessKey: 'root-secret' } };
  lambda = new LambdaClient(sdk);
  iam = new IAMClient(sdk);
});
afterAll(() => croft.stop());

async function role(RoleName: string, Service: string): Promise<string> {
  const trust = { Version: '2012-10-17', Statement: [{ Effect: 'Allow', Principal: { Service }, Action: 'sts:AssumeRole' }] };
  return (await iam.send(new CreateRoleCommand({ RoleName, AssumeRolePolicyDocument: JSON.stringify(trust) }))).Role?.Arn ?? '';
}

const create = async (FunctionName: string, Role: string) =>
  lambda.send(
    new CreateFunctionCommand({
      FunctionName,
      Role,
      Runtime: 'nodejs24.x',
      Handler: 'index.handler',
      Code: { ZipFile: await zipFiles({ 'index.js': 'exports.handler = async () => "hello";' }) },
    }),
  );

describe('the role of a function', () => {
  it('must be one that Lambda can assume', async () => {
    const refused = { name: 'InvalidParameterValueException', message: 'The role defined for the function cannot be assumed by Lambda.' };
    await expect(create('none', 'arn:aws:iam::000000000000:role/none')).rejects.toMatchObject(refused);
    await expect(create('other', await role('other', 'ec2.amazonaws.com'))).rejects.toMatchObject(refused);
    await expect(create('cross', 'arn:aws:iam::111122223333:role/x')).rejects.toMatchObject({
      name: 'AccessDeniedException',
      message: 'Cross-account pass role is not allowed.',
    });
    expect((await create('right', await role('right', 'lambda.amazonaws.com'))).State).toBe('Pending');
  });
});

describe('a function URL', () => {
  it('is open to those whom the function’s policy names', async () => {
    await create('page', await role('page', 'lambda.amazonaws.com'));
    await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 }, { FunctionName: 'page' });
    const { FunctionUrl = '' } = await lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'page', AuthType: 'NONE' }));
    const { host } = new URL(FunctionUrl);
    const ask = async () => (await request(host)).status;
    expect(await ask()).toBe(403);
    await lambda.send(
      new AddPermissionCommand({ FunctionName: 'page', StatementId: 'url', Principal: '*', Action: 'lambda:InvokeFunctionUrl', FunctionUrlAuthType: 'NONE' }),
    );
    expect(await request(host)).toEqual({ status: 200, body: 'hello' });
    const ResourceArn = 'arn:aws:lambda:us-east-1:000000000000:function:page';
    const deny = { Effect: 'Deny', Principal: '*', Action: 'lambda:InvokeFunctionUrl', Resource: ResourceArn };
    await lambda.send(new PutResourcePolicyCommand({ ResourceArn, Policy: JSON.stringify({ Version: '2012-10-17', Statement: [deny] }) }));
    expect(await ask()).toBe(403);
    await lambda.send(new UpdateFunctionUrlConfigCommand({ FunctionName: 'page', AuthType: 'AWS_IAM' }));
    expect(await ask()).toBe(403);
  });

  it.each([
    ['nobody, without a policy', [], 'NONE', undefined, false],
    ['anybody, as the policy says', [allow({})], 'NONE', undefined, true],
    ['anybody, by a wildcard', [allow({ Action: 'lambda:*' })], 'NONE', undefined, true],
    ['nobody, where the policy is about another action', [allow({ Action: 'lambda:InvokeFunction' })], 'NONE', undefined, false],
    [
      'nobody, where the policy is about another kind of URL',
      [allow({ Condition: { StringEquals: { 'lambda:FunctionUrlAuthType': 'AWS_IAM' } } })],
      'NONE',
      undefined,
      false,
    ],
    ['nobody, under a condition that is not understood', [allow({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })], 'NONE', undefined, false],
    ['callers of the same account', [], 'AWS_IAM', caller('000000000000'), true],
    ['not callers of another account', [], 'AWS_IAM', caller('111122223333'), false],
    ['callers of an account that is named', [allow({ Principal: { AWS: 'arn:aws:iam::111122223333:root' } })], 'AWS_IAM', caller('111122223333'), true],
    ['a caller who is named', [allow({ Principal: { AWS: ['arn:aws:iam::111122223333:user/a'] } })], 'AWS_IAM', caller('111122223333'), true],
    ['not who is denied', [allow({}), allow({ Effect: 'Deny' })], 'AWS_IAM', caller('000000000000'), false],
    ['not who may be denied', [allow({ Effect: 'Deny', Condition: { IpAddress: {}, StringLike: { x: 'y' } } })], 'AWS_IAM', caller('000000000000'), false],
  ])('lets through %s', (_who, statements, authType, from, expected) => {
    expect(urlAllowed(statements, authType, '000000000000', from)).toBe(expected);
  });
});

async function request(host: string): Promise<{ readonly status: number; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sent = httpRequest({ host: '127.0.0.1', port: croft.port, path: '/', headers: { host } }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
    });
    sent.on('error', reject);
    sent.end();
  });
}

function allow(more: Record<string, unknown>): Record<string, unknown> {
  return { Effect: 'Allow', Principal: '*', Action: 'lambda:InvokeFunctionUrl', ...more };
}

function caller(account: string): { account: string; arn: string } {
  return { account, arn: `arn:aws:iam::${account}:user/a` };
}
