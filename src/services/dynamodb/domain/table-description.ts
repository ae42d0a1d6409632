import type {
  GlobalSecondaryIndexDescription,
  KeySchemaElement,
  LocalSecondaryIndexDescription,
  ProvisionedThroughputDescription,
  TableDescription,
  TableStatus,
} from '@aws-sdk/client-dynamodb';
import type { Counts } from '../store.ts';
import { type IndexRecord, type KeyAttribute, type TableRecord, type Throughput, tableArn } from './table.ts';

/** What an on-demand table is ready for at once. "Understanding DynamoDB warm throughput". */
const WARM_READ_UNITS = 12_000;
const WARM_WRITE_UNITS = 4_000;
const NO_COUNTS: Counts = { items: 0, bytes: 0 };

export interface TableCounts {
  readonly table: Counts;
  readonly indexes: ReadonlyMap<string, Counts>;
}

/** CREATING until its time has come, UPDATING while an index is being filled, else ACTIVE. */
export function tableStatus(record: TableRecord, nowMs: number): TableStatus {
  if (nowMs < record.availableMs) return 'CREATING';
  return record.indexes.some((index) => index.status === 'CREATING') ? 'UPDATING' : 'ACTIVE';
}

/** The table as DescribeTable shows it; `status` overrides, for answers of operations that have just changed it. */
export function describeTable(record: TableRecord, nowMs: number, counts?: TableCounts, status?: TableStatus): TableDescription {
  const shown = status ?? tableStatus(record, nowMs);
  const arn = tableArn(record.account, record.region, record.name);
  const countsOf = (index: IndexRecord) => counts?.indexes.get(index.name) ?? NO_COUNTS;
  const local = record.indexes.filter((index) => index.kind === 'local');
  const global = record.indexes.filter((index) => index.kind === 'global');
  return {
    AttributeDefinitions: record.attributes.map(({ name, type }) => ({ AttributeName: name, AttributeType: type })),
    TableName: record.name,
    KeySchema: keySchema(record),
    TableStatus: shown,
    CreationDateTime: new Date(record.createdMs),
    ProvisionedThroughput: throughput(record.throughput),
    TableSizeBytes: counts?.table.bytes ?? 0,
    ItemCount: counts?.table.items ?? 0,
    TableArn: arn,
    TableId: record.tableId,
    ...(record.payPerRequestMs === undefined
      ? {}
      : { BillingModeSummary: { BillingMode: record.billingMode, LastUpdateToPayPerRequestDateTime: new Date(record.payPerRequestMs) } }),
    ...(local.length > 0 ? { LocalSecondaryIndexes: local.map((index) => describeIndex(index, arn, countsOf(index))) } : {}),
    ...(global.length > 0 ? { GlobalSecondaryIndexes: global.map((index) => describeGlobal(index, arn, countsOf(index), shown, record.billingMode)) } : {}),
    ...streamOf(record, arn),
    ...(record.encryption?.Enabled ? { SSEDescription: { Status: 'ENABLED', SSEType: 'KMS', ...keyArn(record) } } : {}),
    ...(record.tableClass ? { TableClassSummary: tableClass(record.tableClass) } : {}),
    DeletionProtectionEnabled: record.deletionProtection,
    ...(record.onDemandThroughput ? { OnDemandThroughput: record.onDemandThroughput } : {}),
    ...warmOf(record.warmThroughput, record.throughput, record.billingMode, shown),
  };
}

/** The latest stream, which is named even when it is disabled. */
function streamOf({ stream }: TableRecord, arn: string): Pick<TableDescription, 'StreamSpecification' | 'LatestStreamLabel' | 'LatestStreamArn'> {
  if (!stream) return {};
  return {
    ...(stream.enabled ? { StreamSpecification: { StreamEnabled: true, StreamViewType: stream.viewType } } : {}),
    LatestStreamLabel: stream.label,
    LatestStreamArn: `${arn}/stream/${stream.label}`,
  };
}

function keyArn({ encryption, account, region }: TableRecord): { KMSMasterKeyArn: string } {
  const key = encryption?.KMSMasterKeyId ?? 'alias/aws/dynamodb';
  return { KMSMasterKeyArn: key.startsWith('arn:') ? key : `arn:aws:kms:${region}:${account}:${key.startsWith('alias/') ? key : `key/${key}`}` };
}

function tableClass({ name, changedMs }: NonNullable<TableRecord['tableClass']>) {
  return { TableClass: name as 'STANDARD', ...(changedMs === undefined ? {} : { LastUpdateDateTime: new Date(changedMs) }) };
}

function keySchema({ hash, range }: { hash: KeyAttribute; range?: KeyAttribute }): KeySchemaElement[] {
  return [{ AttributeName: hash.name, KeyType: 'HASH' }, ...(range ? [{ AttributeName: range.name, KeyType: 'RANGE' as const }] : [])];
}

function throughput(units: Throughput): ProvisionedThroughputDescription {
  return {
    ...(units.increasedMs === undefined ? {} : { LastIncreaseDateTime: new Date(units.increasedMs) }),
    ...(units.decreasedMs === undefined ? {} : { LastDecreaseDateTime: new Date(units.decreasedMs) }),
    NumberOfDecreasesToday: units.decreasesToday,
    ReadCapacityUnits: units.read,
    WriteCapacityUnits: units.write,
  };
}

/** Recorded: what is being made or deleted shows it only where it was asked for, and then as being updated; else it is there, whatever else changes. */
function warmOf(wanted: TableRecord['warmThroughput'], provisioned: Throughput, billingMode: string, shown: TableStatus | undefined) {
  const passing = shown === 'CREATING' || shown === 'DELETING';
  if (passing && !wanted) return {};
  return { WarmThroughput: { ...warm(wanted, provisioned, billingMode), Status: passing ? ('UPDATING' as const) : ('ACTIVE' as const) } };
}

function warm(wanted: TableRecord['warmThroughput'], provisioned: Throughput, billingMode: string) {
  const onDemand = billingMode === 'PAY_PER_REQUEST';
  return {
    ReadUnitsPerSecond: wanted?.ReadUnitsPerSecond ?? (onDemand ? WARM_READ_UNITS : provisioned.read),
    WriteUnitsPerSecond: wanted?.WriteUnitsPerSecond ?? (onDemand ? WARM_WRITE_UNITS : provisioned.write),
  };
}

function describeIndex(index: IndexRecord, arn: string, counts: Counts): LocalSecondaryIndexDescription {
  return {
    IndexName: index.name,
    KeySchema: keySchema(index),
    Projection: index.projection,
    IndexSizeBytes: counts.bytes,
    ItemCount: counts.items,
    IndexArn: `${arn}/index/${index.name}`,
  };
}

function describeGlobal(index: IndexRecord, arn: string, counts: Counts, shown: TableStatus, billingMode: string): GlobalSecondaryIndexDescription {
  const status = shown === 'CREATING' || shown === 'DELETING' ? shown : index.status;
  return {
    ...describeIndex(index, arn, counts),
    IndexStatus: status,
    ...(index.status === 'CREATING' ? { Backfilling: true } : {}),
    ProvisionedThroughput: throughput(index.throughput),
    ...(index.onDemandThroughput ? { OnDemandThroughput: index.onDemandThroughput } : {}),
    ...warmOf(index.warmThroughput, index.throughput, billingMode, status),
  };
}
