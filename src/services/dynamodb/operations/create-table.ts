import type { CreateTableInput, CreateTableOutput } from '@aws-sdk/client-dynamodb';
import type { Ctx, Operation } from '../../service.ts';
import { Constraints, requiredOwnTableName } from '../domain/constraints.ts';
import { STREAM_VIEW_TYPES } from '../domain/stream-record.ts';
import type { TableRecord } from '../domain/table.ts';
import { describeTable } from '../domain/table-description.ts';
import {
  BILLING_MODES,
  checkAllUsed,
  checkBilling,
  checkDistinct,
  checkTags,
  constrainDefinitions,
  constrainIndex,
  constrainKeySchema,
  constrainThroughput,
  definitionsOf,
  globalIndexes,
  localIndexes,
  schemaKeys,
  TABLE_CLASSES,
  throughputOf,
} from '../domain/table-rules.ts';
import { invalidParameter, tableExists } from '../errors.ts';
import { refuseParameters } from '../items.ts';
import type { Tables } from '../store.ts';
import { createStream } from '../streams/store.ts';

const TABLE_ID_BYTES = 8;
const SALT_BYTES = 16;
export const STREAM_ID_BYTES = 8;

/** "CreateTable". The table is ACTIVE `createTableMs` after, by virtual time. */
export function createTable(tables: Tables, createTableMs: number): Operation<CreateTableInput, CreateTableOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    checkInput(input);
    const table = newTable(ctx, name, input, createTableMs);
    const streamId = ctx.platform.ids.bytes(STREAM_ID_BYTES).toString('hex');
    const viewType = input.StreamSpecification?.StreamEnabled ? input.StreamSpecification.StreamViewType : undefined;
    const record = await tables.change(ctx.account, ctx.region, name, (existing, tx) => {
      if (existing) throw tableExists(name);
      const made: TableRecord = viewType ? { ...table, stream: createStream(tx, table, streamId, viewType, table.createdMs) } : table;
      return { next: made, result: made };
    });
    return { TableDescription: describeTable(record, record.createdMs, undefined, 'CREATING') };
  };
}

function checkInput(input: CreateTableInput): void {
  const constraints = new Constraints();
  constrainDefinitions(constraints, input.AttributeDefinitions);
  constraints.required('attributeDefinitions', input.AttributeDefinitions);
  constraints.oneOf('billingMode', input.BillingMode, BILLING_MODES);
  constrainThroughput(constraints, 'provisionedThroughput', input.ProvisionedThroughput);
  constrainKeySchema(constraints, 'keySchema', input.KeySchema);
  constrainStream(constraints, input.StreamSpecification);
  constraints.oneOf('tableClass', input.TableClass, TABLE_CLASSES);
  input.LocalSecondaryIndexes?.forEach((index, at) => {
    constrainIndex(constraints, `localSecondaryIndexes.${at + 1}.member`, index);
  });
  input.GlobalSecondaryIndexes?.forEach((index, at) => {
    constrainIndex(constraints, `globalSecondaryIndexes.${at + 1}.member`, index);
  });
  constraints.check();
  refuseParameters('CreateTable', input, ['ResourcePolicy', 'GlobalTableSourceArn', 'GlobalTableSettingsReplicationMode', 'VectorIndexes']);
}

/** Refuses what a stream's specification has too much or too little. */
export function checkStream(stream: CreateTableInput['StreamSpecification']): void {
  if (stream === undefined) return;
  if (stream.StreamEnabled && stream.StreamViewType === undefined) {
    throw invalidParameter('Table is being created with a stream enabled, UpdateViewType must be specified');
  }
  if (!stream.StreamEnabled && stream.StreamViewType !== undefined) {
    throw invalidParameter('Table is being created with a stream disabled, UpdateViewType should not be specified');
  }
}

export function constrainStream(constraints: Constraints, stream: CreateTableInput['StreamSpecification']): void {
  if (stream === undefined) return;
  constraints.required('streamSpecification.streamEnabled', stream.StreamEnabled);
  constraints.oneOf('streamSpecification.streamViewType', stream.StreamViewType, STREAM_VIEW_TYPES);
}

function newTable(ctx: Ctx, name: string, input: CreateTableInput, createTableMs: number): TableRecord {
  const billingMode = checkBilling(input);
  const attributes = definitionsOf(input.AttributeDefinitions);
  const keys = schemaKeys(input.KeySchema ?? [], attributes, true);
  const shape = { attributes, ...keys };
  if (!input.LocalSecondaryIndexes && !input.GlobalSecondaryIndexes) checkAllUsed(attributes, shape, []);
  const local = localIndexes(shape, input.LocalSecondaryIndexes, 1);
  const global = globalIndexes(shape, input.GlobalSecondaryIndexes, billingMode, 1 + local.length);
  const indexes = [...local, ...global];
  checkDistinct(indexes);
  checkAllUsed(attributes, shape, indexes);
  checkTags(input.Tags ?? []);
  checkStream(input.StreamSpecification);
  const { ids, clock } = ctx.platform;
  const nowMs = clock.virtual();
  return {
    id: ids.bytes(TABLE_ID_BYTES).toString('hex'),
    generation: 0,
    salt: ids.bytes(SALT_BYTES).toString('hex'),
    tableId: ids.uuid(),
    account: ctx.account,
    region: ctx.region,
    name,
    createdMs: nowMs,
    availableMs: nowMs + createTableMs,
    ...shape,
    billingMode,
    ...(billingMode === 'PAY_PER_REQUEST' ? { payPerRequestMs: nowMs } : {}),
    throughput: throughputOf(input.ProvisionedThroughput),
    indexes,
    nextIndex: 1 + indexes.length,
    deletionProtection: input.DeletionProtectionEnabled ?? false,
    ...(input.TableClass ? { tableClass: { name: input.TableClass } } : {}),
    ...(input.SSESpecification ? { encryption: input.SSESpecification } : {}),
    ...(input.OnDemandThroughput ? { onDemandThroughput: input.OnDemandThroughput } : {}),
    ...(input.WarmThroughput ? { warmThroughput: input.WarmThroughput } : {}),
    tags: input.Tags ?? [],
  };
}
