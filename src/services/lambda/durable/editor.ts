import { decodeJson } from '../../../kit/json.ts';
import { parseTrace } from '../../../kit/trace.ts';
import type { Tx } from '../../../store/store.ts';
import type { Platform } from '../../service.ts';
import type { Place } from '../domain/names.ts';
import type { Notice } from './status.ts';
import {
  durableKeys,
  type ErrorObject,
  type EventRow,
  type EventValue,
  type ExecutionRow,
  keepText,
  type OperationRow,
  put,
  type Text,
  type TimerKind,
} from './store.ts';

/** Bus targets of durable executions. */
export const RUN = 'lambda:durable-run';
export const TIMER = 'lambda:durable-timer';
export const CHAINED = 'lambda:durable-chained';
export const EXPIRE = 'lambda:durable-expire';
export const ENDED = 'lambda:durable-ended';

export interface RunPayload {
  readonly id: string;
}

export interface TimerPayload {
  readonly id: string;
  /** Absent: the execution's own timeout. */
  readonly operationId?: string;
  readonly kind?: TimerKind;
}

export interface ChainedPayload {
  readonly id: string;
  readonly operationId: string;
  readonly functionName: string;
  readonly input?: Text;
  readonly tenantId?: string;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** One execution inside one transaction: changes are made to `row` and written by {@link Editor.save}. */
export interface Editor {
  readonly place: Place;
  readonly nowMs: number;
  readonly row: Mutable<ExecutionRow>;
  operation(id: string): OperationRow | undefined;
  /** A new operation gets the next sequence number. */
  add(operation: Omit<OperationRow, 'sequence'>): OperationRow;
  change(operation: OperationRow): void;
  /** Keeps a text; small ones stay inline. */
  keep(ref: string, text: string): Text;
  keepError(ref: string, error: ErrorObject): Text;
  event(type: string, subject: OperationRow | undefined, details: Readonly<Record<string, EventValue | undefined>>, atMs?: number): void;
  arm(kind: TimerKind, operationId: string, dueMs: number): void;
  disarm(kind: TimerKind, operationId: string, dueMs: number): void;
  send(target: string, payload: RunPayload | TimerPayload | ChainedPayload | Notice, options?: { dueMs?: number; orderKey?: string }): void;
  save(): void;
}

/** Opens an execution in `tx`; `created` is one that is not stored yet. Undefined where there is none. */
export function openEditor(platform: Platform, tx: Tx, place: Place, id: string, nowMs: number, created?: ExecutionRow): Editor | undefined {
  const key = durableKeys.execution(place, id);
  const stored = created ? undefined : tx.get(key);
  const found = created ?? (stored && decodeJson<ExecutionRow>(stored));
  if (!found) return undefined;
  const row: Mutable<ExecutionRow> = { ...found };
  const trace = parseTrace(row.traceHeader) ?? { root: row.traceHeader, sampled: false };
  const keep = (ref: string, text: string): Text => {
    row.bytes += Buffer.byteLength(text);
    return keepText(tx, place, id, ref, text);
  };
  return {
    place,
    nowMs,
    row,
    operation(operationId) {
      const value = tx.get(durableKeys.operation(place, id, operationId));
      return value && decodeJson<OperationRow>(value);
    },
    add(operation) {
      row.operations += 1;
      const full: OperationRow = { ...operation, sequence: row.operations };
      put(tx, durableKeys.operation(place, id, operation.id), full);
      return full;
    },
    change: (operation) => put(tx, durableKeys.operation(place, id, operation.id), operation),
    keep,
    keepError: (ref, error) => keep(ref, JSON.stringify(error)),
    event(type, subject, details, atMs = nowMs) {
      row.events += 1;
      const event: EventRow = {
        eventId: row.events,
        type,
        atMs,
        ...(subject ? { operationId: subject.id } : {}),
        ...(subject?.parentId === undefined ? {} : { parentId: subject.parentId }),
        ...(subject?.name === undefined ? {} : { name: subject.name }),
        ...(subject?.subType === undefined ? {} : { subType: subject.subType }),
        details: Object.fromEntries(Object.entries(details).filter((entry): entry is [string, EventValue] => entry[1] !== undefined)),
      };
      put(tx, durableKeys.event(place, id, row.events), event);
    },
    arm(kind, operationId, dueMs) {
      put(tx, durableKeys.timer(place, id, dueMs, kind, operationId), { kind, operationId });
    },
    disarm: (kind, operationId, dueMs) => tx.delete(durableKeys.timer(place, id, dueMs, kind, operationId)),
    send(target, payload, options = {}) {
      platform.bus.enqueue(tx, { target, account: place.account, region: place.region, trace, payload, ...options });
    },
    save: () => put(tx, key, row),
  };
}

export const isClosed = (row: ExecutionRow): boolean => row.endedMs !== undefined;
