import { hash } from 'node:crypto';
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { bytes, type Key, utf8 } from '../../../kit/key.ts';
import { ROW_JSON_BYTES_MAX } from '../limits.ts';
import { numberOrder } from './number.ts';
import { type AttributeValue, base64, hasBinary, type Item, setAttribute } from './value.ts';

/** A partition is known by this many bytes of a hash over the table's salt and the key. */
export const HASH_BYTES = 16;

/** The bytes of a key attribute in their order: UTF-8, order-preserving number, or the binary itself. */
export function keyBytes(value: AttributeValue): Key {
  if (value.S !== undefined) return utf8(value.S);
  if (value.N !== undefined) return numberOrder(value.N);
  if (value.B !== undefined) return bytes(value.B);
  throw new Error('a key attribute is a string, a number or a binary');
}

/** 128 bits of SHA-256: 0.5 µs, and with the secret salt nobody can choose keys that meet. */
export function partitionHash(salt: Key, partitionKey: Key): Key {
  return hash('sha256', Buffer.from(salt + partitionKey, 'latin1'), 'latin1').slice(0, HASH_BYTES);
}

const ZERO_RUN_MAX = 126;
const RUN_CONTINUES = '\x00\x7f';
const END = '\x00\x00';

/**
 * A byte string made self-delimiting, its order kept, at most half as long again (1,024 bytes become at most 1,538): where
 * each zero byte cost one more, a long sort key would not fit a store key.
 *
 * A run of n zeros becomes 0x00 and one byte: n where the string ends with it (so `00` sorts before `00 00`), 0xFF - n where
 * something greater than zero follows (so that of two strings the one with more zeros comes first). A string that ends
 * without zeros has a run of none: 0x00 0x00.
 */
export function delimited(byteString: Key): Key {
  if (!byteString.includes('\x00')) return byteString + END;
  let out = '';
  let at = 0;
  while (at < byteString.length) {
    const zero = byteString.indexOf('\x00', at);
    if (zero < 0) return out + byteString.slice(at) + END;
    let end = zero;
    while (end < byteString.length && byteString.charCodeAt(end) === 0) end++;
    let run = end - zero;
    out += byteString.slice(at, zero);
    for (; run > ZERO_RUN_MAX; run -= ZERO_RUN_MAX) out += RUN_CONTINUES;
    if (end === byteString.length) return out + String.fromCharCode(0, run);
    out += String.fromCharCode(0, 0xff - run);
    at = end;
  }
  return out + END;
}

/** The first byte of a row: JSON, with binaries in it as base64 or not, and deflated or not. */
const FORMAT_JSON = 1;
const WITH_BINARY = 2;
const DEFLATED = 4;
const HEADER_BYTES = 7;

/**
 * A row: format, size (4 bytes), length of the partition key (2 bytes), the key, and the item as DynamoDB JSON.
 * JSON because V8 reads and writes it natively (1.6 and 1.5 µs for a 400-byte item, where a binary form read by JavaScript
 * took longer), and because it is what the answer carries.
 */
export function encodeRow(item: Item, size: number, partitionKey: Key): Buffer {
  const binary = Object.values(item).some(hasBinary);
  const json = JSON.stringify(binary ? storableItem(item) : item);
  const jsonBytes = Buffer.byteLength(json, 'utf8');
  // Control characters and lists of empty things are nine times as long in JSON as AWS counts them: more than a store value may be.
  const deflated = jsonBytes > ROW_JSON_BYTES_MAX ? deflateRawSync(json, { level: 1 }) : undefined;
  const start = HEADER_BYTES + partitionKey.length;
  const row = Buffer.allocUnsafe(start + (deflated?.length ?? jsonBytes));
  row[0] = FORMAT_JSON | (binary ? WITH_BINARY : 0) | (deflated ? DEFLATED : 0);
  row.writeUInt32BE(size, 1);
  row.writeUInt16BE(partitionKey.length, 5);
  row.write(partitionKey, HEADER_BYTES, 'latin1');
  if (deflated) deflated.copy(row, start);
  else row.write(json, start, 'utf8');
  return row;
}

/** An item as text and back, for tokens that clients carry. Reading throws where the text is not one. */
export function itemText(item: Item): string {
  return JSON.stringify(storableItem(item));
}

/** Reads back {@link itemText}. */
export function itemOfText(text: string): Item {
  return restoredItem(JSON.parse(text) as Item);
}

/** The size in a row's header, without reading the item. */
export function rowSize(row: Uint8Array): number {
  return new DataView(row.buffer, row.byteOffset, row.byteLength).getUint32(1);
}

/** The partition key in a row's header. */
export function rowPartitionKey(row: Uint8Array): Key {
  const buffer = Buffer.from(row.buffer, row.byteOffset, row.byteLength);
  return buffer.toString('latin1', HEADER_BYTES, HEADER_BYTES + buffer.readUInt16BE(5));
}

export function rowItem(row: Uint8Array): Item {
  return itemOfImage(imageOfRow(row));
}

/** An item's JSON inside a row. */
export interface Image {
  readonly binary: boolean;
  readonly deflated: boolean;
  readonly json: Buffer;
}

export function imageOfRow(row: Uint8Array): Image {
  const buffer = Buffer.from(row.buffer, row.byteOffset, row.byteLength);
  const format = buffer[0] ?? 0;
  return {
    binary: (format & WITH_BINARY) !== 0,
    deflated: (format & DEFLATED) !== 0,
    json: buffer.subarray(HEADER_BYTES + buffer.readUInt16BE(5)),
  };
}

export function itemOfImage({ binary, deflated, json }: Image): Item {
  const item = JSON.parse((deflated ? inflateRawSync(json) : json).toString('utf8')) as Item;
  return binary ? restoredItem(item) : item;
}

function storableItem(item: Item): Item {
  return mapBinaries(item, (value) => base64(value as Uint8Array));
}

function restoredItem(item: Item): Item {
  return mapBinaries(item, (value) => Buffer.from(value as string, 'base64'));
}

function mapBinaries(item: Item, convert: (value: unknown) => unknown): Item {
  const out: Item = {};
  for (const name in item) setAttribute(out, name, mapBinary(item[name] as AttributeValue, convert));
  return out;
}

function mapBinary(value: AttributeValue, convert: (value: unknown) => unknown): AttributeValue {
  if (value.B !== undefined) return { B: convert(value.B) as Uint8Array };
  if (value.BS !== undefined) return { BS: value.BS.map((member) => convert(member) as Uint8Array) };
  if (value.M !== undefined) return { M: mapBinaries(value.M, convert) };
  if (value.L !== undefined) return { L: value.L.map((element) => mapBinary(element, convert)) };
  return value;
}
