import type { ItemCollectionMetrics } from '@aws-sdk/client-dynamodb';
import { notImplemented } from '../../kit/errors.ts';
import type { Ctx } from '../service.ts';
import type { WriteUnits } from './domain/capacity.ts';
import { type Place, placeOf, type Table } from './domain/table.ts';
import { applyWrite, checkWrite, type ItemWrite } from './domain/write.ts';
import { tableNotFound } from './errors.ts';
import { WRITE_UNIT_BYTES } from './limits.ts';
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
    return { tables: [table], keys: [place.key], run: (writing) => ({ table, ...runWrite(writing, table, place, write) }) };
  });
}

/** The write inside a transaction. Throws what the condition or the update refuses. */
export function runWrite(writing: Writing, table: Table, place: Place, write: ItemWrite): Written {
  const old = readItem(writing.tx, place);
  const next = applyWrite(table, write, old);
  if (write.action === 'ConditionCheck') {
    return { old, next: old, units: { table: Math.max(1, Math.ceil((old?.size ?? 0) / WRITE_UNIT_BYTES)), indexes: new Map() } };
  }
  return { old, next, units: writeItem(writing, table, place, old, next) };
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
