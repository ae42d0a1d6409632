import type { DescribeTableInput, DescribeTableOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { requiredOwnTableName } from '../domain/constraints.ts';
import { describeTable as describe } from '../domain/table-description.ts';
import { tableNameNotFound } from '../errors.ts';
import type { Tables } from '../store.ts';

/** "DescribeTable"; counts are exact, where AWS's are some hours old. */
export function describeTable(tables: Tables): Operation<DescribeTableInput, DescribeTableOutput> {
  return async (ctx, input) => {
    const name = requiredOwnTableName(input.TableName);
    const table = await tables.find(ctx.account, ctx.region, name);
    if (!table) throw tableNameNotFound(name);
    return { Table: describe(table.record, ctx.platform.clock.virtual(), await tables.counts(table)) };
  };
}
