import {
  GetFunctionCommand,
  GetFunctionEventInvokeConfigCommand,
  GetFunctionUrlConfigCommand,
  GetPolicyCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import type { Ctx, Properties, ResourceType } from '../service.ts';
import { resources } from './cloudformation.ts';
import { lambdaContext } from './principal.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
let ctx: Ctx;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
  ctx = lambdaContext(croft.server.platform, { account: '000000000000', region: 'us-east-1' });
});
afterAll(() => croft.stop());

function typeOf(name: string): ResourceType {
  const found = resources.find(({ type }) => type === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
}

const stack = {
  logicalId: 'Fn',
  stackId: 'arn:aws:cloudformation:us-east-1:000000000000:stack/s/1',
  stackName: 's',
  token: 't',
  tags: { team: 'a' },
  generatedName: () => 's-Fn-ABC',
};
const code = (text: string) => ({ ZipFile: text });

it('has code signing configurations, as functions do', async () => {
  const type = typeOf('AWS::Lambda::CodeSigningConfig');
  const properties = {
    AllowedPublishers: { SigningProfileVersionArns: ['arn:aws:signer:us-east-1:000000000000:/signing-profiles/test'] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: 'Enforce' },
    Tags: [{ Key: 'a', Value: 'b' }],
  };
  const made = await type.create(ctx, { ...stack, properties });
  expect(made).toEqual({
    physicalId: expect.stringMatching(/:code-signing-config:csc-[a-z0-9]{17}$/),
    attributes: { CodeSigningConfigArn: made.physicalId, CodeSigningConfigId: made.physicalId.slice(-21) },
  });
  const changed = { ...properties, Description: 'changed' };
  expect(await type.update(ctx, { ...stack, physicalId: made.physicalId, previous: properties, properties: changed })).toEqual(made);
  const gone = { ...stack, physicalId: made.physicalId, properties };
  await type.delete(ctx, gone);
  await type.delete(ctx, gone);
});

describe('a stack’s function', () => {
  const base: Properties = {
    Runtime: 'python3.11',
    Handler: 'index.handler',
    Role: ROLE,
    Timeout: '10',
    Code: code('def handler(event, context):\n    return 1\n'),
  };
  const run = async () => Buffer.from((await lambda.send(new InvokeCommand({ FunctionName: 's-Fn-ABC' }))).Payload ?? []).toString();

  it('is made from inline text, changed, and deleted; each step may be repeated', async () => {
    const fn = typeOf('AWS::Lambda::Function');
    const made = await fn.create(ctx, { ...stack, properties: base });
    expect(made).toMatchObject({ physicalId: 's-Fn-ABC', attributes: { Arn: 'arn:aws:lambda:us-east-1:000000000000:function:s-Fn-ABC' } });
    expect(await fn.create(ctx, { ...stack, properties: base })).toEqual(made);
    await expect(fn.create(ctx, { ...stack, logicalId: 'Other', properties: base })).rejects.toMatchObject({ code: 'ResourceConflictException' });
    expect(await run()).toBe('1');
    const next = {
      ...base,
      Timeout: undefined,
      Environment: { Variables: { NUMBER: 2 } },
      Code: code('import os\ndef handler(event, context):\n    return os.environ["NUMBER"]\n'),
      Tags: [{ Key: 'own', Value: 'x' }],
    };
    await fn.update(ctx, { ...stack, physicalId: made.physicalId, previous: base, properties: next });
    expect(await run()).toBe('"2"');
    const { Configuration, Tags } = await lambda.send(new GetFunctionCommand({ FunctionName: 's-Fn-ABC' }));
    expect(Configuration?.Timeout).toBe(3);
    expect(Tags).toMatchObject({ team: 'a', own: 'x', 'aws:cloudformation:logical-id': 'Fn' });
  });

  it('has environments provisioned for its versions and aliases before they are done', async () => {
    const provisioned = (count: number | string) => ({ ProvisionedConcurrencyConfig: { ProvisionedConcurrentExecutions: count } });
    const status = (Qualifier: string) => lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName: 's-Fn-ABC', Qualifier }));
    const version = typeOf('AWS::Lambda::Version');
    const first = { FunctionName: 's-Fn-ABC', Description: 'provisioned', ...provisioned(1) };
    const made = await version.create(ctx, { ...stack, properties: first });
    const number = String(made.attributes['Version']);
    expect(await status(number)).toMatchObject({ Status: 'READY', AllocatedProvisionedConcurrentExecutions: 1 });
    await version.update(ctx, { ...stack, physicalId: made.physicalId, previous: first, properties: { FunctionName: 's-Fn-ABC', Description: 'provisioned' } });
    await expect(status(number)).rejects.toMatchObject({ name: 'ProvisionedConcurrencyConfigNotFoundException' });
    const alias = typeOf('AWS::Lambda::Alias');
    const live = { FunctionName: 's-Fn-ABC', Name: 'provisioned', FunctionVersion: number, ...provisioned('2') };
    const { physicalId } = await alias.create(ctx, { ...stack, properties: live });
    expect(await status('provisioned')).toMatchObject({ Status: 'READY', AllocatedProvisionedConcurrentExecutions: 2 });
    await alias.update(ctx, { ...stack, physicalId, previous: live, properties: { ...live, ...provisioned(1) } });
    expect(await status('provisioned')).toMatchObject({ Status: 'READY', RequestedProvisionedConcurrentExecutions: 1 });
    await alias.delete(ctx, { ...stack, physicalId, properties: live });
    await version.delete(ctx, { ...stack, physicalId: made.physicalId, properties: first });
  });

  it('has versions, aliases and permissions beside it', async () => {
    const version = await typeOf('AWS::Lambda::Version').create(ctx, { ...stack, properties: { FunctionName: 's-Fn-ABC' } });
    expect(version).toEqual({ physicalId: expect.stringMatching(/:function:s-Fn-ABC:2$/), attributes: { FunctionArn: version.physicalId, Version: '2' } });
    const properties = { FunctionName: 's-Fn-ABC', Name: 'live', FunctionVersion: '2' };
    const alias = typeOf('AWS::Lambda::Alias');
    const made = await alias.create(ctx, { ...stack, properties });
    expect(await alias.create(ctx, { ...stack, properties })).toEqual(made);
    expect(made.physicalId).toMatch(/:function:s-Fn-ABC:live$/);
    const permission = typeOf('AWS::Lambda::Permission');
    const granted = { FunctionName: 's-Fn-ABC', Action: 'lambda:InvokeFunction', Principal: 'apigateway.amazonaws.com' };
    const { physicalId } = await permission.create(ctx, { ...stack, generatedName: () => 's-Permission-ABC', properties: granted });
    expect((await lambda.send(new GetPolicyCommand({ FunctionName: 's-Fn-ABC' }))).Policy).toContain('"Sid":"s-Permission-ABC"');
    const gone = { stackId: stack.stackId, logicalId: 'x' };
    for (let time = 0; time < 2; time++) {
      await permission.delete(ctx, { ...gone, physicalId, properties: granted });
      await alias.delete(ctx, { ...gone, physicalId: made.physicalId, properties });
      await typeOf('AWS::Lambda::Version').delete(ctx, { ...gone, physicalId: version.physicalId, properties: {} });
      await typeOf('AWS::Lambda::Function').delete(ctx, { ...gone, physicalId: 's-Fn-ABC', properties: {} });
    }
    await expect(run()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

describe('a stack’s layers, URLs and event configurations', () => {
  const made = { ...stack, generatedName: () => 's-More-ABC' };
  it('are made, changed and deleted; each step may be repeated', async () => {
    const fn = await typeOf('AWS::Lambda::Function').create(ctx, {
      ...made,
      properties: { Runtime: 'nodejs24.x', Handler: 'index.handler', Role: ROLE, Code: code('exports.handler = async () => 1') },
    });
    const TargetFunctionArn = String(fn.attributes['Arn']);
    const url = typeOf('AWS::Lambda::Url');
    const properties: Properties = { TargetFunctionArn, AuthType: 'NONE', Cors: { AllowOrigins: ['*'], MaxAge: '5', AllowCredentials: 'true' } };
    const first = await url.create(ctx, { ...made, properties });
    expect(await url.create(ctx, { ...made, properties })).toEqual(first);
    const shown = async () => lambda.send(new GetFunctionUrlConfigCommand({ FunctionName: 's-More-ABC' }));
    expect(await shown()).toMatchObject({ FunctionUrl: first.attributes['FunctionUrl'], Cors: { MaxAge: 5, AllowCredentials: true } });
    const next: Properties = { TargetFunctionArn, AuthType: 'AWS_IAM' };
    await url.update(ctx, { ...made, physicalId: first.physicalId, previous: properties, properties: next });
    expect(await shown()).toMatchObject({ AuthType: 'AWS_IAM', Cors: {} });

    const config = typeOf('AWS::Lambda::EventInvokeConfig');
    const events: Properties = { FunctionName: 's-More-ABC', Qualifier: '$LATEST', MaximumRetryAttempts: '1' };
    const { physicalId } = await config.create(ctx, { ...made, properties: events });
    expect((await lambda.send(new GetFunctionEventInvokeConfigCommand({ FunctionName: 's-More-ABC' }))).MaximumRetryAttempts).toBe(1);

    const { S3Client, CreateBucketCommand, PutObjectCommand } = await import('@aws-sdk/client-s3');
    const s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
    await s3.send(new CreateBucketCommand({ Bucket: 'layers' }));
    await s3.send(new PutObjectCommand({ Bucket: 'layers', Key: 'l.zip', Body: await zipFiles({ 'python/a.py': '1' }) }));
    const layer = typeOf('AWS::Lambda::LayerVersion');
    const layerProperties: Properties = { Content: { S3Bucket: 'layers', S3Key: 'l.zip' }, CompatibleRuntimes: ['python3.11'] };
    const { physicalId: arn } = await layer.create(ctx, { ...made, properties: layerProperties });
    expect(arn).toBe('arn:aws:lambda:us-east-1:000000000000:layer:s-More-ABC:1');
    const permission = typeOf('AWS::Lambda::LayerVersionPermission');
    const permissionProperties: Properties = { LayerVersionArn: arn, Action: 'lambda:GetLayerVersion', Principal: '*' };
    const { physicalId: statement } = await permission.create(ctx, { ...made, properties: permissionProperties });
    expect(await permission.create(ctx, { ...made, properties: permissionProperties })).toMatchObject({ physicalId: `${arn}#s-More-ABC` });

    const ids = { stackId: stack.stackId, logicalId: 'More' };
    for (const _time of [1, 2]) {
      await permission.delete(ctx, { ...ids, physicalId: statement, properties: permissionProperties });
      await layer.delete(ctx, { ...ids, physicalId: arn, properties: layerProperties });
      await config.delete(ctx, { ...ids, physicalId, properties: events });
      await url.delete(ctx, { ...ids, physicalId: first.physicalId, properties: next });
    }
    await expect(shown()).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});
