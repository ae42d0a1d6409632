import type { Delivery } from '../../bus/bus.ts';
import { assert } from '../../kit/errors.ts';
import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd } from '../../kit/key.ts';
import type { Declaration, Entry, KeyRange, Store, Tx } from '../../store/store.ts';
import type { Platform } from '../service.ts';
import type { WriteUnits } from './domain/capacity.ts';
import { encodeRow, rowItem, rowPartitionKey, rowSize } from './domain/encoding.ts';
import {
  accountTablesPrefix,
  compileTable,
  encodeGeneration,
  generationKey,
  type Index,
  indexPlaceOf,
  indexPrefix,
  type Place,
  projectedItem,
  recordKey,
  type Table,
  type TableRecord,
  tableKeyPrefix,
} from './domain/table.ts';
import { equalItems, type Item, itemSize } from './domain/value.ts';
import { indexExpiry } from './expiry.ts';
import { CACHED_TABLES_MAX, TABLE_CHANGE_RETRIES_MAX, WRITE_UNIT_BYTES } from './limits.ts';
import { appendChange } from './streams/store.ts';

/** The table changed between the plan of a transaction and its run: plan again. */
class TableChanged extends Error {}

/** An item as the store has it. */
export interface StoredItem {
  /** Its row, where it was read from one. */
  readonly row?: Uint8Array;
  readonly item: Item;
  /** Bytes as AWS counts them. */
  readonly size: number;
}

/** A change of a table's record: the new one, or `undefined` to delete it. */
export interface TableChange<T> {
  readonly next: TableRecord | undefined;
  readonly result: T;
}

/** Everything of this room that touches the store. */
export interface Tables {
  /** The table, or undefined. Descriptions are remembered until any table's record changes. */
  find(account: string, region: string, name: string): Promise<Table | undefined>;
  /** The table as the store has it now: for work that a change of the table has caused, and that must see it. */
  reload(account: string, region: string, name: string): Promise<Table | undefined>;
  /** Names after `after` in order; `more` where there are others. */
  names(account: string, region: string, after: string | undefined, limit: number): Promise<{ names: string[]; more: boolean }>;
  /** Changes a table's record in one transaction. `change` is pure and may run again. */
  change<T>(account: string, region: string, name: string, change: (record: TableRecord | undefined, tx: Tx) => TableChange<T>): Promise<T>;
  /**
   * Runs `plan`, then its transaction, in which the tables it was planned with are checked to be still the same;
   * where they are not, all of it again.
   */
  write<T>(plan: () => Promise<{ tables: readonly Table[]; keys: readonly Key[]; run: (writing: Writing) => T }>, commitId?: string): Promise<T>;
  /**
   * Notes that the table is to be made for `token`, unless it is there already and was not; false then. A stack operation that is
   * tried again knows its own table by it.
   */
  claim(account: string, region: string, name: string, token: string): Promise<boolean>;
  /** Items and bytes of the table and of its indexes, by index name. */
  counts(table: Table): Promise<{ table: Counts; indexes: Map<string, Counts> }>;
  readonly store: Store;
}

/** What a writing transaction has beside the store's: the time, and what is to be done later in its wake. */
export interface Writing {
  readonly tx: Tx;
  readonly nowMs: number;
  /** Enqueues work of this room, in the commit. */
  later(delivery: Omit<Delivery, 'trace'>): void;
}

/** What {@link Tables} stands on. */
export type Host = Pick<Platform, 'store' | 'clock' | 'bus'>;

/** Operations are made before the store is open; {@link open} comes first of all calls. */
export interface OpenableTables extends Tables {
  open(host: Host): void;
}

export interface Counts {
  readonly items: number;
  readonly bytes: number;
}

export function createTables(): OpenableTables {
  let opened: Host | undefined;
  const cache = new Map<Key, Table>();
  /** A read that began before a change must not be remembered after it. */
  let epoch = 0;
  const hostNow = (): Host => {
    assert(opened, 'the room is started before it is called');
    return opened;
  };
  const storeNow = (): Store => hostNow().store;

  const reload = async (account: string, region: string, name: string): Promise<Table | undefined> => {
    const key = recordKey(account, region, name);
    const startedAt = epoch;
    const value = await storeNow().get(key);
    if (value === undefined) return undefined;
    const table = compileTable(decodeJson<TableRecord>(value));
    if (epoch === startedAt) {
      if (cache.size >= CACHED_TABLES_MAX) cache.clear();
      cache.set(key, table);
    }
    return table;
  };

  const find = (account: string, region: string, name: string): Promise<Table | undefined> => {
    const known = cache.get(recordKey(account, region, name));
    return known ? Promise.resolve(known) : reload(account, region, name);
  };

  return {
    reload,
    open(host) {
      opened = host;
      host.store.watch(tableKeyPrefix(), () => {
        epoch++;
        cache.clear();
      });
    },
    get store() {
      return storeNow();
    },
    find,
    claim: (account, region, name, token) => claimName(storeNow(), account, region, name, token),
    names: (account, region, after, limit) => tableNames(storeNow(), account, region, after, limit),
    change: (account, region, name, change) => changeRecord(storeNow(), account, region, name, change),
    counts: (table) => readCounts(storeNow(), table),
    async write(plan, commitId) {
      for (let attempt = 1; ; attempt++) {
        const { tables, keys, run } = await plan();
        const { store, clock, bus } = hostNow();
        const nowMs = clock.virtual();
        const declaration: Declaration = { keys, reads: tables.flatMap(readWith), ...(commitId === undefined ? {} : { commitId }) };
        try {
          return await store.transact(declaration, (tx) => {
            for (const table of tables) checkGeneration(tx, table);
            return run({ tx, nowMs, later: (delivery) => bus.enqueue(tx, delivery) });
          });
        } catch (error) {
          if (!(error instanceof TableChanged) || attempt >= TABLE_CHANGE_RETRIES_MAX) throw error;
          epoch++;
          cache.clear();
        }
      }
    },
  };
}

function claimName(store: Store, account: string, region: string, name: string, token: string): Promise<boolean> {
  const key = recordKey(account, region, name);
  const claimKey = keyOf('ddb', 'claim', account, region, name);
  return store.transact({ keys: [claimKey], reads: [key] }, (tx) => {
    const claimed = tx.get(claimKey);
    if (tx.get(key) !== undefined) return claimed !== undefined && decodeJson<string>(claimed) === token;
    tx.put(claimKey, encodeJson(token));
    return true;
  });
}

async function tableNames(store: Store, account: string, region: string, after: string | undefined, limit: number): ReturnType<Tables['names']> {
  const prefix = accountTablesPrefix(account, region);
  const from = after === undefined ? prefix : `${recordKey(account, region, after)}\x00`;
  const page = await store.range({ from, to: prefixEnd(prefix), limit });
  return { names: page.entries.map(([, value]) => decodeJson<TableRecord>(value).name), more: page.more };
}

function changeRecord<T>(
  store: Store,
  account: string,
  region: string,
  name: string,
  change: (record: TableRecord | undefined, tx: Tx) => TableChange<T>,
): Promise<T> {
  const key = recordKey(account, region, name);
  const generation = generationKey(account, region, name);
  return store.transact({ keys: [key, generation] }, (tx) => {
    const value = tx.get(key);
    const record = value && decodeJson<TableRecord>(value);
    const { next, result } = change(record, tx);
    if (next === undefined) {
      if (record !== undefined) {
        tx.delete(key);
        tx.delete(generation);
      }
    } else if (next !== record) {
      const kept = { ...next, generation: next.generation + 1 };
      tx.put(key, encodeJson(kept));
      tx.put(generation, encodeGeneration(kept));
    }
    return result;
  });
}

async function readCounts(store: Store, table: Table): ReturnType<Tables['counts']> {
  const scopes = [table.itemPrefix, ...table.indexes.map((index) => index.prefix)];
  const values = await store.getMany(scopes.flatMap((scope) => [counterKey(table, scope, 'items'), counterKey(table, scope, 'bytes')]));
  const countsAt = (at: number): Counts => ({ items: counter(values[2 * at]), bytes: counter(values[2 * at + 1]) });
  return { table: countsAt(0), indexes: new Map(table.indexes.map((index, at) => [index.name, countsAt(at + 1)])) };
}

/** What every write of a table reads. */
function readWith({ generationKey, stream, expiry }: Table): Key[] {
  return [generationKey, ...(stream ? [stream.trimKey] : []), ...(expiry ? [expiry.nextKey] : [])];
}

function checkGeneration(tx: Tx, table: Table): void {
  const value = tx.get(table.generationKey);
  if (value === undefined || Buffer.compare(value, table.generation) !== 0) throw new TableChanged('the table changed meanwhile');
}

/** Counters are of the table's own key space, so that they go with it. */
function counterKey(table: Table, scope: Key, what: 'items' | 'bytes'): Key {
  return `${table.prefix}\xff\xff${scope.slice(-2)}${what}`;
}

function counter(value: Uint8Array | undefined): number {
  return value === undefined ? 0 : Number(Buffer.from(value.buffer, value.byteOffset, value.byteLength).readBigInt64BE());
}

/** A row whose item is read when it is asked for: a write without condition or index needs only its size. */
class RowItem implements StoredItem {
  readonly row: Uint8Array;
  #item: Item | undefined;

  constructor(row: Uint8Array) {
    this.row = row;
  }

  get size(): number {
    return rowSize(this.row);
  }

  get item(): Item {
    this.#item ??= rowItem(this.row);
    return this.#item;
  }
}

/** The item in a row, unless the row is another partition key's of the same hash. */
export function itemInRow(row: Uint8Array | undefined, place: Place): StoredItem | undefined {
  if (row === undefined || rowPartitionKey(row) !== place.partitionKey) return undefined;
  return new RowItem(row);
}

/** The item in a row that a scan or query of one partition came by. */
export function itemInEntry([, row]: Entry): StoredItem {
  return new RowItem(row);
}

export function partitionKeyInEntry([, row]: Entry): Key {
  return rowPartitionKey(row);
}

/** The item at `place` in a transaction's view. Refuses to go on where another key's item has the same 128-bit hash. */
export function readItem(tx: Tx, place: Place): StoredItem | undefined {
  const row = tx.get(place.key);
  if (row === undefined) return undefined;
  const stored = itemInRow(row, place);
  // One in 2^128 with a secret salt: no item is overwritten by another's key, and no key is answered with another's item.
  if (stored === undefined) throw new Error('two partition keys have one hash');
  return stored;
}

/**
 * Every write of an item passes here: the item, its index entries, the counters and the stream record in one commit.
 * Returns the write units of each. `expired`: it is time to live that deletes.
 */
export function writeItem(
  writing: Writing,
  table: Table,
  place: Place,
  old: StoredItem | undefined,
  next: StoredItem | undefined,
  expired = false,
): WriteUnits {
  const { tx } = writing;
  const unitsOf = (size: number) => Math.max(1, Math.ceil(size / WRITE_UNIT_BYTES));
  const row = next && (next.row ?? encodeRow(next.item, next.size, place.partitionKey));
  if (row) tx.put(place.key, row);
  else if (old) tx.delete(place.key);
  count(tx, table, table.itemPrefix, old?.size, next?.size);
  if (table.stream) appendChange(writing, table, table.stream, old, next && { item: next.item, size: next.size, ...(row ? { row } : {}) }, expired);
  if (table.expiry) indexExpiry(writing, table, table.expiry, place.key, old?.item, next?.item);
  const indexes = new Map<Index, number>();
  for (const index of table.indexes) {
    const units = writeIndexEntry(tx, table, index, old, next, unitsOf);
    if (units > 0) indexes.set(index, units);
  }
  return { table: Math.max(unitsOf(old?.size ?? 0), unitsOf(next?.size ?? 0)), indexes };
}

function writeIndexEntry(
  tx: Tx,
  table: Table,
  index: Index,
  old: StoredItem | undefined,
  next: StoredItem | undefined,
  unitsOf: (size: number) => number,
): number {
  const before = old && indexEntry(table, index, old);
  const after = next && indexEntry(table, index, next);
  if (before === undefined && after === undefined) return 0;
  if (before && after && before.place.key === after.place.key) {
    if (equalItems(before.stored.item, after.stored.item)) return 0;
    tx.put(after.place.key, encodeRow(after.stored.item, after.stored.size, after.place.partitionKey));
    count(tx, table, index.prefix, before.stored.size, after.stored.size);
    return Math.max(unitsOf(before.stored.size), unitsOf(after.stored.size));
  }
  if (before) tx.delete(before.place.key);
  if (after) tx.put(after.place.key, encodeRow(after.stored.item, after.stored.size, after.place.partitionKey));
  count(tx, table, index.prefix, before?.stored.size, after?.stored.size);
  return (before ? unitsOf(before.stored.size) : 0) + (after ? unitsOf(after.stored.size) : 0);
}

function indexEntry(table: Table, index: Index, stored: StoredItem): { place: Place; stored: StoredItem } | undefined {
  const place = indexPlaceOf(table, index, stored.item);
  if (place === undefined) return undefined;
  if (index.projected === undefined) return { place, stored };
  const item = projectedItem(index, stored.item);
  return { place, stored: { item, size: itemSize(item) } };
}

function count(tx: Tx, table: Table, scope: Key, before: number | undefined, after: number | undefined): void {
  const items = (after === undefined ? 0 : 1) - (before === undefined ? 0 : 1);
  const bytes = (after ?? 0) - (before ?? 0);
  if (items !== 0) tx.add(counterKey(table, scope, 'items'), BigInt(items));
  if (bytes !== 0) tx.add(counterKey(table, scope, 'bytes'), BigInt(bytes));
}

/** Deletes up to `limit` rows of a key range; true where there is more. */
export function purgeRows(store: Store, range: KeyRange, limit: number): Promise<boolean> {
  return store.transact({}, (tx) => {
    const page = tx.range({ ...range, limit });
    for (const [key] of page.entries) tx.delete(key);
    return page.more;
  });
}

/** All rows and counters of a table, to be purged. */
export function tableRows(record: TableRecord): KeyRange {
  const { prefix } = compileTable(record);
  return { from: prefix, to: prefixEnd(prefix) };
}

/** The rows of one of a table's indexes, to be purged. */
export function indexRows(record: TableRecord, number: number): KeyRange {
  const prefix = indexPrefix(compileTable(record).prefix, number);
  return { from: prefix, to: prefixEnd(prefix) };
}

/**
 * Copies up to `limit` items after the row `after` into a new index. Items written meanwhile are in it already: writers know
 * the index from its creation on. Returns the last row's key, or undefined at the end.
 */
export function backfillRows(tables: Tables, table: Table, index: Index, after: Key | undefined, limit: number): Promise<Key | undefined> {
  const to = prefixEnd(table.itemPrefix);
  return tables.write(async () => ({
    tables: [table],
    keys: [],
    run: ({ tx }) => {
      const page = tx.range({ from: after === undefined ? table.itemPrefix : `${after}\x00`, to, limit });
      for (const entry of page.entries) {
        const made = indexEntry(table, index, itemInEntry(entry));
        if (made === undefined || tx.get(made.place.key) !== undefined) continue;
        tx.put(made.place.key, encodeRow(made.stored.item, made.stored.size, made.place.partitionKey));
        count(tx, table, index.prefix, undefined, made.stored.size);
      }
      return page.more ? page.entries.at(-1)?.[0] : undefined;
    },
  }));
}
