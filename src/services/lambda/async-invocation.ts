import type { Attempt, Outcome } from '../../bus/bus.ts';
import type { InvokeResult } from '../../compute/types.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { functionArn, readReference } from './domain/names.ts';
import { startDurable } from './durable/invoke.ts';
import type { LambdaRoom } from './functions.ts';
import { ASYNC_AGE_MS_MAX, ASYNC_BACKOFF_MS_MAX, ASYNC_RETRY_DELAYS_MS } from './limits.ts';
import { type InvokeTarget, invokeTarget } from './operations/target.ts';
import { lambdaContext } from './principal.ts';
import { type EventInvokeRow, getEventInvokeRow } from './store.ts';

/** An asynchronous invocation. */
export const INVOKE = 'lambda:invoke';

/** What an asynchronous invocation needs; other rooms may enqueue it too. */
export interface InvokePayload {
  readonly functionName: string;
  readonly qualifier?: string;
  readonly requestId: string;
  /** The event's JSON text. */
  readonly event?: string;
  /** Or the blob that holds it. */
  readonly blobId?: string;
  /** Failed runs so far. */
  readonly failures?: number;
}

export function enqueueInvoke(ctx: Ctx, tx: Tx, payload: InvokePayload): void {
  const { account, region, trace } = ctx;
  ctx.platform.bus.enqueue(tx, { target: INVOKE, account, region, trace, payload });
}

/** The end of an event's way: run, or given up. */
interface Ending {
  readonly condition: 'Success' | 'RetriesExhausted' | 'EventAgeExceeded';
  readonly executedVersion?: string;
  readonly result?: InvokeResult;
}

/**
 * Runs an event: two more times after failures of the function, up to six hours after throttles and faults of the system, or as
 * its event invoke configuration says; then tells its destination. "How Lambda handles errors and retries with asynchronous invocation".
 */
export async function invokeLater(platform: Platform, room: LambdaRoom, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as InvokePayload;
  const ctx = lambdaContext(platform, attempt, attempt.trace);
  const config = await getEventInvokeRow(platform.store, attempt, payload.functionName, payload.qualifier ?? '$LATEST');
  const endMs = attempt.enqueuedMs + (config?.ageSecondsMax === undefined ? ASYNC_AGE_MS_MAX : config.ageSecondsMax * 1000);
  const failures = payload.failures ?? 0;
  const event = payload.blobId === undefined ? Buffer.from(payload.event ?? '{}') : await platform.blobs.readAll(payload.blobId);
  let ending: Ending;
  if (attempt.attempt > 1 && platform.clock.virtual() > endMs) ending = { condition: 'EventAgeExceeded' };
  else {
    try {
      const target = await invokeTarget(ctx, room, payload.functionName, payload.qualifier);
      if (target.row.durable) {
        await startDurable(ctx, target, {
          payload: event,
          synchronous: false,
          id: payload.requestId,
          event: { requestId: payload.requestId, qualifier: payload.qualifier ?? '' },
        });
        return { done: true };
      }
      const result = await room.runner.run(ctx, { ...target, payload: event, requestId: payload.requestId });
      const retry = result.functionError ? retryAt(platform, config, failures, endMs) : undefined;
      if (typeof retry === 'number') return { retry: { atMs: retry, payload: { ...payload, failures: failures + 1 } } };
      ending = endingOf(target, result, retry);
    } catch (error) {
      const gone = error instanceof AwsError && error.code === 'ResourceNotFoundException';
      const nowMs = platform.clock.virtual();
      const backoffMs = Math.min(ASYNC_BACKOFF_MS_MAX, 1000 * 2 ** Math.min(20, Math.max(0, attempt.attempt - 1 - failures)));
      if (!gone && nowMs < endMs) return { retry: { atMs: Math.min(nowMs + backoffMs, endMs + 1) } };
      platform.log.warn({ err: error, function: payload.functionName }, 'an asynchronous invocation was dropped');
      ending = { condition: 'EventAgeExceeded' };
    }
  }
  await conclude(ctx, config, attempt, event, ending);
  if (payload.blobId !== undefined) await platform.blobs.delete(payload.blobId);
  return { done: true };
}

/** When an event that failed runs again, or why it does not. */
function retryAt(platform: Platform, config: EventInvokeRow | undefined, failures: number, endMs: number): number | 'RetriesExhausted' | 'EventAgeExceeded' {
  const delayMs = failures < (config?.retriesMax ?? ASYNC_RETRY_DELAYS_MS.length) ? ASYNC_RETRY_DELAYS_MS[failures] : undefined;
  if (delayMs === undefined) return 'RetriesExhausted';
  const atMs = platform.clock.virtual() + delayMs;
  return atMs > endMs ? 'EventAgeExceeded' : atMs;
}

function endingOf(target: InvokeTarget, result: InvokeResult, failed: 'RetriesExhausted' | 'EventAgeExceeded' | undefined): Ending {
  return { condition: failed ?? 'Success', executedVersion: target.row.version, result };
}

/** Sends the record of an event to its destination: in the commit that ends the event's delivery, so that it is sent once. */
async function conclude(ctx: Ctx, config: EventInvokeRow | undefined, attempt: Attempt, event: Buffer, ending: Ending): Promise<void> {
  const destination = ending.condition === 'Success' ? config?.onSuccess : config?.onFailure;
  if (!destination) return;
  const { name, qualifier } = readReference(ctx, destination);
  const requestId = ctx.platform.ids.uuid();
  const record = JSON.stringify(recordOf(ctx, attempt, event, ending));
  await ctx.platform.store.transact({}, (tx) => {
    enqueueInvoke(ctx, tx, { functionName: name, ...(qualifier === undefined ? {} : { qualifier }), requestId, event: record });
    attempt.settle(tx);
  });
}

/** "Invocation record". */
function recordOf(ctx: Ctx, attempt: Attempt, event: Buffer, { condition, executedVersion, result }: Ending): Record<string, unknown> {
  const { functionName, qualifier, requestId, failures = 0 } = attempt.payload as InvokePayload;
  return {
    version: '1.0',
    timestamp: new Date(ctx.platform.clock.virtual()).toISOString(),
    requestContext: {
      requestId,
      functionArn: functionArn(ctx, functionName, qualifier ?? '$LATEST'),
      condition,
      approximateInvokeCount: result ? failures + 1 : failures,
    },
    requestPayload: jsonOf(event),
    ...(result
      ? {
          responseContext: { statusCode: 200, executedVersion, ...(result.functionError ? { functionError: result.functionError } : {}) },
          responsePayload: jsonOf(result.payload),
        }
      : {}),
  };
}

function jsonOf(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8')) as unknown;
  } catch {
    return null;
  }
}
