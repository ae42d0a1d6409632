import type { InvokeReport, InvokeResult } from '../../../compute/types.ts';
import { decodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import type { Place } from '../domain/names.ts';
import { checkTenant } from '../domain/tenancy.ts';
import type { LambdaRoom } from '../functions.ts';
import type { InvokeTarget } from '../operations/target.ts';
import type { FunctionRunner } from '../runner.ts';
import { isClosed } from './editor.ts';
import { alreadyStarted, tooLongForSync, unqualified } from './errors.ts';
import { SYNC_EXECUTION_SECONDS_MAX, WAIT_LOOK_MS } from './limits.ts';
import { createExecution, hashOf, traceHeaderOf } from './start.ts';
import { durableKeys, type ExecutionRow, getExecutionRow, readError, readText } from './store.ts';

/** Whoever waits for executions to end, in this process. */
export interface Waits {
  /** Resolves when the execution has ended, or after `waitMs`; `cancel` when nobody waits any more. */
  until(id: string, waitMs: number): { readonly told: Promise<void>; readonly cancel: () => void };
  tell(id: string): void;
}

export function createWaits(): Waits {
  const waiting = new Map<string, Set<() => void>>();
  return {
    until(id, waitMs) {
      const { promise, resolve } = Promise.withResolvers<void>();
      const all = waiting.get(id) ?? new Set();
      waiting.set(id, all);
      const done = () => {
        clearTimeout(timer);
        all.delete(done);
        if (all.size === 0 && waiting.get(id) === all) waiting.delete(id);
        resolve();
      };
      const timer = setTimeout(done, waitMs);
      all.add(done);
      return { told: promise, cancel: done };
    },
    tell(id) {
      for (const done of [...(waiting.get(id) ?? [])]) done();
    },
  };
}

/** How a durable function is invoked. */
export interface DurableInvocation {
  readonly payload: Uint8Array;
  readonly synchronous: boolean;
  /** `DurableExecutionName`: an execution of that name and input is found again. */
  readonly name?: string;
  /** The new execution's id, where the caller must not start two. */
  readonly id?: string;
  readonly tenantId?: string | undefined;
  /** Of event invocations, whose destinations are told the end. */
  readonly event?: ExecutionRow['event'];
}

const QUALIFIED_PARTS = 8;

/** Throws AWS's errors for an invocation that a durable function does not take. */
export function checkDurable({ row, invokedArn }: InvokeTarget, synchronous: boolean): void {
  if (invokedArn.split(':').length < QUALIFIED_PARTS) throw unqualified();
  if (synchronous && (row.durable?.executionTimeout ?? 0) > SYNC_EXECUTION_SECONDS_MAX) throw tooLongForSync();
}

/** Starts an execution, or finds the one of that name. Throws DurableExecutionAlreadyStartedException. */
export async function startDurable(ctx: Ctx, target: InvokeTarget, invocation: DurableInvocation): Promise<ExecutionRow> {
  const { platform } = ctx;
  checkDurable(target, invocation.synchronous);
  checkTenant(target.row, invocation.tenantId);
  const { payload, name } = invocation;
  const input = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength).toString('utf8');
  const id = invocation.id ?? platform.ids.uuid();
  const generated = platform.ids.uuid();
  const nowMs = platform.clock.virtual();
  const nameKey = name === undefined ? undefined : durableKeys.name(ctx, target.fn.name, name);
  const key = durableKeys.execution(ctx, id);
  return platform.store.transact({ keys: nameKey === undefined ? [key] : [nameKey, key] }, (tx) => {
    const named = nameKey === undefined ? undefined : tx.get(nameKey);
    const found = tx.get(named ? durableKeys.execution(ctx, decodeJson<{ id: string }>(named).id) : key);
    const existing = found && decodeJson<ExecutionRow>(found);
    if (existing) {
      if (existing.version !== target.row.version || existing.inputHash !== hashOf(input)) throw alreadyStarted(existing.arn);
      return existing;
    }
    return createExecution(platform, tx, ctx, {
      id,
      name: name ?? generated,
      named: name !== undefined,
      functionName: target.fn.name,
      row: target.row,
      input,
      synchronous: invocation.synchronous,
      traceHeader: traceHeaderOf(ctx),
      nowMs,
      tenantId: invocation.tenantId,
      ...(invocation.event ? { event: invocation.event } : {}),
    });
  });
}

const NO_REPORT: InvokeReport = { durationMs: 0, billedMs: 0, memoryUsedMb: 0 };

/** Waits for an execution's end, and answers as an invocation does. Rejects when the caller goes away. */
export async function endOf(ctx: Ctx, waits: Waits, row: ExecutionRow): Promise<InvokeResult> {
  for (;;) {
    const { told, cancel } = waits.until(row.id, WAIT_LOOK_MS);
    try {
      const now = await getExecutionRow(ctx.platform.store, ctx, row.id);
      if (!now || isClosed(now)) return await resultOf(ctx, ctx, now ?? row);
      ctx.signal.throwIfAborted();
      ctx.signal.addEventListener('abort', cancel, { once: true });
      await told;
    } finally {
      ctx.signal.removeEventListener('abort', cancel);
      cancel();
    }
  }
}

/** What an execution that has ended came to, as an invocation answers it. */
export async function resultOf(ctx: Ctx, place: Place, row: ExecutionRow): Promise<InvokeResult> {
  const { store } = ctx.platform;
  if (row.status === 'SUCCEEDED') {
    const text = row.result ? await readText(store, place, row.id, row.result) : 'null';
    return { payload: Buffer.from(text), report: NO_REPORT };
  }
  const { ErrorMessage, ErrorType, ErrorData, StackTrace } = row.error ? await readError(store, place, row.id, row.error) : {};
  const body = { errorMessage: ErrorMessage, errorType: ErrorType, errorData: ErrorData, stackTrace: StackTrace };
  return { payload: Buffer.from(JSON.stringify(body)), functionError: 'Unhandled', report: NO_REPORT };
}

/** Runs functions; of a durable one a whole execution, up to its end. For callers that know nothing of executions. */
export function durableRunner(inner: FunctionRunner, room: () => LambdaRoom): FunctionRunner {
  return {
    ...inner,
    async run(ctx, call) {
      if (!call.row.durable) return inner.run(ctx, call);
      const row = await startDurable(ctx, call, { payload: call.payload, synchronous: true, tenantId: call.tenantId });
      return endOf(ctx, room().durable, row);
    },
  };
}
