import type { BatchGetItemInput, BatchGetItemOutput, KeysAndAttributes } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { Breath, turn } from '../breath.ts';
import { consumedCapacity, readUnits, Units } from '../domain/capacity.ts';
import { ATTRIBUTES_TO_GET_MAX, Constraints, nameInArn, RETURN_CONSUMED_CAPACITY } from '../domain/constraints.ts';
import { nestedHeadsOf, type Projected } from '../domain/projected.ts';
import { checkKey, checkNestedPaths, type Place, placeOf, type Table } from '../domain/table.ts';
import { checkItem, equalItems, type Item } from '../domain/value.ts';
import { validation } from '../errors.ts';
import { openTable } from '../items.ts';
import { BATCH_GET_BYTES_MAX, BATCH_GET_KEYS_MAX } from '../limits.ts';
import { itemInRow, type Tables } from '../store.ts';
import { planProjection } from './get-item.ts';

interface Wanted {
  readonly named: string;
  readonly request: KeysAndAttributes;
  readonly projected: Projected | undefined;
  readonly table: Table;
  readonly places: readonly Place[];
}

/** "BatchGetItem": up to 100 items of several tables, in one read of the store; what passes 16 MB is left unprocessed. */
export function batchGetItem(tables: Tables): Operation<BatchGetItemInput, BatchGetItemOutput> {
  return async (ctx, input) => {
    checkInput(input);
    const plans = Object.entries(input.RequestItems ?? {}).map(([named, request]) => ({ named, request, projected: planRequest(request) }));
    checkCount(input);
    const wanted: Wanted[] = [];
    for (const plan of plans) {
      const table = await openTable(tables, ctx, nameInArn(plan.named));
      const keys = plan.request.Keys as Item[];
      for (const key of keys) checkKey(table, key);
      checkNestedPaths(table, nestedHeadsOf(plan.projected));
      wanted.push({ ...plan, table, places: keys.map((key) => placeOf(table, key)) });
    }
    const rows = await tables.store.getMany(wanted.flatMap(({ places }) => places.map((place) => place.key)));
    return answer(input, wanted, rows, (units) => ctx.meter('ReadRequestUnits', units));
  };
}

async function answer(
  input: BatchGetItemInput,
  wanted: readonly Wanted[],
  rows: readonly (Uint8Array | undefined)[],
  meter: (units: number) => void,
): Promise<BatchGetItemOutput> {
  const breath = new Breath();
  const responses: Record<string, Item[]> = {};
  const unprocessed: Record<string, KeysAndAttributes> = {};
  const capacities = [];
  let bytes = 0;
  let at = 0;
  for (const { named, request, projected, table, places } of wanted) {
    const items: Item[] = [];
    const left: NonNullable<KeysAndAttributes['Keys']> = [];
    const units = new Units();
    for (const [position, place] of places.entries()) {
      const stored = itemInRow(rows[at++], place);
      if (breath.takes(stored?.size ?? 0)) await turn();
      if (bytes + (stored?.size ?? 0) > BATCH_GET_BYTES_MAX) {
        left.push((request.Keys ?? [])[position] ?? {});
        continue;
      }
      bytes += stored?.size ?? 0;
      units.table += readUnits(stored?.size ?? 0, request.ConsistentRead);
      if (stored) items.push(projected ? projected.apply(stored.item) : stored.item);
    }
    responses[named] = items;
    if (left.length > 0) unprocessed[named] = { ...request, Keys: left };
    meter(units.total);
    const capacity = consumedCapacity(input.ReturnConsumedCapacity, table, units);
    if (capacity) capacities.push(capacity);
  }
  return {
    Responses: responses as BatchGetItemOutput['Responses'],
    UnprocessedKeys: unprocessed,
    ...(capacities.length > 0 ? { ConsumedCapacity: capacities } : {}),
  };
}

function checkInput(input: BatchGetItemInput): void {
  if (Object.keys(input.RequestItems ?? {}).length === 0) throw validation('The requestItems parameter is required for BatchGetItem');
  const constraints = new Constraints();
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  for (const [named, request] of Object.entries(input.RequestItems ?? {})) {
    constraints.name(`requestItems.${named}`, nameInArn(named), 1);
    if (constraints.required(`requestItems.${named}.member.keys`, request.Keys)) constraints.length(`requestItems.${named}.member.keys`, request.Keys, 1);
    constraints.length(`requestItems.${named}.member.attributesToGet`, request.AttributesToGet, 1, ATTRIBUTES_TO_GET_MAX);
  }
  constraints.check();
  for (const [named, request] of Object.entries(input.RequestItems ?? {})) {
    if ((request.Keys?.length ?? 0) > BATCH_GET_KEYS_MAX) {
      throw validation(
        `1 validation error detected: Value at 'RequestItems.${named}.member.Keys' failed to satisfy constraint: Member must have length less than or equal to ${BATCH_GET_KEYS_MAX}`,
      );
    }
  }
}

function planRequest(request: KeysAndAttributes): Projected | undefined {
  return planProjection(request, () => {
    for (const key of request.Keys ?? []) checkItem(key as Item);
    checkDuplicates((request.Keys ?? []) as Item[]);
  });
}

function checkCount(input: BatchGetItemInput): void {
  const count = Object.values(input.RequestItems ?? {}).reduce((sum, request) => sum + (request.Keys?.length ?? 0), 0);
  if (count > BATCH_GET_KEYS_MAX) throw validation('Too many items requested for the BatchGetItem call');
}

function checkDuplicates(keys: readonly Item[]): void {
  keys.forEach((key, at) => {
    if (keys.slice(0, at).some((other) => equalItems(other, key))) throw validation('Provided list of item keys contains duplicates');
  });
}
