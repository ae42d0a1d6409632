import type { BusOptions } from '../bus/outbox.ts';
import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import type { Calls } from './calls.ts';
import type { Lineage } from './lineage.ts';

/**
 * What the bus does around every attempt: it leaves a span, what it causes names that span as its parent, and what it commits carries it,
 * so that a trace reads request → delivery → call → delivery … without a gap.
 */
export function traceDeliveries(calls: Calls, lineage: Lineage, clock: Clock, ids: Ids): NonNullable<BusOptions['around']> {
  return async ({ target, account, region, trace: cause }, work) => {
    const id = ids.bytes(8).toString('hex');
    const { root, parent } = cause;
    const trace = { ...cause, parent: id };
    const startMs = clock.virtual();
    const startedMs = clock.mono();
    const record = (error: string | undefined) =>
      lineage.record({
        trace: root,
        id,
        ...(parent === undefined ? {} : { parent }),
        kind: 'delivery',
        name: target,
        account,
        region,
        startMs,
        durationMs: clock.mono() - startedMs,
        status: 0,
        ...(error === undefined ? {} : { error }),
      });
    await calls.run({ name: target, account, region, trace, commitTrace: trace }, async () => {
      try {
        const { retried, thrown } = await work(trace);
        if (thrown !== undefined) record(thrown instanceof Error ? thrown.name : 'Error');
        else record(retried ? 'retry' : undefined);
      } catch (error) {
        record(error instanceof Error ? error.name : 'Error');
        throw error;
      }
    });
  };
}
