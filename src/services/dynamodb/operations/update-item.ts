import type { UpdateItemInput, UpdateItemOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { consumedCapacity, Units } from '../domain/capacity.ts';
import { Projection } from '../domain/expression/path.ts';
import type { Item } from '../domain/value.ts';
import { type ItemWrite, planUpdate } from '../domain/write.ts';
import { commitWrite, itemCollectionMetrics, type Written } from '../items.ts';
import type { Tables } from '../store.ts';
import { checkReturns } from './put-item.ts';

/** "UpdateItem": changes some attributes of an item, or makes it. */
export function updateItem(tables: Tables): Operation<UpdateItemInput, UpdateItemOutput> {
  return async (ctx, input) => {
    const tableName = checkReturns(input, 'key', input.Key);
    const write = planUpdate(input.Key as Item, input);
    const written = await commitWrite(tables, ctx, tableName, write);
    const units = new Units();
    units.addWrite(written.units);
    const attributes = returnedAttributes(input.ReturnValues, write, written);
    const ConsumedCapacity = consumedCapacity(input.ReturnConsumedCapacity, written.table, units);
    const ItemCollectionMetrics = itemCollectionMetrics(input.ReturnItemCollectionMetrics, written.table, write);
    return {
      ...(attributes ? { Attributes: attributes as UpdateItemOutput['Attributes'] } : {}),
      ...(ConsumedCapacity ? { ConsumedCapacity } : {}),
      ...(ItemCollectionMetrics ? { ItemCollectionMetrics } : {}),
    };
  };
}

function returnedAttributes(wanted: string | undefined, write: ItemWrite, { old, next }: Written): Item | undefined {
  const whole = wanted === 'ALL_OLD' || wanted === 'UPDATED_OLD' ? old?.item : wanted === 'ALL_NEW' || wanted === 'UPDATED_NEW' ? next?.item : undefined;
  if (whole === undefined || wanted === 'ALL_OLD' || wanted === 'ALL_NEW') return whole;
  const part = new Projection(write.actions.map((action) => action.path)).apply(whole);
  return Object.keys(part).length > 0 ? part : undefined;
}
