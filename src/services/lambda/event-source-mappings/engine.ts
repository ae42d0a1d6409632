import type { InvokeResult } from '../../../compute/types.ts';
import { AwsError } from '../../../kit/errors.ts';
import { newTrace, type Trace } from '../../../kit/trace.ts';
import type { Platform } from '../../service.ts';
import type { LambdaRoom } from '../functions.ts';
import { invokeTarget } from '../operations/target.ts';
import { lambdaContext } from '../principal.ts';
import { enterFunction, isRecursive } from '../recursion.ts';
import { THROTTLE_MS_MAX, THROTTLE_MS_MIN } from './limits.ts';
import type { MappingRow } from './rows.ts';

/** What the pollers work with. */
export interface Engine {
  readonly platform: Platform;
  readonly room: LambdaRoom;
}

/** A mapping at work. `stop` takes nothing new, and resolves when what is under way has ended, or after `waitMs`. */
export interface Poller {
  stop(waitMs: number): Promise<void>;
}

/** How an invocation with a batch went: it ran (perhaps with an error of the function), was stopped as a loop, or could not run now. */
export type Ran =
  | { readonly kind: 'ran'; readonly result: InvokeResult; readonly requestId: string; readonly version: string }
  | { readonly kind: 'recursive' }
  | { readonly kind: 'unavailable'; readonly error: unknown };

/** Invokes a mapping's function once, as a client would, and waits for its answer. */
export async function runOnce({ platform, room }: Engine, row: MappingRow, event: Buffer, cause: Trace | undefined): Promise<Ran> {
  const trace = cause ?? newTrace(platform.ids, platform.clock.virtual());
  const requestId = platform.ids.uuid();
  try {
    const found = lambdaContext(platform, row, trace);
    const target = await invokeTarget(found, room, row.functionName, row.qualifier);
    const ctx = lambdaContext(platform, row, enterFunction(found, target.fn, trace));
    const result = await room.runner.run(ctx, { ...target, payload: event, requestId });
    return { kind: 'ran', result, requestId, version: target.row.version };
  } catch (error) {
    if (isRecursive(error)) return { kind: 'recursive' };
    if (!(error instanceof AwsError))
      platform.log.error({ err: error, mapping: row.uuid, function: row.functionName }, 'a batch could not be handed to its function');
    return { kind: 'unavailable', error };
  }
}

/** Real milliseconds before the `tries`-th next try of an invocation that could not run. */
export const throttleMs = (tries: number): number => Math.min(THROTTLE_MS_MAX, THROTTLE_MS_MIN * 2 ** Math.min(tries, 20));

/** Resolves after real milliseconds, or at once when the signal aborts. */
export function pause(waitMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, waitMs);
    timer.unref();
    signal.addEventListener('abort', done);
  });
}

/** Waits for all, but not longer than `waitMs` (at most 24 days). */
export async function settledWithin(work: Iterable<Promise<unknown>>, waitMs: number): Promise<void> {
  const done = new AbortController();
  const all = Promise.allSettled(work).then(() => done.abort());
  await Promise.race([all, pause(waitMs, done.signal)]);
}
