import type { StopDurableExecutionRequest, StopDurableExecutionResponse } from '@aws-sdk/client-lambda';
import type { Operation } from '../../../service.ts';
import { conflict } from '../../errors.ts';
import { type Editor, EXPIRE, isClosed } from '../editor.ts';
import { editExecution } from '../find.ts';
import { close, trigger } from '../lifecycle.ts';
import { CLIENT_TOKEN_MS, EXECUTION_SECONDS_MAX } from '../limits.ts';
import type { ErrorObject } from '../store.ts';

/** What the newer operations take; the installed client's types do not have them yet. */
interface ControlRequest {
  readonly DurableExecutionArn?: string;
  readonly ClientToken?: string;
  readonly Reason?: string;
  readonly ExecutionTimeoutPaused?: boolean;
}

/** "StopDurableExecution": one that has ended stays as it is, and the answer is when. */
export const stopDurableExecution: Operation<StopDurableExecutionRequest, StopDurableExecutionResponse> = async (ctx, input) => {
  const endedMs = await editExecution(ctx, input.DurableExecutionArn ?? '', (editor) => {
    if (!isClosed(editor.row)) close(editor, 'STOPPED', { error: (input.Error ?? {}) as ErrorObject });
    return editor.row.endedMs ?? editor.nowMs;
  });
  return { StopTimestamp: new Date(endedMs) };
};

/** "PauseDurableExecution". */
export const pauseDurableExecution: Operation<ControlRequest, Record<string, never>> = async (ctx, input) => {
  await editExecution(ctx, input.DurableExecutionArn ?? '', (editor) => {
    const { row, nowMs } = editor;
    if (knows(editor, input.ClientToken)) return;
    if (isClosed(row) || row.pause) throw conflict(`The durable execution is currently in the following status: ${row.status}`);
    const timeoutPaused = input.ExecutionTimeoutPaused ?? true;
    row.pause = { requestedMs: nowMs, timeoutPaused, ...(input.Reason === undefined ? {} : { reason: input.Reason }) };
    row.status = row.invocation ? 'PAUSING' : 'PAUSED';
    if (timeoutPaused) row.timeoutMs = row.startedMs + EXECUTION_SECONDS_MAX * 1000;
    editor.event('ExecutionPaused', editor.operation(row.id), {
      PauseRequestTimestamp: { time: nowMs },
      Reason: input.Reason === undefined ? undefined : { reason: input.Reason },
      ExecutionTimeoutPaused: timeoutPaused,
    });
  });
  return {};
};

/** "ResumeDurableExecution": what was due meanwhile runs now, and a timeout that was paused goes on. */
export const resumeDurableExecution: Operation<ControlRequest, Record<string, never>> = async (ctx, input) => {
  await editExecution(ctx, input.DurableExecutionArn ?? '', (editor) => {
    const { row, nowMs } = editor;
    if (knows(editor, input.ClientToken)) return;
    const { pause } = row;
    if (isClosed(row) || !pause) throw conflict(`The durable execution is currently in the following status: ${row.status}`);
    delete row.pause;
    row.status = 'RUNNING';
    if (pause.timeoutPaused) {
      const heldMs = (row.heldMs ?? 0) + nowMs - pause.requestedMs;
      row.heldMs = heldMs;
      row.timeoutMs = Math.min(row.startedMs + EXECUTION_SECONDS_MAX * 1000, row.startedMs + row.timeoutSeconds * 1000 + heldMs);
      editor.send('lambda:durable-timer', { id: row.id }, { dueMs: row.timeoutMs });
    }
    editor.event('ExecutionResumed', editor.operation(row.id), {
      ResumeRequestTimestamp: { time: nowMs },
      Reason: input.Reason === undefined ? undefined : { reason: input.Reason },
    });
    const due = row.deferred || row.unseen.length > 0;
    delete row.deferred;
    if (due) trigger(editor);
  });
  return {};
};

/** "DeleteDurableExecution": at once where AWS takes its time, still by the way of `DELETING`. */
export const deleteDurableExecution: Operation<ControlRequest, { DeletionRequestTimestamp: Date }> = async (ctx, input) => {
  const atMs = await editExecution(ctx, input.DurableExecutionArn ?? '', (editor) => {
    const { row, nowMs } = editor;
    if (!isClosed(row)) throw conflict(`The durable execution is currently in the following status: ${row.status}`);
    row.status = 'DELETING';
    editor.send(EXPIRE, { id: row.id });
    return nowMs;
  });
  return { DeletionRequestTimestamp: new Date(atMs) };
};

/** Whether this request came before, within 15 minutes; remembers it where not. */
function knows({ row, nowMs }: Editor, clientToken: string | undefined): boolean {
  if (clientToken === undefined) return false;
  const known = Object.fromEntries(Object.entries(row.clientTokens ?? {}).filter(([, untilMs]) => untilMs > nowMs));
  if (known[clientToken] !== undefined) return true;
  row.clientTokens = { ...known, [clientToken]: nowMs + CLIENT_TOKEN_MS };
  return false;
}
