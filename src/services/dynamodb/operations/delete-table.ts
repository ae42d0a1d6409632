import type { DeleteTableInput, DeleteTableOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { endStream, enqueuePurge } from '../background.ts';
import { requiredOwnTableName } from '../domain/constraints.ts';
import { describeTable, tableStatus } from '../domain/table-description.ts';
import { tableInUse, tableNameNotFound, validation } from '../errors.ts';
import { type Tables, tableRows } from '../store.ts';

/** "DeleteTable": the name is free at once, the rows go in the background. */
export function deleteTable(tables: Tables): Operation<DeleteTableInput, DeleteTableOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    const nowMs = ctx.platform.clock.virtual();
    const record = await tables.change(ctx.account, ctx.region, name, (existing, tx) => {
      if (!existing) throw tableNameNotFound(name);
      const status = tableStatus(existing, nowMs);
      if (status === 'CREATING') throw tableInUse('Table is being created', name);
      if (status === 'UPDATING') throw tableInUse('Table is being updated', name);
      if (existing.deletionProtection) {
        throw validation('Resource cannot be deleted as it is currently protected against deletion. Disable deletion protection first.');
      }
      enqueuePurge(ctx, tx, tableRows(existing));
      if (existing.stream?.enabled) endStream(ctx, tx, existing, existing.stream);
      return { next: undefined, result: existing };
    });
    const {
      ProvisionedThroughput,
      TableName,
      TableArn,
      TableId,
      TableSizeBytes,
      ItemCount,
      BillingModeSummary,
      DeletionProtectionEnabled,
      StreamSpecification,
      LatestStreamLabel,
      LatestStreamArn,
    } = describeTable(record, nowMs);
    return {
      TableDescription: {
        TableName,
        TableStatus: 'DELETING',
        ProvisionedThroughput,
        TableSizeBytes,
        ItemCount,
        TableArn,
        TableId,
        ...(BillingModeSummary ? { BillingModeSummary } : {}),
        ...(StreamSpecification ? { StreamSpecification, LatestStreamLabel, LatestStreamArn } : {}),
        DeletionProtectionEnabled,
      },
    };
  };
}
