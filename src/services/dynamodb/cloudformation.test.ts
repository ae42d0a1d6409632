import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, fakePlatform } from '../../../test/fake-platform.ts';
import type { Properties, ResourceRequest, ResourceType } from '../service.ts';
import { createDynamoDbRoom } from './index.ts';

type Fake = Awaited<ReturnType<typeof fakePlatform>>;
let fake: Fake;
let table: ResourceType;
let globalTable: ResourceType;

const properties: Properties = {
  AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
  KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
  BillingMode: 'PAY_PER_REQUEST',
  Tags: [{ Key: 'own', Value: '1' }],
};

const request = (given: Properties, token = 'token-1'): ResourceRequest => ({
  properties: given,
  logicalId: 'Table',
  stackId: 'stack-id',
  stackName: 'stack',
  generatedName: () => `stack-Table-${token}`,
  token,
  tags: { team: 'a' },
});

const call = (operation: string, input: object) => fake.ctx.call('dynamodb', operation, { ...input });

beforeEach(async () => {
  const room = createDynamoDbRoom();
  fake = await fakePlatform([room]);
  table = room.resources?.[0] as ResourceType;
  globalTable = room.resources?.[1] as ResourceType;
});

describe('AWS::DynamoDB::Table', () => {
  it('is made once, however often the creation is tried', async () => {
    const made = await table.create(fake.ctx, request(properties));
    expect(made).toEqual({ physicalId: 'stack-Table-token-1', attributes: { Arn: 'arn:aws:dynamodb:us-east-1:000000000000:table/stack-Table-token-1' } });
    expect(await table.create(fake.ctx, request(properties))).toEqual(made);
    expect(await call('ListTables', {})).toEqual({ TableNames: ['stack-Table-token-1'] });
    expect(await call('ListTagsOfResource', { ResourceArn: made.attributes['Arn'] })).toEqual({
      Tags: [
        { Key: 'team', Value: 'a' },
        { Key: 'own', Value: '1' },
      ],
    });
  });

  it('has the stream that it is given, and another when the view changes', async () => {
    const streamed = (StreamViewType: string | undefined): Properties => ({
      ...properties,
      ...(StreamViewType ? { StreamSpecification: { StreamViewType } } : {}),
    });
    const made = await table.create(fake.ctx, request(streamed('KEYS_ONLY')));
    const first = made.attributes['StreamArn'];
    expect(first).toMatch(/^arn:aws:dynamodb:us-east-1:000000000000:table\/stack-Table-token-1\/stream\//);
    const change = async (now: string | undefined, before: string | undefined) =>
      (await table.update(fake.ctx, { ...request(streamed(now)), physicalId: made.physicalId, previous: streamed(before) })).attributes['StreamArn'];
    const second = await change('NEW_IMAGE', 'KEYS_ONLY');
    expect(second).not.toBe(first);
    expect(await change('NEW_IMAGE', 'NEW_IMAGE')).toBe(second);
    await change(undefined, 'NEW_IMAGE');
    expect(await call('DescribeTable', { TableName: made.physicalId })).toMatchObject({ Table: { LatestStreamArn: second } });
    expect(((await call('DescribeTable', { TableName: made.physicalId })) as { Table: object }).Table).not.toHaveProperty('StreamSpecification');
  });

  it('has the point-in-time recovery that it is given, as a setting', async () => {
    const recovery = { ...properties, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: 'true', RecoveryPeriodInDays: '7' } };
    const { physicalId } = await table.create(fake.ctx, request(recovery));
    const status = async () =>
      ((await call('DescribeContinuousBackups', { TableName: physicalId })) as { ContinuousBackupsDescription: { PointInTimeRecoveryDescription: object } })
        .ContinuousBackupsDescription.PointInTimeRecoveryDescription;
    expect(await status()).toMatchObject({ PointInTimeRecoveryStatus: 'ENABLED', RecoveryPeriodInDays: 7, EarliestRestorableDateTime: expect.any(Date) });
    await table.update(fake.ctx, { ...request(properties), physicalId, previous: recovery });
    expect(await status()).toEqual({ PointInTimeRecoveryStatus: 'DISABLED' });
  });

  it('is what a global table of one region is', async () => {
    const { Tags, ...rest } = properties;
    const given = (Region: string): Properties => ({
      ...rest,
      StreamSpecification: { StreamViewType: 'NEW_IMAGE' },
      Replicas: [{ Region, Tags, DeletionProtectionEnabled: true, PointInTimeRecoverySpecification: { PointInTimeRecoveryEnabled: true } }],
    });
    expect(await errorOf(globalTable.create(fake.ctx, request(given('eu-west-1'))))).toMatchObject({ code: 'NotImplemented' });
    const { physicalId, attributes } = await globalTable.create(fake.ctx, request(given('us-east-1')));
    expect(attributes).toEqual({ Arn: expect.stringMatching(/:table\//), StreamArn: expect.stringMatching(/\/stream\//), TableId: expect.any(String) });
    expect(await call('DescribeTable', { TableName: physicalId })).toMatchObject({ Table: { DeletionProtectionEnabled: true } });
  });

  it("does not take over another's table of the same name", async () => {
    const named = { ...properties, TableName: 'shared' };
    await table.create(fake.ctx, request(named, 'first'));
    expect(await errorOf(table.create(fake.ctx, request(named, 'second')))).toMatchObject({ code: 'ResourceInUseException' });
    expect((await table.create(fake.ctx, request(named, 'first'))).physicalId).toBe('shared');
  });

  it('takes numbers and booleans written as text', async () => {
    const provisioned = {
      ...properties,
      BillingMode: undefined,
      ProvisionedThroughput: { ReadCapacityUnits: '5', WriteCapacityUnits: '6' },
      DeletionProtectionEnabled: 'true',
    };
    const { physicalId } = await table.create(fake.ctx, request(provisioned));
    expect(await call('DescribeTable', { TableName: physicalId })).toMatchObject({
      Table: { ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 6 }, DeletionProtectionEnabled: true },
    });
  });

  it('is updated in place: tags, time to live, and indexes one after the other', async () => {
    const { physicalId } = await table.create(fake.ctx, request(properties));
    await call('PutItem', { TableName: physicalId, Item: { id: { S: '1' }, a: { S: 'x' }, b: { S: 'y' } } });
    const gsi = (IndexName: string, AttributeName: string) => ({
      IndexName,
      KeySchema: [{ AttributeName, KeyType: 'HASH' }],
      Projection: { ProjectionType: 'ALL' },
    });
    const attribute = (AttributeName: string) => ({ AttributeName, AttributeType: 'S' });
    const change = async (previous: Properties, next: Properties) => {
      const done = table.update(fake.ctx, { ...request(next), physicalId, previous });
      // The bus of this test delivers only when asked, and must be asked only once the commit is done.
      let settled = false;
      const finish = () => {
        settled = true;
      };
      done.then(finish, finish);
      while (!settled) {
        const { Table } = (await call('DescribeTable', { TableName: physicalId })) as { Table: { TableStatus: string } };
        if (Table.TableStatus === 'UPDATING') await fake.bus.drain();
        await new Promise((resolve) => setImmediate(resolve));
      }
      await done;
    };
    const second = {
      ...properties,
      Tags: [{ Key: 'new', Value: '2' }],
      TimeToLiveSpecification: { AttributeName: 'exp', Enabled: true },
      AttributeDefinitions: ['id', 'a', 'b'].map(attribute),
      GlobalSecondaryIndexes: [gsi('by-a', 'a'), gsi('by-b', 'b')],
    };
    await change(properties, second);
    expect(await call('Scan', { TableName: physicalId, IndexName: 'by-b' })).toMatchObject({ Count: 1 });
    expect(await call('DescribeTimeToLive', { TableName: physicalId })).toMatchObject({ TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED' } });
    const third = {
      ...second,
      TimeToLiveSpecification: undefined,
      AttributeDefinitions: ['id', 'b'].map(attribute),
      GlobalSecondaryIndexes: [gsi('by-b', 'b')],
    };
    await change(second, third);
    const { Table } = (await call('DescribeTable', { TableName: physicalId })) as { Table: { GlobalSecondaryIndexes: { IndexName: string }[] } };
    expect(Table.GlobalSecondaryIndexes.map((index) => index.IndexName)).toEqual(['by-b']);
    expect(await call('DescribeTimeToLive', { TableName: physicalId })).toMatchObject({ TimeToLiveDescription: { TimeToLiveStatus: 'DISABLED' } });
    expect(await call('ListTagsOfResource', { ResourceArn: `arn:aws:dynamodb:us-east-1:000000000000:table/${physicalId}` })).toEqual({
      Tags: [
        { Key: 'team', Value: 'a' },
        { Key: 'new', Value: '2' },
      ],
    });
  });

  it('switches to provisioned capacity together with its indexes, and back', async () => {
    const index = { IndexName: 'by-id', KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }], Projection: { ProjectionType: 'ALL' } };
    const onDemand = { ...properties, GlobalSecondaryIndexes: [index] };
    const { physicalId } = await table.create(fake.ctx, request(onDemand));
    const units = { ReadCapacityUnits: 1, WriteCapacityUnits: 2 };
    const provisioned = {
      ...properties,
      BillingMode: 'PROVISIONED',
      ProvisionedThroughput: units,
      GlobalSecondaryIndexes: [{ ...index, ProvisionedThroughput: units }],
    };
    await table.update(fake.ctx, { ...request(provisioned), physicalId, previous: onDemand });
    expect(await call('DescribeTable', { TableName: physicalId })).toMatchObject({
      Table: { ProvisionedThroughput: units, GlobalSecondaryIndexes: [{ ProvisionedThroughput: units }] },
    });
    await table.update(fake.ctx, { ...request(onDemand), physicalId, previous: provisioned });
    expect(await call('DescribeTable', { TableName: physicalId })).toMatchObject({ Table: { BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' } } });
  });

  it('is deleted, also when it is gone already', async () => {
    const { physicalId } = await table.create(fake.ctx, request(properties));
    const deletion = { physicalId, properties, stackId: 'stack-id', logicalId: 'Table' };
    await table.delete(fake.ctx, deletion);
    await table.delete(fake.ctx, deletion);
    expect(await call('ListTables', {})).toEqual({ TableNames: [] });
  });
});
