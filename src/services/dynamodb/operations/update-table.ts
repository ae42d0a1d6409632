import type { GlobalSecondaryIndexUpdate, UpdateTableInput, UpdateTableOutput } from '@aws-sdk/client-dynamodb';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { endStream, enqueueBackfill, enqueuePurge } from '../background.ts';
import { Constraints, requiredOwnTableName } from '../domain/constraints.ts';
import type { IndexRecord, KeyAttribute, TableRecord, Throughput } from '../domain/table.ts';
import { describeTable, tableStatus } from '../domain/table-description.ts';
import {
  BILLING_MODES,
  checkDistinct,
  checkThroughput,
  constrainDefinitions,
  constrainIndex,
  constrainThroughput,
  definitionsOf,
  globalIndex,
  TABLE_CLASSES,
} from '../domain/table-rules.ts';
import { invalidParameter, limitExceeded, tableInUse, tableNameNotFound, tableNotFound, validation } from '../errors.ts';
import { refuseParameters } from '../items.ts';
import { GLOBAL_INDEXES_MAX } from '../limits.ts';
import { indexRows, type Tables } from '../store.ts';
import { createStream } from '../streams/store.ts';
import { checkStream, constrainStream, STREAM_ID_BYTES } from './create-table.ts';

/** "UpdateTable": billing, throughput, protection, class, and indexes made (and filled in the background) or deleted. */
export function updateTable(tables: Tables): Operation<UpdateTableInput, UpdateTableOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    checkInput(input);
    const nowMs = ctx.platform.clock.virtual();
    const streamId = ctx.platform.ids.bytes(STREAM_ID_BYTES).toString('hex');
    const updated = await tables.change(ctx.account, ctx.region, name, (existing, tx) => {
      if (!existing) throw tableNameNotFound(name);
      const status = tableStatus(existing, nowMs);
      if (status !== 'ACTIVE') throw tableInUse(status === 'CREATING' ? 'Table is being created' : 'Table is being updated', name);
      const plan = planUpdate(withStream(ctx, tx, existing, input, streamId), input, nowMs);
      for (const number of plan.created) enqueueBackfill(ctx as Ctx, tx, name, existing.id, number);
      for (const number of plan.deleted) enqueuePurge(ctx, tx, indexRows(existing, number));
      // The answer still shows the throughput as it was, and when it changed.
      const { read, write, decreasesToday } = existing.throughput;
      return { next: plan.record, result: { ...plan.record, throughput: { ...plan.record.throughput, read, write, decreasesToday } } };
    });
    return { TableDescription: describeTable(updated, nowMs, undefined, 'UPDATING') };
  };
}

/** The table with its stream made or ended. */
function withStream(ctx: Ctx, tx: Tx, existing: TableRecord, { StreamSpecification: wanted }: UpdateTableInput, id: string): TableRecord {
  if (wanted === undefined) return existing;
  const { stream, name } = existing;
  if (wanted.StreamEnabled && wanted.StreamViewType) {
    if (stream?.enabled) throw validation(`Table already has an enabled stream: TableName: ${name}`);
    return { ...existing, stream: createStream(tx, existing, id, wanted.StreamViewType, ctx.platform.clock.virtual()) };
  }
  if (!stream?.enabled) throw validation(`Table has no stream to disable: TableName: ${name}`);
  endStream(ctx, tx, existing, stream);
  return { ...existing, stream: { ...stream, enabled: false } };
}

const EFFECTS = [
  'ProvisionedThroughput',
  'BillingMode',
  'SSESpecification',
  'TableClass',
  'DeletionProtectionEnabled',
  'OnDemandThroughput',
  'WarmThroughput',
  'StreamSpecification',
] as const;

function checkInput(input: UpdateTableInput): void {
  const constraints = new Constraints();
  constrainDefinitions(constraints, input.AttributeDefinitions);
  constraints.oneOf('billingMode', input.BillingMode, BILLING_MODES);
  constrainThroughput(constraints, 'provisionedThroughput', input.ProvisionedThroughput);
  constrainStream(constraints, input.StreamSpecification);
  constraints.oneOf('tableClass', input.TableClass, TABLE_CLASSES);
  input.GlobalSecondaryIndexUpdates?.forEach(({ Create, Update, Delete }, at) => {
    const path = `globalSecondaryIndexUpdates.${at + 1}.member`;
    if (Create) constrainIndex(constraints, `${path}.create`, Create);
    for (const [action, index] of [
      ['update', Update],
      ['delete', Delete],
    ] as const) {
      if (index && constraints.required(`${path}.${action}.indexName`, index.IndexName)) constraints.name(`${path}.${action}.indexName`, index.IndexName, 3);
    }
    constrainThroughput(constraints, `${path}.update.provisionedThroughput`, Update?.ProvisionedThroughput);
  });
  constraints.check();
  refuseParameters('UpdateTable', input, [
    'ReplicaUpdates',
    'MultiRegionConsistency',
    'GlobalTableWitnessUpdates',
    'GlobalTableSettingsReplicationMode',
    'DisassociationProtectionEnabled',
    'VectorIndexUpdates',
  ]);
  const indexUpdates = input.GlobalSecondaryIndexUpdates ?? [];
  if (indexUpdates.length === 0 && EFFECTS.every((name) => input[name] === undefined)) {
    throw validation(
      'At least one of ProvisionedThroughput, BillingMode, UpdateStreamEnabled, GlobalSecondaryIndexUpdates or SSESpecification or ReplicaUpdates is required',
    );
  }
  if (input.BillingMode === 'PROVISIONED' && !input.ProvisionedThroughput) {
    throw invalidParameter('ProvisionedThroughput must be specified when BillingMode is PROVISIONED');
  }
  checkThroughput(input.ProvisionedThroughput);
  checkStream(input.StreamSpecification);
  checkIndexUpdates(indexUpdates);
}

function checkIndexUpdates(updates: readonly GlobalSecondaryIndexUpdate[]): void {
  const names = new Set<string>();
  for (const { Create, Update, Delete } of updates) {
    const name = (Update ?? Create ?? Delete)?.IndexName;
    if (name === undefined) {
      throw invalidParameter('One of GlobalSecondaryIndexUpdate.Update, GlobalSecondaryIndexUpdate.Create, GlobalSecondaryIndexUpdate.Delete must not be null');
    }
    if (names.has(name)) throw invalidParameter(`Only one global secondary index update per index is allowed simultaneously. Index: ${name}`);
    names.add(name);
  }
  if (updates.filter(({ Create, Delete }) => Create ?? Delete).length > 1) {
    throw limitExceeded('Subscriber limit exceeded: Only 1 online index can be created or deleted simultaneously per table');
  }
}

interface UpdatePlan {
  readonly record: TableRecord;
  /** Numbers of indexes to be filled, and of those whose rows go. */
  readonly created: readonly number[];
  readonly deleted: readonly number[];
}

function planUpdate(existing: TableRecord, input: UpdateTableInput, nowMs: number): UpdatePlan {
  const billingMode = input.BillingMode ?? existing.billingMode;
  if (input.ProvisionedThroughput && billingMode === 'PAY_PER_REQUEST') {
    throw invalidParameter('Neither ReadCapacityUnits nor WriteCapacityUnits can be specified when BillingMode is PAY_PER_REQUEST');
  }
  const switched = billingMode !== existing.billingMode;
  const units = input.ProvisionedThroughput;
  const throughput = units
    ? changedThroughput(existing.throughput, { read: units.ReadCapacityUnits ?? 0, write: units.WriteCapacityUnits ?? 0 }, nowMs, switched)
    : switched
      ? { ...existing.throughput, read: 0, write: 0 }
      : existing.throughput;
  const { indexes, attributes, created, deleted, nextIndex } = planIndexes(existing, input, billingMode, nowMs);
  return {
    created,
    deleted,
    record: {
      ...existing,
      billingMode,
      throughput,
      indexes,
      attributes,
      nextIndex,
      ...(switched && billingMode === 'PAY_PER_REQUEST' ? { payPerRequestMs: nowMs } : {}),
      ...(input.DeletionProtectionEnabled === undefined ? {} : { deletionProtection: input.DeletionProtectionEnabled }),
      ...(input.TableClass ? { tableClass: { name: input.TableClass, changedMs: nowMs } } : {}),
      ...(input.SSESpecification ? { encryption: input.SSESpecification } : {}),
      ...(input.OnDemandThroughput ? { onDemandThroughput: input.OnDemandThroughput } : {}),
      ...(input.WarmThroughput ? { warmThroughput: input.WarmThroughput } : {}),
    },
  };
}

function changedThroughput(now: Throughput, wanted: { read: number; write: number }, nowMs: number, switched: boolean): Throughput {
  if (!switched && now.read === wanted.read && now.write === wanted.write) {
    throw validation(
      `The provisioned throughput for the table will not change. The requested value equals the current value. Current ReadCapacityUnits provisioned for the table: ${now.read}. Requested ReadCapacityUnits: ${wanted.read}. Current WriteCapacityUnits provisioned for the table: ${now.write}. Requested WriteCapacityUnits: ${wanted.write}. Refer to the Amazon DynamoDB Developer Guide for current limits and how to request higher limits.`,
    );
  }
  const increased = wanted.read > now.read || wanted.write > now.write;
  const decreased = wanted.read < now.read || wanted.write < now.write;
  return {
    ...now,
    ...wanted,
    ...(increased ? { increasedMs: nowMs } : {}),
    ...(decreased ? { decreasedMs: nowMs, decreasesToday: now.decreasesToday + 1 } : {}),
  };
}

interface IndexPlan {
  readonly indexes: readonly IndexRecord[];
  readonly attributes: readonly KeyAttribute[];
  readonly created: readonly number[];
  readonly deleted: readonly number[];
  readonly nextIndex: number;
}

function planIndexes(existing: TableRecord, input: UpdateTableInput, billingMode: TableRecord['billingMode'], nowMs: number): IndexPlan {
  const attributes = mergedAttributes(existing.attributes, definitionsOf(input.AttributeDefinitions));
  let indexes: IndexRecord[] = [...existing.indexes];
  let nextIndex = existing.nextIndex;
  const created: number[] = [];
  const deleted: number[] = [];
  for (const { Create, Update, Delete } of input.GlobalSecondaryIndexUpdates ?? []) {
    if (Create) {
      if (indexes.some((index) => index.name === Create.IndexName)) throw validation('Attempting to create an index which already exists');
      if (indexes.filter((index) => index.kind === 'global').length >= GLOBAL_INDEXES_MAX) {
        throw limitExceeded(`GlobalSecondaryIndex count exceeds the per-table limit of ${GLOBAL_INDEXES_MAX}`);
      }
      indexes.push(globalIndex({ ...existing, attributes }, Create, billingMode, nextIndex, 'CREATING'));
      created.push(nextIndex++);
      checkDistinct(indexes);
      continue;
    }
    const found = indexes.find((index) => index.kind === 'global' && index.name === (Update ?? Delete)?.IndexName);
    if (!found) throw tableNotFound();
    if (Delete) {
      indexes = indexes.filter((index) => index !== found);
      deleted.push(found.number);
    } else if (Update) indexes = indexes.map((index) => (index === found ? updatedIndex(found, Update, billingMode, nowMs) : index));
  }
  if (billingMode !== existing.billingMode) indexes = indexes.map((index) => switchedIndex(index, existing, input, billingMode));
  return { indexes, attributes: usedAttributes(attributes, existing, indexes), created, deleted, nextIndex };
}

function updatedIndex(index: IndexRecord, update: NonNullable<GlobalSecondaryIndexUpdate['Update']>, billingMode: string, nowMs: number): IndexRecord {
  const units = update.ProvisionedThroughput;
  if (units && billingMode === 'PAY_PER_REQUEST') {
    throw invalidParameter(`ProvisionedThroughput should not be specified for index: ${index.name} when BillingMode is PAY_PER_REQUEST`);
  }
  const wanted = units && { read: units.ReadCapacityUnits ?? 0, write: units.WriteCapacityUnits ?? 0 };
  return {
    ...index,
    ...(wanted ? { throughput: changedThroughput(index.throughput, wanted, nowMs, index.throughput.read === 0) } : {}),
    ...(update.OnDemandThroughput ? { onDemandThroughput: update.OnDemandThroughput } : {}),
    ...(update.WarmThroughput ? { warmThroughput: update.WarmThroughput } : {}),
  };
}

/** A switch to provisioned capacity needs a figure for every global index; one to on-demand takes them away. */
function switchedIndex(index: IndexRecord, existing: TableRecord, input: UpdateTableInput, billingMode: string): IndexRecord {
  if (index.kind === 'local') return index;
  if (billingMode === 'PAY_PER_REQUEST') return { ...index, throughput: { ...index.throughput, read: 0, write: 0 } };
  const named = input.GlobalSecondaryIndexUpdates?.some(({ Update, Create }) => (Update ?? Create)?.IndexName === index.name);
  if (!named && existing.indexes.some((known) => known.number === index.number)) {
    throw invalidParameter(`ProvisionedThroughput must be specified for index: ${index.name}`);
  }
  return index;
}

function mergedAttributes(known: readonly KeyAttribute[], given: readonly KeyAttribute[]): KeyAttribute[] {
  const merged = new Map(known.map((attribute) => [attribute.name, attribute]));
  for (const attribute of given) {
    const before = merged.get(attribute.name);
    if (before && before.type !== attribute.type)
      throw invalidParameter(`Cannot change the type of attribute ${attribute.name} from ${before.type} to ${attribute.type}`);
    merged.set(attribute.name, attribute);
  }
  return [...merged.values()];
}

function usedAttributes(attributes: readonly KeyAttribute[], table: TableRecord, indexes: readonly IndexRecord[]): KeyAttribute[] {
  const used = new Set([table, ...indexes].flatMap(({ hash, range }) => (range ? [hash.name, range.name] : [hash.name])));
  return attributes.filter((attribute) => used.has(attribute.name));
}
