import {
  CreateCapacityProviderCommand,
  CreateCodeSigningConfigCommand,
  CreateFunctionCommand,
  type CreateFunctionCommandInput,
  CreateFunctionUrlConfigCommand,
  DeleteCapacityProviderCommand,
  DeleteResourcePolicyCommand,
  GetCapacityProviderCommand,
  GetFunctionCodeSigningConfigCommand,
  GetFunctionCommand,
  GetFunctionConfigurationCommand,
  GetFunctionScalingConfigCommand,
  GetPolicyCommand,
  GetResourcePolicyCommand,
  InvokeCommand,
  LambdaClient,
  ListCapacityProvidersCommand,
  ListFunctionVersionsByCapacityProviderCommand,
  ListTagsCommand,
  PublishVersionCommand,
  PutProvisionedConcurrencyConfigCommand,
  PutResourcePolicyCommand,
  TagResourceCommand,
  UntagResourceCommand,
  UpdateCapacityProviderCommand,
  UpdateFunctionConfigurationCommand,
  waitUntilFunctionActiveV2,
  waitUntilFunctionUpdatedV2,
  waitUntilPublishedVersionActive,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { ROLE, zipFiles } from './testing.ts';

let croft: TestCroft;
let lambda: LambdaClient;
beforeAll(async () => {
  croft = await startCroft({ logLevel: 'warn' });
  lambda = new LambdaClient(croft.sdk);
});
afterAll(() => croft.stop());

const wait = { maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 };
const PYTHON = `
import os
if os.environ.get('BROKEN') == '1': raise Exception('broken')
calls = 0
def handler(event, context):
    global calls
    calls += 1
    return {'environment': context.log_stream_name, 'calls': calls, 'tenant': context.tenant_id}
`;

async function create(name: string, more: Partial<CreateFunctionCommandInput> = {}) {
  const made = await lambda.send(
    new CreateFunctionCommand({
      FunctionName: name,
      Runtime: 'python3.12',
      Role: ROLE,
      Handler: 'index.handler',
      Code: { ZipFile: await zipFiles({ 'index.py': PYTHON }) },
      Timeout: 10,
      ...more,
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, ...wait }, { FunctionName: name });
  return made;
}

async function run(FunctionName: string, more: { TenantId?: string; Qualifier?: string } = {}) {
  const answer = await lambda.send(new InvokeCommand({ FunctionName, LogType: 'Tail', ...more }));
  const json = JSON.parse(Buffer.from(answer.Payload ?? []).toString()) as { environment: string; calls: number; tenant: string | null };
  return { ...json, log: Buffer.from(answer.LogResult ?? '', 'base64').toString() };
}

describe('tenant isolation mode', () => {
  it('gives each tenant environments of its own', async () => {
    expect(await create('tenants', { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' } })).toMatchObject({
      TenancyConfig: { TenantIsolationMode: 'PER_TENANT' },
    });
    const blue = await run('tenants', { TenantId: 'blue' });
    expect(blue).toMatchObject({ calls: 1, tenant: 'blue' });
    const green = await run('tenants', { TenantId: 'green/1 @x' });
    expect(green).toMatchObject({ calls: 1, tenant: 'green/1 @x' });
    expect(green.environment).not.toBe(blue.environment);
    expect(await run('tenants', { TenantId: 'blue' })).toMatchObject({ environment: blue.environment, calls: 2, tenant: 'blue' });
    const later = await lambda.send(new InvokeCommand({ FunctionName: 'tenants', TenantId: 'blue', InvocationType: 'Event' }));
    expect(later.StatusCode).toBe(202);
    await expect.poll(async () => (await run('tenants', { TenantId: 'blue' })).calls).toBeGreaterThanOrEqual(4);
  });

  it('wants a tenant, of such functions only', async () => {
    await expect(run('tenants')).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'The invoked function is enabled with tenancy configuration. Add a valid tenant ID in your request and try again.',
    });
    await create('nobody');
    await expect(run('nobody', { TenantId: 'blue' })).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(run('tenants', { TenantId: 'a\tb' })).rejects.toThrow();
    expect(await run('nobody')).toMatchObject({ tenant: null });
  });

  it('excludes function URLs, provisioned concurrency and SnapStart', async () => {
    await expect(lambda.send(new CreateFunctionUrlConfigCommand({ FunctionName: 'tenants', AuthType: 'NONE' }))).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
    const { Version = '' } = await lambda.send(new PublishVersionCommand({ FunctionName: 'tenants' }));
    const provision = { FunctionName: 'tenants', Qualifier: Version, ProvisionedConcurrentExecutions: 1 };
    await expect(lambda.send(new PutProvisionedConcurrencyConfigCommand(provision))).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(create('both', { TenancyConfig: { TenantIsolationMode: 'PER_TENANT' }, SnapStart: { ApplyOn: 'PublishedVersions' } })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
    });
  });
});

describe('SnapStart', () => {
  it('initialises a version when it is published, and says that there is no snapshot', async () => {
    await create('snap', { SnapStart: { ApplyOn: 'PublishedVersions' } });
    const config = (Qualifier?: string) => lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'snap', ...(Qualifier ? { Qualifier } : {}) }));
    expect((await config()).SnapStart).toEqual({ ApplyOn: 'PublishedVersions', OptimizationStatus: 'Off' });
    const published = await lambda.send(new PublishVersionCommand({ FunctionName: 'snap' }));
    expect(published).toMatchObject({ State: 'Pending', StateReasonCode: 'Creating', SnapStart: { OptimizationStatus: 'Off' } });
    await waitUntilPublishedVersionActive({ client: lambda, ...wait }, { FunctionName: 'snap', Qualifier: '1' });
    expect(await config('1')).toMatchObject({ State: 'Active', SnapStart: { ApplyOn: 'PublishedVersions', OptimizationStatus: 'On' } });
    const first = await run('snap', { Qualifier: '1' });
    expect(first.calls).toBe(1);
    expect(first.log).not.toContain('Init Duration');
  });

  it('fails a version that cannot be initialised', async () => {
    await create('unsnappable', { SnapStart: { ApplyOn: 'PublishedVersions' }, Environment: { Variables: { BROKEN: '1' } }, Publish: true });
    await expect
      .poll(() => lambda.send(new GetFunctionConfigurationCommand({ FunctionName: 'unsnappable', Qualifier: '1' })))
      .toMatchObject({ State: 'Failed', StateReasonCode: 'FunctionError', SnapStart: { OptimizationStatus: 'Off' } });
  });

  it('is for some runtimes, and not beside provisioned concurrency', async () => {
    await expect(create('node', { Runtime: 'nodejs24.x', SnapStart: { ApplyOn: 'PublishedVersions' } })).rejects.toMatchObject({
      name: 'InvalidParameterValueException',
      message: 'nodejs24.x is not supported for SnapStart enabled functions.',
    });
    const storage = { FunctionName: 'snap', EphemeralStorage: { Size: 1024 } };
    await expect(lambda.send(new UpdateFunctionConfigurationCommand(storage))).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    const provision = { FunctionName: 'snap', Qualifier: '1', ProvisionedConcurrentExecutions: 1 };
    await expect(lambda.send(new PutProvisionedConcurrencyConfigCommand(provision))).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await lambda.send(new UpdateFunctionConfigurationCommand({ FunctionName: 'snap', SnapStart: { ApplyOn: 'None' } }));
    await waitUntilFunctionUpdatedV2({ client: lambda, ...wait }, { FunctionName: 'snap' });
    expect((await lambda.send(new PublishVersionCommand({ FunctionName: 'snap' }))).State).toBe('Active');
  });
});

describe('resource policies', () => {
  const ResourceArn = 'arn:aws:lambda:us-east-1:000000000000:function:guarded';
  const statement = { Sid: 'one', Effect: 'Allow', Principal: { Service: 's3.amazonaws.com' }, Action: 'lambda:InvokeFunction', Resource: ResourceArn };

  it('are put, got and deleted whole', async () => {
    await create('guarded');
    await expect(lambda.send(new GetResourcePolicyCommand({ ResourceArn }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const put = (Statement: unknown, RevisionId?: string) =>
      lambda.send(
        new PutResourcePolicyCommand({ ResourceArn, Policy: JSON.stringify({ Version: '2012-10-17', Statement }), ...(RevisionId ? { RevisionId } : {}) }),
      );
    const made = await put([statement]);
    expect(JSON.parse(made.Policy ?? '')).toEqual({ Version: '2012-10-17', Statement: [statement] });
    const shown = await lambda.send(new GetResourcePolicyCommand({ ResourceArn }));
    expect(shown).toMatchObject({ Policy: made.Policy, RevisionId: made.RevisionId });
    expect((await lambda.send(new GetPolicyCommand({ FunctionName: 'guarded' }))).Policy).toBe(made.Policy);
    await expect(put([statement], '00000000-0000-4000-8000-000000000000')).rejects.toMatchObject({ name: 'PreconditionFailedException' });
    await put({ ...statement, Sid: 'two' }, made.RevisionId);
    await expect(put([])).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(put([{ ...statement, Principal: undefined }])).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(lambda.send(new PutResourcePolicyCommand({ ResourceArn, Policy: '{' }))).rejects.toMatchObject({ name: 'InvalidParameterValueException' });
    await expect(put([{ ...statement, Sid: 'x'.repeat(21_000) }])).rejects.toMatchObject({ name: expect.stringMatching(/PolicyLengthExceeded|Validation/) });
    await lambda.send(new DeleteResourcePolicyCommand({ ResourceArn }));
    await expect(lambda.send(new GetResourcePolicyCommand({ ResourceArn }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
    const nobody = { ResourceArn: `${ResourceArn}-not`, Policy: JSON.stringify({ Statement: [statement] }) };
    await expect(lambda.send(new PutResourcePolicyCommand(nobody))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });
});

it('tags capacity providers and code signing configurations', async () => {
  const missing = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:none';
  await expect(lambda.send(new TagResourceCommand({ Resource: missing, Tags: { a: 'b' } }))).rejects.toMatchObject({
    name: 'ResourceNotFoundException',
    message: `Capacity provider not found: ${missing}`,
  });
  const publisher = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij';
  const { CodeSigningConfig } = await lambda.send(
    new CreateCodeSigningConfigCommand({ AllowedPublishers: { SigningProfileVersionArns: [publisher] }, Tags: { a: 'b' } }),
  );
  const Resource = CodeSigningConfig?.CodeSigningConfigArn ?? '';
  await lambda.send(new TagResourceCommand({ Resource, Tags: { c: 'd' } }));
  await lambda.send(new UntagResourceCommand({ Resource, TagKeys: ['a'] }));
  expect((await lambda.send(new ListTagsCommand({ Resource }))).Tags).toEqual({ c: 'd' });
});

it('keeps capacity providers, which no function can use', async () => {
  const CapacityProviderName = 'machines';
  const config = {
    VpcConfig: { SubnetIds: ['subnet-1234567890abcdef0'], SecurityGroupIds: ['sg-1234567890abcdef0'] },
    PermissionsConfig: { CapacityProviderOperatorRoleArn: ROLE },
  };
  const made = await lambda.send(new CreateCapacityProviderCommand({ CapacityProviderName, ...config }));
  const arn = 'arn:aws:lambda:us-east-1:000000000000:capacity-provider:machines';
  expect(made.CapacityProvider).toMatchObject({ CapacityProviderArn: arn, State: 'Pending', ...config });
  await expect(lambda.send(new CreateCapacityProviderCommand({ CapacityProviderName, ...config }))).rejects.toMatchObject({
    name: 'ResourceConflictException',
  });
  await lambda.send(new UpdateCapacityProviderCommand({ CapacityProviderName, CapacityProviderScalingConfig: { MaxVCpuCount: 12 } }));
  const { CapacityProvider } = await lambda.send(new GetCapacityProviderCommand({ CapacityProviderName: arn }));
  expect(CapacityProvider).toMatchObject({ State: 'Active', CapacityProviderScalingConfig: { MaxVCpuCount: 12 } });
  expect((await lambda.send(new ListCapacityProvidersCommand({}))).CapacityProviders).toHaveLength(1);
  const versions = await lambda.send(new ListFunctionVersionsByCapacityProviderCommand({ CapacityProviderName }));
  expect(versions).toMatchObject({ CapacityProviderArn: arn, FunctionVersions: [] });
  await create('unscaled', { Publish: true });
  await expect(lambda.send(new GetFunctionScalingConfigCommand({ FunctionName: 'unscaled', Qualifier: '1' }))).rejects.toMatchObject({
    name: 'InvalidParameterValueException',
  });
  const deleted = await lambda.send(new DeleteCapacityProviderCommand({ CapacityProviderName }));
  expect(deleted.CapacityProvider?.State).toBe('Deleting');
  await expect(lambda.send(new GetCapacityProviderCommand({ CapacityProviderName }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
});

it('creates functions with a code signing configuration', async () => {
  const publisher = 'arn:aws:signer:us-east-1:000000000000:/signing-profiles/p/abcdefghij';
  const { CodeSigningConfig } = await lambda.send(new CreateCodeSigningConfigCommand({ AllowedPublishers: { SigningProfileVersionArns: [publisher] } }));
  const arn = CodeSigningConfig?.CodeSigningConfigArn ?? '';
  await create('signed', { CodeSigningConfigArn: arn, Tags: { a: 'b' }, Publish: true });
  expect((await lambda.send(new GetFunctionCommand({ FunctionName: 'signed' }))).Tags).toEqual({ a: 'b' });
  expect((await lambda.send(new GetFunctionCommand({ FunctionName: 'signed', Qualifier: '1' }))).Tags).toBeUndefined();
  expect(await lambda.send(new GetFunctionCodeSigningConfigCommand({ FunctionName: 'signed' }))).toMatchObject({ CodeSigningConfigArn: arn });
  const none = `${arn.slice(0, -17)}00000000000000000`;
  await expect(create('unsigned', { CodeSigningConfigArn: none })).rejects.toMatchObject({ name: 'CodeSigningConfigNotFoundException' });
});
