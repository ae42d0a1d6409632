import type { OnDemandThroughput, Projection, SSESpecification, Tag, WarmThroughput } from '@aws-sdk/client-dynamodb';
import { formatArn } from '../../../kit/arn.ts';
import { type Key, keyOf, part } from '../../../kit/key.ts';
import { invalidParameter, KEY_SCHEMA_MISMATCH, validation } from '../errors.ts';
import { PARTITION_KEY_BYTES_MAX, SORT_KEY_BYTES_MAX } from '../limits.ts';
import { delimited, keyBytes, partitionHash } from './encoding.ts';
import type { StreamViewType } from './stream-record.ts';
import { type AttributeValue, attributeOf, type Item, type KeyType, setAttribute, textSize, typeOf } from './value.ts';

/** An attribute of a key schema with its type. */
export interface KeyAttribute {
  readonly name: string;
  readonly type: KeyType;
}

export interface Throughput {
  readonly read: number;
  readonly write: number;
  readonly increasedMs?: number;
  readonly decreasedMs?: number;
  readonly decreasesToday: number;
}

/** An index as it is stored in its table's record. */
export interface IndexRecord {
  readonly kind: 'global' | 'local';
  readonly name: string;
  /** Its number in row keys; never given twice in one table, so that rows of a deleted index can wait to be removed. */
  readonly number: number;
  readonly hash: KeyAttribute;
  readonly range?: KeyAttribute;
  readonly projection: Projection;
  readonly status: 'CREATING' | 'ACTIVE';
  readonly throughput: Throughput;
  readonly onDemandThroughput?: OnDemandThroughput;
  readonly warmThroughput?: WarmThroughput;
}

/** A table as it is stored. Times in virtual milliseconds. */
export interface TableRecord {
  /** 16 hex digits: the table's rows are keyed by it, so that a name can be used again at once. */
  readonly id: string;
  /** Changes with every change of the record; writes check it in their transaction. */
  readonly generation: number;
  /** Hex of the bytes that partition hashes begin with. */
  readonly salt: string;
  readonly tableId: string;
  readonly account: string;
  readonly region: string;
  readonly name: string;
  readonly createdMs: number;
  /** From then on it is ACTIVE. */
  readonly availableMs: number;
  readonly hash: KeyAttribute;
  readonly range?: KeyAttribute;
  readonly attributes: readonly KeyAttribute[];
  readonly billingMode: 'PROVISIONED' | 'PAY_PER_REQUEST';
  /** Absent until the billing mode has been PAY_PER_REQUEST once. */
  readonly payPerRequestMs?: number;
  readonly throughput: Throughput;
  readonly indexes: readonly IndexRecord[];
  readonly nextIndex: number;
  readonly deletionProtection: boolean;
  readonly tableClass?: { readonly name: string; readonly changedMs?: number };
  readonly encryption?: SSESpecification;
  readonly onDemandThroughput?: OnDemandThroughput;
  readonly warmThroughput?: WarmThroughput;
  readonly tags: readonly Tag[];
  readonly ttlAttribute?: string;
  /** The number of its rows in the expiry index, given like an index's. */
  readonly ttlNumber?: number;
  /** Point-in-time recovery, as it was asked for. */
  readonly recovery?: { readonly sinceMs: number; readonly days: number };
  /** The latest stream, which may be disabled. */
  readonly stream?: TableStream;
}

/** A table's stream as its record has it. */
export interface TableStream {
  /** 16 hex digits: the stream's rows are keyed by it, and outlive the table. */
  readonly id: string;
  readonly label: string;
  readonly viewType: StreamViewType;
  readonly enabled: boolean;
}

/** An index ready for use. */
export interface Index {
  readonly record: IndexRecord;
  readonly name: string;
  readonly global: boolean;
  readonly hash: KeyAttribute;
  readonly range: KeyAttribute | undefined;
  /** What its row keys begin with. */
  readonly prefix: Key;
  /** Attributes it holds; undefined for all. */
  readonly projected: ReadonlySet<string> | undefined;
  /** Its own key attributes and the table's: what an ExclusiveStartKey has. */
  readonly keyNames: readonly string[];
}

/** A table ready for use: its record, and what follows from it, computed once. */
export interface Table {
  readonly record: TableRecord;
  readonly name: string;
  readonly arn: string;
  readonly hash: KeyAttribute;
  readonly range: KeyAttribute | undefined;
  readonly keyNames: readonly string[];
  readonly indexes: readonly Index[];
  readonly salt: Key;
  /** What every key of the table's rows and counters begins with. */
  readonly prefix: Key;
  readonly itemPrefix: Key;
  readonly generationKey: Key;
  readonly generation: Buffer;
  /** The stream that changes are written to. */
  readonly stream: StreamLog | undefined;
  readonly expiry: Expiry | undefined;
}

/** Time to live of a table: an index of items by the second in which they expire. */
export interface Expiry {
  readonly attribute: string;
  readonly number: number;
  /** Rows: this, the second, and what follows the items' own prefix. */
  readonly prefix: Key;
  /** When the next sweep is due; there while one is on its way. */
  readonly nextKey: Key;
}

/** Where a stream's records are. */
export interface StreamLog {
  readonly viewType: StreamViewType;
  /** Records: this and a sequence number. */
  readonly prefix: Key;
  readonly sequence: Key;
  /** There while a trim is on its way. */
  readonly trimKey: Key;
  /** Holds the sequence number up to which records were trimmed. */
  readonly horizonKey: Key;
}

const STREAM_ROWS = `${part('ddb')}r`;

export function streamLog({ id, viewType }: Pick<TableStream, 'id' | 'viewType'>): StreamLog {
  const prefix = STREAM_ROWS + Buffer.from(id, 'hex').toString('latin1');
  return { viewType, prefix: `${prefix}r`, sequence: keyOf('ddb', 'stream-sequence', id), trimKey: `${prefix}t`, horizonKey: `${prefix}h` };
}

const ROWS = `${part('ddb')}i`;
const ITEMS = '\x00\x00';

export function compileTable(record: TableRecord): Table {
  const prefix = ROWS + Buffer.from(record.id, 'hex').toString('latin1');
  const keyNames = record.range ? [record.hash.name, record.range.name] : [record.hash.name];
  return {
    record,
    name: record.name,
    arn: tableArn(record.account, record.region, record.name),
    hash: record.hash,
    range: record.range,
    keyNames,
    indexes: record.indexes.map((index) => compileIndex(index, prefix, keyNames)),
    salt: Buffer.from(record.salt, 'hex').toString('latin1'),
    prefix,
    itemPrefix: prefix + ITEMS,
    generationKey: generationKey(record.account, record.region, record.name),
    generation: encodeGeneration(record),
    stream: record.stream?.enabled ? streamLog(record.stream) : undefined,
    expiry: compileExpiry(record, prefix),
  };
}

function compileExpiry({ ttlAttribute: attribute, ttlNumber: number }: TableRecord, tablePrefix: Key): Expiry | undefined {
  if (attribute === undefined || number === undefined) return undefined;
  // The row after all seconds: it goes with the rows when they are purged.
  const prefix = indexPrefix(tablePrefix, number);
  return { attribute, number, prefix, nextKey: `${prefix}\xff` };
}

function compileIndex(record: IndexRecord, tablePrefix: Key, tableKeys: readonly string[]): Index {
  const keyNames = new Set([record.hash.name, ...(record.range ? [record.range.name] : []), ...tableKeys]);
  const { ProjectionType, NonKeyAttributes } = record.projection;
  return {
    record,
    name: record.name,
    global: record.kind === 'global',
    hash: record.hash,
    range: record.range,
    prefix: indexPrefix(tablePrefix, record.number),
    projected: ProjectionType === 'ALL' ? undefined : new Set([...keyNames, ...(NonKeyAttributes ?? [])]),
    keyNames: [...keyNames],
  };
}

export function indexPrefix(tablePrefix: Key, number: number): Key {
  return tablePrefix + String.fromCharCode(number >> 8, number & 0xff);
}

export function encodeGeneration(record: TableRecord): Buffer {
  return Buffer.from(`${record.id}.${record.generation}`, 'latin1');
}

export function tableKeyPrefix(): Key {
  return keyOf('ddb', 'table');
}

export function accountTablesPrefix(account: string, region: string): Key {
  return keyOf('ddb', 'table', account, region);
}

export function recordKey(account: string, region: string, name: string): Key {
  return keyOf('ddb', 'table', account, region, name);
}

export function generationKey(account: string, region: string, name: string): Key {
  return keyOf('ddb', 'generation', account, region, name);
}

export function tableArn(account: string, region: string, name: string): string {
  return formatArn({ service: 'dynamodb', account, region, resource: `table/${name}` });
}

/** Where an item's row is. */
export interface Place {
  readonly key: Key;
  readonly partitionKey: Key;
}

/** The row of the item with these key attributes, which must be of the right types. */
export function placeOf(table: Table, item: Item): Place {
  const partitionKey = keyBytes(item[table.hash.name] as AttributeValue);
  const key = table.itemPrefix + partitionHash(table.salt, partitionKey);
  return { partitionKey, key: table.range ? key + keyBytes(item[table.range.name] as AttributeValue) : key };
}

/** An index's row for an item; undefined where the item lacks one of the index's keys, or has it of another type (a sparse index). */
export function indexPlaceOf(table: Table, index: Index, item: Item): Place | undefined {
  const hash = attributeOf(item, index.hash.name);
  const range = index.range && attributeOf(item, index.range.name);
  if (hash?.[index.hash.type] === undefined || (index.range && range?.[index.range.type] === undefined)) return undefined;
  const partitionKey = keyBytes(hash);
  const sort = range === undefined ? '' : delimited(keyBytes(range));
  return { partitionKey, key: index.prefix + partitionHash(table.salt, partitionKey) + sort + itemHash(table, item) };
}

/** Tells items of equal index keys apart in fixed length; their order among each other is free, on AWS as here. */
function itemHash(table: Table, item: Item): Key {
  const hash = delimited(keyBytes(item[table.hash.name] as AttributeValue));
  return partitionHash(table.salt, table.range ? hash + keyBytes(item[table.range.name] as AttributeValue) : hash);
}

/** What an index keeps of an item. */
export function projectedItem(index: Index, item: Item): Item {
  if (index.projected === undefined) return item;
  const out: Item = {};
  for (const name of index.projected) {
    const value = attributeOf(item, name);
    if (value !== undefined) setAttribute(out, name, value);
  }
  return out;
}

/** The named attributes of an item: a key, or a page's last key. */
export function keyAttributesOf(names: readonly string[], item: Item): Item {
  const key: Item = {};
  for (const name of names) {
    const value = attributeOf(item, name);
    if (value !== undefined) setAttribute(key, name, value);
  }
  return key;
}

/** Refuses a `Key` that is not exactly the table's primary key. */
export function checkKey(table: Table, key: Item): void {
  if (Object.keys(key).length !== table.keyNames.length) throw validation(KEY_SCHEMA_MISMATCH);
  checkKeyPiece(key, table.hash, true);
  if (table.range) checkKeyPiece(key, table.range, false);
}

export function checkKeyPiece(key: Item, attribute: KeyAttribute, isHash: boolean): void {
  const value = attributeOf(key, attribute.name);
  if (value?.[attribute.type] === undefined) throw validation(KEY_SCHEMA_MISMATCH);
  checkKeyContent(value, attribute, isHash);
}

/** Refuses an empty or overlong key value. */
export function checkKeyContent(value: AttributeValue, attribute: KeyAttribute, isHash: boolean): void {
  const size = value.S !== undefined ? textSize(value.S) : (value.B?.length ?? 1);
  if (size === 0) throw validation(emptyKey('The AttributeValue', attribute, `Key: ${attribute.name}`));
  if (isHash && size > PARTITION_KEY_BYTES_MAX) {
    throw invalidParameter(`Size of hashkey has exceeded the maximum size limit of${PARTITION_KEY_BYTES_MAX} bytes`);
  }
  if (!isHash && size > SORT_KEY_BYTES_MAX) {
    throw invalidParameter(`Aggregated size of all range keys has exceeded the size limit of ${SORT_KEY_BYTES_MAX} bytes`);
  }
}

function emptyKey(subject: string, attribute: KeyAttribute, where: string): string {
  const kind = attribute.type === 'B' ? 'binary' : 'string';
  return `One or more parameter values are not valid. ${subject} for a key attribute cannot contain an empty ${kind} value. ${where}`;
}

/** Refuses an item whose table or index keys are missing, of another type, empty or too long. */
export function checkItemKeys(table: Table, item: Item): void {
  checkItemKey(item, table.hash, true);
  if (table.range) checkItemKey(item, table.range, false);
  checkIndexKeys(table, item);
}

function checkItemKey(item: Item, attribute: KeyAttribute, isHash: boolean): void {
  const value = attributeOf(item, attribute.name);
  if (value === undefined) throw invalidParameter(`Missing the key ${attribute.name} in the item`);
  if (value[attribute.type] === undefined) {
    throw invalidParameter(`Type mismatch for key ${attribute.name} expected: ${attribute.type} actual: ${typeOf(value)}`);
  }
  checkKeyContent(value, attribute, isHash);
}

/** Index keys may be missing, but not be of another type or empty. */
export function checkIndexKeys(table: Table, item: Item): void {
  for (const index of table.indexes) {
    for (const attribute of index.range ? [index.hash, index.range] : [index.hash]) {
      const value = attributeOf(item, attribute.name);
      if (value === undefined) continue;
      if (value[attribute.type] === undefined) {
        throw invalidParameter(`Type mismatch for Index Key ${attribute.name} Expected: ${attribute.type} Actual: ${typeOf(value)} IndexName: ${index.name}`);
      }
      checkIndexKeyContent(index, attribute, value);
    }
  }
}

function checkIndexKeyContent(index: Index, attribute: KeyAttribute, value: AttributeValue): void {
  const size = value.S !== undefined ? textSize(value.S) : (value.B?.length ?? 1);
  const subject = 'A value specified for a secondary index key is not supported. The AttributeValue';
  if (size === 0) throw validation(emptyKey(subject, attribute, `IndexName: ${index.name}, IndexKey: ${attribute.name}`));
  const limit = attribute === index.hash ? PARTITION_KEY_BYTES_MAX : SORT_KEY_BYTES_MAX;
  if (size > limit) {
    const what =
      attribute === index.hash
        ? `Size of hashkey has exceeded the maximum size limit of${limit} bytes`
        : `Aggregated size of all range keys has exceeded the size limit of ${limit} bytes`;
    throw invalidParameter(what);
  }
}

/** Key attributes are scalars: a path may not go into them. */
export function checkNestedPaths(table: Table, heads: ReadonlySet<string> | undefined): void {
  if (!heads || heads.size === 0) return;
  const refuse = (what: string, name: string) =>
    validation(`Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: ${what}: ${name}`);
  for (const name of table.keyNames) if (heads.has(name)) throw refuse('Key', name);
  for (const index of table.indexes) {
    for (const attribute of index.range ? [index.hash, index.range] : [index.hash]) {
      if (heads.has(attribute.name)) throw refuse('IndexKey', attribute.name);
    }
  }
}
