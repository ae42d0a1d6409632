import type { Tx } from '../../../store/store.ts';
import type { Ctx } from '../../service.ts';
import type { Place } from '../domain/names.ts';
import { type Editor, openEditor } from './editor.ts';
import { callbackClosed, executionNotFound, foreignToken, invalidCallbackId, invalidToken } from './errors.ts';
import { durableKeys, type ExecutionRow, getExecutionRow, type OperationRow } from './store.ts';
import { parseCallbackId, parseCheckpointToken } from './tokens.ts';

const ARN =
  /^arn:[a-zA-Z0-9-]+:lambda:([a-zA-Z0-9-]+):(\d{12}):function:[a-zA-Z0-9_-]+:(?:\$LATEST(?:\.PUBLISHED)?|[0-9]+)\/durable-execution\/[a-zA-Z0-9_-]+\/([a-zA-Z0-9_-]+)$/;

/** The id in an execution's ARN; undefined where it is of another account or region. */
export function idOf(place: Place, arn: string): string | undefined {
  const [, region, account, id] = ARN.exec(arn) ?? [];
  return region === place.region && account === place.account ? id : undefined;
}

/** The execution of an ARN. Throws ResourceNotFoundException. */
export async function requireExecution(ctx: Ctx, arn: string): Promise<ExecutionRow> {
  const id = idOf(ctx, arn);
  const row = id === undefined ? undefined : await getExecutionRow(ctx.platform.store, ctx, id);
  if (row?.arn !== arn) throw executionNotFound();
  return row;
}

/** Changes an execution in one transaction. Throws ResourceNotFoundException. */
export async function editExecution<T>(ctx: Ctx, arn: string, change: (editor: Editor) => T): Promise<T> {
  const { platform } = ctx;
  const id = idOf(ctx, arn);
  if (id === undefined) throw executionNotFound();
  const nowMs = platform.clock.virtual();
  return platform.store.transact({ keys: [durableKeys.execution(ctx, id)] }, (tx) => {
    const editor = openEditor(platform, tx, ctx, id, nowMs);
    if (editor?.row.arn !== arn) throw executionNotFound();
    const result = change(editor);
    editor.save();
    return result;
  });
}

/** Whether a token is good for the next checkpoint of the invocation under way. Throws InvalidParameterValueException. */
export function checkToken(row: ExecutionRow | undefined, arn: string, token: string): asserts row is ExecutionRow {
  const parsed = parseCheckpointToken(token);
  if (parsed && !arn.endsWith(`/${parsed.executionId}`)) throw foreignToken();
  const current = row?.invocation && row.endedMs === undefined && row.arn === arn;
  if (!parsed || !current || parsed.invocationId !== row.invocation.id || parsed.sequence !== row.sequence) throw invalidToken();
}

/** Opens the execution of a callback that still waits. Throws InvalidParameterValueException, CallbackTimeoutException. */
export async function editCallback(ctx: Ctx, callbackId: string, change: (editor: Editor, operation: OperationRow) => void): Promise<void> {
  const { platform } = ctx;
  const parsed = parseCallbackId(callbackId);
  if (!parsed) throw invalidCallbackId();
  const nowMs = platform.clock.virtual();
  await platform.store.transact({ keys: [durableKeys.execution(ctx, parsed.executionId)] }, (tx: Tx) => {
    const editor = openEditor(platform, tx, ctx, parsed.executionId, nowMs);
    const operation = editor?.operation(parsed.operationId);
    const waits = operation?.type === 'CALLBACK' && operation.status === 'STARTED' && editor?.row.endedMs === undefined;
    const late = [operation?.dueMs, operation?.heartbeatDueMs].some((dueMs) => dueMs !== undefined && dueMs <= nowMs);
    if (!editor || !operation || !waits || late) throw callbackClosed();
    change(editor, operation);
    editor.save();
  });
}

/** A page's size: 0 and nothing are the default. */
export const pageSize = (asked: number | undefined, byDefault: number): number => (asked === undefined || asked === 0 ? byDefault : asked);
