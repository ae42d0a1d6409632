import { decodeJson, encodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd, readUint64, uint64, utf8 } from '../../kit/key.ts';
import type { KeyRange, Store, Tx } from '../../store/store.ts';
import type { Address, Scope } from './domain/address.ts';

/** A queue, at its name. */
export interface QueueRow {
  readonly name: string;
  /** Never used again. */
  readonly id: string;
  /** Generation of its contents: a purge begins a new one, so that the queue is empty at once. */
  readonly contents: string;
  readonly createdMs: number;
  readonly modifiedMs: number;
  /** As set, as text; what was never set has its default. */
  readonly attributes: Readonly<Record<string, string>>;
  readonly tags: Readonly<Record<string, string>>;
  readonly purgedMs?: number;
  /** The DeduplicationScope that is still in force while a changed one spreads. */
  readonly scopeBefore?: { readonly scope: string; readonly untilMs: number };
}

export interface StoredAttribute {
  readonly name: string;
  readonly type: string;
  readonly value: string | Uint8Array;
}

/** What never changes of a message. */
export interface MessageRow {
  readonly seq: number;
  readonly id: string;
  readonly sentMs: number;
  /** When it can first be received. */
  readonly visibleMs: number;
  readonly senderId: string;
  readonly bodyMd5: string;
  readonly attributesMd5?: string;
  readonly group?: string;
  readonly deduplicationId?: string;
  readonly sequenceNumber?: string;
  readonly traceHeader?: string;
  /** The queue from which it came here as a dead letter. */
  readonly sourceArn?: string;
  /** Receives, and the time of the first, in queues before this one. */
  readonly receivesBefore?: number;
  readonly firstReceivedMs?: number;
  readonly attributes: readonly StoredAttribute[];
  readonly body: string;
}

/** What a receive changes; absent before the first. */
export interface StateRow {
  readonly visibleMs: number;
  readonly receives: number;
  readonly firstReceivedMs: number;
  readonly receivedMs: number;
  /** Of the newest receipt. */
  readonly token: string;
}

/** An earlier message under a deduplication id. */
export interface DuplicateRow {
  readonly untilMs: number;
  readonly id: string;
  readonly sequenceNumber: string;
}

/** What a receive under a ReceiveRequestAttemptId gave out. */
export interface AttemptRow {
  readonly untilMs: number;
  readonly receipts: readonly { readonly seq: number; readonly token: string }[];
}

export type MoveStatus = 'RUNNING' | 'COMPLETED' | 'CANCELLED' | 'FAILED';

export interface MoveTaskRow {
  readonly id: string;
  readonly sourceArn: string;
  readonly destinationArn?: string;
  readonly perSecond?: number;
  readonly status: MoveStatus;
  readonly moved: number;
  readonly toMove: number;
  readonly startedMs: number;
  readonly failureReason?: string;
}

const base = (scope: Scope): Key => keyOf('sqs', scope.account, scope.region);

export const keys = {
  queues: (scope: Scope): Key => base(scope) + keyOf('q'),
  queue: (scope: Scope, name: string): Key => base(scope) + keyOf('q', name),
  /** When a queue of this name was deleted. */
  deleted: (scope: Scope, name: string): Key => base(scope) + keyOf('x', name),
  /** The stack operation that made a queue. */
  claim: (scope: Scope, name: string): Key => base(scope) + keyOf('t', name),
  /** Queues that name a dead-letter queue, by its name. */
  sources: (scope: Scope, deadLetterName: string): Key => base(scope) + keyOf('r', deadLetterName),
  source: (scope: Scope, deadLetterName: string, name: string): Key => base(scope) + keyOf('r', deadLetterName, name),
  /** Order of all messages that a queue has had. */
  sequence: (scope: Scope, queueId: string): Key => base(scope) + keyOf('n', queueId),
  /** All contents of a queue, purged ones included: where its changes show. */
  contents: (scope: Scope, queueId: string): Key => base(scope) + keyOf('c', queueId),
  moveTasks: (scope: Scope, queueId: string): Key => base(scope) + keyOf('k', queueId),
  moveTask: (scope: Scope, queueId: string, startedMs: number, taskId: string): Key => base(scope) + keyOf('k', queueId) + uint64(startedMs) + keyOf(taskId),
};

const order = (ms: number, seq: number): Key => uint64(ms) + uint64(seq);

/** The keys under one generation of a queue's contents. */
export function contentKeys(scope: Scope, queueId: string, contents: string) {
  const of = (kind: string): Key => base(scope) + keyOf('c', queueId, contents, kind);
  const [m, v, w, f, g, i, h, u, a, e] = [of('m'), of('v'), of('w'), of('f'), of('g'), of('i'), of('h'), of('u'), of('a'), of('e')];
  return {
    all: base(scope) + keyOf('c', queueId, contents),
    messages: m,
    message: (seq: number): Key => m + uint64(seq),
    /** Never received, by the time they can be (FIFO: delayed ones only). */
    fresh: v,
    freshAt: (ms: number, seq: number): Key => v + order(ms, seq),
    /** Received at least once, by the time they can be again. */
    received: w,
    receivedAt: (ms: number, seq: number): Key => w + order(ms, seq),
    state: (seq: number): Key => f + uint64(seq),
    group: (group: string): Key => g + keyOf(group),
    inGroup: (group: string, seq: number): Key => g + keyOf(group) + uint64(seq),
    /** Groups by the time their first message can be received. */
    groups: i,
    groupAt: (at: Key): Key => i + at,
    /** Where a group stands in {@link groups}. */
    groupPlace: (group: string): Key => h + keyOf(group),
    duplicate: (group: string, id: string): Key => u + keyOf(group, id),
    attempt: (id: string): Key => a + keyOf(id),
    /** Duplicates and attempts by the time they are forgotten. */
    forgets: e,
    forgetAt: (ms: number, key: Key): Key => e + uint64(ms) + key.slice(base(scope).length),
    total: of('n'),
    totalReceived: of('o'),
  };
}

export type ContentKeys = ReturnType<typeof contentKeys>;

export const rangeOf = (prefix: Key): KeyRange => ({ from: prefix, to: prefixEnd(prefix) });
/** Entries of a time index up to and with `ms`. */
export const dueBy = (prefix: Key, ms: number): KeyRange => ({ from: prefix, to: prefix + uint64(ms + 1) });
/** Entries of a time index after `ms`. */
export const dueAfter = (prefix: Key, ms: number): KeyRange => ({ from: prefix + uint64(ms + 1), to: prefixEnd(prefix) });

/** Time and sequence number at the end of an index key. */
export function placeOf(key: Key): { readonly ms: number; readonly seq: number } {
  return { ms: Number(readUint64(key, key.length - 16)), seq: seqOf(key) };
}
export const timeAfter = (prefix: Key, key: Key): number => Number(readUint64(key, prefix.length));
export const seqOf = (key: Key): number => Number(readUint64(key, key.length - 8));
export const placeKey = order;

/** A prefix of a name is a prefix of its key without the terminator. */
export function namePrefixRange(parent: Key, prefix: string): KeyRange {
  return prefix === '' ? rangeOf(parent) : rangeOf(parent + utf8(prefix));
}

export async function findQueue(store: Store, { account, region, name }: Address): Promise<QueueRow | undefined> {
  const value = await store.get(keys.queue({ account, region }, name));
  return value && decodeJson<QueueRow>(value);
}

export function txQueue(tx: Tx, { account, region, name }: Address): QueueRow | undefined {
  const value = tx.get(keys.queue({ account, region }, name));
  return value && decodeJson<QueueRow>(value);
}

export function putQueue(tx: Tx, scope: Scope, row: QueueRow): void {
  tx.put(keys.queue(scope, row.name), encodeJson(row));
}

/** A counter's value, never below zero. */
export const counted = (value: Uint8Array | undefined): number => (value ? Math.max(0, Number(Buffer.from(value).readBigInt64BE(0))) : 0);

export const NOTHING = Buffer.alloc(0);

/** Length of the head, head as JSON, then each attribute as name, type, kind and value, then the body: not JSON, whose escapes could grow a message sixfold. */
export function encodeMessage(row: MessageRow): Buffer {
  const { attributes, body, ...head } = row;
  const parts = [Buffer.from(JSON.stringify({ ...head, count: attributes.length }), 'utf8')];
  for (const { name, type, value } of attributes) {
    const binary = typeof value !== 'string';
    parts.push(Buffer.from(name, 'utf8'), Buffer.from(`${binary ? 'b' : 's'}${type}`, 'utf8'), binary ? Buffer.from(value) : Buffer.from(value, 'utf8'));
  }
  parts.push(Buffer.from(body, 'utf8'));
  const out = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    at = out.writeUInt32BE(part.length, at);
    at += part.copy(out, at);
  }
  return out;
}

/** Reads back {@link encodeMessage}. */
export function decodeMessage(value: Uint8Array): MessageRow {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  let at = 0;
  const next = (): Buffer => {
    const length = buffer.readUInt32BE(at);
    at += 4 + length;
    return buffer.subarray(at - length, at);
  };
  const { count, ...head } = JSON.parse(next().toString('utf8')) as Omit<MessageRow, 'attributes' | 'body'> & { count: number };
  const attributes: StoredAttribute[] = [];
  for (let i = 0; i < count; i++) {
    const name = next().toString('utf8');
    const type = next().toString('utf8');
    const raw = next();
    attributes.push({ name, type: type.slice(1), value: type.startsWith('b') ? Buffer.from(raw) : raw.toString('utf8') });
  }
  return { ...head, attributes, body: next().toString('utf8') };
}

const STATE_BYTES = 8 * 4 + 8;

export function encodeState(state: StateRow): Buffer {
  const out = Buffer.allocUnsafe(STATE_BYTES);
  out.writeBigUInt64BE(BigInt(state.visibleMs), 0);
  out.writeBigUInt64BE(BigInt(state.receives), 8);
  out.writeBigUInt64BE(BigInt(state.firstReceivedMs), 16);
  out.writeBigUInt64BE(BigInt(state.receivedMs), 24);
  out.write(state.token, 32, 'hex');
  return out;
}

export function decodeState(value: Uint8Array): StateRow {
  const buffer = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  const at = (offset: number) => Number(buffer.readBigUInt64BE(offset));
  return { visibleMs: at(0), receives: at(8), firstReceivedMs: at(16), receivedMs: at(24), token: buffer.toString('hex', 32, 40) };
}

/** Raw byte strings as values (places, group names, keys). */
export const bytesOf = (text: Key): Buffer => Buffer.from(text, 'latin1');
export const keyFrom = (value: Uint8Array): Key => Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('latin1');

/**
 * Says for the stack operation `token` that it makes the queue: true where it is not there yet, or where this very operation
 * began it before a crash; false where it is somebody else's.
 */
export function claim(store: Store, scope: Scope, name: string, token: string): Promise<boolean> {
  const key = keys.claim(scope, name);
  return store.transact({ keys: [key], reads: [keys.queue(scope, name)] }, (tx) => {
    const holder = tx.get(key);
    if (holder && decodeJson<string>(holder) === token) return true;
    if (tx.get(keys.queue(scope, name))) return false;
    tx.put(key, encodeJson(token));
    return true;
  });
}

/** Takes back {@link claim} once the queue is deleted, and frees its name: AWS's handler waits out the minute, which would serve nobody here. */
export function unclaim(store: Store, scope: Scope, name: string): Promise<void> {
  const [key, deleted] = [keys.claim(scope, name), keys.deleted(scope, name)];
  return store.transact({ keys: [key, deleted] }, (tx) => {
    tx.delete(key);
    tx.delete(deleted);
  });
}
