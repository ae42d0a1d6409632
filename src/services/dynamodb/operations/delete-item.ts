import type { DeleteItemInput, DeleteItemOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { consumedCapacity, Units } from '../domain/capacity.ts';
import type { Item } from '../domain/value.ts';
import { planDelete } from '../domain/write.ts';
import { commitWrite, itemCollectionMetrics } from '../items.ts';
import type { Tables } from '../store.ts';
import { checkOldReturnValues, checkReturns } from './put-item.ts';

/** "DeleteItem": deletes one item; that there is none is no error. */
export function deleteItem(tables: Tables): Operation<DeleteItemInput, DeleteItemOutput> {
  return async (ctx, input) => {
    const tableName = checkReturns(input, 'key', input.Key);
    checkOldReturnValues(input.ReturnValues);
    const write = planDelete(input.Key as Item, input);
    const { table, old, units: written } = await commitWrite(tables, ctx, tableName, write);
    const units = new Units();
    units.addWrite(written);
    ctx.meter('WriteRequestUnits', units.total);
    const ConsumedCapacity = consumedCapacity(input.ReturnConsumedCapacity, table, units);
    const ItemCollectionMetrics = itemCollectionMetrics(input.ReturnItemCollectionMetrics, table, write);
    return {
      ...(input.ReturnValues === 'ALL_OLD' && old ? { Attributes: old.item as DeleteItemOutput['Attributes'] } : {}),
      ...(ConsumedCapacity ? { ConsumedCapacity } : {}),
      ...(ItemCollectionMetrics ? { ItemCollectionMetrics } : {}),
    };
  };
}
