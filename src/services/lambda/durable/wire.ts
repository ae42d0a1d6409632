import type { Operation } from '@aws-sdk/client-lambda';
import type { Store } from '../../../store/store.ts';
import type { Place } from '../domain/names.ts';
import { type ExecutionRow, listAll, type OperationRow, readError, readText } from './store.ts';

/** The operations of an execution that replays need, in order of start: not those inside contexts that have ended. */
export async function visibleOperations(store: Store, place: Place, id: string): Promise<readonly OperationRow[]> {
  const all = await listAll(store, place, id);
  return visible(all.sort((a, b) => a.sequence - b.sequence));
}

/** Without what lies inside contexts that ended and did not ask for their children. Parents start before their children. */
export function visible(operations: readonly OperationRow[]): readonly OperationRow[] {
  const closed = new Set<string>();
  return operations.filter((operation) => {
    const hidden = operation.parentId !== undefined && closed.has(operation.parentId);
    if (hidden || (operation.type === 'CONTEXT' && operation.endedMs !== undefined && !operation.replayChildren)) closed.add(operation.id);
    return !hidden;
  });
}

/** An operation as the API shows it. */
export async function operationOf(store: Store, place: Place, row: ExecutionRow, operation: OperationRow): Promise<Operation> {
  const Result = operation.result && (await readText(store, place, row.id, operation.result));
  const failure = operation.error && (await readError(store, place, row.id, operation.error));
  const outcome = {
    ...(Result === undefined ? {} : { Result }),
    ...(failure ? { Error: { ...failure, ...(failure.StackTrace ? { StackTrace: [...failure.StackTrace] } : {}) } } : {}),
  };
  return {
    Id: operation.id,
    ...(operation.parentId === undefined ? {} : { ParentId: operation.parentId }),
    ...(operation.name === undefined ? {} : { Name: operation.name }),
    Type: operation.type,
    ...(operation.subType === undefined ? {} : { SubType: operation.subType }),
    StartTimestamp: new Date(operation.startedMs),
    ...(operation.endedMs === undefined ? {} : { EndTimestamp: new Date(operation.endedMs) }),
    Status: operation.status,
    ...(await detailsOf(store, place, row, operation, outcome)),
  };
}

type Details = Pick<Operation, 'ExecutionDetails' | 'ContextDetails' | 'StepDetails' | 'WaitDetails' | 'CallbackDetails' | 'ChainedInvokeDetails'>;

async function detailsOf(store: Store, place: Place, row: ExecutionRow, operation: OperationRow, outcome: object): Promise<Details> {
  switch (operation.type) {
    case 'EXECUTION':
      return { ExecutionDetails: row.input ? { InputPayload: await readText(store, place, row.id, row.input) } : {} };
    case 'CONTEXT':
      return { ContextDetails: { ...(operation.replayChildren === undefined ? {} : { ReplayChildren: operation.replayChildren }), ...outcome } };
    case 'STEP':
      return {
        StepDetails: {
          Attempt: operation.attempt ?? 0,
          ...(operation.status === 'PENDING' && operation.dueMs !== undefined ? { NextAttemptTimestamp: new Date(operation.dueMs) } : {}),
          ...outcome,
        },
      };
    case 'WAIT':
      return { WaitDetails: operation.dueMs === undefined ? {} : { ScheduledEndTimestamp: new Date(operation.dueMs) } };
    case 'CALLBACK':
      return { CallbackDetails: { ...(operation.callbackId === undefined ? {} : { CallbackId: operation.callbackId }), ...outcome } };
    default:
      return { ChainedInvokeDetails: outcome };
  }
}

/** The same in the event of an invocation: JSON, with times in milliseconds. */
export function eventJson(operation: Operation): string {
  return JSON.stringify(operation, function (this: unknown, key: string, value: unknown) {
    const given = (this as Record<string, unknown>)[key];
    return given instanceof Date ? given.getTime() : value;
  });
}

/** Operations from the first whose sequence is at least `from`, up to `items` and `bytes`; at least one. */
export async function operationsPage(
  store: Store,
  place: Place,
  row: ExecutionRow,
  limits: { readonly from: number; readonly items: number; readonly bytes: number },
): Promise<{ readonly operations: readonly Operation[]; readonly next?: number }> {
  const rows = (await visibleOperations(store, place, row.id)).filter(({ sequence }) => sequence >= limits.from);
  const operations: Operation[] = [];
  let bytes = 0;
  for (const one of rows) {
    const operation = await operationOf(store, place, row, one);
    bytes += Buffer.byteLength(eventJson(operation));
    if (operations.length > 0 && (operations.length >= limits.items || bytes > limits.bytes)) return { operations, next: one.sequence };
    operations.push(operation);
  }
  return { operations };
}
