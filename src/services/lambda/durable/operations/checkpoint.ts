import type { CheckpointDurableExecutionRequest, CheckpointDurableExecutionResponse, OperationUpdate } from '@aws-sdk/client-lambda';
import { AwsError } from '../../../../kit/errors.ts';
import { decodeJson } from '../../../../kit/json.ts';
import { prefixEnd } from '../../../../kit/key.ts';
import type { Ctx, Operation } from '../../../service.ts';
import { functionArn, type Place } from '../../domain/names.ts';
import { checkTenant } from '../../domain/tenancy.ts';
import { find } from '../../functions.ts';
import type { VersionRow } from '../../store.ts';
import { applyUpdate } from '../domain/apply.ts';
import { checkUpdates, readTarget } from '../domain/checks.ts';
import { CHAINED, type Editor, isClosed, openEditor } from '../editor.ts';
import { invalidToken, unqualified } from '../errors.ts';
import { checkToken, idOf } from '../find.ts';
import { endChained, fireTimer } from '../lifecycle.ts';
import { createExecution } from '../start.ts';
import { durableKeys, type ErrorObject, type ExecutionRow, type OperationRow, type Text, type TimerKind } from '../store.ts';
import { formatCheckpointToken } from '../tokens.ts';
import { operationOf } from '../wire.ts';

/** The function that a chained invocation means, looked up before the checkpoint. */
interface ChainedTarget {
  readonly error?: ErrorObject;
  readonly functionName?: string;
  readonly row?: VersionRow;
  /** Ids of a durable target's execution. */
  readonly id: string;
  readonly name: string;
}

interface Done {
  readonly row: ExecutionRow;
  readonly changed: readonly OperationRow[];
  readonly token?: string;
}

/** "CheckpointDurableExecution". */
export const checkpointDurableExecution: Operation<CheckpointDurableExecutionRequest, CheckpointDurableExecutionResponse> = async (ctx, input) => {
  const { platform } = ctx;
  const arn = input.DurableExecutionArn ?? '';
  const token = input.CheckpointToken ?? '';
  const updates = input.Updates ?? [];
  const id = idOf(ctx, arn);
  if (id === undefined) throw invalidToken();
  checkNames(ctx, updates);
  const targets = await resolveTargets(ctx, updates);
  const nowMs = platform.clock.virtual();
  const done = await platform.store.transact({ keys: [durableKeys.execution(ctx, id)] }, (tx): Done => {
    const editor = openEditor(platform, tx, ctx, id, nowMs);
    const again = editor && replayed(editor, token, input.ClientToken);
    if (again) return again;
    checkToken(editor?.row, arn, token);
    if (!editor) throw invalidToken();
    checkUpdates(editor, updates);
    const touched = updates.map((update) =>
      applyUpdate(editor, update, (_editor, operation, one, text) => {
        const target = targets.get(one.Id ?? '');
        if (target) startChained(target, editor, operation, one, text, () => createChild(ctx, tx, editor, operation, target, one));
      }),
    );
    if (!isClosed(editor.row))
      fireDue(
        editor,
        tx.range({ from: durableKeys.timers(ctx, id), to: prefixEnd(durableKeys.timers(ctx, id)) }).entries.map(([, value]) => value),
      );
    return answer(editor, [...touched, ...editor.row.unseen], token, input.ClientToken);
  });
  const Operations = await Promise.all(done.changed.map((one) => operationOf(platform.store, ctx, done.row, one)));
  return { ...(done.token === undefined ? {} : { CheckpointToken: done.token }), NewExecutionState: { Operations } };
};

/** A target that no function can have is refused before anything is looked up. */
function checkNames(place: Place, updates: readonly OperationUpdate[]): void {
  for (const { Type, ChainedInvokeOptions: options } of updates) if (Type === 'CHAINED_INVOKE' && options) readTarget(place, options.FunctionName ?? '');
}

/** The answer to the last checkpoint again, where its client token comes again. */
function replayed(editor: Editor, token: string, clientToken: string | undefined): Done | undefined {
  const { row } = editor;
  const last = row.lastCheckpoint;
  if (!last || clientToken === undefined || last.clientToken !== clientToken || last.token !== token || isClosed(row) || !row.invocation) return undefined;
  return { row, changed: rowsOf(editor, last.operations), token: tokenOf(row) };
}

function tokenOf(row: ExecutionRow): string {
  return formatCheckpointToken({ executionId: row.id, invocationId: row.invocation?.id ?? '', sequence: row.sequence });
}

function rowsOf(editor: Editor, ids: readonly string[]): OperationRow[] {
  return ids
    .map((id) => editor.operation(id))
    .filter((row) => row !== undefined)
    .sort((a, b) => a.sequence - b.sequence);
}

/** Consumes the token. Whoever pauses gets no new one: this invocation may checkpoint no further. */
function answer(editor: Editor, touched: readonly (string | undefined)[], token: string, clientToken: string | undefined): Done {
  const { row } = editor;
  const ids = [...new Set(touched.filter((id) => id !== undefined))];
  row.sequence += 1;
  delete row.lastCheckpoint;
  if (isClosed(row)) {
    editor.save();
    return { row, changed: rowsOf(editor, ids) };
  }
  if (row.pause) {
    row.unseen = ids;
    row.deferred = true;
    editor.save();
    return { row, changed: [] };
  }
  row.unseen = [];
  if (clientToken !== undefined) row.lastCheckpoint = { clientToken, token, operations: ids };
  editor.save();
  return { row, changed: rowsOf(editor, ids), token: tokenOf(row) };
}

/** Timers whose time has come end with this checkpoint, so that the function learns of it at once. */
function fireDue(editor: Editor, timers: readonly Uint8Array[]): void {
  for (const value of timers) {
    const { kind, operationId } = decodeJson<{ kind: TimerKind; operationId: string }>(value);
    const operation = editor.operation(operationId);
    const dueMs = kind === 'heartbeat' ? operation?.heartbeatDueMs : operation?.dueMs;
    if (dueMs !== undefined && dueMs > editor.nowMs) return;
    fireTimer(editor, kind, operationId);
  }
}

async function resolveTargets(ctx: Ctx, updates: readonly OperationUpdate[]): Promise<ReadonlyMap<string, ChainedTarget>> {
  const { ids } = ctx.platform;
  const targets = new Map<string, ChainedTarget>();
  for (const update of updates) {
    if (update.Type !== 'CHAINED_INVOKE' || update.Action !== 'START' || !update.ChainedInvokeOptions) continue;
    const made = { id: ids.uuid(), name: ids.uuid() };
    targets.set(update.Id ?? '', {
      ...made,
      ...(await resolveTarget(ctx, update.ChainedInvokeOptions.FunctionName ?? '', update.ChainedInvokeOptions.TenantId)),
    });
  }
  return targets;
}

async function resolveTarget(ctx: Ctx, functionName: string, tenantId: string | undefined): Promise<Pick<ChainedTarget, 'error' | 'functionName' | 'row'>> {
  const reference = readTarget(ctx, functionName);
  try {
    const { fn, row } = await find(ctx.platform, ctx, { ...reference, qualifier: reference.qualifier ?? '$LATEST' });
    if (row.durable && reference.qualifier === undefined) throw unqualified();
    checkTenant(row, tenantId);
    return { functionName: fn.name, row };
  } catch (error) {
    if (!(error instanceof AwsError)) throw error;
    const missing = error.code === 'ResourceNotFoundException';
    const arn = functionArn(ctx, reference.name, reference.qualifier ?? '$LATEST');
    return { error: { ErrorMessage: missing ? `Function not found: ${arn}` : error.message, ErrorType: error.code } };
  }
}

/** Starts what a chained invocation means; a target that cannot be invoked fails the operation at once. */
function startChained(
  target: ChainedTarget,
  editor: Editor,
  operation: OperationRow,
  update: OperationUpdate,
  input: Text | undefined,
  child: () => string,
): void {
  const { FunctionName, TenantId } = update.ChainedInvokeOptions ?? {};
  if (target.error || !target.row) {
    editor.event('ChainedInvokeStarted', operation, { FunctionName, TenantId });
    endChained(editor, operation.id, { status: 'FAILED', error: target.error ?? {} });
    return;
  }
  const Input = { result: input ?? null };
  if (target.row.durable) {
    const DurableExecutionArn = child();
    editor.event('ChainedInvokeStarted', operation, { FunctionName, TenantId, Input, ExecutedVersion: target.row.version, DurableExecutionArn });
    editor.change({ ...operation, childId: target.id });
    return;
  }
  editor.event('ChainedInvokeStarted', operation, { FunctionName, TenantId, Input, ExecutedVersion: target.row.version });
  const tenant = TenantId === undefined ? {} : { tenantId: TenantId };
  editor.send(CHAINED, { id: editor.row.id, operationId: operation.id, functionName: FunctionName ?? '', ...(input ? { input } : {}), ...tenant });
}

function createChild(
  ctx: Ctx,
  tx: Parameters<typeof createExecution>[1],
  editor: Editor,
  operation: OperationRow,
  target: ChainedTarget,
  update: OperationUpdate,
): string {
  if (!target.row) throw new Error('a child needs a function');
  const child = createExecution(ctx.platform, tx, ctx, {
    id: target.id,
    name: target.name,
    named: false,
    functionName: target.functionName ?? '',
    row: target.row,
    ...(update.Payload === undefined ? {} : { input: update.Payload }),
    synchronous: false,
    traceHeader: update.ChainedInvokeOptions?.XAmznTraceId ?? editor.row.traceHeader,
    nowMs: editor.nowMs,
    tenantId: update.ChainedInvokeOptions?.TenantId,
    parent: { id: editor.row.id, operationId: operation.id },
  });
  return child.arn;
}
