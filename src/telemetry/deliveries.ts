import type { Attempt, Bus } from '../bus/bus.ts';
import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import type { Lineage } from './lineage.ts';

/**
 * The same bus, whose every attempt leaves a span: what a delivery causes names that span as its parent, so that a trace reads
 * request → delivery → call → delivery … without a gap. Calls by {@link Bus.register} only: targets registered before are not seen.
 */
export function traceDeliveries(bus: Bus, lineage: Lineage, clock: Clock, ids: Ids): Bus {
  const traced = (deliver: (attempt: Attempt) => ReturnType<Parameters<Bus['register']>[2]>) => async (attempt: Attempt) => {
    const id = ids.bytes(8).toString('hex');
    const { root, parent, sampled } = attempt.trace;
    const startMs = clock.virtual();
    const startedMs = clock.mono();
    const record = (error: string | undefined) =>
      lineage.record({
        trace: root,
        id,
        ...(parent === undefined ? {} : { parent }),
        kind: 'delivery',
        name: attempt.target,
        account: attempt.account,
        region: attempt.region,
        startMs,
        durationMs: clock.mono() - startedMs,
        status: 0,
        ...(error === undefined ? {} : { error }),
      });
    try {
      const outcome = await deliver({ ...attempt, trace: { root, parent: id, sampled } });
      record('retry' in outcome ? 'retry' : undefined);
      return outcome;
    } catch (error) {
      record(error instanceof Error ? error.name : 'Error');
      throw error;
    }
  };
  return { ...bus, register: (target, options, deliver) => bus.register(target, options, traced(deliver)) };
}
