import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, prefixEnd, readUint64, uint64 } from '../../kit/key.ts';
import { rowPartitionKey } from './domain/encoding.ts';
import type { Expiry, Table } from './domain/table.ts';
import { attributeOf, type Item } from './domain/value.ts';
import { BREATH_BYTES, EXPIRED_ITEMS_PER_STEP, EXPIRY_AGE_S_MAX, EXPIRY_EVERY_MS } from './limits.ts';
import { itemInEntry, readItem, type Tables, type Writing, writeItem } from './store.ts';

/** Bus target of the sweep of one table. */
export const EXPIRE_TARGET = 'dynamodb:expire';

export interface ExpirePayload {
  readonly account: string;
  readonly region: string;
  readonly tableName: string;
  readonly tableId: string;
  readonly number: number;
  /** A sweep that is not the one {@link Expiry.nextKey} names has been overtaken by an earlier one. */
  readonly dueMs: number;
}

const SECOND_BYTES = 8;
const THERE = Buffer.from([1]);

/** The second in which an item expires; undefined for an item that does not. Five years after, it is taken for no time at all. */
export function expirySecond(expiry: Expiry, item: Item, nowMs: number): number | undefined {
  const text = attributeOf(item, expiry.attribute)?.N;
  const second = text === undefined ? Number.NaN : Math.floor(Number(text));
  return Number.isSafeInteger(second) && second > 0 && second > nowMs / 1000 - EXPIRY_AGE_S_MAX ? second : undefined;
}

/** Keeps the index of what expires, in the commit of the item, and sees to it that a sweep comes in time. */
export function indexExpiry(writing: Writing, table: Table, expiry: Expiry, placeKey: Key, old: Item | undefined, next: Item | undefined): void {
  const { tx, nowMs } = writing;
  const suffix = placeKey.slice(table.itemPrefix.length);
  // The old item may have become five years too old since its entry was made.
  const before = old && expirySecond(expiry, old, 0);
  const after = next && expirySecond(expiry, next, nowMs);
  // An unchanged time has its entry, or gets it from the backfill.
  if (before === after) return;
  if (before !== undefined) tx.delete(expiry.prefix + uint64(before) + suffix);
  if (after === undefined) return;
  tx.put(expiry.prefix + uint64(after) + suffix, THERE);
  scheduleSweep(writing, table, expiry, after);
}

function scheduleSweep(writing: Writing, table: Table, expiry: Expiry, second: number): void {
  const { tx, nowMs } = writing;
  const dueMs = sweepAfter(Math.max(second * 1000, nowMs));
  const known = tx.get(expiry.nextKey);
  if (known !== undefined && decodeJson<number>(known) <= dueMs) return;
  tx.put(expiry.nextKey, encodeJson(dueMs));
  const { account, region, name, id } = table.record;
  const payload: ExpirePayload = { account, region, tableName: name, tableId: id, number: expiry.number, dueMs };
  writing.later({ target: EXPIRE_TARGET, account, region, payload, dueMs });
}

/** Sweeps come at whole minutes: the first one after `ms`. */
function sweepAfter(ms: number): number {
  return (Math.floor(ms / EXPIRY_EVERY_MS) + 1) * EXPIRY_EVERY_MS;
}

/** Removes up to a step's worth of expired items of a table; true where more may be left. */
export async function expireStep(tables: Tables, payload: ExpirePayload): Promise<boolean> {
  const found = await tables.reload(payload.account, payload.region, payload.tableName);
  // The table was deleted, or its time to live switched off: there is nothing to do.
  if (found?.record.id !== payload.tableId || found.expiry?.number !== payload.number) return false;
  return tables.write(async () => {
    const table = (await tables.reload(payload.account, payload.region, payload.tableName)) ?? found;
    const { expiry } = table;
    return {
      tables: [table],
      keys: expiry ? [expiry.nextKey] : [],
      run: (writing) => (expiry?.number === payload.number ? sweep(writing, table, expiry, payload) : false),
    };
  });
}

function sweep(writing: Writing, table: Table, expiry: Expiry, { dueMs }: ExpirePayload): boolean {
  const { tx, nowMs } = writing;
  const next = tx.get(expiry.nextKey);
  if (next === undefined || decodeJson<number>(next) !== dueMs) return false;
  const page = tx.range({ from: expiry.prefix, to: expiry.prefix + uint64(Math.floor(nowMs / 1000)), limit: EXPIRED_ITEMS_PER_STEP });
  let bytes = 0;
  for (const [key] of page.entries) {
    if (bytes > BREATH_BYTES) return true;
    const second = Number(readUint64(key, expiry.prefix.length));
    const placeKey = table.itemPrefix + key.slice(expiry.prefix.length + SECOND_BYTES);
    const row = tx.get(placeKey);
    tx.delete(key);
    if (row === undefined) continue;
    bytes += row.length;
    const place = { key: placeKey, partitionKey: rowPartitionKey(row) };
    const old = readItem(tx, place);
    if (old && expirySecond(expiry, old.item, nowMs) === second) writeItem(writing, table, place, old, undefined, true);
  }
  if (page.more) return true;
  tx.delete(expiry.nextKey);
  const later = tx.range({ from: expiry.prefix, to: expiry.nextKey, limit: 1 }).entries[0];
  if (later) scheduleSweep(writing, table, expiry, Number(readUint64(later[0], expiry.prefix.length)));
  return false;
}

/** Enters up to `limit` items after the row `after` into a new expiry index. Returns the last row's key, or undefined at the end. */
export function backfillExpiry(tables: Tables, table: Table, expiry: Expiry, after: Key | undefined, limit: number): Promise<Key | undefined> {
  return tables.write(async () => ({
    tables: [table],
    keys: [],
    run: (writing) => {
      const page = writing.tx.range({ from: after === undefined ? table.itemPrefix : `${after}\x00`, to: prefixEnd(table.itemPrefix), limit });
      for (const entry of page.entries) indexExpiry(writing, table, expiry, entry[0], undefined, itemInEntry(entry).item);
      return page.more ? page.entries.at(-1)?.[0] : undefined;
    },
  }));
}
