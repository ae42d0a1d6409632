import type { ItemCollectionMetrics } from '@aws-sdk/client-dynamodb';
import { notImplemented } from '../../kit/errors.ts';
import type { Ctx } from '../service.ts';
import { Breath, turn } from './breath.ts';
import type { WriteUnits } from './domain/capacity.ts';
import { encodeRow } from './domain/encoding.ts';
import { type Place, placeOf, type Table } from './domain/table.ts';
import { applyWrite, checkWrite, type ItemWrite } from './domain/write.ts';
import { tableNotFound } from './errors.ts';
import { BREATH_BYTES, WRITE_UNIT_BYTES } from './limits.ts';
import { readItem, type StoredItem, type Tables, type Writing, writeItem } from './store.ts';

/** What a write found and left. */
export interface Written {
  readonly old: StoredItem | undefined;
  readonly next: StoredItem | undefined;
  readonly units: WriteUnits;
}

/** The table that an item operation names, once it is ACTIVE. Throws ResourceNotFoundException. */
export async function openTable(tables: Tables, ctx: Ctx, name: string): Promise<Table> {
  const table = await tables.find(ctx.account, ctx.region, name);
  if (table === undefined || ctx.platform.clock.virtual() < table.record.availableMs) throw tableNotFound();
  return table;
}

/** One write as its own transaction: read, condition, write, indexes, in one commit. */
export function commitWrite(tables: Tables, ctx: Ctx, tableName: string, write: ItemWrite): Promise<Written & { table: Table }> {
  return commitPlanned(tables, ctx, tableName, () => write);
}

/** The same, of a write that only the table's keys make clear. */
export function commitPlanned(tables: Tables, ctx: Ctx, tableName: string, plan: (table: Table) => ItemWrite): Promise<Written & { table: Table }> {
  return tables.write(async () => {
    const table = await openTable(tables, ctx, tableName);
    const write = plan(table);
    checkWrite(table, write);
    const place = placeOf(table, write.key);
    const run = (writing: Writing) => {
      const written = runWrite(writing, table, place, write);
      meterWrite(ctx, written.units);
      return { table, ...written };
    };
    return { tables: [table], keys: [place.key], run };
  });
}

/** Inside the transaction of the write: its units are part of the commit. */
export function meterWrite(ctx: Ctx, { table, indexes }: WriteUnits, factor = 1): void {
  let units = table;
  for (const index of indexes.values()) units += index;
  ctx.meter('WriteRequestUnits', units * factor);
}

/** The write inside a transaction, `row` being a Put's item encoded already. Throws what the condition or the update refuses. */
export function runWrite(writing: Writing, table: Table, place: Place, write: ItemWrite, row?: Uint8Array): Written {
  const old = readItem(writing.tx, place);
  const applied = applyWrite(table, write, old);
  const next = applied && row ? { ...applied, row } : applied;
  if (write.action === 'ConditionCheck') {
    return { old, next: old, units: { table: Math.max(1, Math.ceil((old?.size ?? 0) / WRITE_UNIT_BYTES)), indexes: new Map() } };
  }
  return { old, next, units: writeItem(writing, table, place, old, next) };
}

/** The rows of large Puts, encoded in turns before their transaction, which may not pause. */
export async function encodedPuts(writes: readonly ItemWrite[], places: readonly Place[]): Promise<(Uint8Array | undefined)[]> {
  if (writes.reduce((sum, { size }) => sum + size, 0) <= BREATH_BYTES) return [];
  const rows: (Uint8Array | undefined)[] = [];
  const breath = new Breath();
  for (const [at, { action, key, size }] of writes.entries()) {
    rows.push(action === 'Put' ? encodeRow(key, size, (places[at] as Place).partitionKey) : undefined);
    if (breath.takes(size)) await turn();
  }
  return rows;
}

/** `ReturnItemCollectionMetrics: SIZE`, for tables with local indexes. The estimate is the smallest AWS gives. */
export function itemCollectionMetrics(wanted: string | undefined, table: Table, write: ItemWrite): ItemCollectionMetrics | undefined {
  if (wanted !== 'SIZE' || table.indexes.every((index) => index.global)) return undefined;
  const value = write.key[table.hash.name];
  return { ItemCollectionKey: { [table.hash.name]: value as never }, SizeEstimateRangeGB: [0, 1] };
}

/** Refuses parameters of the model that this room does not have. */
export function refuseParameters(operation: string, input: object, names: readonly string[]): void {
  for (const name of names) {
    if ((input as Record<string, unknown>)[name] !== undefined) throw notImplemented(`DynamoDB ${operation} with ${name}`);
  }
}
