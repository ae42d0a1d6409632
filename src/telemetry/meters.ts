import type { Clock } from '../kit/clock.ts';
import { keyOf, partsOf, prefixEnd } from '../kit/key.ts';
import type { Log } from '../kit/log.ts';
import type { Store } from '../store/store.ts';
import { METER_HOUR_MS, METER_SCALE, METER_SUMS_MAX, METERS_PER_COMMIT } from './limits.ts';

/** Units that one piece of work metered. */
export type Units = readonly { readonly key: string; readonly dimension: string; readonly quantity: number }[];

/** One sum of a billable dimension over one hour. */
export interface MeterReading {
  readonly account: string;
  readonly region: string;
  readonly service: string;
  readonly dimension: string;
  /** Start of the hour, virtual time, ISO 8601. */
  readonly hour: string;
  readonly quantity: number;
}

/**
 * Billable units (design decision 7), summed in memory and added to the store by {@link Meters.flush} within a second: a crash
 * loses at most that second.
 */
export interface Meters {
  /** Adds `quantity` units to a dimension, e.g. `meter('000000000000', 'us-east-1', 'dynamodb', 'ReadRequestUnits', 0.5)`. Never throws. */
  meter(account: string, region: string, service: string, dimension: string, quantity: number): void;
  /** Runs `work` and returns what it metered instead of adding it: the function of a transaction may be run again. */
  during<T>(work: () => T): { readonly result: T; readonly units: Units | undefined };
  /** Adds what {@link Meters.during} returned. */
  add(units: Units): void;
  /** Writes what has been summed; a failed write keeps the sums for the next. */
  flush(): Promise<void>;
  /** What the store holds, after a flush, oldest hour first within a dimension. */
  read(filter?: { account?: string; region?: string; service?: string }): Promise<MeterReading[]>;
}

const PREFIX = 'meter';

export function createMeters(store: Store, clock: Clock, log: Log): Meters {
  let sums = new Map<string, number>();
  let running: Promise<void> | undefined;

  const write = async (batch: Map<string, number>): Promise<void> => {
    const left = [...batch];
    try {
      while (left.length > 0) {
        const some = left.slice(-METERS_PER_COMMIT);
        await store.transact({}, (tx) => {
          for (const [key, quantity] of some) tx.add(key, BigInt(Math.round(quantity * METER_SCALE)));
        });
        left.length -= some.length;
      }
    } catch (error) {
      for (const [key, quantity] of left) sums.set(key, (sums.get(key) ?? 0) + quantity);
      log.error({ err: error }, 'meters could not be written; they are kept for the next try');
    }
  };

  const flush = async (): Promise<void> => {
    if (running) await running;
    if (sums.size === 0) return;
    const batch = sums;
    sums = new Map();
    running = write(batch).finally(() => {
      running = undefined;
    });
    await running;
  };

  // Building a key costs more than adding to it: the last key of each dimension is remembered for its hour.
  const keys = new Map<string, string>();
  let keysHour = -1;
  const keyFor = (account: string, region: string, service: string, dimension: string): string => {
    const hour = Math.floor(clock.virtual() / METER_HOUR_MS);
    if (hour !== keysHour || keys.size > METER_SUMS_MAX) {
      keys.clear();
      keysHour = hour;
    }
    const name = `${account}\n${region}\n${service}\n${dimension}`;
    let key = keys.get(name);
    if (key === undefined) {
      key = keyOf(PREFIX, account, region, service, dimension, new Date(hour * METER_HOUR_MS).toISOString());
      keys.set(name, key);
    }
    return key;
  };

  const sum = (key: string, quantity: number): void => {
    sums.set(key, (sums.get(key) ?? 0) + quantity);
    if (sums.size >= METER_SUMS_MAX && !running) void flush();
  };

  let collecting: Units[number][] | undefined;
  return {
    meter(account, region, service, dimension, quantity) {
      if (!(quantity > 0) || !Number.isFinite(quantity)) return;
      const key = keyFor(account, region, service, dimension);
      if (collecting) collecting.push({ key, dimension, quantity });
      else sum(key, quantity);
    },
    during(work) {
      const units: Units[number][] = [];
      const outer = collecting;
      collecting = units;
      try {
        const result = work();
        return { result, units: units.length > 0 ? units : undefined };
      } finally {
        collecting = outer;
      }
    },
    add(units) {
      for (const { key, quantity } of units) sum(key, quantity);
    },
    flush,
    async read(filter = {}) {
      await flush();
      const readings: MeterReading[] = [];
      const prefix = filter.account === undefined ? keyOf(PREFIX) : keyOf(PREFIX, filter.account);
      const to = prefixEnd(prefix);
      for (let from = prefix; ; ) {
        const page = await store.range({ from, to });
        for (const [key, value] of page.entries) {
          const reading = readingOf(key, value);
          if (filter.region !== undefined && reading.region !== filter.region) continue;
          if (filter.service !== undefined && reading.service !== filter.service) continue;
          readings.push(reading);
        }
        const last = page.entries.at(-1);
        if (!page.more || !last) return readings;
        from = `${last[0]}\x00`;
      }
    },
  };
}

function readingOf(key: string, value: Uint8Array): MeterReading {
  const [, account = '', region = '', service = '', dimension = '', hour = ''] = partsOf(key);
  const scaled = new DataView(value.buffer, value.byteOffset, value.byteLength).getBigInt64(0);
  return { account, region, service, dimension, hour, quantity: Number(scaled) / METER_SCALE };
}
