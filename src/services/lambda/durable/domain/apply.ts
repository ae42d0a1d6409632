import type { OperationUpdate } from '@aws-sdk/client-lambda';
import type { Editor } from '../editor.ts';
import { armTimer, close } from '../lifecycle.ts';
import type { ErrorObject, OperationRow, OperationType, Text } from '../store.ts';
import { formatCallbackId } from '../tokens.ts';

/** What a chained invocation met when it was started. */
export type ChainedStart = (editor: Editor, operation: OperationRow, update: OperationUpdate, input: Text | undefined) => void;

/** Applies one checked update to its execution, and writes its event. Returns the operation's id; undefined for the execution's own end. */
export function applyUpdate(editor: Editor, update: OperationUpdate, startChained: ChainedStart): string | undefined {
  if (update.Type === 'EXECUTION') {
    if (update.Action === 'SUCCEED') close(editor, 'SUCCEEDED', update.Payload === undefined ? {} : { result: update.Payload });
    else close(editor, 'FAILED', { error: errorOf(update) ?? {} });
    return undefined;
  }
  const operation = editor.operation(update.Id ?? '') ?? begin(editor, update);
  switch (update.Type) {
    case 'STEP':
      applyStep(editor, operation, update);
      break;
    case 'CONTEXT':
      applyContext(editor, operation, update);
      break;
    case 'WAIT':
      applyWait(editor, operation, update);
      break;
    case 'CALLBACK':
      startCallback(editor, operation, update);
      break;
    default:
      startChained(editor, operation, update, update.Payload === undefined ? undefined : editor.keep(`${operation.id}.input`, update.Payload));
  }
  return operation.id;
}

/** Texts of one operation are told apart by how far the history was when they came. */
const refOf = (editor: Editor, operation: OperationRow): string => `${operation.id}.${editor.row.events + 1}`;

function errorOf(update: OperationUpdate): ErrorObject | undefined {
  const { ErrorMessage, ErrorType, ErrorData, StackTrace } = update.Error ?? {};
  if (!update.Error) return undefined;
  return {
    ...(ErrorMessage === undefined ? {} : { ErrorMessage }),
    ...(ErrorType === undefined ? {} : { ErrorType }),
    ...(ErrorData === undefined ? {} : { ErrorData }),
    ...(StackTrace === undefined ? {} : { StackTrace }),
  };
}

function begin(editor: Editor, update: OperationUpdate): OperationRow {
  return editor.add({
    id: update.Id ?? '',
    type: update.Type as OperationType,
    status: 'STARTED',
    startedMs: editor.nowMs,
    ...(update.ParentId === undefined ? {} : { parentId: update.ParentId }),
    ...(update.Name === undefined ? {} : { name: update.Name }),
    ...(update.SubType === undefined ? {} : { subType: update.SubType }),
  });
}

interface Outcome {
  readonly result?: Text;
  readonly error?: Text;
}

function outcomeOf(editor: Editor, operation: OperationRow, update: OperationUpdate): Outcome {
  const ref = refOf(editor, operation);
  const error = errorOf(update);
  return {
    ...(update.Payload === undefined ? {} : { result: editor.keep(ref, update.Payload) }),
    ...(error ? { error: editor.keepError(ref, error) } : {}),
  };
}

function applyStep(editor: Editor, operation: OperationRow, update: OperationUpdate): void {
  if (update.Action === 'START') {
    const { dueMs: _1, error: _2, ...rest } = operation;
    editor.change({ ...rest, status: 'STARTED' });
    editor.event('StepStarted', operation, {});
    return;
  }
  const attempt = (operation.attempt ?? 0) + 1;
  const outcome = outcomeOf(editor, operation, update);
  const { result: _1, error: _2, dueMs: _3, ...rest } = operation;
  const delaySeconds = update.StepOptions?.NextAttemptDelaySeconds;
  const retry = update.Action === 'RETRY';
  const RetryDetails = { plain: { CurrentAttempt: attempt, ...(retry ? { NextAttemptDelaySeconds: delaySeconds ?? 0 } : {}) } };
  const failed = update.Action === 'FAIL' || (retry && outcome.error !== undefined);
  if (failed) editor.event('StepFailed', operation, { Error: { error: outcome.error ?? null }, RetryDetails });
  else editor.event('StepSucceeded', operation, { Result: { result: outcome.result ?? null }, RetryDetails });
  if (!retry) {
    editor.change({ ...rest, ...outcome, attempt, status: failed ? 'FAILED' : 'SUCCEEDED', endedMs: editor.nowMs });
    return;
  }
  const dueMs = editor.nowMs + (delaySeconds ?? 0) * 1000;
  editor.change({ ...rest, ...outcome, attempt, status: 'PENDING', dueMs });
  armTimer(editor, 'due', operation.id, dueMs);
}

function applyContext(editor: Editor, operation: OperationRow, update: OperationUpdate): void {
  if (update.Action === 'START') {
    editor.event('ContextStarted', operation, {});
    return;
  }
  const outcome = outcomeOf(editor, operation, update);
  const failed = update.Action === 'FAIL';
  if (failed) editor.event('ContextFailed', operation, { Error: { error: outcome.error ?? null } });
  else editor.event('ContextSucceeded', operation, { Result: { result: outcome.result ?? null } });
  const replayChildren = update.ContextOptions?.ReplayChildren;
  editor.change({
    ...operation,
    ...outcome,
    status: failed ? 'FAILED' : 'SUCCEEDED',
    endedMs: editor.nowMs,
    ...(replayChildren === undefined ? {} : { replayChildren }),
  });
}

function applyWait(editor: Editor, operation: OperationRow, update: OperationUpdate): void {
  if (update.Action === 'CANCEL') {
    if (operation.dueMs !== undefined) editor.disarm('due', operation.id, operation.dueMs);
    const { error } = outcomeOf(editor, operation, update);
    editor.event('WaitCancelled', operation, error ? { Error: { error } } : {});
    editor.change({ ...operation, status: 'CANCELLED', endedMs: editor.nowMs });
    return;
  }
  const waitSeconds = update.WaitOptions?.WaitSeconds ?? 0;
  const dueMs = editor.nowMs + waitSeconds * 1000;
  editor.event('WaitStarted', operation, { Duration: waitSeconds, ScheduledEndTimestamp: { time: dueMs } });
  editor.change({ ...operation, waitSeconds, dueMs });
  armTimer(editor, 'due', operation.id, dueMs);
}

function startCallback(editor: Editor, operation: OperationRow, update: OperationUpdate): void {
  const { TimeoutSeconds: timeoutSeconds = 0, HeartbeatTimeoutSeconds: heartbeatSeconds = 0 } = update.CallbackOptions ?? {};
  const callbackId = formatCallbackId({ executionId: editor.row.id, operationId: operation.id });
  const dueMs = timeoutSeconds > 0 ? editor.nowMs + timeoutSeconds * 1000 : undefined;
  const heartbeatDueMs = heartbeatSeconds > 0 ? editor.nowMs + heartbeatSeconds * 1000 : undefined;
  editor.event('CallbackStarted', operation, {
    CallbackId: callbackId,
    Timeout: timeoutSeconds > 0 ? timeoutSeconds : undefined,
    HeartbeatTimeout: heartbeatSeconds > 0 ? heartbeatSeconds : undefined,
  });
  editor.change({
    ...operation,
    callbackId,
    ...(dueMs === undefined ? {} : { dueMs }),
    ...(heartbeatDueMs === undefined ? {} : { heartbeatDueMs, heartbeatSeconds }),
  });
  if (dueMs !== undefined) armTimer(editor, 'due', operation.id, dueMs);
  if (heartbeatDueMs !== undefined) armTimer(editor, 'heartbeat', operation.id, heartbeatDueMs);
}
