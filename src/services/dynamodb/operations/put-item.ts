import type { PutItemInput, PutItemOutput } from '@aws-sdk/client-dynamodb';
import type { Ctx, Operation } from '../../service.ts';
import { consumedCapacity, Units } from '../domain/capacity.ts';
import {
  Constraints,
  RETURN_CONSUMED_CAPACITY,
  RETURN_ITEM_COLLECTION_METRICS,
  RETURN_VALUES,
  RETURN_VALUES_ON_FAILURE,
  requiredTableName,
} from '../domain/constraints.ts';
import { constrainLegacy } from '../domain/legacy.ts';
import type { Item } from '../domain/value.ts';
import { type ItemWrite, planPut } from '../domain/write.ts';
import { validation } from '../errors.ts';
import { commitWrite, itemCollectionMetrics } from '../items.ts';
import type { Tables } from '../store.ts';

/** "PutItem": writes a whole item over the one with its key. */
export function putItem(tables: Tables): Operation<PutItemInput, PutItemOutput> {
  return async (ctx, input) => {
    const tableName = checkReturns(input, 'item', input.Item);
    checkOldReturnValues(input.ReturnValues);
    const write = planPut(input.Item as Item, input);
    return commitWhole(tables, ctx, tableName, write, input);
  };
}

/** Commits a write of a whole item and answers as PutItem and DeleteItem do, with what was there before where that is asked for. */
export async function commitWhole(
  tables: Tables,
  ctx: Ctx,
  tableName: string,
  write: ItemWrite,
  input: Pick<PutItemInput, 'ReturnValues' | 'ReturnConsumedCapacity' | 'ReturnItemCollectionMetrics'>,
): Promise<PutItemOutput> {
  const { table, old, units: written } = await commitWrite(tables, ctx, tableName, write);
  const units = new Units();
  units.addWrite(written);
  const ConsumedCapacity = consumedCapacity(input.ReturnConsumedCapacity, table, units);
  const ItemCollectionMetrics = itemCollectionMetrics(input.ReturnItemCollectionMetrics, table, write);
  return {
    ...(input.ReturnValues === 'ALL_OLD' && old ? { Attributes: old.item as PutItemOutput['Attributes'] } : {}),
    ...(ConsumedCapacity ? { ConsumedCapacity } : {}),
    ...(ItemCollectionMetrics ? { ItemCollectionMetrics } : {}),
  };
}

/** The constraints that the three single writes share; returns the table's name. */
export function checkReturns(input: { TableName: string | undefined }, required: 'item' | 'key', value: unknown): string {
  const given = input as Partial<PutItemInput>;
  const constraints = new Constraints();
  const tableName = requiredTableName(input.TableName, constraints);
  constraints.oneOf('returnConsumedCapacity', given.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constraints.required(required, value);
  constraints.oneOf('returnItemCollectionMetrics', given.ReturnItemCollectionMetrics, RETURN_ITEM_COLLECTION_METRICS);
  constraints.oneOf('returnValues', given.ReturnValues, RETURN_VALUES);
  constraints.oneOf('returnValuesOnConditionCheckFailure', given.ReturnValuesOnConditionCheckFailure, RETURN_VALUES_ON_FAILURE);
  constrainLegacy(constraints, given);
  constraints.check();
  return tableName;
}

export function checkOldReturnValues(wanted: string | undefined): void {
  if (wanted !== undefined && wanted !== 'ALL_OLD' && wanted !== 'NONE') throw validation('ReturnValues can only be ALL_OLD or NONE');
}
