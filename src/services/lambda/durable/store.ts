import { decodeJson, encodeJson } from '../../../kit/json.ts';
import { type Key, keyOf, prefixEnd, uint64 } from '../../../kit/key.ts';
import type { Store, Tx } from '../../../store/store.ts';
import type { Place } from '../domain/names.ts';
import { INLINE_BYTES_MAX, PIECE_BYTES } from './limits.ts';

export type ExecutionStatus = 'RUNNING' | 'PAUSING' | 'PAUSED' | 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED' | 'DELETING';
export type OperationType = 'EXECUTION' | 'CONTEXT' | 'STEP' | 'WAIT' | 'CALLBACK' | 'CHAINED_INVOKE';
export type OperationStatus = 'STARTED' | 'PENDING' | 'READY' | 'SUCCEEDED' | 'FAILED' | 'CANCELLED' | 'TIMED_OUT' | 'STOPPED';

/** A text of the execution: in the row itself, or in pieces under its name. */
export type Text = { readonly text: string } | { readonly ref: string; readonly bytes: number };

/** The model's `ErrorObject`. */
export interface ErrorObject {
  readonly ErrorMessage?: string;
  readonly ErrorType?: string;
  readonly ErrorData?: string;
  readonly StackTrace?: readonly string[];
}

/** One durable execution. Times are virtual. */
export interface ExecutionRow {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  /** The caller gave the name: an invocation of that name finds this one. */
  readonly named: boolean;
  readonly functionName: string;
  /** `$LATEST` or a number: replays run this one. */
  readonly version: string;
  readonly status: ExecutionStatus;
  readonly input?: Text;
  /** SHA-256 of the input, in hexadecimal. */
  readonly inputHash: string;
  readonly result?: Text;
  /** An {@link ErrorObject} as JSON. */
  readonly error?: Text;
  readonly resultBytesMax: number;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly timeoutSeconds: number;
  /** When it times out. */
  readonly timeoutMs: number;
  readonly retentionDays: number;
  readonly kmsKeyArn?: string;
  readonly traceHeader: string;
  /** The invocation under way. */
  readonly invocation?: { readonly id: string; readonly requestId: string; readonly startedMs: number };
  /** A run is enqueued. */
  readonly queued: boolean;
  /** Checkpoints so far: a token is good for one of them. */
  readonly sequence: number;
  readonly failures: number;
  /** Operations that changed since the function was told. */
  readonly unseen: readonly string[];
  /** Operations and events so far, and bytes written. */
  readonly operations: number;
  readonly events: number;
  readonly bytes: number;
  readonly lastCheckpoint?: { readonly clientToken: string; readonly token: string; readonly operations: readonly string[] };
  /** The operation that waits for this execution. */
  readonly parent?: { readonly id: string; readonly operationId: string };
  /** Of a function in tenant isolation mode. */
  readonly tenantId?: string;
  /** The event invocation that started it: its request id. */
  readonly event?: { readonly requestId: string; readonly qualifier: string };
  readonly pause?: { readonly requestedMs: number; readonly reason?: string; readonly timeoutPaused: boolean };
  /** How long pauses have held the timeout up. */
  readonly heldMs?: number;
  /** A run was due while paused. */
  readonly deferred?: boolean;
  /** Client tokens of pauses and resumptions, with the time until which they are known. */
  readonly clientTokens?: Readonly<Record<string, number>>;
}

/** One operation of an execution. */
export interface OperationRow {
  readonly id: string;
  /** In order of start. */
  readonly sequence: number;
  readonly type: OperationType;
  readonly status: OperationStatus;
  readonly parentId?: string;
  readonly name?: string;
  readonly subType?: string;
  readonly startedMs: number;
  readonly endedMs?: number;
  readonly result?: Text;
  /** An {@link ErrorObject} as JSON. */
  readonly error?: Text;
  /** STEP: attempts that ended. */
  readonly attempt?: number;
  /** When the wait ends, the next attempt is due, or the callback times out. */
  readonly dueMs?: number;
  readonly waitSeconds?: number;
  readonly replayChildren?: boolean;
  readonly heartbeatSeconds?: number;
  readonly heartbeatDueMs?: number;
  readonly callbackId?: string;
  /** CHAINED_INVOKE: the execution that it waits for. */
  readonly childId?: string;
}

/** One event of the history: `details` holds the members of the event's own structure, with texts by name. */
export interface EventRow {
  readonly eventId: number;
  readonly type: string;
  readonly atMs: number;
  readonly operationId?: string;
  readonly parentId?: string;
  readonly name?: string;
  readonly subType?: string;
  readonly details: Readonly<Record<string, EventValue>>;
}

/** `input` and `result` are texts, `error` is an error object as JSON, `time` is a timestamp in milliseconds. */
export type EventValue =
  | string
  | number
  | boolean
  | { readonly input: Text }
  | { readonly result: Text | null }
  | { readonly error: Text | null }
  | { readonly time: number }
  | { readonly reason: string }
  | { readonly plain: Readonly<Record<string, number>> };

/** What waits for a time: deleted with the operation's end. */
export type TimerKind = 'due' | 'heartbeat';

const ROOM = 'lambda';

/** Keys of durable executions; all begin with `('lambda', account, region, 'durable…', …)`. */
export const durableKeys = {
  execution: (place: Place, id: string): Key => keyOf(ROOM, place.account, place.region, 'durable', id),
  /** Executions that callers named. */
  name: (place: Place, functionName: string, name: string): Key => keyOf(ROOM, place.account, place.region, 'durable-name', functionName, name),
  /** Executions of a function by time of start. */
  list: (place: Place, functionName: string): Key => keyOf(ROOM, place.account, place.region, 'durable-list', functionName),
  listed: (place: Place, functionName: string, startedMs: number, id: string): Key => durableKeys.list(place, functionName) + uint64(startedMs) + keyOf(id),
  operations: (place: Place, id: string): Key => keyOf(ROOM, place.account, place.region, 'durable-op', id),
  operation: (place: Place, id: string, operationId: string): Key => keyOf(ROOM, place.account, place.region, 'durable-op', id, operationId),
  events: (place: Place, id: string): Key => keyOf(ROOM, place.account, place.region, 'durable-event', id),
  event: (place: Place, id: string, eventId: number): Key => durableKeys.events(place, id) + uint64(eventId),
  timers: (place: Place, id: string): Key => keyOf(ROOM, place.account, place.region, 'durable-timer', id),
  timer: (place: Place, id: string, dueMs: number, kind: TimerKind, operationId: string): Key =>
    durableKeys.timers(place, id) + uint64(Math.floor(dueMs)) + keyOf(kind, operationId),
  texts: (place: Place, id: string): Key => keyOf(ROOM, place.account, place.region, 'durable-text', id),
  piece: (place: Place, id: string, ref: string, piece: number): Key => keyOf(ROOM, place.account, place.region, 'durable-text', id, ref) + uint64(piece),
};

export async function getExecutionRow(store: Store, place: Place, id: string): Promise<ExecutionRow | undefined> {
  const value = await store.get(durableKeys.execution(place, id));
  return value && decodeJson<ExecutionRow>(value);
}

export function put(
  tx: Tx,
  key: Key,
  row: ExecutionRow | OperationRow | EventRow | { readonly id: string } | { readonly kind: TimerKind; readonly operationId: string },
): void {
  tx.put(key, encodeJson(row));
}

/** Keeps `text` under `ref`; small ones stay in the row that the result goes into. */
export function keepText(tx: Tx, place: Place, id: string, ref: string, text: string): Text {
  const bytes = Buffer.from(text, 'utf8');
  if (bytes.length <= INLINE_BYTES_MAX) return { text };
  for (let piece = 0; piece * PIECE_BYTES < bytes.length; piece++) {
    tx.put(durableKeys.piece(place, id, ref, piece), bytes.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES));
  }
  return { ref, bytes: bytes.length };
}

export function textBytes(text: Text): number {
  return 'ref' in text ? text.bytes : Buffer.byteLength(text.text);
}

/** Reads back what {@link keepText} kept. */
export async function readText(store: Store, place: Place, id: string, text: Text): Promise<string> {
  if ('text' in text) return text.text;
  const keys: Key[] = [];
  for (let piece = 0; piece * PIECE_BYTES < text.bytes; piece++) keys.push(durableKeys.piece(place, id, text.ref, piece));
  const pieces = await store.getMany(keys);
  return Buffer.concat(pieces.map((piece) => piece ?? new Uint8Array())).toString('utf8');
}

export async function readError(store: Store, place: Place, id: string, text: Text): Promise<ErrorObject> {
  return JSON.parse(await readText(store, place, id, text)) as ErrorObject;
}

/** Every operation of an execution, in no order. */
export async function listAll(store: Store, place: Place, id: string): Promise<OperationRow[]> {
  const prefix = durableKeys.operations(place, id);
  const rows: OperationRow[] = [];
  let from = prefix;
  for (;;) {
    const page = await store.range({ from, to: prefixEnd(prefix) });
    for (const [, value] of page.entries) rows.push(decodeJson<OperationRow>(value));
    const last = page.entries.at(-1);
    if (!page.more || !last) return rows;
    from = `${last[0]}\x00`;
  }
}
