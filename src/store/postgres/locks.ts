import { hash } from 'node:crypto';
import type { Key } from '../../kit/key.ts';
import type { Declaration, KeyRange } from '../store.ts';

/**
 * Locks that make commits of several processes serial wherever they meet (README, "PostgreSQL"). A lock is a PostgreSQL advisory
 * lock whose number is a hash; two things with one hash merely wait for each other.
 *
 * - A key has a lock: exclusive to write, shared to read.
 * - A key lies in nested *levels*: its prefixes that end with a terminated part. Writing it takes the levels' locks shared; reading a range
 *   takes the lock of the deepest level that holds the whole range exclusively. So a range read and a write into it exclude each other,
 *   and writes to different keys do not.
 */

const TERMINATOR = '\x00\x01';
/** Parts of a key that have a level of their own; what lies deeper shares the last. */
export const LEVELS_MAX = 6;
/** Level locks that are remembered, so that a busy prefix is hashed once. */
const REMEMBERED_MAX = 10_000;

/** 16 hex digits. Their order is the order in which every process takes locks, so that none waits in a circle. */
export type LockId = string;

/** Lock → exclusive? */
export type LockSet = Map<LockId, boolean>;

const remembered = new Map<string, LockId>();

function lockId(kind: 'key' | 'level' | 'sequence', name: Key): LockId {
  return hash('sha1', Buffer.from(`${kind}:${name}`, 'latin1'), 'hex').slice(0, 16);
}

function levelId(prefix: Key): LockId {
  let id = remembered.get(prefix);
  if (id === undefined) {
    id = lockId('level', prefix);
    if (remembered.size >= REMEMBERED_MAX) remembered.clear();
    remembered.set(prefix, id);
  }
  return id;
}

function take(locks: LockSet, id: LockId, exclusive: boolean): void {
  if (exclusive || !locks.has(id)) locks.set(id, exclusive);
}

export function lockForRead(locks: LockSet, key: Key): void {
  take(locks, lockId('key', key), false);
}

export function lockForWrite(locks: LockSet, key: Key): void {
  take(locks, lockId('key', key), true);
  for (const level of levelsOf(key)) take(locks, levelId(level), false);
}

export function lockForSequence(locks: LockSet, shard: Key): void {
  take(locks, lockId('sequence', shard), true);
}

export function lockForRange(locks: LockSet, range: KeyRange): void {
  take(locks, levelId(levelsOf(commonPrefix(range)).at(-1) ?? ''), true);
}

export function locksOf({ keys, reads, ranges }: Declaration): LockSet {
  const locks: LockSet = new Map();
  for (const key of keys ?? []) lockForWrite(locks, key);
  for (const key of reads ?? []) lockForRead(locks, key);
  for (const range of ranges ?? []) if (range.from < range.to) lockForRange(locks, range);
  return locks;
}

/** The prefixes of `key` that are levels, the whole key space ('') first. */
export function levelsOf(key: Key): Key[] {
  const levels = [''];
  for (let at = key.indexOf(TERMINATOR); at >= 0 && levels.length <= LEVELS_MAX; at = key.indexOf(TERMINATOR, at + 2)) {
    levels.push(key.slice(0, at + 2));
  }
  return levels;
}

/** The longest prefix that every key of a range is known to have. */
export function commonPrefix({ from, to }: KeyRange): Key {
  let length = 0;
  while (length < from.length && length < to.length && from[length] === to[length]) length++;
  // "Everything with this prefix" ends at the prefix with its last byte raised.
  const raised = to.length === length + 1 && from.length > length && to.charCodeAt(length) === from.charCodeAt(length) + 1;
  return from.slice(0, raised ? length + 1 : length);
}

/** What of `wanted` is not held, or only shared where exclusive is wanted. */
export function locksMissing(held: LockSet, wanted: LockSet): LockSet {
  const missing: LockSet = new Map();
  for (const [id, exclusive] of wanted) {
    const has = held.get(id);
    if (has === undefined || (exclusive && !has)) missing.set(id, exclusive);
  }
  return missing;
}

export function addLocks(locks: LockSet, more: LockSet): void {
  for (const [id, exclusive] of more) take(locks, id, exclusive);
}

/** As two arrays for SQL, in the order in which they must be taken. */
export function lockArrays(locks: LockSet): [ids: string[], exclusive: boolean[]] {
  const sorted = [...locks].sort(([a], [b]) => (a < b ? -1 : 1));
  return [sorted.map(([id]) => BigInt.asIntN(64, BigInt(`0x${id}`)).toString()), sorted.map(([, exclusive]) => exclusive)];
}
