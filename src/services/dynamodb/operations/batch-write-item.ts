import type { BatchWriteItemInput, BatchWriteItemOutput, ItemCollectionMetrics, WriteRequest } from '@aws-sdk/client-dynamodb';
import type { Ctx, Operation } from '../../service.ts';
import { Breath, turn } from '../breath.ts';
import { consumedCapacity, Units } from '../domain/capacity.ts';
import { Constraints, nameInArn, RETURN_CONSUMED_CAPACITY, RETURN_ITEM_COLLECTION_METRICS } from '../domain/constraints.ts';
import { checkKeyPiece, placeOf, type Table } from '../domain/table.ts';
import type { Item } from '../domain/value.ts';
import { checkWrite, type ItemWrite, planDelete, planPut } from '../domain/write.ts';
import { validation } from '../errors.ts';
import { itemCollectionMetrics, meterWrite, openTable, runWrite } from '../items.ts';
import { BATCH_WRITE_REQUESTS_MAX, BREATH_BYTES } from '../limits.ts';
import type { Tables } from '../store.ts';

interface TableWrites {
  readonly named: string;
  readonly writes: readonly ItemWrite[];
}

/**
 * "BatchWriteItem": up to 25 puts and deletes. AWS promises only each by itself; here they are one commit as long as they are small,
 * and several where encoding all at once would hold everyone else up.
 */
export function batchWriteItem(tables: Tables): Operation<BatchWriteItemInput, BatchWriteItemOutput> {
  return async (ctx, input) => {
    checkInput(input);
    const breath = new Breath();
    const plans: TableWrites[] = [];
    for (const [named, requests] of Object.entries(input.RequestItems ?? {})) {
      const writes: ItemWrite[] = [];
      for (const request of requests) {
        const write = planRequest(request);
        writes.push(write);
        if (breath.takes(write.size)) await turn();
      }
      plans.push({ named, writes });
    }
    if (plans.reduce((sum, { writes }) => sum + writes.length, 0) > BATCH_WRITE_REQUESTS_MAX) {
      throw validation('Too many items requested for the BatchWriteItem call');
    }
    await checkWrites(tables, ctx, plans);
    const written = new Map<TableWrites, Written>();
    for (const group of groupsOf(plans)) await commitGroup(tables, ctx, group, written);
    return answer(input, plans, written);
  };
}

/** What the writes to one table took. */
interface Written {
  table: Table;
  readonly units: Units;
}

interface GroupedWrite {
  readonly plan: TableWrites;
  readonly write: ItemWrite;
}

/** Nothing is written before everything is found right. */
async function checkWrites(tables: Tables, ctx: Ctx, plans: readonly TableWrites[]): Promise<void> {
  const found: { table: Table; writes: readonly ItemWrite[] }[] = [];
  for (const { named, writes } of plans) found.push({ table: await openTable(tables, ctx, nameInArn(named)), writes });
  for (const { table, writes } of found) for (const write of writes) checkBatchWrite(table, write);
  const keys = found.flatMap(({ table, writes }) => writes.map((write) => placeOf(table, write.key).key));
  if (new Set(keys).size !== keys.length) throw validation('Provided list of item keys contains duplicates');
}

/** The writes in groups of so many bytes as may be encoded in one turn, at least one write each. */
function groupsOf(plans: readonly TableWrites[]): GroupedWrite[][] {
  const groups: GroupedWrite[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const plan of plans) {
    for (const write of plan.writes) {
      if (bytes + write.size > BREATH_BYTES) {
        groups.push([]);
        bytes = 0;
      }
      groups.at(-1)?.push({ plan, write });
      bytes += write.size;
    }
  }
  return groups;
}

async function commitGroup(tables: Tables, ctx: Ctx, group: readonly GroupedWrite[], written: Map<TableWrites, Written>): Promise<void> {
  const done = await tables.write(async () => {
    const found = new Map<TableWrites, Table>();
    for (const { plan } of group) if (!found.has(plan)) found.set(plan, await openTable(tables, ctx, nameInArn(plan.named)));
    const placed = group.map(({ plan, write }) => {
      const table = found.get(plan) as Table;
      checkBatchWrite(table, write);
      return { plan, write, table, place: placeOf(table, write.key) };
    });
    return {
      tables: [...found.values()],
      keys: placed.map(({ place }) => place.key),
      run: (writing) =>
        placed.map(({ plan, write, table, place }) => {
          const { units } = runWrite(writing, table, place, write);
          meterWrite(ctx, units);
          return { plan, table, units };
        }),
    };
  });
  for (const { plan, table, units } of done) {
    const sum = written.get(plan) ?? { table, units: new Units() };
    sum.table = table;
    sum.units.addWrite(units);
    written.set(plan, sum);
  }
}

/** Of a key that is missing or of another type, a batch says less than PutItem. */
function checkBatchWrite(table: Table, write: ItemWrite): void {
  for (const attribute of table.range ? [table.hash, table.range] : [table.hash]) checkKeyPiece(write.key, attribute, attribute === table.hash);
  checkWrite(table, write);
}

function answer(input: BatchWriteItemInput, plans: readonly TableWrites[], written: ReadonlyMap<TableWrites, Written>): BatchWriteItemOutput {
  const capacities = [];
  const collections: Record<string, ItemCollectionMetrics[]> = {};
  for (const plan of plans) {
    const { table, units } = written.get(plan) as Written;
    const capacity = consumedCapacity(input.ReturnConsumedCapacity, table, units);
    if (capacity) capacities.push(capacity);
    const metrics = plan.writes.map((write) => itemCollectionMetrics(input.ReturnItemCollectionMetrics, table, write)).filter((one) => one !== undefined);
    if (metrics.length > 0) collections[plan.named] = metrics;
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
