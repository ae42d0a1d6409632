import { KEY_BYTES_MAX, type Key } from '../kit/key.ts';
import type { Declaration, KeyRange, RangeOptions } from './store.ts';
import { VALUE_BYTES_MAX } from './store.ts';

/** Entries of a page where the caller names no limit. */
export const RANGE_LIMIT_DEFAULT = 1000;
/** Bytes of a page where the caller names no limit. */
export const RANGE_BYTES_DEFAULT = 1024 * 1024;

/** A commit's outcome is kept this long. */
export const OUTCOME_KEPT_MS = 3_600_000;

/** Characters of a commit id. */
export const COMMIT_ID_LENGTH_MAX = 256;

/** Transactions and bytes of writes that one group commit takes. */
export const BATCH_TRANSACTIONS_MAX = 4096;
export const BATCH_BYTES_MAX = 8 * 1024 * 1024;
/** Past this many bytes not yet durable, new transactions wait. */
export const PENDING_BYTES_MAX = 64 * 1024 * 1024;
/** Past this many waiting transactions, callers are told to come back. */
export const WAITING_TRANSACTIONS_MAX = 20_000;

/** What the main thread reads at one go; longer pages are read elsewhere, or in steps of this size. */
export const STEP_ROWS = 64;
export const STEP_BYTES = 64 * 1024;

/** SQLite connections for reading many keys in steps, and threads for long pages. */
export const READERS_MAX = 4;
export const PAGE_THREADS_MAX = 2;

// biome-ignore lint/suspicious/noControlCharactersInRegex: a byte string is exactly this range
const BYTE_STRING = /^[\x00-\xff]*$/;

/** Throws RangeError where `key` is longer than a key may be, or not a byte string. */
export function checkKey(key: Key): void {
  if (key.length > KEY_BYTES_MAX) throw new RangeError(`a key is at most ${KEY_BYTES_MAX} bytes, this one has ${key.length}`);
  if (!BYTE_STRING.test(key)) throw new RangeError('a key is a byte string: every character is one byte (0–255)');
}

/** Throws RangeError where `value` is longer than a value may be. */
export function checkValue(value: Uint8Array): void {
  if (value.byteLength > VALUE_BYTES_MAX) throw new RangeError(`a value is at most ${VALUE_BYTES_MAX} bytes, this one has ${value.byteLength}`);
}

/** A range whose every option has a value. The bounds may be one byte longer than a key: {@link Key} + 0x00 is "just after". */
export interface FullRange extends KeyRange {
  readonly reverse: boolean;
  readonly limit: number;
  readonly maxBytes: number;
}

/** Throws RangeError for bounds that are no byte strings or limits that are no positive numbers. */
export function fullRange(options: RangeOptions): FullRange {
  const { from, to, reverse = false, limit = RANGE_LIMIT_DEFAULT, maxBytes = RANGE_BYTES_DEFAULT } = options;
  checkBounds(options);
  if (!(limit >= 1)) throw new RangeError(`the limit of a range is at least 1, this one is ${limit}`);
  if (!(maxBytes >= 1)) throw new RangeError(`maxBytes of a range is at least 1, this one is ${maxBytes}`);
  return { from, to, reverse, limit: Math.floor(limit), maxBytes };
}

export function checkBounds({ from, to }: KeyRange): void {
  if (from.length > KEY_BYTES_MAX + 1 || to.length > KEY_BYTES_MAX + 1) throw new RangeError(`a bound is at most ${KEY_BYTES_MAX + 1} bytes`);
  if (!BYTE_STRING.test(from) || !BYTE_STRING.test(to)) throw new RangeError('a bound is a byte string: every character is one byte (0–255)');
}

/** Throws RangeError where a declared key or range could never be used, so that the mistake is seen on every driver. */
export function checkDeclaration({ keys, reads, ranges, commitId }: Declaration): void {
  if (commitId !== undefined && commitId.length > COMMIT_ID_LENGTH_MAX) throw new RangeError(`a commit id has at most ${COMMIT_ID_LENGTH_MAX} characters`);
  keys?.forEach(checkKey);
  reads?.forEach(checkKey);
  ranges?.forEach(checkBounds);
}
