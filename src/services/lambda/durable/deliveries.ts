import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { AwsError } from '../../../kit/errors.ts';
import { prefixEnd } from '../../../kit/key.ts';
import type { Ctx, Platform } from '../../service.ts';
import { conclude } from '../endings.ts';
import type { LambdaRoom } from '../functions.ts';
import { invokeTarget } from '../operations/target.ts';
import { lambdaContext } from '../principal.ts';
import type { FunctionRunner } from '../runner.ts';
import { getEventInvokeRow } from '../store.ts';
import { failureOf } from './domain/output.ts';
import { CHAINED, type ChainedPayload, ENDED, EXPIRE, isClosed, openEditor, RUN, type RunPayload, TIMER, type TimerPayload } from './editor.ts';
import { resultOf } from './invoke.ts';
import { type ChainedOutcome, close, endChained, fireTimer } from './lifecycle.ts';
import { CHAINED_CONCURRENCY, DELETE_ROWS, OPERATION_PAYLOAD_BYTES_MAX, RUN_CONCURRENCY, TIMER_CONCURRENCY } from './limits.ts';
import { runExecution } from './run.ts';
import { durableKeys, type ErrorObject, type ExecutionRow, getExecutionRow, readError, readText } from './store.ts';

const ENDED_CONCURRENCY = 64;
const EXPIRE_CONCURRENCY = 8;

/** Registers what durable executions wait for. `runner` runs functions, not executions. */
export function registerDurableDeliveries(platform: Platform, room: LambdaRoom, runner: FunctionRunner): void {
  const { bus } = platform;
  bus.register(RUN, { concurrency: RUN_CONCURRENCY }, (attempt) => runExecution(platform, room, runner, attempt));
  bus.register(TIMER, { concurrency: TIMER_CONCURRENCY }, (attempt) => timerDue(platform, attempt));
  bus.register(CHAINED, { concurrency: CHAINED_CONCURRENCY }, (attempt) => runChained(platform, room, runner, attempt));
  bus.register(ENDED, { concurrency: ENDED_CONCURRENCY }, (attempt) => executionEnded(platform, room, attempt));
  bus.register(EXPIRE, { concurrency: EXPIRE_CONCURRENCY }, (attempt) => expire(platform, attempt));
}

/** A wait, a retry, a callback or the execution itself has come to its time. Heartbeats and pauses may have moved it. */
async function timerDue(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { id, operationId, kind = 'due' } = attempt.payload as TimerPayload;
  const nowMs = platform.clock.virtual();
  const later = await platform.store.transact({ keys: [durableKeys.execution(attempt, id)] }, (tx) => {
    const editor = openEditor(platform, tx, attempt, id, nowMs);
    if (!editor || isClosed(editor.row)) return undefined;
    if (operationId === undefined) {
      if (editor.row.timeoutMs > nowMs) return editor.row.timeoutMs;
      close(editor, 'TIMED_OUT', { error: { ErrorMessage: `Execution timed out after ${editor.row.timeoutSeconds} seconds.` } });
    } else {
      const operation = editor.operation(operationId);
      const dueMs = kind === 'heartbeat' ? operation?.heartbeatDueMs : operation?.dueMs;
      if (operation?.endedMs === undefined && dueMs !== undefined && dueMs > nowMs) return kind === 'heartbeat' ? dueMs : undefined;
      fireTimer(editor, kind, operationId);
    }
    editor.save();
    return undefined;
  });
  return later === undefined ? { done: true } : { retry: { atMs: later } };
}

/** Runs a function that is not durable for the operation that waits for it. */
async function runChained(platform: Platform, room: LambdaRoom, runner: FunctionRunner, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as ChainedPayload;
  const row = await getExecutionRow(platform.store, attempt, payload.id);
  if (!row || isClosed(row)) return { done: true };
  const ctx = lambdaContext(platform, attempt, attempt.trace);
  const input = payload.input ? await readText(platform.store, attempt, payload.id, payload.input) : '{}';
  let outcome: ChainedOutcome;
  try {
    const target = await invokeTarget(ctx, room, payload.functionName);
    const tenant = payload.tenantId === undefined ? {} : { tenantId: payload.tenantId };
    const result = await runner.run(ctx, { ...target, payload: Buffer.from(input), requestId: platform.ids.uuid(), ...tenant });
    outcome = result.functionError ? { status: 'FAILED', error: failureOf(result.payload) } : answered(result.payload);
  } catch (error) {
    if (!(error instanceof AwsError) || error.status === 429 || error.status >= 500) throw error;
    outcome = { status: 'FAILED', error: { ErrorMessage: error.message, ErrorType: error.code } };
  }
  await report(platform, attempt, payload.id, payload.operationId, outcome);
  return { done: true };
}

function answered(payload: Buffer): ChainedOutcome {
  if (payload.length > OPERATION_PAYLOAD_BYTES_MAX) {
    return {
      status: 'FAILED',
      error: { ErrorMessage: `CHAINED_INVOKE output payload size must be less than or equal to ${OPERATION_PAYLOAD_BYTES_MAX} bytes.` },
    };
  }
  return { status: 'SUCCEEDED', ...(payload.length > 0 ? { result: payload.toString('utf8') } : {}) };
}

async function report(platform: Platform, attempt: Attempt, id: string, operationId: string, outcome: ChainedOutcome): Promise<void> {
  const nowMs = platform.clock.virtual();
  await platform.store.transact({ keys: [durableKeys.execution(attempt, id)] }, (tx) => {
    attempt.settle(tx);
    const editor = openEditor(platform, tx, attempt, id, nowMs);
    if (!editor) return;
    endChained(editor, operationId, outcome);
    editor.save();
  });
}

/** Tells who waits for an execution that it has ended: callers, destinations, and the execution that started it. */
async function executionEnded(platform: Platform, room: LambdaRoom, attempt: Attempt): Promise<Outcome> {
  const { id } = attempt.payload as RunPayload;
  room.durable.tell(id);
  const row = await getExecutionRow(platform.store, attempt, id);
  if (row?.event) await tellDestinations(lambdaContext(platform, attempt, attempt.trace), attempt, row, row.event);
  if (row?.parent) await report(platform, attempt, row.parent.id, row.parent.operationId, await outcomeOf(platform, attempt, row));
  return { done: true };
}

/** What becomes of event invocations is told to destinations and dead-letter queues: here, once the whole execution has ended. */
async function tellDestinations(ctx: Ctx, attempt: Attempt, row: ExecutionRow, { requestId, qualifier }: NonNullable<ExecutionRow['event']>): Promise<void> {
  const { store } = ctx.platform;
  const { functionName } = row;
  const config = await getEventInvokeRow(store, ctx, functionName, qualifier || '$LATEST');
  const event = Buffer.from(row.input ? await readText(store, ctx, row.id, row.input) : '{}');
  const payload = { functionName, requestId, ...(qualifier === '' ? {} : { qualifier }) };
  const condition = row.status === 'SUCCEEDED' ? 'Success' : 'RetriesExhausted';
  await conclude(ctx, config, attempt, { payload, event }, { condition, result: await resultOf(ctx, ctx, row) });
}

async function outcomeOf(platform: Platform, attempt: Attempt, row: ExecutionRow): Promise<ChainedOutcome> {
  if (row.status === 'TIMED_OUT') {
    return {
      status: 'TIMED_OUT',
      error: { ErrorMessage: `CHAINED_INVOKE timed out after ${row.timeoutSeconds} seconds.`, ErrorType: 'ChainedInvoke.Timeout' },
    };
  }
  if (row.status === 'SUCCEEDED') {
    return { status: 'SUCCEEDED', ...(row.result ? { result: await readText(platform.store, attempt, row.id, row.result) } : {}) };
  }
  const error: ErrorObject = row.error ? await readError(platform.store, attempt, row.id, row.error) : {};
  return { status: row.status === 'STOPPED' ? 'STOPPED' : 'FAILED', error };
}

/** Deletes an execution whose retention is over, in bounded steps: the row itself last, so that a crash in between goes on. */
async function expire(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { id } = attempt.payload as RunPayload;
  const row = await getExecutionRow(platform.store, attempt, id);
  if (!row || !isClosed(row)) return { done: true };
  for (const prefix of [
    durableKeys.operations(attempt, id),
    durableKeys.events(attempt, id),
    durableKeys.timers(attempt, id),
    durableKeys.texts(attempt, id),
  ]) {
    for (let more = true; more; ) {
      more = await platform.store.transact({}, (tx) => {
        const page = tx.range({ from: prefix, to: prefixEnd(prefix), limit: DELETE_ROWS });
        for (const [key] of page.entries) tx.delete(key);
        return page.more;
      });
    }
  }
  await platform.store.transact({ keys: [durableKeys.execution(attempt, id)] }, (tx) => {
    attempt.settle(tx);
    tx.delete(durableKeys.execution(attempt, id));
    tx.delete(durableKeys.listed(attempt, row.functionName, row.startedMs, id));
    if (row.named) tx.delete(durableKeys.name(attempt, row.functionName, row.name));
  });
  return { done: true };
}
