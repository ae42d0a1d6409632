import type { ConsumedCapacity } from '@aws-sdk/client-dynamodb';
import { type Key, prefixEnd } from '../../kit/key.ts';
import type { KeyRange } from '../../store/store.ts';
import type { Ctx } from '../service.ts';
import { Breath, turn } from './breath.ts';
import { consumedCapacity, readUnits, Units } from './domain/capacity.ts';
import type { Condition } from './domain/expression/condition.ts';
import { meets } from './domain/expression/evaluate.ts';
import { pageSize } from './domain/page-size.ts';
import type { Projected } from './domain/projected.ts';
import { type Index, indexPlaceOf, keyAttributesOf, placeOf, projectedItem, type Table } from './domain/table.ts';
import type { Item } from './domain/value.ts';
import { invalidParameter, validation } from './errors.ts';
import { PAGE_BYTES_MAX, READ_ROWS_PER_STEP } from './limits.ts';
import { itemInEntry, itemInRow, partitionKeyInEntry, type Tables } from './store.ts';

/** What Query and Scan have in common once each has found its key range. */
export interface PageRequest {
  readonly table: Table;
  readonly index: Index | undefined;
  readonly range: KeyRange;
  readonly reverse: boolean;
  /** Query: rows of another partition key under the same hash are passed over. */
  readonly partitionKey: Key | undefined;
  /** The row to go on after. */
  readonly after: Key | undefined;
  readonly limit: number | undefined;
  readonly filter: Condition | undefined;
  readonly projected: Projected | undefined;
  readonly select: string | undefined;
  readonly consistent: boolean | undefined;
  readonly returnCapacity: string | undefined;
}

export interface PageResult {
  Items?: Item[];
  Count: number;
  ScannedCount: number;
  LastEvaluatedKey?: Item;
  ConsumedCapacity?: ConsumedCapacity;
}

/** Reads one page: at most `limit` items or 1 MB before the filter, whichever comes first. */
export async function readPage(tables: Tables, ctx: Ctx, request: PageRequest): Promise<PageResult> {
  const { items, matched, scanned, last, units } = await readRange(tables, request);
  ctx.meter('ReadRequestUnits', units.total);
  const ConsumedCapacity = consumedCapacity(request.returnCapacity, request.table, units);
  return {
    ...(request.select === 'COUNT' ? {} : { Items: items }),
    Count: matched,
    ScannedCount: scanned,
    ...(last ? { LastEvaluatedKey: last } : {}),
    ...(ConsumedCapacity ? { ConsumedCapacity } : {}),
  };
}

/** What one reading of a key range found. */
export interface RangeResult {
  readonly items: Item[];
  readonly matched: number;
  readonly scanned: number;
  /** Bytes by which a page is full. */
  readonly pageBytes: number;
  /** The key to go on after, where the page was full. */
  readonly last: Item | undefined;
  readonly units: Units;
}

/** Reads one key range, up to a page. */
export async function readRange(tables: Tables, request: PageRequest): Promise<RangeResult> {
  const { table, index, filter, limit } = request;
  const items: Item[] = [];
  const fetchWhole = wantsWholeItems(request);
  let scanned = 0;
  let matched = 0;
  let bytes = 0;
  let pageBytes = 0;
  let tableUnits = 0;
  let last: Item | undefined;
  let more = true;
  const breath = new Breath();
  let { from, to } = after(request);
  while (more && last === undefined && from < to) {
    const wanted = Math.min(READ_ROWS_PER_STEP, limit === undefined ? READ_ROWS_PER_STEP : limit - scanned);
    const page = await tables.store.range({ from, to, reverse: request.reverse, limit: wanted, maxBytes: PAGE_BYTES_MAX });
    const found: Item[] = [];
    for (const entry of page.entries) {
      if (request.partitionKey !== undefined && partitionKeyInEntry(entry) !== request.partitionKey) continue;
      const stored = itemInEntry(entry);
      if (breath.takes(stored.size)) await turn();
      scanned++;
      bytes += stored.size;
      pageBytes += pageSize(stored.item, table.range?.name);
      found.push(stored.item);
      if (scanned === limit || pageBytes >= PAGE_BYTES_MAX) {
        last = stored.item;
        break;
      }
    }
    const whole = fetchWhole ? await wholeItems(tables, table, found) : { items: found, units: 0 };
    tableUnits += whole.units * (request.consistent ? 1 : 0.5);
    for (const item of whole.items) {
      if (filter && !meets(item, filter)) continue;
      matched++;
      if (request.select !== 'COUNT') items.push(request.projected ? request.projected.apply(item) : item);
    }
    more = page.more;
    const end = page.entries.at(-1)?.[0];
    if (end !== undefined) [from, to] = request.reverse ? [from, end] : [`${end}\x00`, to];
  }
  const units = new Units();
  const readBytes = readUnits(bytes, request.consistent);
  units.table = index ? tableUnits : readBytes;
  if (index) units.addIndex(index.global, index.name, readBytes);
  return { items, matched, scanned, pageBytes, last: last && keyAttributesOf(index?.keyNames ?? table.keyNames, last), units };
}

function after({ range, after: key, reverse }: PageRequest): { from: Key; to: Key } {
  if (key === undefined) return { from: range.from, to: range.to };
  if (reverse) return { from: range.from, to: key < range.to ? key : range.to };
  return { from: key >= range.from ? `${key}\x00` : range.from, to: range.to };
}

/** A local index answers attributes that it does not hold from the table. */
function wantsWholeItems({ index, projected, select }: PageRequest): boolean {
  if (!index || index.global || index.projected === undefined) return false;
  if (select === 'ALL_ATTRIBUTES') return true;
  return projected?.paths.some((path) => !index.projected?.has(path[0] as string)) ?? false;
}

async function wholeItems(tables: Tables, table: Table, found: readonly Item[]): Promise<{ items: Item[]; units: number }> {
  const places = found.map((item) => placeOf(table, item));
  const rows = await tables.store.getMany(places.map((place) => place.key));
  const items: Item[] = [];
  let units = 0;
  rows.forEach((row, at) => {
    const place = places[at];
    const stored = place && itemInRow(row, place);
    if (!stored) return;
    items.push(stored.item);
    units += readUnits(stored.size, true);
  });
  return { items, units };
}

/** The row that an ExclusiveStartKey stands for, which need not exist any more. */
export function rowOfStartKey(table: Table, index: Index | undefined, key: Item): Key {
  const place = index ? indexPlaceOf(table, index, projectedItem(index, key)) : placeOf(table, key);
  if (place === undefined) throw validation('The provided starting key is invalid');
  return place.key;
}

export function indexNamed(table: Table, name: string | undefined, consistent: boolean | undefined): Index | undefined {
  if (name === undefined) return undefined;
  const index = table.indexes.find((candidate) => candidate.name === name);
  if (index === undefined) throw validation(`The table does not have the specified index: ${name}`);
  if (index.global && consistent) throw validation('Consistent reads are not supported on global secondary indexes');
  if (index.record.status !== 'ACTIVE') {
    throw validation(`Cannot read from backfilling global secondary index: ${name}`);
  }
  return index;
}

/** `Select`, and what it does not go together with. */
export function checkSelect(
  select: string | undefined,
  indexName: string | undefined,
  projection: string | undefined,
  legacy: readonly string[] | undefined,
): void {
  const named = projection !== undefined ? 'ProjectionExpression' : legacy !== undefined ? 'AttributesToGet' : undefined;
  if (select === 'SPECIFIC_ATTRIBUTES') {
    if (!named) throw validation('Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES');
    return;
  }
  if (select === undefined) return;
  if (named) throw validation(`Cannot specify the ${named} when choosing to get ${select === 'COUNT' ? 'only the Count' : select}`);
  if (select === 'ALL_PROJECTED_ATTRIBUTES' && indexName === undefined) {
    throw validation('ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName');
  }
}

/** A global index answers only what it holds. */
export function checkProjected(index: Index | undefined, select: string | undefined, projected: Projected | undefined): void {
  if (!index?.global || index.projected === undefined) return;
  if (select === 'ALL_ATTRIBUTES') {
    throw invalidParameter(`Select type ALL_ATTRIBUTES is not supported for global secondary index ${index.name} because its projection type is not ALL`);
  }
  const missing = new Set(projected?.paths.map((path) => path[0] as string).filter((name) => !index.projected?.has(name)));
  if (missing.size > 0) throw invalidParameter(`Global secondary index ${index.name} does not project [${[...missing].join(', ')}]`);
}

/** One of equal parts of the hash space, for a parallel scan. */
export function segmentRange(prefix: Key, segment: number, total: number): KeyRange {
  const boundary = (at: number): Key => {
    if (at === total) return prefixEnd(prefix);
    const bytes = Buffer.allocUnsafe(4);
    bytes.writeUInt32BE(Math.ceil((at * 2 ** 32) / total));
    return prefix + bytes.toString('latin1');
  };
  return { from: segment === 0 ? prefix : boundary(segment), to: boundary(segment + 1) };
}
