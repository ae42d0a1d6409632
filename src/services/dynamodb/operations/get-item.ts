import type { GetItemInput, GetItemOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { consumedCapacity, readUnits, Units } from '../domain/capacity.ts';
import { ATTRIBUTES_TO_GET_MAX, Constraints, RETURN_CONSUMED_CAPACITY, requiredTableName } from '../domain/constraints.ts';
import { checkAttributesToGet } from '../domain/legacy.ts';
import { checkExpressionParameters } from '../domain/parameters.ts';
import { nestedHeadsOf, type Projected, resolveProjected } from '../domain/projected.ts';
import { checkKey, checkNestedPaths, placeOf } from '../domain/table.ts';
import { checkItem, type Item } from '../domain/value.ts';
import { placeholdersOf } from '../domain/write.ts';
import { openTable } from '../items.ts';
import { itemInRow, type Tables } from '../store.ts';

/** "GetItem": one item by its key, in one read of the store. Every read is consistent; `ConsistentRead` decides its price. */
export function getItem(tables: Tables): Operation<GetItemInput, GetItemOutput> {
  return async (ctx, input) => {
    const tableName = checkInput(input);
    const key = input.Key as Item;
    const projected = planProjection(input, () => checkItem(key));
    const table = await openTable(tables, ctx, tableName);
    checkKey(table, key);
    checkNestedPaths(table, nestedHeadsOf(projected));
    const place = placeOf(table, key);
    const stored = itemInRow(await tables.store.get(place.key), place);
    const units = new Units();
    units.table = readUnits(stored?.size ?? 0, input.ConsistentRead);
    ctx.meter('ReadRequestUnits', units.total);
    const ConsumedCapacity = consumedCapacity(input.ReturnConsumedCapacity, table, units);
    return {
      ...(stored ? { Item: (projected ? projected.apply(stored.item) : stored.item) as GetItemOutput['Item'] } : {}),
      ...(ConsumedCapacity ? { ConsumedCapacity } : {}),
    };
  };
}

function checkInput(input: GetItemInput): string {
  const constraints = new Constraints();
  const tableName = requiredTableName(input.TableName, constraints);
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constraints.required('key', input.Key);
  constraints.length('attributesToGet', input.AttributesToGet, 1, ATTRIBUTES_TO_GET_MAX);
  constraints.check();
  return tableName;
}

interface ProjectionInput {
  ProjectionExpression?: string | undefined;
  AttributesToGet?: string[] | undefined;
  ExpressionAttributeNames?: Record<string, string> | undefined;
}

/** The projection of GetItem, BatchGetItem and TransactGetItems; `checkKeys` runs where AWS checks the keys' values. */
export function planProjection(input: ProjectionInput, checkKeys: () => unknown): Projected | undefined {
  checkExpressionParameters(input, ['ProjectionExpression'], ['AttributesToGet']);
  checkKeys();
  checkAttributesToGet(input.AttributesToGet);
  if (input.ProjectionExpression === undefined && input.AttributesToGet === undefined) return undefined;
  const placeholders = placeholdersOf(input);
  const projected = resolveProjected(input.ProjectionExpression, input.AttributesToGet, placeholders);
  placeholders.checkAllUsed();
  return projected;
}
