import {
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  DeleteCodeSigningConfigCommand,
  DeleteFunctionCodeSigningConfigCommand,
  GetCodeSigningConfigCommand,
  GetFunctionCodeSigningConfigCommand,
  LambdaClient,
  ListCodeSigningConfigsCommand,
  ListFunctionsByCodeSigningConfigCommand,
  PutFunctionCodeSigningConfigCommand,
  UpdateCodeSigningConfigCommand,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
});
afterAll(() => croft.stop());

it('records code signing configurations and which functions have them', async () => {
  const Code = { ZipFile: await zipFiles({ 'index.js': 'exports.handler = async () => 1' }) };
  const FunctionName = 'signed';
  await lambda.send(new CreateFunctionCommand({ FunctionName, Runtime: 'nodejs24.x', Role: ROLE, Handler: 'index.handler', Code }));
  const profile = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/test';
  const made = await lambda.send(new CreateCodeSigningConfigCommand({ Description: 'd', AllowedPublishers: { SigningProfileVersionArns: [profile] } }));
  expect(made.CodeSigningConfig).toMatchObject({ Description: 'd', CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Warn' } });
  const CodeSigningConfigArn = made.CodeSigningConfig?.CodeSigningConfigArn ?? '';
  await lambda.send(new UpdateCodeSigningConfigCommand({ CodeSigningConfigArn, CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' } }));
  const { CodeSigningConfig: now } = await lambda.send(new GetCodeSigningConfigCommand({ CodeSigningConfigArn }));
  expect(now).toMatchObject({ Description: 'd', CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' } });
  await lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }));
  expect(await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName }))).toMatchObject({ CodeSigningConfigArn, FunctionName });
  const users = await lambda.send(new ListFunctionsByCodeSigningConfigCommand({ CodeSigningConfigArn }));
  expect(users.FunctionArns).toEqual(['arn:aws:lambda:us-east-1:000000000000:function:signed']);
  await expect(lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }))).rejects.toMatchObject({ name: 'ResourceConflictException' });
  await lambda.send(new DeleteFunctionCodeSigningConfigCommand({ FunctionName }));
  await lambda.send(new DeleteCodeSigningConfigCommand({ CodeSigningConfigArn }));
  expect((await lambda.send(new ListCodeSigningConfigsCommand({}))).CodeSigningConfigs).toEqual([]);
  await expect(lambda.send(new PutFunctionCodeSigningConfigCommand({ FunctionName, CodeSigningConfigArn }))).rejects.toMatchObject({
    name: 'CodeSigningConfigNotFoundException',
  });
});
