import { decodeJson, encodeJson } from '../../../kit/json.ts';
import { type Key, keyOf, prefixEnd, readUint64, uint64 } from '../../../kit/key.ts';
import type { Entry, Store, Tx } from '../../../store/store.ts';
import { changeCreatedMs, changeLength, encodeChange, type StreamViewType } from '../domain/stream-record.ts';
import { type KeyAttribute, keyAttributesOf, type StreamLog, streamLog, type Table, type TableRecord, type TableStream } from '../domain/table.ts';
import { equalItems, itemSize } from '../domain/value.ts';
import { STREAM_PIECE_BYTES_MAX, STREAM_RETENTION_MS, TRIM_ROWS_PER_STEP } from '../limits.ts';
import type { StoredItem, Writing } from '../store.ts';

/** A stream as it is stored: enough to be described after its table is gone. Times in virtual milliseconds. */
export interface StreamRecord {
  readonly id: string;
  readonly account: string;
  readonly region: string;
  readonly tableName: string;
  readonly label: string;
  readonly viewType: StreamViewType;
  readonly createdMs: number;
  readonly hash: KeyAttribute;
  readonly range?: KeyAttribute;
  /** Set once it is disabled; it can be read for a day from then on. */
  readonly disabledMs?: number;
  /** The last sequence number of its shard, once it is disabled. */
  readonly ending?: string;
}

/** Bus target of {@link trimStep}. */
export const TRIM_TARGET = 'dynamodb:trim-stream';

export interface TrimPayload {
  readonly id: string;
}

export function streamsPrefix(account: string, region: string, tableName?: string): Key {
  return keyOf('ddb', 'stream', account, region, ...(tableName === undefined ? [] : [tableName]));
}

export function streamKey(account: string, region: string, tableName: string, label: string): Key {
  return keyOf('ddb', 'stream', account, region, tableName, label);
}

/** Sequence numbers have 21 digits at least, and sort as numbers. */
const FIRST_SEQUENCE_NUMBER = 10n ** 20n;

export function sequenceNumber(sequence: bigint): string {
  return String(FIRST_SEQUENCE_NUMBER + sequence);
}

/** Reads back {@link sequenceNumber}; undefined where it is none of ours. */
export function sequenceOf(text: string): bigint | undefined {
  if (!/^\d{21,40}$/.test(text)) return undefined;
  const sequence = BigInt(text) - FIRST_SEQUENCE_NUMBER;
  return sequence >= 0n && sequence < 2n ** 63n ? sequence : undefined;
}

/** Makes a table's stream. Its label is the time, and no other of this table's has it. */
export function createStream(tx: Tx, record: TableRecord, id: string, viewType: StreamViewType, nowMs: number): TableStream {
  const { account, region, name, hash, range } = record;
  let labelMs = nowMs;
  const labelAt = (ms: number) => new Date(ms).toISOString().slice(0, -1);
  while (tx.get(streamKey(account, region, name, labelAt(labelMs))) !== undefined) labelMs++;
  const label = labelAt(labelMs);
  const stream: StreamRecord = { id, account, region, tableName: name, label, viewType, createdMs: nowMs, hash, ...(range ? { range } : {}) };
  tx.put(streamKey(account, region, name, label), encodeJson(stream));
  return { id, label, viewType, enabled: true };
}

/** Ends a stream. Returns everything of it, which goes a day later. */
export function disableStream(tx: Tx, record: TableRecord, stream: TableStream, nowMs: number): { from: Key; to: Key }[] {
  const key = streamKey(record.account, record.region, record.name, stream.label);
  const log = streamLog(stream);
  const value = tx.get(key);
  if (value) {
    const ended: StreamRecord = { ...decodeJson<StreamRecord>(value), disabledMs: nowMs, ending: sequenceNumber(tx.sequence(log.sequence)) };
    tx.put(key, encodeJson(ended));
  }
  return [
    { from: key, to: `${key}\x00` },
    { from: log.prefix, to: prefixEnd(log.prefix) },
    { from: log.trimKey, to: `${log.trimKey}\x00` },
    { from: log.horizonKey, to: `${log.horizonKey}\x00` },
  ];
}

/** Writes the record of a change in its commit; a write that changes nothing has none. */
export function appendChange(
  writing: Writing,
  table: Table,
  log: StreamLog,
  old: StoredItem | undefined,
  next: StoredItem | undefined,
  expired: boolean,
): void {
  const item = next?.item ?? old?.item;
  if (item === undefined || (old && next && old.size === next.size && equalItems(old.item, next.item))) return;
  const { tx, nowMs } = writing;
  const keys = keyAttributesOf(table.keyNames, item);
  const fresh = log.viewType === 'NEW_IMAGE' || log.viewType === 'NEW_AND_OLD_IMAGES' ? next : undefined;
  const former = log.viewType === 'OLD_IMAGE' || log.viewType === 'NEW_AND_OLD_IMAGES' ? old : undefined;
  const record = encodeChange({
    event: old === undefined ? 'INSERT' : next === undefined ? 'REMOVE' : 'MODIFY',
    createdMs: nowMs,
    sizeBytes: itemSize(keys) + (fresh?.size ?? 0) + (former?.size ?? 0),
    expired,
    keys,
    newRow: fresh?.row,
    oldRow: former?.row,
  });
  const key = log.prefix + uint64(tx.sequence(log.sequence));
  for (let at = 0, piece = 0; at < record.length; at += STREAM_PIECE_BYTES_MAX, piece++) {
    tx.put(key + String.fromCharCode(piece), record.subarray(at, at + STREAM_PIECE_BYTES_MAX));
  }
  if (tx.get(log.trimKey) !== undefined) return;
  tx.put(log.trimKey, encodeJson(nowMs));
  const { account, region, stream } = table.record;
  const payload: TrimPayload = { id: stream?.id ?? '' };
  writing.later({ target: TRIM_TARGET, account, region, payload, dueMs: nowMs + STREAM_RETENTION_MS });
}

/**
 * Removes up to a step's worth of records written before `beforeMs`. `nextMs`: when the first of those left was written; undefined
 * where none is left, and then the next write asks for a trim again.
 */
export function trimStep(store: Store, id: string, beforeMs: number): Promise<{ more: boolean; nextMs: number | undefined }> {
  const log = streamLog({ id, viewType: 'KEYS_ONLY' });
  return store.transact({ keys: [log.trimKey, log.horizonKey] }, (tx) => {
    const page = tx.range({ from: log.prefix, to: prefixEnd(log.prefix), limit: TRIM_ROWS_PER_STEP });
    let trimmed: Key | undefined;
    for (const [key, value] of page.entries) {
      const first = key.charCodeAt(key.length - 1) === 0;
      if (first && changeCreatedMs(value) >= beforeMs) {
        keepHorizon(tx, log, trimmed);
        return { more: false, nextMs: changeCreatedMs(value) };
      }
      tx.delete(key);
      trimmed = key;
    }
    keepHorizon(tx, log, trimmed);
    if (page.more) return { more: true, nextMs: undefined };
    tx.delete(log.trimKey);
    return { more: false, nextMs: undefined };
  });
}

function keepHorizon(tx: Tx, log: StreamLog, trimmed: Key | undefined): void {
  if (trimmed !== undefined) tx.put(log.horizonKey, encodeJson(String(readUint64(trimmed, log.prefix.length))));
}

/** The sequence number up to which records are gone; 0 where none is. */
export async function horizonOf(store: Store, log: StreamLog): Promise<bigint> {
  const value = await store.get(log.horizonKey);
  return value === undefined ? 0n : BigInt(decodeJson<string>(value));
}

/** The last sequence number written; the horizon where nothing is there. */
export async function lastSequence(store: Store, log: StreamLog): Promise<bigint> {
  const { entries } = await store.range({ from: log.prefix, to: prefixEnd(log.prefix), reverse: true, limit: 1 });
  const last = entries[0];
  return last ? readUint64(last[0], log.prefix.length) : horizonOf(store, log);
}

export interface StoredChange {
  readonly sequence: bigint;
  readonly record: Uint8Array;
}

/** Whole records after the sequence number `after`, at most `limit` and about `maxBytes`, at least one where there is one. */
export async function readChanges(
  store: Store,
  log: StreamLog,
  after: bigint,
  limit: number,
  maxBytes: number,
): Promise<{ changes: StoredChange[]; more: boolean }> {
  const from = log.prefix + uint64(after + 1n);
  const to = prefixEnd(log.prefix);
  const changes: StoredChange[] = [];
  const { entries, more } = await store.range({ from, to, limit, maxBytes });
  for (let at = 0; at < entries.length; ) {
    const [key, first] = entries[at] as Entry;
    const length = changeLength(first);
    const pieces = Math.max(1, Math.ceil(length / STREAM_PIECE_BYTES_MAX));
    const found = entries.slice(at, at + pieces).map(([, value]) => value);
    if (found.length < pieces) {
      if (changes.length > 0) return { changes, more: true };
      const whole = await store.range({ from: key, to, limit: pieces, maxBytes: length + STREAM_PIECE_BYTES_MAX });
      found.splice(0, found.length, ...whole.entries.map(([, value]) => value));
    }
    changes.push({ sequence: readUint64(key, log.prefix.length), record: found.length === 1 ? first : Buffer.concat(found) });
    at += pieces;
  }
  return { changes, more };
}

export async function findStream(store: Store, account: string, region: string, tableName: string, label: string): Promise<StreamRecord | undefined> {
  const value = await store.get(streamKey(account, region, tableName, label));
  return value && decodeJson<StreamRecord>(value);
}

/** Streams of a region, or of one table, in order of table and label, after the key `after`. */
export async function listStreams(store: Store, prefix: Key, after: Key | undefined, limit: number): Promise<{ streams: StreamRecord[]; more: boolean }> {
  const page = await store.range({ from: after === undefined ? prefix : `${after}\x00`, to: prefixEnd(prefix), limit });
  return { streams: page.entries.map(([, value]) => decodeJson<StreamRecord>(value)), more: page.more };
}
