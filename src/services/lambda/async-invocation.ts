import type { Attempt, Outcome } from '../../bus/bus.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { startDurable } from './durable/invoke.ts';
import { conclude, type Ending } from './endings.ts';
import type { LambdaRoom } from './functions.ts';
import { ASYNC_AGE_MS_MAX, ASYNC_BACKOFF_MS_MAX, ASYNC_RETRY_DELAYS_MS } from './limits.ts';
import { invokeTarget } from './operations/target.ts';
import { lambdaContext } from './principal.ts';
import { causeOf, enterFunction, isRecursive } from './recursion.ts';
import { type EventInvokeRow, getEventInvokeRow } from './store.ts';

/** An asynchronous invocation. */
export const INVOKE = 'lambda:invoke';

/** What an asynchronous invocation needs; other rooms may enqueue it too. */
export interface InvokePayload {
  readonly functionName: string;
  readonly qualifier?: string;
  readonly requestId: string;
  readonly tenantId?: string;
  /** The event's JSON text. */
  readonly event?: string;
  /** Or the blob that holds it. */
  readonly blobId?: string;
  /** Failed runs so far. */
  readonly failures?: number;
}

export function enqueueInvoke(ctx: Ctx, tx: Tx, payload: InvokePayload): void {
  const { account, region } = ctx;
  ctx.platform.bus.enqueue(tx, { target: INVOKE, account, region, trace: causeOf(ctx), payload });
}

/**
 * Runs an event: two more times after failures of the function, up to six hours after throttles and faults of the system, or as
 * its event invoke configuration says; then tells its destination and its dead-letter queue. "How Lambda handles errors and retries with
 * asynchronous invocation".
 */
export async function invokeLater(platform: Platform, room: LambdaRoom, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as InvokePayload;
  const config = await getEventInvokeRow(platform.store, attempt, payload.functionName, payload.qualifier ?? '$LATEST');
  const event = payload.blobId === undefined ? Buffer.from(payload.event ?? '{}') : await platform.blobs.readAll(payload.blobId);
  const outcome = await runEvent(platform, room, attempt, { payload, config, event });
  if ('retry' in outcome) return outcome;
  if (outcome.ending)
    await conclude(lambdaContext(platform, attempt, outcome.ending.trace ?? attempt.trace), config, attempt, { payload, event }, outcome.ending);
  if (payload.blobId !== undefined) await platform.blobs.delete(payload.blobId);
  return { done: true };
}

interface EventRun {
  readonly payload: InvokePayload;
  readonly config: EventInvokeRow | undefined;
  readonly event: Buffer;
}

type RunOutcome = Extract<Outcome, { retry: unknown }> | { readonly ending?: Ending };

/** One try. */
async function runEvent(platform: Platform, room: LambdaRoom, attempt: Attempt, { payload, config, event }: EventRun): Promise<RunOutcome> {
  const found = lambdaContext(platform, attempt, attempt.trace);
  const endMs = attempt.enqueuedMs + (config?.ageSecondsMax === undefined ? ASYNC_AGE_MS_MAX : config.ageSecondsMax * 1000);
  const failures = payload.failures ?? 0;
  if (attempt.attempt > 1 && platform.clock.virtual() > endMs) return { ending: { condition: 'EventAgeExceeded' } };
  try {
    const target = await invokeTarget(found, room, payload.functionName, payload.qualifier);
    // Nothing is tried: "Configuring reserved concurrency".
    if (target.fn.reservedConcurrency === 0) return { ending: { condition: 'ZeroReservedConcurrency', row: target.row } };
    const trace = enterFunction(found, target.fn, attempt.trace);
    const ctx = lambdaContext(platform, attempt, trace);
    if (target.row.durable) {
      await startDurable(ctx, target, {
        payload: event,
        synchronous: false,
        tenantId: payload.tenantId,
        id: payload.requestId,
        event: { requestId: payload.requestId, qualifier: payload.qualifier ?? '' },
      });
      // The execution has the event now, and tells how it ended.
      return {};
    }
    const tenant = payload.tenantId === undefined ? {} : { tenantId: payload.tenantId };
    const result = await room.runner.run(ctx, { ...target, payload: event, requestId: payload.requestId, ...tenant });
    const retry = result.functionError ? retryAt(platform, config, failures, endMs) : undefined;
    if (typeof retry === 'number') return { retry: { atMs: retry, payload: { ...payload, failures: failures + 1 } } };
    return { ending: { condition: retry ?? 'Success', row: target.row, result, trace } };
  } catch (error) {
    return failedRun(platform, attempt, { payload, endMs, failures }, error);
  }
}

/** What could not run: a loop is at its end, what does not exist any more is dropped, and the rest is tried again until it is too old. */
function failedRun(
  platform: Platform,
  attempt: Attempt,
  { payload, endMs, failures }: { readonly payload: InvokePayload; readonly endMs: number; readonly failures: number },
  error: unknown,
): RunOutcome {
  if (isRecursive(error)) return { ending: { condition: 'RetriesExhausted', error } };
  const gone = error instanceof AwsError && error.code === 'ResourceNotFoundException';
  const nowMs = platform.clock.virtual();
  const backoffMs = Math.min(ASYNC_BACKOFF_MS_MAX, 1000 * 2 ** Math.min(20, Math.max(0, attempt.attempt - 1 - failures)));
  if (!gone && nowMs < endMs) return { retry: { atMs: Math.min(nowMs + backoffMs, endMs + 1) } };
  platform.log.warn({ err: error, function: payload.functionName }, 'an asynchronous invocation was dropped');
  return { ending: { condition: 'EventAgeExceeded', error } };
}

/** When an event that failed runs again, or why it does not. */
function retryAt(platform: Platform, config: EventInvokeRow | undefined, failures: number, endMs: number): number | 'RetriesExhausted' | 'EventAgeExceeded' {
  const delayMs = failures < (config?.retriesMax ?? ASYNC_RETRY_DELAYS_MS.length) ? ASYNC_RETRY_DELAYS_MS[failures] : undefined;
  if (delayMs === undefined) return 'RetriesExhausted';
  const atMs = platform.clock.virtual() + delayMs;
  return atMs > endMs ? 'EventAgeExceeded' : atMs;
}
