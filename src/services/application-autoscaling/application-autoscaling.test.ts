import {
  ApplicationAutoScalingClient,
  DeleteScalingPolicyCommand,
  DeleteScheduledActionCommand,
  DeregisterScalableTargetCommand,
  DescribeScalableTargetsCommand,
  DescribeScalingActivitiesCommand,
  DescribeScalingPoliciesCommand,
  DescribeScheduledActionsCommand,
  ListTagsForResourceCommand,
  PutScalingPolicyCommand,
  PutScheduledActionCommand,
  type PutScheduledActionCommandInput,
  RegisterScalableTargetCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-application-auto-scaling';
import { CreateTableCommand, DescribeTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import {
  CreateAliasCommand,
  CreateFunctionCommand,
  GetProvisionedConcurrencyConfigCommand,
  InvokeCommand,
  LambdaClient,
  waitUntilFunctionActiveV2,
} from '@aws-sdk/client-lambda';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { zipFiles } from '../../compute/testing.ts';
import { advanceClock } from '../../server/clock-control.ts';
import { resources } from './cloudformation.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
/** A Sunday. */
const START = Date.parse('2027-01-03T00:00:00Z');
const dimension = { ServiceNamespace: 'lambda', ScalableDimension: 'lambda:function:ProvisionedConcurrency' } as const;

let croft: TestCroft;
let client: ApplicationAutoScalingClient;
let lambda: LambdaClient;

beforeAll(async () => {
  croft = await startCroft({ logLevel: 'error' });
  croft.server.platform.clock.freeze(START);
  client = new ApplicationAutoScalingClient(croft.sdk);
  lambda = new LambdaClient(croft.sdk);
  const source =
    'exports.handler = async ({ ms = 0 }) => { await new Promise((resolve) => setTimeout(resolve, ms)); return process.env.AWS_LAMBDA_INITIALIZATION_TYPE; };';
  await lambda.send(
    new CreateFunctionCommand({
      FunctionName: 'scaled',
      Runtime: 'nodejs24.x',
      Role: 'arn:aws:iam::000000000000:role/functions',
      Handler: 'index.handler',
      Timeout: 30,
      Publish: true,
      Code: { ZipFile: await zipFiles({ 'index.js': source }) },
    }),
  );
  await waitUntilFunctionActiveV2({ client: lambda, maxWaitTime: 20, minDelay: 0.02, maxDelay: 0.1 }, { FunctionName: 'scaled' });
  for (const Name of ['scheduled', 'tracked', 'plain', 'stack', 'paged'])
    await lambda.send(new CreateAliasCommand({ FunctionName: 'scaled', Name, FunctionVersion: '1' }));
});
afterAll(() => croft.stop());

const advance = async (byMs: number) => {
  const { clock, bus } = croft.server.platform;
  expect((await advanceClock(clock, bus, byMs)).quiet).toBe(true);
};
const resourceOf = (alias: string) => ({ ...dimension, ResourceId: `function:scaled:${alias}` });
const register = (alias: string, MinCapacity: number, MaxCapacity: number) =>
  client.send(new RegisterScalableTargetCommand({ ...resourceOf(alias), MinCapacity, MaxCapacity }));
const schedule = (alias: string, ScheduledActionName: string, rest: Partial<PutScheduledActionCommandInput>) =>
  client.send(new PutScheduledActionCommand({ ...resourceOf(alias), ScheduledActionName, ...rest }));
const targetOf = async (alias: string) =>
  (await client.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'lambda', ResourceIds: [`function:scaled:${alias}`] }))).ScalableTargets?.[0];
const activities = async (alias: string) => (await client.send(new DescribeScalingActivitiesCommand(resourceOf(alias)))).ScalingActivities ?? [];
const requested = async (Qualifier: string) => {
  try {
    return (await lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName: 'scaled', Qualifier }))).RequestedProvisionedConcurrentExecutions;
  } catch (error) {
    expect((error as Error).name).toBe('ProvisionedConcurrencyConfigNotFoundException');
    return 0;
  }
};
const isReady = (Qualifier: string, count: number) =>
  expect
    .poll(
      async () =>
        (await lambda.send(new GetProvisionedConcurrencyConfigCommand({ FunctionName: 'scaled', Qualifier }))).AllocatedProvisionedConcurrentExecutions,
      { timeout: 10_000 },
    )
    .toBe(count);

describe('a scalable target', () => {
  it('is registered, changed, described, tagged and deregistered', async () => {
    const { ScalableTargetARN: arn = '' } = await client.send(
      new RegisterScalableTargetCommand({ ...resourceOf('plain'), MinCapacity: 0, MaxCapacity: 4, Tags: { a: 'b' } }),
    );
    expect(arn).toMatch(/^arn:aws:application-autoscaling:us-east-1:000000000000:scalable-target\/[a-z0-9]{36}$/);
    expect(await targetOf('plain')).toMatchObject({
      ...resourceOf('plain'),
      MinCapacity: 0,
      MaxCapacity: 4,
      RoleARN:
        'arn:aws:iam::000000000000:role/aws-service-role/lambda.application-autoscaling.amazonaws.com/AWSServiceRoleForApplicationAutoScaling_LambdaConcurrency',
      CreationTime: new Date(START),
      SuspendedState: { DynamicScalingInSuspended: false, DynamicScalingOutSuspended: false, ScheduledScalingSuspended: false },
      ScalableTargetARN: arn,
    });
    expect(await requested('plain')).toBe(0);
    await client.send(new RegisterScalableTargetCommand({ ...resourceOf('plain'), MaxCapacity: 5, SuspendedState: { ScheduledScalingSuspended: true } }));
    expect(await targetOf('plain')).toMatchObject({ MinCapacity: 0, MaxCapacity: 5, SuspendedState: { ScheduledScalingSuspended: true } });
    await client.send(new TagResourceCommand({ ResourceARN: arn, Tags: { c: 'd' } }));
    await client.send(new UntagResourceCommand({ ResourceARN: arn, TagKeys: ['a'] }));
    expect((await client.send(new ListTagsForResourceCommand({ ResourceARN: arn }))).Tags).toEqual({ c: 'd' });
    await client.send(new DeregisterScalableTargetCommand(resourceOf('plain')));
    expect(await targetOf('plain')).toBeUndefined();
    await expect(client.send(new ListTagsForResourceCommand({ ResourceARN: arn }))).rejects.toMatchObject({ name: 'ResourceNotFoundException' });
  });

  it('is refused where it does not fit, or is not Croft’s', async () => {
    const send = (input: Record<string, unknown>) =>
      client.send(new RegisterScalableTargetCommand({ ...resourceOf('plain'), MinCapacity: 1, MaxCapacity: 1, ...input } as never));
    await expect(send({ ScalableDimension: 'dynamodb:table:ReadCapacityUnits' })).rejects.toMatchObject({
      name: 'ValidationException',
      message: 'Unsupported service namespace, resource type or scalable dimension',
    });
    await expect(send({ ResourceId: 'table/scaled' })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(send({ MaxCapacity: 0 })).rejects.toMatchObject({ message: 'Maximum capacity cannot be less than minimum capacity' });
    await expect(send({ ResourceId: 'function:nobody:live' })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(send({ ServiceNamespace: 'ecs', ScalableDimension: 'ecs:service:DesiredCount', ResourceId: 'service/a/b' })).rejects.toMatchObject({
      name: 'NotImplemented',
      $metadata: { httpStatusCode: 501 },
    });
    const missing = 'service namespace: lambda, resource ID: function:scaled:plain, scalable dimension: lambda:function:ProvisionedConcurrency';
    await expect(client.send(new DeregisterScalableTargetCommand(resourceOf('plain')))).rejects.toMatchObject({
      name: 'ObjectNotFoundException',
      message: `No scalable target found for ${missing}`,
    });
    await expect(schedule('plain', 'x', { Schedule: 'rate(1 hour)', ScalableTargetAction: { MinCapacity: 1 } })).rejects.toMatchObject({
      message: `No scalable target registered for ${missing}`,
    });
    await expect(client.send(new DeleteScalingPolicyCommand({ ...resourceOf('plain'), PolicyName: 'p' }))).rejects.toMatchObject({
      message: `No scaling policy found for ${missing}, policy name: p`,
    });
    await expect(client.send(new DeleteScheduledActionCommand({ ...resourceOf('plain'), ScheduledActionName: 'a' }))).rejects.toMatchObject({
      message: `No scheduled action found for ${missing}, scheduled action name: a`,
    });
  });

  it('brings its capacity within its bounds', async () => {
    await register('plain', 1, 2);
    expect(await requested('plain')).toBe(1);
    expect(await activities('plain')).toMatchObject([
      { Description: 'Setting provisioned concurrency to 1.', Cause: 'minimum capacity was set to 1', StatusCode: 'Successful' },
    ]);
    await register('plain', 0, 0);
    expect(await requested('plain')).toBe(0);
    expect((await activities('plain')).map(({ Cause }) => Cause)).toEqual(['maximum capacity was set to 0', 'minimum capacity was set to 1']);
    await client.send(new DeregisterScalableTargetCommand(resourceOf('plain')));
  });
});

describe('scheduled actions', () => {
  it('change the bounds at their times, in their time zones, between start and end', async () => {
    await register('scheduled', 0, 10);
    // Monday to Friday, eight to six in Berlin (UTC+1 in January).
    await schedule('scheduled', 'morning', { Schedule: 'cron(0 8 ? * MON-FRI *)', Timezone: 'Europe/Berlin', ScalableTargetAction: { MinCapacity: 2 } });
    await schedule('scheduled', 'evening', {
      Schedule: 'cron(0 18 ? * MON-FRI *)',
      Timezone: 'Europe/Berlin',
      ScalableTargetAction: { MinCapacity: 0, MaxCapacity: 0 },
    });
    const listed = await client.send(new DescribeScheduledActionsCommand({ ServiceNamespace: 'lambda', ScheduledActionNames: ['morning'] }));
    expect(listed.ScheduledActions).toMatchObject([
      { ScheduledActionName: 'morning', Schedule: 'cron(0 8 ? * MON-FRI *)', Timezone: 'Europe/Berlin', ScalableTargetAction: { MinCapacity: 2 } },
    ]);
    await advance(DAY_MS);
    expect(await requested('scheduled')).toBe(0);
    await advance(7 * 3_600_000 - 1);
    expect(await requested('scheduled')).toBe(0);
    await advance(1);
    expect(await requested('scheduled')).toBe(2);
    expect(await targetOf('scheduled')).toMatchObject({ MinCapacity: 2, MaxCapacity: 10 });
    await advance(10 * 3_600_000);
    expect(await requested('scheduled')).toBe(0);
    expect(await targetOf('scheduled')).toMatchObject({ MinCapacity: 0, MaxCapacity: 0 });
    expect((await activities('scheduled')).map(({ Cause }) => Cause)).toEqual([
      'scheduled action name evening was triggered and maximum capacity was set to 0',
      'scheduled action name morning was triggered and minimum capacity was set to 2',
    ]);
    await client.send(new DeleteScheduledActionCommand({ ...resourceOf('scheduled'), ScheduledActionName: 'morning' }));
    await advance(DAY_MS);
    expect(await requested('scheduled')).toBe(0);
  });

  it('come once, or at a rate, and not while they are suspended', async () => {
    const nowMs = croft.server.platform.clock.virtual();
    const at = new Date(nowMs + 3_600_000).toISOString().slice(0, 19);
    await register('scheduled', 0, 10);
    await schedule('scheduled', 'once', { Schedule: `at(${at})`, ScalableTargetAction: { MinCapacity: 1, MaxCapacity: 1 } });
    await advance(3_600_000);
    expect(await requested('scheduled')).toBe(1);
    await register('scheduled', 0, 0);
    await schedule('scheduled', 'often', { Schedule: 'rate(10 minutes)', ScalableTargetAction: { MinCapacity: 1, MaxCapacity: 2 } });
    await client.send(new RegisterScalableTargetCommand({ ...resourceOf('scheduled'), SuspendedState: { ScheduledScalingSuspended: true } }));
    await advance(15 * MINUTE_MS);
    expect(await requested('scheduled')).toBe(0);
    await client.send(new RegisterScalableTargetCommand({ ...resourceOf('scheduled'), SuspendedState: { ScheduledScalingSuspended: false } }));
    await advance(5 * MINUTE_MS);
    expect(await requested('scheduled')).toBe(1);
    await register('scheduled', 0, 0);
    await client.send(new DeregisterScalableTargetCommand(resourceOf('scheduled')));
    const left = await client.send(new DescribeScheduledActionsCommand({ ServiceNamespace: 'lambda' }));
    expect(left.ScheduledActions).toEqual([]);
  });

  it.each([
    ['a schedule that is none', { Schedule: 'cron(0 8 * * * *)', ScalableTargetAction: { MinCapacity: 1 } }],
    ['a time that is over', { Schedule: 'at(2020-01-01T00:00:00)', ScalableTargetAction: { MinCapacity: 1 } }],
    ['no bounds', { Schedule: 'rate(1 hour)' }],
    ['bounds that cross', { Schedule: 'rate(1 hour)', ScalableTargetAction: { MinCapacity: 2, MaxCapacity: 1 } }],
    ['a time zone that is none', { Schedule: 'cron(0 8 * * ? *)', Timezone: 'Nowhere/City', ScalableTargetAction: { MinCapacity: 1 } }],
  ])('are refused with %s', async (_what, rest) => {
    await register('plain', 0, 1);
    await expect(schedule('plain', 'wrong', rest)).rejects.toMatchObject({ name: 'ValidationException', $metadata: { httpStatusCode: 400 } });
    await client.send(new DeregisterScalableTargetCommand(resourceOf('plain')));
  });

  it('set the throughput of tables and indexes', async () => {
    const dynamodb = new DynamoDBClient(croft.sdk);
    const throughput = { ReadCapacityUnits: 5, WriteCapacityUnits: 6 };
    await dynamodb.send(
      new CreateTableCommand({
        TableName: 'scaled',
        ProvisionedThroughput: throughput,
        KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
        AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
      }),
    );
    const target = { ServiceNamespace: 'dynamodb', ResourceId: 'table/scaled', ScalableDimension: 'dynamodb:table:ReadCapacityUnits' } as const;
    await client.send(new RegisterScalableTargetCommand({ ...target, MinCapacity: 1, MaxCapacity: 100 }));
    const action = { Schedule: 'rate(1 hour)', ScalableTargetAction: { MinCapacity: 20 } };
    await client.send(new PutScheduledActionCommand({ ...target, ScheduledActionName: 'more', ...action }));
    await advance(3_600_000);
    const { Table } = await dynamodb.send(new DescribeTableCommand({ TableName: 'scaled' }));
    expect(Table?.ProvisionedThroughput).toMatchObject({ ReadCapacityUnits: 20, WriteCapacityUnits: 6 });
    const policy = { TargetValue: 70, PredefinedMetricSpecification: { PredefinedMetricType: 'DynamoDBReadCapacityUtilization' } } as const;
    await client.send(
      new PutScalingPolicyCommand({ ...target, PolicyName: 'p', PolicyType: 'TargetTrackingScaling', TargetTrackingScalingPolicyConfiguration: policy }),
    );
    await expect(client.send(new RegisterScalableTargetCommand({ ...target, ResourceId: 'table/none', MinCapacity: 1, MaxCapacity: 2 }))).rejects.toMatchObject(
      {
        message: 'DynamoDB table does not exist: table/none',
      },
    );
    await client.send(new DeregisterScalableTargetCommand(target));
  });
});

describe('target tracking', () => {
  const tracking = { TargetValue: 0.7, PredefinedMetricSpecification: { PredefinedMetricType: 'LambdaProvisionedConcurrencyUtilization' } } as const;
  const put = (more: Record<string, unknown> = {}) =>
    client.send(
      new PutScalingPolicyCommand({
        ...resourceOf('tracked'),
        PolicyName: 'seventy',
        PolicyType: 'TargetTrackingScaling',
        TargetTrackingScalingPolicyConfiguration: { ...tracking, ...more },
      }),
    );
  const run = (ms: number) => lambda.send(new InvokeCommand({ FunctionName: 'scaled', Qualifier: 'tracked', Payload: Buffer.from(JSON.stringify({ ms })) }));

  it('adds capacity while more than the target is in use, and takes it away when it is not', async () => {
    await register('tracked', 2, 6);
    await isReady('tracked', 2);
    const made = await put();
    expect(made.PolicyARN).toMatch(
      /^arn:aws:autoscaling:us-east-1:000000000000:scalingPolicy:[0-9a-f-]{36}:resource\/lambda\/function:scaled:tracked:policyName\/seventy$/,
    );
    const described = await client.send(new DescribeScalingPoliciesCommand(resourceOf('tracked')));
    expect(described.ScalingPolicies).toMatchObject([
      { PolicyName: 'seventy', PolicyType: 'TargetTrackingScaling', TargetTrackingScalingPolicyConfiguration: tracking, PolicyARN: made.PolicyARN },
    ]);
    // Both environments are busy at some moment of each of three minutes.
    for (let minute = 0; minute < 3; minute++) {
      expect(await requested('tracked')).toBe(2);
      await Promise.all([run(50), run(50)]);
      await advance(MINUTE_MS);
    }
    expect(await requested('tracked')).toBe(3);
    expect((await activities('tracked'))[0]).toMatchObject({
      Description: 'Setting provisioned concurrency to 3.',
      Cause: 'policy seventy was triggered: 100% of the provisioned concurrency was in use',
      StatusCode: 'Successful',
    });
    await isReady('tracked', 3);
    await advance(14 * MINUTE_MS);
    expect(await requested('tracked')).toBe(3);
    await advance(2 * MINUTE_MS);
    expect(await requested('tracked')).toBe(2);
    await client.send(new DeleteScalingPolicyCommand({ ...resourceOf('tracked'), PolicyName: 'seventy' }));
    await register('tracked', 0, 0);
    await client.send(new DeregisterScalableTargetCommand(resourceOf('tracked')));
    // What was deleted does nothing at its time, and does not come again.
    await advance(8 * DAY_MS);
    expect(croft.server.platform.bus.nextDueMs()).toBeUndefined();
  });

  it('is refused where it cannot be followed', async () => {
    await register('tracked', 0, 2);
    await expect(put({ PredefinedMetricSpecification: { PredefinedMetricType: 'DynamoDBReadCapacityUtilization' } })).rejects.toMatchObject({
      name: 'ValidationException',
    });
    await expect(put({ PredefinedMetricSpecification: undefined })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(put({ TargetValue: 0 })).rejects.toMatchObject({ name: 'ValidationException' });
    await expect(
      client.send(new PutScalingPolicyCommand({ ...resourceOf('tracked'), PolicyName: 's', PolicyType: 'StepScaling', StepScalingPolicyConfiguration: {} })),
    ).rejects.toMatchObject({ name: 'ValidationException' });
    await client.send(new DeregisterScalableTargetCommand(resourceOf('tracked')));
  });
});

it('pages lists', async () => {
  for (const alias of ['plain', 'paged', 'tracked']) await register(alias, 0, 1);
  const page = (NextToken?: string) =>
    client.send(new DescribeScalableTargetsCommand({ ServiceNamespace: 'lambda', MaxResults: 2, ...(NextToken ? { NextToken } : {}) }));
  const first = await page();
  expect(first.ScalableTargets).toHaveLength(2);
  const second = await page(first.NextToken);
  expect(second.ScalableTargets).toHaveLength(1);
  expect(second.NextToken).toBeUndefined();
  await expect(page('bm9uc2Vuc2U=')).rejects.toMatchObject({ name: 'InvalidNextTokenException' });
  for (const alias of ['plain', 'paged', 'tracked']) await client.send(new DeregisterScalableTargetCommand(resourceOf(alias)));
});

it('stacks make targets with their actions, and policies', async () => {
  const { platform } = croft.server;
  const ctx = platform.contextFor({ account: '000000000000', region: 'us-east-1' });
  const [target, policy] = resources;
  if (!target || !policy) throw new Error('no resource types');
  const request = { logicalId: 'T', stackId: 's', stackName: 's', token: 't', tags: {}, generatedName: () => 'g' };
  const properties = {
    ...resourceOf('stack'),
    MinCapacity: '0',
    MaxCapacity: 3,
    ScheduledActions: [{ ScheduledActionName: 'a', Schedule: 'rate(1 day)', ScalableTargetAction: { MinCapacity: '1' } }],
  };
  const made = await target.create(ctx, { ...request, properties });
  expect(made.physicalId).toBe('function:scaled:stack|lambda:function:ProvisionedConcurrency|lambda');
  const tracked = {
    PolicyName: 'p',
    PolicyType: 'TargetTrackingScaling',
    ScalingTargetId: made.physicalId,
    TargetTrackingScalingPolicyConfiguration: {
      TargetValue: '0.5',
      ScaleInCooldown: '60',
      PredefinedMetricSpecification: { PredefinedMetricType: 'LambdaProvisionedConcurrencyUtilization' },
    },
  };
  const second = await policy.create(ctx, { ...request, properties: tracked });
  expect((await client.send(new DescribeScalingPoliciesCommand(resourceOf('stack')))).ScalingPolicies).toMatchObject([
    { PolicyARN: second.physicalId, TargetTrackingScalingPolicyConfiguration: { TargetValue: 0.5, ScaleInCooldown: 60 } },
  ]);
  await target.update(ctx, {
    ...request,
    physicalId: made.physicalId,
    previous: properties,
    properties: { ...resourceOf('stack'), MinCapacity: 0, MaxCapacity: 4 },
  });
  expect(await targetOf('stack')).toMatchObject({ MaxCapacity: 4 });
  expect((await client.send(new DescribeScheduledActionsCommand(resourceOf('stack')))).ScheduledActions).toEqual([]);
  const gone = { stackId: 's', logicalId: 'T' };
  await policy.delete(ctx, { ...gone, physicalId: second.physicalId, properties: tracked });
  await target.delete(ctx, { ...gone, physicalId: made.physicalId, properties });
  await target.delete(ctx, { ...gone, physicalId: made.physicalId, properties });
  expect(await targetOf('stack')).toBeUndefined();
});
