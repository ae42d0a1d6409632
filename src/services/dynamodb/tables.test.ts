import type { TableDescription } from '@aws-sdk/client-dynamodb';
import { beforeEach, describe, expect, it } from 'vitest';
import { errorOf, fakePlatform } from '../../../test/fake-platform.ts';
import { createDynamoDbRoom } from './index.ts';

type Fake = Awaited<ReturnType<typeof fakePlatform>>;
let fake: Fake;
const call = (operation: string, input: object) => fake.ctx.call('dynamodb', operation, { ...input });
const HASH = { AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }], KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }] };
const onDemand = (TableName: string) => ({ TableName, BillingMode: 'PAY_PER_REQUEST', ...HASH });
const describeNow = async (TableName: string) => ((await call('DescribeTable', { TableName })) as { Table: TableDescription }).Table;
const gsi = (IndexName: string, AttributeName: string) => ({
  IndexName,
  KeySchema: [{ AttributeName, KeyType: 'HASH' }],
  Projection: { ProjectionType: 'ALL' },
});

describe('with tables that take a second to be made', () => {
  beforeEach(async () => {
    fake = await fakePlatform([createDynamoDbRoom({ createTableMs: 1000 })]);
    fake.clock.freeze();
  });

  it('a table is CREATING, refuses items and changes, and becomes ACTIVE with time alone', async () => {
    expect(await call('CreateTable', onDemand('slow'))).toMatchObject({ TableDescription: { TableStatus: 'CREATING' } });
    expect((await describeNow('slow')).TableStatus).toBe('CREATING');
    expect(await errorOf(call('PutItem', { TableName: 'slow', Item: { pk: { S: 'a' } } }))).toMatchObject({ code: 'ResourceNotFoundException' });
    expect(await errorOf(call('DeleteTable', { TableName: 'slow' }))).toMatchObject({
      code: 'ResourceInUseException',
      message: 'Attempt to change a resource which is still in use: Table is being created: slow',
    });
    fake.clock.advance(1000);
    expect((await describeNow('slow')).TableStatus).toBe('ACTIVE');
    await call('PutItem', { TableName: 'slow', Item: { pk: { S: 'a' } } });
  });
});

describe('tables', () => {
  beforeEach(async () => {
    fake = await fakePlatform([createDynamoDbRoom()]);
  });

  it('are named once, listed in order and found no more when deleted', async () => {
    for (const name of ['beta', 'alpha', 'gamma']) await call('CreateTable', onDemand(name));
    expect(await errorOf(call('CreateTable', onDemand('beta')))).toMatchObject({ code: 'ResourceInUseException', message: 'Table already exists: beta' });
    expect(await call('ListTables', { Limit: 2 })).toEqual({ TableNames: ['alpha', 'beta'], LastEvaluatedTableName: 'beta' });
    expect(await call('ListTables', { ExclusiveStartTableName: 'beta' })).toEqual({ TableNames: ['gamma'] });
    expect(await call('DeleteTable', { TableName: 'beta' })).toMatchObject({ TableDescription: { TableStatus: 'DELETING' } });
    expect(await errorOf(describeNow('beta'))).toMatchObject({ message: 'Requested resource not found: Table: beta not found' });
  });

  it('protected against deletion stay', async () => {
    await call('CreateTable', { ...onDemand('kept'), DeletionProtectionEnabled: true });
    expect((await errorOf(call('DeleteTable', { TableName: 'kept' }))).message).toMatch(
      /^Resource cannot be deleted as it is currently protected against deletion/,
    );
    await call('UpdateTable', { TableName: 'kept', DeletionProtectionEnabled: false });
    await call('DeleteTable', { TableName: 'kept' });
  });

  it('switch billing, and refuse a throughput that changes nothing', async () => {
    await call('CreateTable', { TableName: 'bill', ...HASH, ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 } });
    expect((await describeNow('bill')).BillingModeSummary).toBeUndefined();
    const same = { TableName: 'bill', ProvisionedThroughput: { ReadCapacityUnits: 5, WriteCapacityUnits: 5 } };
    expect((await errorOf(call('UpdateTable', same))).message).toMatch(/^The provisioned throughput for the table will not change/);
    await call('UpdateTable', { TableName: 'bill', BillingMode: 'PAY_PER_REQUEST' });
    expect(await describeNow('bill')).toMatchObject({
      BillingModeSummary: { BillingMode: 'PAY_PER_REQUEST' },
      ProvisionedThroughput: { ReadCapacityUnits: 0 },
    });
  });

  it('get and lose a global index, one at a time, and are UPDATING meanwhile', async () => {
    await call('CreateTable', onDemand('grow'));
    for (let n = 0; n < 250; n++) await call('PutItem', { TableName: 'grow', Item: { pk: { S: String(n) }, g: n % 2 ? { S: 'odd' } : { N: '0' } } });
    const AttributeDefinitions = [{ AttributeName: 'g', AttributeType: 'S' }];
    const two = [{ Create: gsi('one', 'g') }, { Create: gsi('two', 'g') }];
    expect(await errorOf(call('UpdateTable', { TableName: 'grow', AttributeDefinitions, GlobalSecondaryIndexUpdates: two }))).toMatchObject({
      code: 'LimitExceededException',
    });
    await call('UpdateTable', { TableName: 'grow', AttributeDefinitions, GlobalSecondaryIndexUpdates: [{ Create: gsi('by-g', 'g') }] });
    expect(await describeNow('grow')).toMatchObject({ TableStatus: 'UPDATING', GlobalSecondaryIndexes: [{ IndexStatus: 'CREATING', Backfilling: true }] });
    expect(await errorOf(call('DeleteTable', { TableName: 'grow' }))).toMatchObject({ code: 'ResourceInUseException' });
    await fake.bus.drain();
    const query = { TableName: 'grow', IndexName: 'by-g', KeyConditionExpression: 'g = :g', ExpressionAttributeValues: { ':g': { S: 'odd' } } };
    expect(await call('Query', query)).toMatchObject({ Count: 125 });
    expect(await describeNow('grow')).toMatchObject({ TableStatus: 'ACTIVE', GlobalSecondaryIndexes: [{ IndexStatus: 'ACTIVE', ItemCount: 125 }] });
    await call('UpdateTable', { TableName: 'grow', GlobalSecondaryIndexUpdates: [{ Delete: { IndexName: 'by-g' } }] });
    expect((await describeNow('grow')).AttributeDefinitions).toHaveLength(1);
    await fake.bus.drain();
    expect(await errorOf(call('Query', query))).toMatchObject({ message: 'The table does not have the specified index: by-g' });
    expect(await call('Scan', { TableName: 'grow', Select: 'COUNT' })).toMatchObject({ Count: 250 });
  });

  it('keep tags and the time-to-live setting', async () => {
    await call('CreateTable', { ...onDemand('tagged'), Tags: [{ Key: 'a', Value: '1' }] });
    const ResourceArn = 'arn:aws:dynamodb:us-east-1:000000000000:table/tagged';
    await call('TagResource', {
      ResourceArn,
      Tags: [
        { Key: 'b', Value: '2' },
        { Key: 'a', Value: '3' },
      ],
    });
    await call('UntagResource', { ResourceArn, TagKeys: ['b'] });
    expect(await call('ListTagsOfResource', { ResourceArn })).toEqual({ Tags: [{ Key: 'a', Value: '3' }] });
    const ttl = (Enabled: boolean) => call('UpdateTimeToLive', { TableName: 'tagged', TimeToLiveSpecification: { Enabled, AttributeName: 'exp' } });
    await ttl(true);
    expect(await errorOf(ttl(true))).toMatchObject({ message: 'TimeToLive is already enabled' });
    expect(await call('DescribeTimeToLive', { TableName: 'tagged' })).toEqual({ TimeToLiveDescription: { TimeToLiveStatus: 'ENABLED', AttributeName: 'exp' } });
  });

  it.each<[string, object, string]>([
    [
      'a stream without a view',
      { StreamSpecification: { StreamEnabled: true } },
      'One or more parameter values were invalid: Table is being created with a stream enabled, UpdateViewType must be specified',
    ],
    ['a resource policy', { ResourcePolicy: '{}' }, 'DynamoDB CreateTable with ResourcePolicy is not implemented by Croft'],
    [
      'an attribute that is no key',
      { AttributeDefinitions: [...HASH.AttributeDefinitions, { AttributeName: 'x', AttributeType: 'S' }] },
      'One or more parameter values were invalid: Number of attributes in KeySchema does not exactly match number of attributes defined in AttributeDefinitions',
    ],
    [
      'an index without its attribute',
      { GlobalSecondaryIndexes: [gsi('idx', 'x')] },
      'One or more parameter values were invalid: Some index key attributes are not defined in AttributeDefinitions. Keys: [x], AttributeDefinitions: [pk]',
    ],
    [
      'no key',
      { KeySchema: [] },
      "1 validation error detected: Value '[]' at 'keySchema' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      'a short name',
      { TableName: 'ab' },
      "1 validation error detected: Value 'ab' at 'tableName' failed to satisfy constraint: Member must have length greater than or equal to 3",
    ],
  ])('are refused with %s', async (_name, input, message) => {
    expect((await errorOf(call('CreateTable', { ...onDemand('refused'), ...input }))).message).toBe(message);
  });

  it('belong to their account and region', async () => {
    await call('CreateTable', onDemand('mine'));
    const elsewhere = fake.platform.contextFor({ account: '111111111111', region: 'us-east-1' });
    expect(await elsewhere.call('dynamodb', 'ListTables', {})).toEqual({ TableNames: [] });
    await elsewhere.call('dynamodb', 'CreateTable', onDemand('mine'));
    await elsewhere.call('dynamodb', 'PutItem', { TableName: 'mine', Item: { pk: { S: 'a' } } });
    expect(await call('Scan', { TableName: 'mine' })).toMatchObject({ Count: 0 });
  });
});
