import type { BatchWriteItemInput, BatchWriteItemOutput, ItemCollectionMetrics, WriteRequest } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { consumedCapacity, Units, type WriteUnits } from '../domain/capacity.ts';
import { Constraints, nameInArn, RETURN_CONSUMED_CAPACITY, RETURN_ITEM_COLLECTION_METRICS } from '../domain/constraints.ts';
import { checkKeyPiece, placeOf, type Table } from '../domain/table.ts';
import type { Item } from '../domain/value.ts';
import { checkWrite, type ItemWrite, planDelete, planPut } from '../domain/write.ts';
import { validation } from '../errors.ts';
import { itemCollectionMetrics, openTable, runWrite } from '../items.ts';
import { BATCH_WRITE_REQUESTS_MAX } from '../limits.ts';
import type { Tables } from '../store.ts';

interface TableWrites {
  readonly named: string;
  readonly writes: readonly ItemWrite[];
}

/** "BatchWriteItem": up to 25 puts and deletes; here they are one commit, where AWS promises only each by itself. */
export function batchWriteItem(tables: Tables): Operation<BatchWriteItemInput, BatchWriteItemOutput> {
  return async (ctx, input) => {
    checkInput(input);
    const plans: TableWrites[] = Object.entries(input.RequestItems ?? {}).map(([named, requests]) => ({ named, writes: requests.map(planRequest) }));
    if (plans.reduce((sum, { writes }) => sum + writes.length, 0) > BATCH_WRITE_REQUESTS_MAX) {
      throw validation('Too many items requested for the BatchWriteItem call');
    }
    const written = await tables.write(async () => {
      const found: { table: Table; writes: readonly ItemWrite[] }[] = [];
      for (const { named, writes } of plans) found.push({ table: await openTable(tables, ctx, nameInArn(named)), writes });
      for (const { table, writes } of found) for (const write of writes) checkBatchWrite(table, write);
      const places = found.map(({ table, writes }) => writes.map((write) => placeOf(table, write.key)));
      const keys = places.flat().map((place) => place.key);
      if (new Set(keys).size !== keys.length) throw validation('Provided list of item keys contains duplicates');
      return {
        tables: found.map(({ table }) => table),
        keys,
        run: (writing) =>
          found.map(({ table, writes }, at) => ({
            table,
            units: writes.map((write, position): WriteUnits => runWrite(writing, table, (places[at] as (typeof places)[0])[position] as never, write).units),
          })),
      };
    });
    return answer(input, plans, written, (units) => ctx.meter('WriteRequestUnits', units));
  };
}

/** Of a key that is missing or of another type, a batch says less than PutItem. */
function checkBatchWrite(table: Table, write: ItemWrite): void {
  for (const attribute of table.range ? [table.hash, table.range] : [table.hash]) checkKeyPiece(write.key, attribute, attribute === table.hash);
  checkWrite(table, write);
}

function answer(
  input: BatchWriteItemInput,
  plans: readonly TableWrites[],
  written: readonly { table: Table; units: readonly WriteUnits[] }[],
  meter: (units: number) => void,
): BatchWriteItemOutput {
  const capacities = [];
  const collections: Record<string, ItemCollectionMetrics[]> = {};
  for (const [at, { table, units: each }] of written.entries()) {
    const units = new Units();
    for (const one of each) units.addWrite(one);
    meter(units.total);
    const capacity = consumedCapacity(input.ReturnConsumedCapacity, table, units);
    if (capacity) capacities.push(capacity);
    const plan = plans[at];
    const metrics = plan?.writes.map((write) => itemCollectionMetrics(input.ReturnItemCollectionMetrics, table, write)).filter((one) => one !== undefined);
    if (plan && metrics && metrics.length > 0) collections[plan.named] = metrics;
  }
  return {
    UnprocessedItems: {},
    ...(Object.keys(collections).length > 0 ? { ItemCollectionMetrics: collections } : {}),
    ...(capacities.length > 0 ? { ConsumedCapacity: capacities } : {}),
  };
}

function checkInput(input: BatchWriteItemInput): void {
  const requested = input.RequestItems ?? {};
  if (Object.keys(requested).length === 0) throw validation('The requestItems parameter is required for BatchWriteItem');
  const constraints = new Constraints();
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constraints.oneOf('returnItemCollectionMetrics', input.ReturnItemCollectionMetrics, RETURN_ITEM_COLLECTION_METRICS);
  for (const named of Object.keys(requested)) constraints.name(`requestItems.${named}`, nameInArn(named), 1);
  if (Object.values(requested).some((requests) => requests.length < 1 || requests.length > BATCH_WRITE_REQUESTS_MAX)) {
    constraints.fail(
      'requestItems',
      requested,
      `Map value must satisfy constraint: [Member must have length less than or equal to ${BATCH_WRITE_REQUESTS_MAX}, Member must have length greater than or equal to 1]`,
    );
  }
  constraints.check();
}

function planRequest({ PutRequest, DeleteRequest }: WriteRequest): ItemWrite {
  if ((PutRequest === undefined) === (DeleteRequest === undefined)) {
    throw validation('Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes');
  }
  const constraints = new Constraints();
  if (PutRequest) constraints.required('requestItems.member.putRequest.item', PutRequest.Item);
  if (DeleteRequest) constraints.required('requestItems.member.deleteRequest.key', DeleteRequest.Key);
  constraints.check();
  return PutRequest ? planPut(PutRequest.Item as Item, {}) : planDelete(DeleteRequest?.Key as Item, {});
}
