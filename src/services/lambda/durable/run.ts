import type { Attempt, Outcome } from '../../../bus/bus.ts';
import type { InvokeResult } from '../../../compute/types.ts';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Platform } from '../../service.ts';
import type { LambdaRoom } from '../functions.ts';
import { invokeTarget } from '../operations/target.ts';
import { lambdaContext } from '../principal.ts';
import type { FunctionRunner } from '../runner.ts';
import { resultTooLarge } from './domain/checks.ts';
import { failureOf, type InvocationOutput, readOutput } from './domain/output.ts';
import { type Editor, isClosed, openEditor, type RunPayload } from './editor.ts';
import { close, ENDED_STATUSES, trigger } from './lifecycle.ts';
import { FAILED_INVOCATIONS_MAX, INVALID_PENDING_MAX, INVOCATION_RETRY_MS, PAGE_BYTES_MAX, THROTTLED_BACKOFF_MS_MAX } from './limits.ts';
import { durableKeys, type ErrorObject, type ExecutionRow, listAll } from './store.ts';
import { formatCheckpointToken } from './tokens.ts';
import { eventJson, operationsPage } from './wire.ts';

/** How an invocation of the function ended. */
type Ending = { readonly result: InvokeResult } | { readonly refused: ErrorObject };

/** One invocation of an execution's function: with the state so far, up to its end or to where it suspends. */
export async function runExecution(platform: Platform, room: LambdaRoom, runner: FunctionRunner, attempt: Attempt): Promise<Outcome> {
  const { id } = attempt.payload as RunPayload;
  const ctx = lambdaContext(platform, attempt, attempt.trace);
  const invocation = { id: platform.ids.uuid(), requestId: platform.ids.uuid(), startedMs: platform.clock.virtual() };
  const begun = await begin(platform, attempt, id, invocation);
  if (!begun) return { done: true };
  const { row, updated } = begun;
  let ending: Ending;
  try {
    const payload = await payloadOf(platform, attempt, row, updated);
    const target = await invokeTarget(ctx, room, row.functionName, row.version);
    const tenant = row.tenantId === undefined ? {} : { tenantId: row.tenantId };
    ending = { result: await runner.run(ctx, { ...target, payload, requestId: invocation.requestId, ...tenant }) };
  } catch (error) {
    const again = await putOff(platform, attempt, row, error);
    if (again) return again;
    ending = { refused: refusalOf(error) };
  }
  await finish(ctx, attempt, row, ending);
  return { done: true };
}

/** Claims the execution for an invocation: what the function has not seen is told now. */
async function begin(
  platform: Platform,
  attempt: Attempt,
  id: string,
  invocation: NonNullable<ExecutionRow['invocation']>,
): Promise<{ readonly row: ExecutionRow; readonly updated: readonly string[] } | undefined> {
  const nowMs = platform.clock.virtual();
  return platform.store.transact({ keys: [durableKeys.execution(attempt, id)] }, (tx) => {
    const editor = openEditor(platform, tx, attempt, id, nowMs);
    if (!editor || isClosed(editor.row)) return undefined;
    const { row } = editor;
    row.queued = false;
    if (row.pause) {
      row.deferred = true;
      delete row.invocation;
      editor.save();
      return undefined;
    }
    const updated = row.unseen;
    row.invocation = invocation;
    row.unseen = [];
    editor.save();
    return { row: { ...row }, updated };
  });
}

async function payloadOf(platform: Platform, attempt: Attempt, row: ExecutionRow, updated: readonly string[]): Promise<Buffer> {
  const page = await operationsPage(platform.store, attempt, row, { from: 0, items: Number.POSITIVE_INFINITY, bytes: PAGE_BYTES_MAX });
  const token = formatCheckpointToken({ executionId: row.id, invocationId: row.invocation?.id ?? '', sequence: row.sequence });
  const head = { DurableExecutionArn: row.arn, CheckpointToken: token, UpdatedOperationIds: updated };
  const state = `{"Operations":[${page.operations.map(eventJson).join(',')}],"NextMarker":${JSON.stringify(page.next === undefined ? '' : String(page.next))}}`;
  return Buffer.from(`${JSON.stringify(head).slice(0, -1)},"InitialExecutionState":${state}}`);
}

/** Throttled, or failed by the platform: tried again later, without counting. Undefined where trying again does not help. */
async function putOff(platform: Platform, attempt: Attempt, row: ExecutionRow, error: unknown): Promise<Outcome | undefined> {
  if (error instanceof AwsError && error.status !== 429 && error.status !== 409 && error.status < 500) return undefined;
  if (error instanceof AwsError && error.code === 'InvalidRuntimeException') return undefined;
  if (!(error instanceof AwsError))
    platform.log.warn({ err: error, execution: row.arn }, 'an invocation of a durable execution failed and will be tried again');
  const nowMs = platform.clock.virtual();
  await platform.store.transact({ keys: [durableKeys.execution(attempt, row.id)] }, (tx) => {
    const editor = openEditor(platform, tx, attempt, row.id, nowMs);
    if (!editor || editor.row.invocation?.id !== row.invocation?.id) return;
    delete editor.row.invocation;
    editor.row.queued = true;
    editor.save();
  });
  return { retry: { atMs: nowMs + Math.min(THROTTLED_BACKOFF_MS_MAX, 1000 * 2 ** Math.min(attempt.attempt - 1, 10)) } };
}

function refusalOf(error: unknown): ErrorObject {
  return error instanceof AwsError ? { ErrorMessage: error.message, ErrorType: error.code } : { ErrorMessage: String(error) };
}

/** Writes how the invocation ended, and what follows: the execution's end, another run, or waiting. */
async function finish(ctx: Ctx, attempt: Attempt, row: ExecutionRow, ending: Ending): Promise<void> {
  const { platform } = ctx;
  const nowMs = platform.clock.virtual();
  const waiting = (await listAll(platform.store, attempt, row.id)).some(
    ({ type, status }) => type !== 'EXECUTION' && type !== 'CONTEXT' && !ENDED_STATUSES.has(status) && !(type === 'STEP' && status !== 'PENDING'),
  );
  await platform.store.transact({ keys: [durableKeys.execution(attempt, row.id)] }, (tx) => {
    attempt.settle(tx);
    const editor = openEditor(platform, tx, attempt, row.id, nowMs);
    if (!editor || editor.row.invocation?.id !== row.invocation?.id) return;
    delete editor.row.invocation;
    if (editor.row.status === 'PAUSING') editor.row.status = 'PAUSED';
    conclude(editor, ending, waiting, row.invocation ?? { id: '', requestId: '', startedMs: nowMs });
    editor.save();
  });
}

/** What follows an invocation. */
type Verdict =
  | { readonly end: 'SUCCEEDED' | 'FAILED'; readonly result?: string; readonly error?: ErrorObject }
  | { readonly retry: ErrorObject; readonly attemptsMax: number }
  | 'wait';

function conclude(editor: Editor, ending: Ending, waiting: boolean, invocation: NonNullable<ExecutionRow['invocation']>): void {
  const { row } = editor;
  const output = 'result' in ending && !ending.result.functionError ? readOutput(ending.result.payload) : undefined;
  const failed = 'refused' in ending ? ending.refused : ending.result.functionError ? failureOf(ending.result.payload) : undefined;
  const shown = failed ?? (output?.Status === 'FAILED' ? (output.Error ?? {}) : undefined);
  const kept = shown && editor.keepError(`invocation.${row.events + 1}`, shown);
  editor.event('InvocationCompleted', undefined, {
    StartTimestamp: { time: invocation.startedMs },
    EndTimestamp: { time: editor.nowMs },
    RequestId: invocation.requestId,
    Error: { error: kept ?? null },
  });
  if (isClosed(row)) return;
  const verdict = verdictOf(row, ending, failed, output, waiting);
  if (verdict === 'wait') {
    row.failures = 0;
    if (row.unseen.length > 0) trigger(editor);
  } else if ('end' in verdict) close(editor, verdict.end, verdict);
  else retry(editor, verdict.retry, verdict.attemptsMax);
}

function verdictOf(row: ExecutionRow, ending: Ending, failed: ErrorObject | undefined, output: InvocationOutput | undefined, waiting: boolean): Verdict {
  if (failed) return 'refused' in ending ? { end: 'FAILED', error: failed } : { retry: failed, attemptsMax: FAILED_INVOCATIONS_MAX };
  const wrong = wrongOf(row, output);
  if (wrong !== undefined) return { end: 'FAILED', error: invalidOutput(wrong) };
  if (output?.Status === 'SUCCEEDED') return { end: 'SUCCEEDED', ...(output.Result === undefined ? {} : { result: output.Result }) };
  if (output?.Status === 'FAILED') return { end: 'FAILED', error: output.Error ?? {} };
  if (waiting || row.deferred || row.unseen.length > 0) return 'wait';
  return { retry: invalidOutput('Cannot return PENDING status with no pending operations.'), attemptsMax: INVALID_PENDING_MAX };
}

const invalidOutput = (message: string): ErrorObject => ({ ErrorMessage: message, ErrorType: 'InvalidParameterValueException' });

/** Why an output cannot be taken. */
function wrongOf(row: ExecutionRow, output: InvocationOutput | undefined): string | undefined {
  if (!output) return 'Invalid Status in invocation output.';
  if (output.Status === 'SUCCEEDED' && output.Error) return 'Cannot provide an Error for SUCCEEDED status.';
  if (output.Status === 'FAILED' && output.Result !== undefined) return 'Cannot provide a Result for FAILED status.';
  if (output.Status === 'SUCCEEDED' && Buffer.byteLength(output.Result ?? '') > row.resultBytesMax) return resultTooLarge(row);
  return undefined;
}

/** Runs again after a while, or gives up after `attemptsMax` in a row. */
function retry(editor: Editor, error: ErrorObject, attemptsMax: number): void {
  const { row, nowMs } = editor;
  row.failures += 1;
  if (row.failures >= attemptsMax) close(editor, 'FAILED', { error });
  else trigger(editor, nowMs + INVOCATION_RETRY_MS * 2 ** (row.failures - 1));
}
