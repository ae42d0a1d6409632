import { monitorEventLoopDelay } from 'node:perf_hooks';
import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import type { Store } from '../store/store.ts';
import { type AccessRing, createAccessRing } from './access.ts';
import { Calls, noteCommits } from './calls.ts';
import { EVENT_LOOP_RESOLUTION_MS, FLUSH_INTERVAL_MS } from './limits.ts';
import { createLineage, type Lineage } from './lineage.ts';
import { createMeters, type Meters } from './meters.ts';
import { createMetrics, type Metrics } from './metrics.ts';

export type { AccessRecord, AccessRing } from './access.ts';
export { Calls, type Cause } from './calls.ts';
export { traceDeliveries } from './deliveries.ts';
export type { Lineage, Span } from './lineage.ts';
export { createLog, type LogLevel, type LogOptions } from './log.ts';
export type { MeterReading, Meters } from './meters.ts';
export { type Counter, createMetrics, type Histogram, type Labels, type Metrics, OPENMETRICS_TYPE } from './metrics.ts';

/** What the process knows about itself. */
export interface Telemetry {
  readonly metrics: Metrics;
  readonly meters: Meters;
  readonly lineage: Lineage;
  readonly access: AccessRing;
  readonly calls: Calls;
  /** The store that the rest of the process writes to: each commit carries its cause. */
  readonly store: Store;
  /** Writes meters and lineage now. */
  flush(): Promise<void>;
  /** Flushes a last time; call before the store closes. */
  stop(): Promise<void>;
}

export interface TelemetryParts {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly log: Log;
}

/** Starts the telemetry of one process: it flushes once a second until {@link Telemetry.stop}. */
export function createTelemetry({ store, clock, ids, log }: TelemetryParts): Telemetry {
  const metrics = createMetrics();
  const meters = createMeters(store, clock, log);
  const lineage = createLineage(store, clock, ids, log);
  const calls = new Calls();
  const delay = monitorEventLoopDelay({ resolution: EVENT_LOOP_RESOLUTION_MS });
  delay.enable();
  processGauges(metrics, delay, store);
  metrics.gauge('croft_lineage_spans_pending', 'Spans not yet written.', () => lineage.stats().pending);
  metrics.gauge('croft_lineage_spans_dropped', 'Spans lost to a full buffer or a failed write.', () => lineage.stats().dropped);

  const flush = async () => {
    await Promise.all([meters.flush(), lineage.flush()]);
  };
  const timer = setInterval(() => void flush(), FLUSH_INTERVAL_MS);
  timer.unref();
  return {
    metrics,
    meters,
    lineage,
    access: createAccessRing(),
    calls,
    store: noteCommits(store, { calls, nowMs: () => clock.virtual(), metering: meters.during, add: meters.add }),
    flush,
    async stop() {
      clearInterval(timer);
      delay.disable();
      await flush();
    },
  };
}

function processGauges(metrics: Metrics, delay: ReturnType<typeof monitorEventLoopDelay>, store: Store): void {
  const quantiles = [50, 90, 99, 100];
  metrics.gauge('croft_event_loop_delay_seconds', 'How late the event loop ran, since the last scrape.', () => {
    // The monitor samples a timer of its resolution: what it shows beyond that is the delay.
    const seconds = quantiles.map((q): readonly [Record<string, string>, number] => [
      { quantile: String(q / 100) },
      delay.count === 0 ? 0 : Math.max(0, delay.percentile(q) / 1e9 - EVENT_LOOP_RESOLUTION_MS / 1e3),
    ]);
    delay.reset();
    return seconds;
  });
  metrics.gauge('croft_process_resident_memory_bytes', 'Resident memory of this process.', () => process.memoryUsage.rss());
  metrics.gauge('croft_store', 'Figures of the store, by name.', () => Object.entries(store.stats()).map(([name, value]) => [{ name }, value] as const));
}
