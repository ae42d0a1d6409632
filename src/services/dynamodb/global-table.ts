import { AwsError, notImplemented } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceResult, ResourceType } from '../service.ts';
import { tableType } from './cloudformation.ts';
import type { Tables } from './store.ts';

/** What a replica has of its own, as a table has it. */
const OF_REPLICA = ['DeletionProtectionEnabled', 'PointInTimeRecoverySpecification', 'TableClass', 'Tags'];
const OF_TABLE = [
  'AttributeDefinitions',
  'BillingMode',
  'KeySchema',
  'LocalSecondaryIndexes',
  'StreamSpecification',
  'TableName',
  'TimeToLiveSpecification',
  'WarmThroughput',
];

type Part = Readonly<Record<string, unknown>>;

const part = (value: unknown): Part => (typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Part) : {});
const parts = (value: unknown): Part[] => (Array.isArray(value) ? value.map(part) : []);
const present = (members: Part): Part => Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined));

/** The one replica, which must be in the stack's own region. */
function replicaOf(ctx: Ctx, properties: Properties): Part {
  const replicas = parts(properties['Replicas']);
  const [replica] = replicas;
  if (!replica) throw new AwsError('ValidationError', 'Replicas must name the region of the stack');
  if (replicas.length > 1 || replica['Region'] !== ctx.region) throw notImplemented('AWS::DynamoDB::GlobalTable with replicas in other regions');
  const known = new Set([
    ...OF_REPLICA,
    'Region',
    'ContributorInsightsSpecification',
    'GlobalSecondaryIndexes',
    'ReadOnDemandThroughputSettings',
    'ReadProvisionedThroughputSettings',
  ]);
  for (const name of Object.keys(replica)) if (!known.has(name)) throw notImplemented(`AWS::DynamoDB::GlobalTable with ${name} of a replica`);
  if (String(part(replica['ContributorInsightsSpecification'])['Enabled'] ?? 'false') === 'true')
    throw notImplemented('AWS::DynamoDB::GlobalTable with ContributorInsightsSpecification');
  return replica;
}

/** Units stated outright, or what auto scaling begins with; scaling itself is not there. */
function units(settings: unknown, plain: string, scaled: string): unknown {
  const given = part(settings);
  const scaling = part(given[scaled]);
  return given[plain] ?? scaling['SeedCapacity'] ?? scaling['MinCapacity'];
}

function throughput(read: unknown, write: unknown): Part {
  const ReadCapacityUnits = units(read, 'ReadCapacityUnits', 'ReadCapacityAutoScalingSettings');
  const WriteCapacityUnits = units(write, 'WriteCapacityUnits', 'WriteCapacityAutoScalingSettings');
  if (ReadCapacityUnits === undefined && WriteCapacityUnits === undefined) return {};
  return { ProvisionedThroughput: { ReadCapacityUnits: ReadCapacityUnits ?? 1, WriteCapacityUnits: WriteCapacityUnits ?? 1 } };
}

function onDemand(read: unknown, write: unknown): Part {
  const { MaxReadRequestUnits } = part(read);
  const { MaxWriteRequestUnits } = part(write);
  if (MaxReadRequestUnits === undefined && MaxWriteRequestUnits === undefined) return {};
  return { OnDemandThroughput: present({ MaxReadRequestUnits, MaxWriteRequestUnits }) };
}

/** The properties of the table that a global table of one region is. */
function asTable(ctx: Ctx, properties: Properties): Properties {
  const replica = replicaOf(ctx, properties);
  const indexesOfReplica = new Map(parts(replica['GlobalSecondaryIndexes']).map((index) => [index['IndexName'], index]));
  const indexes = parts(properties['GlobalSecondaryIndexes']).map((index) => {
    const { WriteProvisionedThroughputSettings, WriteOnDemandThroughputSettings, ...rest } = index;
    const own = indexesOfReplica.get(index['IndexName']) ?? {};
    return {
      ...rest,
      ...throughput(own['ReadProvisionedThroughputSettings'], WriteProvisionedThroughputSettings),
      ...onDemand(own['ReadOnDemandThroughputSettings'], WriteOnDemandThroughputSettings),
    };
  });
  const picked = (from: Part, names: readonly string[]) => present(Object.fromEntries(names.map((name) => [name, from[name]])));
  return {
    ...picked(properties, OF_TABLE),
    ...picked(replica, OF_REPLICA),
    ...(indexes.length > 0 ? { GlobalSecondaryIndexes: indexes } : {}),
    ...throughput(replica['ReadProvisionedThroughputSettings'], properties['WriteProvisionedThroughputSettings']),
    ...onDemand(replica['ReadOnDemandThroughputSettings'], properties['WriteOnDemandThroughputSettings']),
    ...(properties['SSESpecification'] === undefined ? {} : { SSESpecification: properties['SSESpecification'] }),
  };
}

async function withTableId(ctx: Ctx, result: ResourceResult): Promise<ResourceResult> {
  const { Table } = (await ctx.call('dynamodb', 'DescribeTable', { TableName: result.physicalId })) as { Table: { TableId?: string } };
  return { ...result, attributes: { ...result.attributes, TableId: Table.TableId } };
}

/** "AWS::DynamoDB::GlobalTable" of one region, the stack's own: what the CDK's `TableV2` makes. */
function globalTableType(tables: Tables): ResourceType {
  const table = tableType(tables);
  return {
    type: 'AWS::DynamoDB::GlobalTable',
    replaceOn: table.replaceOn,
    properties: [
      ...OF_TABLE,
      'GlobalSecondaryIndexes',
      'Replicas',
      'SSESpecification',
      'WriteOnDemandThroughputSettings',
      'WriteProvisionedThroughputSettings',
    ],
    recorded: ['SSESpecification', 'WarmThroughput', 'WriteOnDemandThroughputSettings', 'WriteProvisionedThroughputSettings'],
    create: async (ctx, request) => withTableId(ctx, await table.create(ctx, { ...request, properties: asTable(ctx, request.properties) })),
    update: async (ctx, request) =>
      withTableId(ctx, await table.update(ctx, { ...request, properties: asTable(ctx, request.properties), previous: asTable(ctx, request.previous) })),
    delete: (ctx, request) => table.delete(ctx, request),
  };
}

/** The resource types of this room. */
export function resourcesOf(tables: Tables): readonly ResourceType[] {
  return [tableType(tables), globalTableType(tables)];
}
