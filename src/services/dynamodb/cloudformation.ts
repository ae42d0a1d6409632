import type { TableDescription, Tag } from '@aws-sdk/client-dynamodb';
import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { TABLE_NAME_CHARS_MAX } from './limits.ts';
import type { Tables } from './store.ts';

const NUMBERS = new Set([
  'ReadCapacityUnits',
  'WriteCapacityUnits',
  'MaxReadRequestUnits',
  'MaxWriteRequestUnits',
  'ReadUnitsPerSecond',
  'WriteUnitsPerSecond',
  'RecoveryPeriodInDays',
]);
const BOOLEANS = new Set(['DeletionProtectionEnabled', 'SSEEnabled', 'Enabled', 'StreamEnabled', 'PointInTimeRecoveryEnabled']);

/** Templates may write numbers and booleans as text. */
function typed(value: unknown, name = ''): unknown {
  if (Array.isArray(value)) return value.map((element) => typed(element));
  if (typeof value === 'object' && value !== null) return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, typed(member, key)]));
  if (NUMBERS.has(name)) return Number(value);
  if (BOOLEANS.has(name)) return String(value) === 'true';
  return value;
}

const isCode = (error: unknown, code: string): boolean => error instanceof AwsError && error.code === code;

function tagsOf(properties: Properties, stackTags: Readonly<Record<string, string>>): Tag[] {
  const own = (Array.isArray(properties['Tags']) ? properties['Tags'] : []) as Tag[];
  const merged = new Map(Object.entries(stackTags).map(([Key, Value]): [string, Tag] => [Key, { Key, Value }]));
  for (const { Key, Value } of own) merged.set(String(Key), { Key: String(Key), Value: String(Value) });
  return [...merged.values()];
}

function tableInput(properties: Properties): Record<string, unknown> {
  const { Tags, TimeToLiveSpecification, PointInTimeRecoverySpecification, SSESpecification, StreamSpecification, ...rest } = properties;
  const encryption = typed(SSESpecification) as { SSEEnabled?: boolean; SSEType?: string; KMSMasterKeyId?: string } | undefined;
  const stream = StreamSpecification as { StreamViewType?: string } | undefined;
  return {
    ...(typed(rest) as Record<string, unknown>),
    ...(encryption ? { SSESpecification: { Enabled: encryption.SSEEnabled, SSEType: encryption.SSEType, KMSMasterKeyId: encryption.KMSMasterKeyId } } : {}),
    ...(stream ? { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.StreamViewType } } : {}),
  };
}

async function describe(ctx: Ctx, name: string): Promise<TableDescription> {
  const { Table } = (await ctx.call('dynamodb', 'DescribeTable', { TableName: name })) as { Table: TableDescription };
  return Table;
}

function result(table: TableDescription): ResourceResult {
  const stream = table.LatestStreamArn === undefined ? {} : { StreamArn: table.LatestStreamArn };
  return { physicalId: table.TableName ?? '', attributes: { Arn: table.TableArn, ...stream } };
}

async function applyTimeToLive(ctx: Ctx, name: string, properties: Properties, previous?: Properties): Promise<void> {
  const wanted = typed(properties['TimeToLiveSpecification']) as { AttributeName?: string; Enabled?: boolean } | undefined;
  const before = typed(previous?.['TimeToLiveSpecification']) as { AttributeName?: string; Enabled?: boolean } | undefined;
  const call = (Enabled: boolean, AttributeName: string | undefined) =>
    ctx.call('dynamodb', 'UpdateTimeToLive', { TableName: name, TimeToLiveSpecification: { Enabled, AttributeName } });
  const same = wanted?.AttributeName === before?.AttributeName && Boolean(wanted?.Enabled) === Boolean(before?.Enabled);
  if (same) return;
  if (before?.Enabled) await call(false, before.AttributeName);
  if (wanted?.Enabled) await call(true, wanted.AttributeName);
}

async function applyRecovery(ctx: Ctx, TableName: string, properties: Properties, previous?: Properties): Promise<void> {
  const wanted = typed(properties['PointInTimeRecoverySpecification']) as Record<string, unknown> | undefined;
  const before = typed(previous?.['PointInTimeRecoverySpecification']);
  if (JSON.stringify(wanted) === JSON.stringify(before)) return;
  const PointInTimeRecoverySpecification = { PointInTimeRecoveryEnabled: false, ...wanted };
  await ctx.call('dynamodb', 'UpdateContinuousBackups', { TableName, PointInTimeRecoverySpecification });
}

async function applyTags(ctx: Ctx, arn: string, properties: Properties, stackTags: Readonly<Record<string, string>>): Promise<void> {
  const wanted = tagsOf(properties, stackTags);
  const { Tags: had = [] } = (await ctx.call('dynamodb', 'ListTagsOfResource', { ResourceArn: arn })) as { Tags?: Tag[] };
  const names = new Set(wanted.map((tag) => tag.Key));
  const gone = had.map((tag) => tag.Key).filter((key) => !names.has(key));
  if (gone.length > 0) await ctx.call('dynamodb', 'UntagResource', { ResourceArn: arn, TagKeys: gone });
  if (wanted.length > 0) await ctx.call('dynamodb', 'TagResource', { ResourceArn: arn, Tags: wanted });
}

async function create(tables: Tables, ctx: Ctx, request: ResourceRequest): Promise<ResourceResult> {
  const { properties } = request;
  const TableName = String(properties['TableName'] ?? request.generatedName(TABLE_NAME_CHARS_MAX));
  const tags = tagsOf(properties, request.tags);
  const ours = await tables.claim(ctx.account, ctx.region, TableName, request.token);
  try {
    await ctx.call('dynamodb', 'CreateTable', { ...tableInput(properties), TableName, ...(tags.length > 0 ? { Tags: tags } : {}) });
  } catch (error) {
    // A first try of this very operation made it.
    if (!isCode(error, 'ResourceInUseException') || !ours) throw error;
  }
  if (properties['TimeToLiveSpecification'] !== undefined) await applyTimeToLive(ctx, TableName, properties);
  await applyRecovery(ctx, TableName, properties);
  return result(await describe(ctx, TableName));
}

type Index = { readonly IndexName?: string } & Record<string, unknown>;

const CAPACITY = [
  'BillingMode',
  'ProvisionedThroughput',
  'TableClass',
  'DeletionProtectionEnabled',
  'OnDemandThroughput',
  'WarmThroughput',
  'SSESpecification',
];

/** DynamoDB makes or deletes one index at a time; what else changed goes first, in one call. */
async function update(ctx: Ctx, request: ResourceRequest & { readonly physicalId: string; readonly previous: Properties }): Promise<ResourceResult> {
  const TableName = request.physicalId;
  const now = tableInput(request.properties);
  const before = tableInput(request.previous);
  const differs = (name: string): boolean => JSON.stringify(now[name]) !== JSON.stringify(before[name]);
  const changes = Object.fromEntries(CAPACITY.filter((name) => differs(name) && now[name] !== undefined).map((name) => [name, now[name]]));
  if (differs('DeletionProtectionEnabled') && now['DeletionProtectionEnabled'] === undefined) changes['DeletionProtectionEnabled'] = false;
  const switched = changes['BillingMode'] === undefined ? [] : switchedIndexes(now, before);
  if (Object.keys(changes).length > 0) {
    await ctx.call('dynamodb', 'UpdateTable', { TableName, ...changes, ...(switched.length > 0 ? { GlobalSecondaryIndexUpdates: switched } : {}) });
  }
  if (differs('StreamSpecification')) await applyStream(ctx, TableName, now['StreamSpecification'], before['StreamSpecification']);
  await updateIndexes(ctx, TableName, now, before, new Set(switched.map(({ Update }) => Update.IndexName)));
  await applyTimeToLive(ctx, TableName, request.properties, request.previous);
  await applyRecovery(ctx, TableName, request.properties, request.previous);
  const table = await describe(ctx, TableName);
  await applyTags(ctx, table.TableArn ?? '', request.properties, request.tags);
  return result(table);
}

/** A stream of another view type is another stream: the old one ends first. */
async function applyStream(ctx: Ctx, TableName: string, now: unknown, before: unknown): Promise<void> {
  if (before !== undefined) await ctx.call('dynamodb', 'UpdateTable', { TableName, StreamSpecification: { StreamEnabled: false } });
  if (now !== undefined) await ctx.call('dynamodb', 'UpdateTable', { TableName, StreamSpecification: now });
}

const indexes = (input: Record<string, unknown>): Index[] => (input['GlobalSecondaryIndexes'] ?? []) as Index[];

/** A switch to provisioned capacity gives every index its own in the same call. */
function switchedIndexes(now: Record<string, unknown>, before: Record<string, unknown>) {
  const had = new Set(indexes(before).map((index) => index.IndexName));
  return indexes(now)
    .filter((index) => had.has(index.IndexName) && index['ProvisionedThroughput'] !== undefined)
    .map(({ IndexName, ProvisionedThroughput }) => ({ Update: { IndexName, ProvisionedThroughput } }));
}

async function updateIndexes(
  ctx: Ctx,
  TableName: string,
  now: Record<string, unknown>,
  before: Record<string, unknown>,
  done: ReadonlySet<string | undefined>,
): Promise<void> {
  const shape = ({ ProvisionedThroughput, OnDemandThroughput, WarmThroughput, ...rest }: Index) => JSON.stringify(rest);
  const step = async (change: Record<string, unknown>): Promise<void> => {
    await ctx.call('dynamodb', 'UpdateTable', { TableName, AttributeDefinitions: now['AttributeDefinitions'], GlobalSecondaryIndexUpdates: [change] });
    await untilActive(ctx, TableName);
  };
  for (const index of indexes(before)) {
    const kept = indexes(now).find((candidate) => candidate.IndexName === index.IndexName);
    if (!kept || shape(kept) !== shape(index)) await step({ Delete: { IndexName: index.IndexName } });
  }
  for (const index of indexes(now)) {
    const had = indexes(before).find((candidate) => candidate.IndexName === index.IndexName);
    if (!had || shape(had) !== shape(index)) await step({ Create: index });
    else if (index['ProvisionedThroughput'] !== undefined && JSON.stringify(had) !== JSON.stringify(index) && !done.has(index.IndexName)) {
      const { IndexName, ProvisionedThroughput, OnDemandThroughput, WarmThroughput } = index;
      await step({ Update: { IndexName, ProvisionedThroughput, OnDemandThroughput, WarmThroughput } });
    }
  }
}

const POLL_MS = 20;

async function untilActive(ctx: Ctx, name: string): Promise<void> {
  while ((await describe(ctx, name)).TableStatus !== 'ACTIVE') {
    ctx.signal.throwIfAborted();
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** "AWS::DynamoDB::Table". */
export const tableType = (tables: Tables): ResourceType => ({
  type: 'AWS::DynamoDB::Table',
  replaceOn: ['TableName', 'KeySchema', 'LocalSecondaryIndexes'],
  properties: [
    'AttributeDefinitions',
    'BillingMode',
    'DeletionProtectionEnabled',
    'GlobalSecondaryIndexes',
    'KeySchema',
    'LocalSecondaryIndexes',
    'OnDemandThroughput',
    'PointInTimeRecoverySpecification',
    'ProvisionedThroughput',
    'SSESpecification',
    'StreamSpecification',
    'TableClass',
    'TableName',
    'Tags',
    'TimeToLiveSpecification',
    'WarmThroughput',
  ],
  recorded: ['OnDemandThroughput', 'PointInTimeRecoverySpecification', 'ProvisionedThroughput', 'SSESpecification', 'TableClass', 'WarmThroughput'],
  create: (ctx, request) => create(tables, ctx, request),
  update,
  async delete(ctx, request) {
    try {
      await ctx.call('dynamodb', 'DeleteTable', { TableName: request.physicalId });
    } catch (error) {
      if (!isCode(error, 'ResourceNotFoundException')) throw error;
    }
  },
});
