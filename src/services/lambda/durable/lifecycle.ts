import { type Editor, ENDED, EXPIRE, isClosed, RUN, TIMER } from './editor.ts';
import { DAY_MS } from './limits.ts';
import { announce } from './status.ts';
import type { ErrorObject, OperationRow, OperationStatus, Text, TimerKind } from './store.ts';

/** Statuses that no operation leaves. */
export const ENDED_STATUSES: ReadonlySet<OperationStatus> = new Set(['SUCCEEDED', 'FAILED', 'CANCELLED', 'TIMED_OUT', 'STOPPED']);

/** Sees to it that the function runs (again): at once, or when the invocation under way has ended. */
export function trigger(editor: Editor, dueMs?: number): void {
  const { row } = editor;
  if (isClosed(row)) return;
  if (row.pause) {
    row.deferred = true;
    return;
  }
  if (row.invocation || row.queued) return;
  row.queued = true;
  editor.send(RUN, { id: row.id }, { orderKey: `durable ${row.id}`, ...(dueMs === undefined ? {} : { dueMs }) });
}

/** An operation changed without the function's doing: it is told, and runs. */
export function changed(editor: Editor, operation: OperationRow): void {
  editor.change(operation);
  noteUnseen(editor, operation.id);
  trigger(editor);
}

export function noteUnseen(editor: Editor, operationId: string): void {
  if (!editor.row.unseen.includes(operationId)) editor.row.unseen = [...editor.row.unseen, operationId];
}

/** Begins to wait for a time: kept with the execution, and on the bus, which is awake when it comes. */
export function armTimer(editor: Editor, kind: TimerKind, operationId: string, dueMs: number): void {
  editor.arm(kind, operationId, dueMs);
  editor.send(TIMER, { id: editor.row.id, operationId, kind }, { dueMs });
}

/** The time has come. Nothing where the operation has ended meanwhile. */
export function fireTimer(editor: Editor, kind: TimerKind, operationId: string): void {
  const operation = editor.operation(operationId);
  if (!operation || isClosed(editor.row)) return;
  const dueMs = kind === 'heartbeat' ? operation.heartbeatDueMs : operation.dueMs;
  if (dueMs === undefined || dueMs > editor.nowMs) return;
  editor.disarm(kind, operationId, dueMs);
  if (operation.type === 'WAIT' && operation.status === 'STARTED') {
    editor.event('WaitSucceeded', operation, { Duration: operation.waitSeconds });
    changed(editor, { ...operation, status: 'SUCCEEDED', endedMs: editor.nowMs });
  } else if (operation.type === 'STEP' && operation.status === 'PENDING') {
    const { dueMs: _, ...rest } = operation;
    changed(editor, { ...rest, status: 'READY' });
  } else if (operation.type === 'CALLBACK' && operation.status === 'STARTED') {
    const error: ErrorObject =
      kind === 'heartbeat'
        ? { ErrorMessage: 'Callback timed out on heartbeat', ErrorType: 'Callback.Heartbeat' }
        : { ErrorMessage: 'Callback timed out', ErrorType: 'Callback.Timeout' };
    endCallback(editor, operation, 'TIMED_OUT', { error: editor.keepError(`${operationId}.end`, error) });
  }
}

/** Ends a callback by an answer or a timeout. */
export function endCallback(
  editor: Editor,
  operation: OperationRow,
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT',
  outcome: { readonly result?: Text; readonly error?: Text },
): void {
  if (operation.dueMs !== undefined) editor.disarm('due', operation.id, operation.dueMs);
  if (operation.heartbeatDueMs !== undefined) editor.disarm('heartbeat', operation.id, operation.heartbeatDueMs);
  const names = { SUCCEEDED: 'CallbackSucceeded', FAILED: 'CallbackFailed', TIMED_OUT: 'CallbackTimedOut' } as const;
  const details = status === 'SUCCEEDED' ? { Result: { result: outcome.result ?? null } } : { Error: { error: outcome.error ?? null } };
  editor.event(names[status], operation, details);
  changed(editor, { ...operation, ...outcome, status, endedMs: editor.nowMs });
}

/** How a chained invocation came out. */
export interface ChainedOutcome {
  readonly status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED';
  readonly result?: string;
  readonly error?: ErrorObject;
}

/** Writes the outcome of a chained invocation into the operation that waits for it. */
export function endChained(editor: Editor, operationId: string, outcome: ChainedOutcome): void {
  const operation = editor.operation(operationId);
  if (operation?.status !== 'STARTED' || isClosed(editor.row)) return;
  const result = outcome.result === undefined ? undefined : editor.keep(`${operationId}.end`, outcome.result);
  const error = outcome.error && editor.keepError(`${operationId}.end`, outcome.error);
  const names = {
    SUCCEEDED: 'ChainedInvokeSucceeded',
    FAILED: 'ChainedInvokeFailed',
    TIMED_OUT: 'ChainedInvokeTimedOut',
    STOPPED: 'ChainedInvokeStopped',
  } as const;
  editor.event(names[outcome.status], operation, outcome.status === 'SUCCEEDED' ? { Result: { result: result ?? null } } : { Error: { error: error ?? null } });
  changed(editor, {
    ...operation,
    status: outcome.status,
    endedMs: editor.nowMs,
    ...(result ? { result } : {}),
    ...(error ? { error } : {}),
  });
}

/** Ends the execution: nothing of it runs any more, and whoever waits for it is told. */
export function close(
  editor: Editor,
  status: 'SUCCEEDED' | 'FAILED' | 'TIMED_OUT' | 'STOPPED',
  outcome: { readonly result?: string; readonly error?: ErrorObject },
): void {
  const { row, nowMs } = editor;
  row.status = status;
  row.endedMs = nowMs;
  delete row.pause;
  delete row.deferred;
  const result = outcome.result === undefined ? undefined : editor.keep('result', outcome.result);
  const error = outcome.error && editor.keepError('error', outcome.error);
  if (result) row.result = result;
  if (error) row.error = error;
  const root = editor.operation(row.id);
  const ended = root && { ...root, status, endedMs: nowMs };
  if (ended) editor.change(ended);
  const names = { SUCCEEDED: 'ExecutionSucceeded', FAILED: 'ExecutionFailed', TIMED_OUT: 'ExecutionTimedOut', STOPPED: 'ExecutionStopped' } as const;
  editor.event(names[status], ended, status === 'SUCCEEDED' ? { Result: { result: result ?? null } } : { Error: { error: error ?? null } });
  editor.send(EXPIRE, { id: row.id }, { dueMs: nowMs + row.retentionDays * DAY_MS });
  editor.send(ENDED, { id: row.id });
  announce(editor);
}
