import type { Access, Ctx, Operation, OperationEntry, Service } from '../service.ts';
import { registerBackground } from './background.ts';
import { nameInArn } from './domain/constraints.ts';
import { tableArn } from './domain/table.ts';
import { resourcesOf } from './global-table.ts';
import { describeEndpoints, describeLimits } from './operations/account.ts';
import { batchExecuteStatement } from './operations/batch-execute-statement.ts';
import { batchGetItem } from './operations/batch-get-item.ts';
import { batchWriteItem } from './operations/batch-write-item.ts';
import { describeContinuousBackups, updateContinuousBackups } from './operations/continuous-backups.ts';
import { createTable } from './operations/create-table.ts';
import { deleteItem } from './operations/delete-item.ts';
import { deleteTable } from './operations/delete-table.ts';
import { describeTable } from './operations/describe-table.ts';
import { executeStatement } from './operations/execute-statement.ts';
import { executeTransaction } from './operations/execute-transaction.ts';
import { getItem } from './operations/get-item.ts';
import { listTables } from './operations/list-tables.ts';
import { putItem } from './operations/put-item.ts';
import { query } from './operations/query.ts';
import { scan } from './operations/scan.ts';
import { listTagsOfResource, tagResource, untagResource } from './operations/tags.ts';
import { describeTimeToLive, updateTimeToLive } from './operations/time-to-live.ts';
import { transactGetItems } from './operations/transact-get-items.ts';
import { transactWriteItems } from './operations/transact-write-items.ts';
import { updateItem } from './operations/update-item.ts';
import { updateTable } from './operations/update-table.ts';
import { createTables, type Tables } from './store.ts';
import { usage } from './usage.ts';

export { createDynamoDbStreamsRoom } from './streams/index.ts';

export interface DynamoDbOptions {
  /** Virtual milliseconds that a new table stays CREATING; 0 by default: waiters that ask every 20 seconds return at once. */
  readonly createTableMs?: number;
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');
const arnOf = (ctx: Ctx, name: unknown): string => tableArn(ctx.account, ctx.region, nameInArn(text(name)));

const onTable: Access = { resource: (ctx, input) => arnOf(ctx, input['TableName']) };
const onAllTables: Access = { resource: (ctx) => tableArn(ctx.account, ctx.region, '*') };
const onAnything: Access = { resource: () => '*' };
const onTableOrIndex: Access = {
  resource: (ctx, input) =>
    input['IndexName'] === undefined ? arnOf(ctx, input['TableName']) : `${arnOf(ctx, input['TableName'])}/index/${text(input['IndexName'])}`,
};
const onRequestedTables: Access = {
  resource: (ctx, input) => Object.keys((input['RequestItems'] as object | undefined) ?? {}).map((name) => arnOf(ctx, name)),
};
const onTransactedTables: Access = {
  resource: (ctx, input) => {
    const actions = ((input['TransactItems'] as object[] | undefined) ?? []).flatMap((item) => Object.values(item) as { TableName?: string }[]);
    return [...new Set(actions.map((action) => arnOf(ctx, action.TableName)))];
  },
};
const onArn: Access = { resource: (_ctx, input) => text(input['ResourceArn']) };

/**
 * Amazon DynamoDB; see README.md. DynamoDB words and orders its validation unlike its model, so every operation checks its own
 * input (`ownValidation`).
 */
export function createDynamoDbRoom(options: DynamoDbOptions = {}): Service {
  const tables = createTables();
  return {
    name: 'dynamodb',
    operations: operationsOf(tables, options),
    resources: resourcesOf(tables),
    usage,
    start(platform) {
      tables.open(platform);
      registerBackground(platform, tables);
    },
  };
}

function operationsOf(tables: Tables, options: DynamoDbOptions): Record<string, OperationEntry> {
  // biome-ignore lint/suspicious/noExplicitAny: the table holds operations of many types; the model guards the boundary
  const entry = (run: Operation<any, any>, access: Access, recorded?: readonly string[]): OperationEntry => ({
    run,
    access,
    ownValidation: true,
    ...(recorded ? { recorded } : {}),
  });
  const capacity = ['ProvisionedThroughput', 'OnDemandThroughput', 'WarmThroughput', 'TableClass', 'SSESpecification'];
  return {
    CreateTable: entry(createTable(tables, options.createTableMs ?? 0), onTable, capacity),
    DescribeTable: entry(describeTable(tables), onTable),
    ListTables: entry(listTables(tables), onAllTables),
    UpdateTable: entry(updateTable(tables), onTable, capacity),
    DeleteTable: entry(deleteTable(tables), onTable),
    PutItem: entry(putItem(tables), onTable),
    GetItem: entry(getItem(tables), onTable),
    UpdateItem: entry(updateItem(tables), onTable),
    DeleteItem: entry(deleteItem(tables), onTable),
    Query: entry(query(tables), onTableOrIndex),
    Scan: entry(scan(tables), onTableOrIndex),
    BatchGetItem: entry(batchGetItem(tables), onRequestedTables),
    BatchWriteItem: entry(batchWriteItem(tables), onRequestedTables),
    TransactGetItems: entry(transactGetItems(tables), { action: 'dynamodb:GetItem', ...onTransactedTables }),
    TransactWriteItems: entry(transactWriteItems(tables), onTransactedTables),
    ExecuteStatement: entry(executeStatement(tables), onAnything),
    BatchExecuteStatement: entry(batchExecuteStatement(tables), onAnything),
    ExecuteTransaction: entry(executeTransaction(tables), onAnything),
    TagResource: entry(tagResource(tables), onArn),
    UntagResource: entry(untagResource(tables), onArn),
    ListTagsOfResource: entry(listTagsOfResource(tables), onArn),
    DescribeTimeToLive: entry(describeTimeToLive(tables), onTable),
    UpdateTimeToLive: entry(updateTimeToLive(tables), onTable),
    DescribeLimits: entry(describeLimits, onAnything),
    DescribeEndpoints: entry(describeEndpoints, onAnything),
    DescribeContinuousBackups: entry(describeContinuousBackups(tables), onTable),
    UpdateContinuousBackups: entry(updateContinuousBackups(tables), onTable, ['PointInTimeRecoverySpecification']),
  };
}
