import { type Key, keyOf, part, prefixEnd, readUint64, uint64, utf8 } from '../kit/key.ts';
import type { Trace } from '../kit/trace.ts';

/** Work is spread over this many shards; a process that owns a shard delivers it (design decision 4). */
export const SHARDS = 256;

/** What the outbox keeps of one delivery. */
export interface Row {
  readonly id: string;
  readonly target: string;
  readonly account: string;
  readonly region: string;
  readonly payload: unknown;
  readonly orderKey?: string;
  readonly trace: Trace;
  readonly attempt: number;
  readonly enqueuedMs: number;
}

/** All keys of the outbox begin with this. */
export const OUTBOX: Key = keyOf('bus', 'd');

/** One lane: the deliveries of one target in one shard, by due time. */
export function laneOf(target: string, shard: number): Key {
  return OUTBOX + part(utf8(target)) + String.fromCharCode(shard);
}

/** The deliveries of one target in `shard` and all shards after it. */
export function lanesFrom(target: string, shard: number): { from: Key; to: Key } {
  return { from: laneOf(target, shard), to: prefixEnd(OUTBOX + part(utf8(target))) };
}

/** The shard whose lane holds a target's row. */
export function shardOfRow(target: string, key: Key): number {
  return key.charCodeAt((OUTBOX + part(utf8(target))).length);
}

export function rowKey(lane: Key, dueMs: number, id: string): Key {
  return lane + uint64(Math.max(0, Math.floor(dueMs))) + utf8(id);
}

/** The lane's deliveries due at `untilMs` or before. */
export function laneRange(lane: Key, untilMs = Number.MAX_SAFE_INTEGER): { from: Key; to: Key } {
  return { from: lane, to: untilMs >= Number.MAX_SAFE_INTEGER ? prefixEnd(lane) : lane + uint64(Math.floor(untilMs) + 1) };
}

export function dueOf(lane: Key, key: Key): number {
  return Number(readUint64(key, lane.length));
}

/** The shard of an order key or id: FNV-1a, stable for ever because it is part of stored keys. */
export function shardOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return ((hash >>> 24) ^ (hash >>> 16) ^ (hash >>> 8) ^ hash) & 0xff;
}
