import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd, readUint64, uint64 } from '../../kit/key.ts';
import type { KeyRange, Store, Tx } from '../../store/store.ts';
import type { ChunkEvents } from './domain/batch.ts';
import type { Scope } from './domain/names.ts';
import { comparePositions, type Position } from './domain/position.ts';
import { groupNotFound, streamNotFound } from './errors.ts';
import { CHUNK_SPAN_MS } from './limits.ts';

/** A log group, at its name. */
export interface GroupRow {
  /** Never used again: what a deleted group left behind cannot meet a new group of the same name. */
  readonly id: string;
  readonly name: string;
  readonly createdMs: number;
  readonly retentionInDays?: number;
  /** Changes with the retention policy, so that an older sweep stops. */
  readonly sweepToken?: string;
  readonly kmsKeyId?: string;
  readonly logGroupClass: string;
  readonly deletionProtectionEnabled?: boolean;
  readonly tags: Readonly<Record<string, string>>;
}

/** A resource policy of the account, at its name. */
export interface PolicyRow {
  readonly name: string;
  readonly document: string;
  readonly updatedMs: number;
}

/** A log stream, at its group and name. */
export interface StreamRow {
  readonly id: string;
  readonly name: string;
  readonly createdMs: number;
  readonly firstEventMs?: number;
  readonly lastEventMs?: number;
  readonly lastIngestionMs?: number;
  readonly sequenceToken?: string;
}

export interface StoredEvent extends Position {
  readonly streamId: string;
  readonly ingestionMs: number;
  readonly message: string;
}

interface Chunk {
  readonly key: Key;
  readonly firstMs: number;
  readonly events: StoredEvent[];
  readonly bytes: number;
}

const base = (scope: Scope) => keyOf('logs', scope.account, scope.region);

export const keys = {
  groups: (scope: Scope): Key => base(scope) + keyOf('g'),
  group: (scope: Scope, name: string): Key => base(scope) + keyOf('g', name),
  policies: (scope: Scope): Key => base(scope) + keyOf('r'),
  policy: (scope: Scope, name: string): Key => base(scope) + keyOf('r', name),
  /** The stack operation that made a group, or a stream of it. */
  claim: (scope: Scope, name: string): Key => base(scope) + keyOf('t', name),
  /** Counter of stored bytes. */
  bytes: (scope: Scope, groupId: string): Key => base(scope) + keyOf('c', groupId),
  streams: (scope: Scope, groupId: string): Key => base(scope) + keyOf('s', groupId),
  stream: (scope: Scope, groupId: string, name: string): Key => base(scope) + keyOf('s', groupId, name),
  /** Name of a stream by its id; absent once the stream is deleted, which hides its chunks before they are swept. */
  streamNames: (scope: Scope, groupId: string): Key => base(scope) + keyOf('i', groupId),
  streamName: (scope: Scope, groupId: string, streamId: string): Key => base(scope) + keyOf('i', groupId, streamId),
  /** The group's batches in order of acceptance. */
  sequence: (scope: Scope, groupId: string): Key => base(scope) + keyOf('n', groupId),
  /** Chunks of the whole group by time: what a search and the retention sweep read. */
  chunks: (scope: Scope, groupId: string): Key => base(scope) + keyOf('e', groupId),
  /** Pointers to one stream's chunks by time: what GetLogEvents reads. */
  allPointers: (scope: Scope, groupId: string): Key => base(scope) + keyOf('p', groupId),
  pointers: (scope: Scope, groupId: string, streamId: string): Key => base(scope) + keyOf('p', groupId, streamId),
};

export const rangeOf = (prefix: Key): KeyRange => ({ from: prefix, to: prefixEnd(prefix) });

/** A prefix of a name is a prefix of its key without the terminator. */
export function namePrefixRange(parent: Key, prefix: string): KeyRange {
  const from = parent + keyOf(prefix).slice(0, -2);
  return { from, to: prefix === '' ? prefixEnd(parent) : prefixEnd(from) };
}

export async function getGroup(store: Store, scope: Scope, name: string): Promise<GroupRow> {
  const value = await store.get(keys.group(scope, name));
  if (!value) throw groupNotFound();
  return decodeJson<GroupRow>(value);
}

export function txGroup(tx: Tx, scope: Scope, name: string): GroupRow {
  const value = tx.get(keys.group(scope, name));
  if (!value) throw groupNotFound();
  return decodeJson<GroupRow>(value);
}

/** Reads, changes and writes back a group in one commit; throws ResourceNotFoundException. */
export function updateGroup<T>(store: Store, scope: Scope, name: string, change: (group: GroupRow, tx: Tx) => readonly [GroupRow, T]): Promise<T> {
  const key = keys.group(scope, name);
  return store.transact({ keys: [key] }, (tx) => {
    const [group, result] = change(txGroup(tx, scope, name), tx);
    tx.put(key, encodeJson(group));
    return result;
  });
}

export async function getStream(store: Store, scope: Scope, groupId: string, name: string): Promise<StreamRow> {
  const value = await store.get(keys.stream(scope, groupId, name));
  if (!value) throw streamNotFound();
  return decodeJson<StreamRow>(value);
}

/**
 * Says for the stack operation `token` that it makes the thing at `key`: true where it is not there yet, or where this very operation
 * began it before a crash; false where it is somebody else's.
 */
export function claim(store: Store, scope: Scope, name: string, token: string, exists: (tx: Tx) => boolean): Promise<boolean> {
  const key = keys.claim(scope, name);
  return store.transact({ keys: [key] }, (tx) => {
    const holder = tx.get(key);
    if (holder && decodeJson<string>(holder) === token) return true;
    if (exists(tx)) return false;
    tx.put(key, encodeJson(token));
    return true;
  });
}

/** Takes back {@link claim} once the thing is deleted. */
export function unclaim(store: Store, scope: Scope, name: string): Promise<void> {
  const key = keys.claim(scope, name);
  return store.transact({ keys: [key] }, (tx) => tx.delete(key));
}

/** Names of the live streams among `streamIds`. */
export async function streamNamesOf(store: Store, scope: Scope, groupId: string, streamIds: readonly string[]): Promise<Map<string, string>> {
  const values = await store.getMany(streamIds.map((id) => keys.streamName(scope, groupId, id)));
  const names = new Map<string, string>();
  values.forEach((value, i) => {
    const id = streamIds[i];
    if (value && id !== undefined) names.set(id, decodeJson<string>(value));
  });
  return names;
}

/** Bytes counted for a group, never below zero. */
export async function storedBytesOf(store: Store, scope: Scope, groupIds: readonly string[]): Promise<number[]> {
  const values = await store.getMany(groupIds.map((id) => keys.bytes(scope, id)));
  return values.map((value) => (value ? Math.max(0, Number(Buffer.from(value).readBigInt64BE(0))) : 0));
}

const CHUNK_HEADER_BYTES = 1 + 8 + 2;

/** Version, ingestion time, stream id, then (offset from the first event in ms, length, UTF-8) for each event. Not JSON: escapes could grow a message sixfold. */
export function encodeChunk(streamId: string, ingestionMs: number, chunk: ChunkEvents): Buffer {
  const id = Buffer.from(streamId, 'utf8');
  const messages = chunk.events.map((event) => Buffer.from(event.message, 'utf8'));
  const size = messages.reduce((sum, message) => sum + 8 + message.length, CHUNK_HEADER_BYTES + id.length);
  const out = Buffer.allocUnsafe(size);
  out.writeUInt8(1, 0);
  out.writeBigUInt64BE(BigInt(ingestionMs), 1);
  out.writeUInt16BE(id.length, 9);
  let at = CHUNK_HEADER_BYTES + id.copy(out, CHUNK_HEADER_BYTES);
  chunk.events.forEach((event, i) => {
    const message = messages[i] ?? Buffer.alloc(0);
    at = out.writeUInt32BE(event.timestamp - chunk.firstMs, at);
    at = out.writeUInt32BE(message.length, at);
    at += message.copy(out, at);
  });
  return out;
}

/** Reads back {@link encodeChunk}; time and sequence stand at the end of the key. */
export function decodeChunk(key: Key, value: Uint8Array): Chunk {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const firstMs = Number(readUint64(key, key.length - 16));
  const seq = readUint64(key, key.length - 8);
  const ingestionMs = Number(buffer.readBigUInt64BE(1));
  let at = CHUNK_HEADER_BYTES + buffer.readUInt16BE(9);
  const streamId = buffer.toString('utf8', CHUNK_HEADER_BYTES, at);
  const events: StoredEvent[] = [];
  let bytes = 0;
  while (at < buffer.length) {
    const length = buffer.readUInt32BE(at + 4);
    const message = buffer.toString('utf8', at + 8, at + 8 + length);
    events.push({ time: firstMs + buffer.readUInt32BE(at), seq, index: events.length, streamId, ingestionMs, message });
    at += 8 + length;
    bytes += length;
  }
  return { key, firstMs, events, bytes };
}

/** Writes one chunk and the stream's pointer to it. */
export function putChunk(tx: Tx, scope: Scope, groupId: string, streamId: string, ingestionMs: number, chunk: ChunkEvents): void {
  const order = uint64(chunk.firstMs) + uint64(tx.sequence(keys.sequence(scope, groupId)));
  tx.put(keys.chunks(scope, groupId) + order, encodeChunk(streamId, ingestionMs, chunk));
  tx.put(keys.pointers(scope, groupId, streamId) + order, Buffer.alloc(0));
}

/** `streamId` absent: the whole group. */
export interface EventSource {
  readonly groupId: string;
  readonly streamId?: string;
}

export interface TimeRange {
  /** Inclusive, virtual milliseconds. */
  readonly fromMs: number;
  /** Exclusive. */
  readonly toMs: number;
}

const SCAN_CHUNKS_PER_PAGE = 128;
const SCAN_BYTES_PER_PAGE = 256 * 1024;

/** One page of chunks of `source` between two keys, in the direction asked. */
async function chunkPage(store: Store, scope: Scope, source: EventSource, range: KeyRange, reverse: boolean) {
  const page = await store.range({ ...range, reverse, limit: SCAN_CHUNKS_PER_PAGE, maxBytes: SCAN_BYTES_PER_PAGE });
  const last = page.entries.at(-1)?.[0];
  if (source.streamId === undefined) return { chunks: page.entries.map(([key, value]) => decodeChunk(key, value)), last, more: page.more };
  const parent = keys.chunks(scope, source.groupId);
  const chunkKeys = page.entries.map(([key]) => parent + key.slice(-16));
  const values = await store.getMany(chunkKeys);
  const chunks = values.flatMap((value, i) => (value ? [decodeChunk(chunkKeys[i] ?? '', value)] : []));
  return { chunks, last, more: page.more };
}

/**
 * Events of `source` within `range`, in batches, in order of {@link Position} (descending when `reverse`). Chunks overlap by less than
 * {@link CHUNK_SPAN_MS}, so events are let go only once no later chunk can hold an earlier one.
 */
export async function* scanEvents(store: Store, scope: Scope, source: EventSource, range: TimeRange, reverse = false): AsyncGenerator<StoredEvent[]> {
  const parent = source.streamId === undefined ? keys.chunks(scope, source.groupId) : keys.pointers(scope, source.groupId, source.streamId);
  let from = parent + uint64(Math.max(0, range.fromMs - CHUNK_SPAN_MS));
  let to = range.toMs >= Number.MAX_SAFE_INTEGER ? prefixEnd(parent) : parent + uint64(Math.max(0, range.toMs));
  let held: StoredEvent[] = [];
  for (;;) {
    if (from >= to) return;
    const page = await chunkPage(store, scope, source, { from, to }, reverse);
    for (const chunk of page.chunks) for (const event of chunk.events) if (event.time >= range.fromMs && event.time < range.toMs) held.push(event);
    held.sort(reverse ? (a, b) => comparePositions(b, a) : comparePositions);
    if (!page.more || page.last === undefined) {
      if (held.length > 0) yield held;
      return;
    }
    const edgeMs = Number(readUint64(page.last, page.last.length - 16));
    const settled = held.findIndex((event) => (reverse ? event.time < edgeMs + CHUNK_SPAN_MS : event.time >= edgeMs));
    const cut = settled === -1 ? held.length : settled;
    if (cut > 0) yield held.slice(0, cut);
    held = held.slice(cut);
    if (reverse) to = page.last;
    else from = `${page.last}\x00`;
  }
}
