import type { DeleteItemInput, DeleteItemOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import type { Item } from '../domain/value.ts';
import { planDelete } from '../domain/write.ts';
import type { Tables } from '../store.ts';
import { checkOldReturnValues, checkReturns, commitWhole } from './put-item.ts';

/** "DeleteItem": deletes one item; that there is none is no error. */
export function deleteItem(tables: Tables): Operation<DeleteItemInput, DeleteItemOutput> {
  return async (ctx, input) => {
    const tableName = checkReturns(input, 'key', input.Key);
    checkOldReturnValues(input.ReturnValues);
    const write = planDelete(input.Key as Item, input);
    return commitWhole(tables, ctx, tableName, write, input);
  };
}
