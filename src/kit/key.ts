/**
 * Store keys. A key is a *byte string*: a JavaScript string in which every character is one byte (0–255), so that
 * string comparison is byte order, keys work in a `Map`, and V8 keeps them in one-byte form.
 * Drivers convert with `Buffer.from(key, 'latin1')`.
 */
export type Key = string;

/** A key is at most this many bytes: PostgreSQL's index entries stop at 2,704. */
export const KEY_BYTES_MAX = 2000;

const TERMINATOR = '\x00\x01';

/** UTF-8 bytes of `text` as a byte string. */
export function utf8(text: string): Key {
  // One-byte ASCII needs no conversion, and nearly every part is ASCII.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the range is the point
  return /^[\x00-\x7f]*$/.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1');
}

/** Bytes as a byte string. */
export function bytes(value: Uint8Array): Key {
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');
}

/**
 * An order-preserving, self-delimiting part: 0x00 is escaped as 0x00 0xFF, the end is 0x00 0x01.
 * A part that is a prefix of another sorts first, whatever follows.
 */
export function part(byteString: Key): Key {
  const escaped = byteString.includes('\x00') ? byteString.replaceAll('\x00', '\x00\xff') : byteString;
  return escaped + TERMINATOR;
}

/** An unsigned 64-bit integer, big-endian, so that keys sort by value. */
export function uint64(value: bigint | number): Key {
  const buffer = Buffer.allocUnsafe(8);
  buffer.writeBigUInt64BE(BigInt(value));
  return buffer.toString('latin1');
}

/** Reads back {@link uint64} at `offset`. */
export function readUint64(key: Key, offset: number): bigint {
  return Buffer.from(key.slice(offset, offset + 8), 'latin1').readBigUInt64BE();
}

/** A key from text parts: `keyOf('ddb', account, region)`; each part is UTF-8, escaped and terminated. */
export function keyOf(...parts: string[]): Key {
  let key = '';
  for (const text of parts) key += part(utf8(text));
  return key;
}

/** The parts that {@link keyOf} joined. */
export function partsOf(key: Key): string[] {
  return key
    .split(TERMINATOR)
    .slice(0, -1)
    .map((p) => Buffer.from(p.replaceAll('\x00\xff', '\x00'), 'latin1').toString('utf8'));
}

/** The first key after every key that starts with `prefix`. */
export function prefixEnd(prefix: Key): Key {
  let end = prefix.length;
  while (end > 0 && prefix.charCodeAt(end - 1) === 0xff) end--;
  if (end === 0) throw new Error('prefix of only 0xff bytes has no end');
  return prefix.slice(0, end - 1) + String.fromCharCode(prefix.charCodeAt(end - 1) + 1);
}
