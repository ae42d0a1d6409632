import type { TransactGetItemsInput, TransactGetItemsOutput } from '@aws-sdk/client-dynamodb';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { consumedCapacity, readUnits, Units } from '../domain/capacity.ts';
import { Constraints, nameInArn, RETURN_CONSUMED_CAPACITY } from '../domain/constraints.ts';
import type { Condition } from '../domain/expression/condition.ts';
import { meets } from '../domain/expression/evaluate.ts';
import { nestedHeadsOf, type Projected } from '../domain/projected.ts';
import { checkKey, checkNestedPaths, placeOf, type Table } from '../domain/table.ts';
import { checkItem, type Item } from '../domain/value.ts';
import { type CancellationReason, transactionCancelled, validation } from '../errors.ts';
import { openTable } from '../items.ts';
import { TRANSACT_BYTES_MAX, TRANSACT_ITEMS_MAX } from '../limits.ts';
import { itemInRow, type Tables } from '../store.ts';
import { planProjection } from './get-item.ts';

/** One read of a transaction; of a statement, `filter` is what must hold beside the key. */
export interface Get {
  readonly filter?: Condition | undefined;
  readonly tableName: string;
  readonly key: Item;
  readonly projected: Projected | undefined;
}

/** "TransactGetItems": up to 100 items from one snapshot of the store. */
export function transactGetItems(tables: Tables): Operation<TransactGetItemsInput, TransactGetItemsOutput> {
  return async (ctx, input) => {
    const gets = planGets(input);
    const found: Table[] = [];
    for (const get of gets) found.push(await openTable(tables, ctx, get.tableName));
    return readTransaction(tables, ctx, gets, found, input.ReturnConsumedCapacity);
  };
}

/** Reads the items of a transaction, each of the table at its place in `found`. */
export async function readTransaction(
  tables: Tables,
  ctx: Ctx,
  gets: readonly Get[],
  found: readonly Table[],
  returnCapacity: string | undefined,
): Promise<TransactGetItemsOutput> {
  checkGets(gets, found);
  const places = gets.map((get, at) => placeOf(found[at] as Table, get.key));
  if (new Set(places.map((place) => place.key)).size !== places.length) {
    throw validation('Transaction request cannot include multiple operations on one item');
  }
  const rows = await tables.store.getMany(places.map((place) => place.key));
  const units = new Map<Table, Units>();
  let bytes = 0;
  const Responses = gets.map(({ projected, filter }, at) => {
    const table = found[at] as Table;
    const stored = itemInRow(rows[at], places[at] as (typeof places)[0]);
    bytes += stored?.size ?? 0;
    const used = units.get(table) ?? new Units();
    used.table += 2 * readUnits(stored?.size ?? 0, true);
    units.set(table, used);
    if (!stored || (filter && !meets(stored.item, filter))) return {};
    return { Item: (projected ? projected.apply(stored.item) : stored.item) as never };
  });
  if (bytes > TRANSACT_BYTES_MAX) throw validation('Collection size of items in transaction cannot exceed 4MB');
  const capacities = [...units].map(([table, used]) => {
    ctx.meter('ReadRequestUnits', used.total);
    return consumedCapacity(returnCapacity, table, used, 'ReadCapacityUnits');
  });
  const ConsumedCapacity = capacities.filter((capacity) => capacity !== undefined);
  return { Responses, ...(ConsumedCapacity.length > 0 ? { ConsumedCapacity } : {}) };
}

function planGets(input: TransactGetItemsInput): Get[] {
  const constraints = new Constraints();
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  if (constraints.required('transactItems', input.TransactItems)) constraints.length('transactItems', input.TransactItems, 1, TRANSACT_ITEMS_MAX);
  (input.TransactItems ?? []).forEach(({ Get }, at) => {
    const path = `transactItems.${at + 1}.member.get`;
    if (!constraints.required(path, Get)) return;
    if (constraints.required(`${path}.tableName`, Get?.TableName)) constraints.name(`${path}.tableName`, nameInArn(Get?.TableName ?? ''), 1);
    constraints.required(`${path}.key`, Get?.Key);
  });
  constraints.check();
  return (input.TransactItems ?? []).map(({ Get }) => {
    const key = (Get?.Key ?? {}) as Item;
    return { tableName: nameInArn(Get?.TableName ?? ''), key, projected: planProjection(Get ?? {}, () => checkItem(key)) };
  });
}

/** What is wrong with one key cancels all, with a reason for each. */
function checkGets(gets: readonly Get[], tables: readonly Table[]): void {
  const reasons = gets.map((get, at): CancellationReason => {
    try {
      checkKey(tables[at] as Table, get.key);
      checkNestedPaths(tables[at] as Table, nestedHeadsOf(get.projected));
      return { Code: 'None' };
    } catch (error) {
      if (error instanceof AwsError && !hoisted(error)) return { Code: 'ValidationError', Message: error.message };
      throw error;
    }
  });
  if (reasons.some((reason) => reason.Code !== 'None')) throw transactionCancelled(reasons);
}

/** An empty value of a table's or an index's key fails the whole request at once. */
export function hoisted(error: AwsError): boolean {
  return error.message.startsWith('One or more parameter values are not valid. ');
}
