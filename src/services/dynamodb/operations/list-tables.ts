import type { ListTablesInput, ListTablesOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { Constraints } from '../domain/constraints.ts';
import { LIST_TABLES_MAX, TABLE_NAME_CHARS_MIN } from '../limits.ts';
import type { Tables } from '../store.ts';

/** "ListTables": names in order, up to 100 a page. */
export function listTables(tables: Tables): Operation<ListTablesInput, ListTablesOutput> {
  return async (ctx, input) => {
    const constraints = new Constraints();
    constraints.name('exclusiveStartTableName', input.ExclusiveStartTableName, TABLE_NAME_CHARS_MIN);
    constraints.atLeast('limit', input.Limit, 1);
    constraints.atMost('limit', input.Limit, LIST_TABLES_MAX);
    constraints.check();
    const { names, more } = await tables.names(ctx.account, ctx.region, input.ExclusiveStartTableName, input.Limit ?? LIST_TABLES_MAX);
    const last = names.at(-1);
    return { TableNames: names, ...(more && last !== undefined ? { LastEvaluatedTableName: last } : {}) };
  };
}
