import type { Clock } from '../kit/clock.ts';
import type { Ids } from '../kit/ids.ts';
import { decodeJson, encodeJson } from '../kit/json.ts';
import type { Key } from '../kit/key.ts';
import { virtualTimer } from '../kit/timer.ts';
import { newTrace, type Trace } from '../kit/trace.ts';
import type { Store, Tx } from '../store/store.ts';
import type { Attempt, Bus, Delivery, Outcome, TargetOptions } from './bus.ts';
import { dueOf, laneOf, laneRange, lanesFrom, OUTBOX, type Row, rowKey, SHARDS, shardOf, shardOfRow } from './lanes.ts';

/** Rows read from a lane at once. */
const PAGE_ROWS = 64;
/** A handler that throws is tried again after 1 s, doubling to 5 min, each with up to 20 % jitter. */
const BACKOFF_MS_MIN = 1_000;
const BACKOFF_MS_MAX = 300_000;
/** How long an enqueued delivery that has not shown up is expected: its transaction was given up, or is slow. */
const EXPECTED_MS_MAX = 60_000;

export interface BusOptions {
  readonly store: Store;
  readonly clock: Clock;
  readonly ids: Ids;
  readonly onError: (fields: Record<string, unknown>, message: string) => void;
  /** Runs every attempt, the commit of its outcome included; tells `work` the trace that what it causes has. Default: as it was enqueued. */
  readonly around?: (row: Omit<Row, 'payload'>, work: (trace: Trace) => Promise<AttemptEnd>) => Promise<void>;
  /** The trace of the call on whose behalf a transaction runs. */
  readonly causing?: () => Trace | undefined;
}

/** How an attempt ended, for who observes it. */
export interface AttemptEnd {
  readonly retried: boolean;
  /** What the handler threw. */
  readonly thrown?: unknown;
}

interface Target {
  readonly options: TargetOptions;
  readonly deliver: (attempt: Attempt) => Promise<Outcome>;
  running: number;
}

interface Lane {
  readonly key: Key;
  readonly target: string;
  /** Earliest due time known to wait here; Infinity when empty. */
  nextMs: number;
  busy: boolean;
  again: boolean;
  /** Full target: looked at again when one of its deliveries ends. */
  held: boolean;
}

/** The one engine of durable delivery over the store's outbox. */
export function createBus({ store, clock, ids, onError, around, causing }: BusOptions): Bus {
  const observed = around ?? (async (row: Row, work: (trace: Trace) => Promise<AttemptEnd>) => void (await work(row.trace)));
  const targets = new Map<string, Target>();
  const lanes = new Map<Key, Lane>();
  const running = new Map<Key, AbortController>();
  const busyOrderKeys = new Set<string>();
  /** Written by a transaction of this process and not yet seen committed, by row key. */
  const expected = new Map<Key, { lane: Lane; dueMs: number; untilMs: number }>();
  const idle = new Set<() => void>();
  let started = false;
  let stopping = false;
  let unwatch: () => void = () => undefined;
  const timer = virtualTimer(clock, () => wakeDue());

  const laneFor = (target: string, key: Key): Lane => {
    let lane = lanes.get(key);
    if (!lane) {
      lane = { key, target, nextMs: Number.POSITIVE_INFINITY, busy: false, again: false, held: false };
      lanes.set(key, lane);
    }
    return lane;
  };

  function wakeDue(): void {
    if (!started || stopping) return;
    const now = clock.virtual();
    let earliest = Number.POSITIVE_INFINITY;
    for (const lane of lanes.values()) {
      if (lane.nextMs <= now) {
        if (!lane.held) void drain(lane);
      } else earliest = Math.min(earliest, lane.nextMs);
    }
    if (earliest !== Number.POSITIVE_INFINITY) timer.arm(earliest);
  }

  let looking = false;
  let lookAgain = false;
  /** After a commit that touched the outbox: which of the expected rows are there now? */
  async function afterCommit(): Promise<void> {
    lookAgain = true;
    if (looking) return;
    looking = true;
    try {
      while (lookAgain && expected.size > 0) {
        lookAgain = false;
        const keys = [...expected.keys()];
        const found = await store.getMany(keys);
        keys.forEach((key, i) => {
          const row = expected.get(key);
          if (!row) return;
          if (found[i] !== undefined) arrived(row.lane, row.dueMs);
          if (found[i] !== undefined || row.untilMs < clock.mono()) expected.delete(key);
        });
        wakeDue();
      }
    } catch (error) {
      onError({ error }, 'the outbox could not be read; trying again in a second');
      setTimeout(() => void afterCommit(), BACKOFF_MS_MIN).unref();
    } finally {
      looking = false;
      settleIdle();
    }
  }

  function arrived(lane: Lane, dueMs: number): void {
    lane.nextMs = Math.min(lane.nextMs, dueMs);
    // A read under way may have begun before the row was there.
    if (lane.busy) lane.again = true;
  }

  async function drain(lane: Lane): Promise<void> {
    if (lane.busy) {
      lane.again = true;
      return;
    }
    lane.busy = true;
    try {
      do {
        lane.again = false;
        await readLane(lane);
      } while (lane.again && !stopping);
    } catch (error) {
      onError({ error, target: lane.target }, 'the outbox could not be read; trying again in a second');
      lane.nextMs = clock.virtual() + BACKOFF_MS_MIN;
    } finally {
      lane.busy = false;
      settleIdle();
      wakeDueLater();
    }
  }

  /** Dispatches what is due in one lane, and learns when to come back. */
  async function readLane(lane: Lane): Promise<void> {
    const target = targets.get(lane.target);
    if (!target || stopping) return;
    lane.held = false;
    let { from, to } = laneRange(lane.key);
    for (;;) {
      const page = await store.range({ from, to, limit: PAGE_ROWS });
      const now = clock.virtual();
      for (const [key, value] of page.entries) {
        const dueMs = dueOf(lane.key, key);
        if (dueMs > now) {
          lane.nextMs = dueMs;
          return;
        }
        if (running.has(key)) continue;
        if (target.running >= target.options.concurrency) {
          lane.nextMs = dueMs;
          lane.held = true;
          return;
        }
        const row = decodeJson<Row>(value);
        if (row.orderKey !== undefined && busyOrderKeys.has(row.orderKey)) continue;
        dispatch(lane, target, key, row);
      }
      const last = page.entries.at(-1);
      if (!page.more || !last) {
        lane.nextMs = Number.POSITIVE_INFINITY;
        return;
      }
      from = `${last[0]}\x00`;
      to = laneRange(lane.key).to;
    }
  }

  function dispatch(lane: Lane, target: Target, key: Key, row: Row): void {
    const abort = new AbortController();
    running.set(key, abort);
    target.running++;
    if (row.orderKey !== undefined) busyOrderKeys.add(row.orderKey);
    void observed(row, (trace) => run(target, key, row, trace, abort.signal))
      .catch((error) => onError({ error, target: row.target, id: row.id }, 'the outcome of a delivery could not be written; it will be delivered again'))
      .finally(() => {
        running.delete(key);
        target.running--;
        if (row.orderKey !== undefined) busyOrderKeys.delete(row.orderKey);
        for (const other of lanes.values()) if (other.held && other.target === lane.target) void drain(other);
        void drain(lane);
      });
  }

  async function run(target: Target, key: Key, row: Row, trace: Trace, signal: AbortSignal): Promise<AttemptEnd> {
    const settle = (tx: Tx) => tx.delete(key);
    let outcome: Outcome;
    let thrown: unknown;
    try {
      outcome = await target.deliver({ ...row, trace, signal, settle });
    } catch (error) {
      thrown = error;
      const backoffMs = Math.min(BACKOFF_MS_MAX, BACKOFF_MS_MIN * 2 ** Math.min(row.attempt - 1, 20)) * (1 + 0.2 * ids.float());
      onError({ error, target: row.target, id: row.id, attempt: row.attempt }, 'a delivery failed and will be tried again');
      outcome = { retry: { atMs: clock.virtual() + backoffMs } };
    }
    // A stop may have cut the handler short: what it left undone is delivered again at the next start.
    if (signal.aborted) return { retried: true, thrown };
    await store.transact({ keys: [key] }, (tx) => {
      if ('done' in outcome) return tx.delete(key);
      if (tx.get(key) === undefined) return;
      const payload = 'payload' in outcome.retry ? outcome.retry.payload : row.payload;
      tx.delete(key);
      write(tx, { ...row, payload, attempt: row.attempt + 1 }, outcome.retry.atMs);
    });
    return { retried: 'retry' in outcome, thrown };
  }

  function write(tx: Tx, row: Row, dueMs: number): void {
    const laneKey = laneOf(row.target, shardOf(row.orderKey ?? row.id));
    const key = rowKey(laneKey, dueMs, row.id);
    expected.set(key, { lane: laneFor(row.target, laneKey), dueMs, untilMs: clock.mono() + EXPECTED_MS_MAX });
    tx.put(key, encodeJson(row));
  }

  let wakeQueued = false;
  function wakeDueLater(): void {
    if (wakeQueued || stopping) return;
    wakeQueued = true;
    setImmediate(() => {
      wakeQueued = false;
      wakeDue();
    });
  }

  const isQuiet = () => {
    if (running.size > 0 || expected.size > 0) return false;
    const now = clock.virtual();
    for (const lane of lanes.values()) if (lane.busy || lane.nextMs <= now) return false;
    return true;
  };

  function settleIdle(): void {
    for (const check of [...idle]) check();
  }

  return {
    register(name, options, deliver) {
      if (targets.has(name)) throw new Error(`bus target ${name} is registered twice`);
      targets.set(name, { options, deliver, running: 0 });
    },
    enqueue(tx, delivery: Delivery) {
      if (!targets.has(delivery.target)) throw new Error(`no bus target ${delivery.target}`);
      const id = ids.uuid();
      const { target, account, region, payload, orderKey } = delivery;
      const now = clock.virtual();
      const trace = delivery.trace ?? causing?.() ?? newTrace(ids, now);
      write(
        tx,
        { id, target, account, region, payload, ...(orderKey === undefined ? {} : { orderKey }), trace, attempt: 1, enqueuedMs: now },
        delivery.dueMs ?? now,
      );
      return id;
    },
    async start() {
      for (const target of targets.keys()) {
        // From one lane that holds something to the next: most targets have nothing waiting, and cost one read.
        for (let shard = 0; shard < SHARDS; shard++) {
          const first = (await store.range({ ...lanesFrom(target, shard), limit: 1 })).entries[0];
          if (!first) break;
          shard = shardOfRow(target, first[0]);
          const key = laneOf(target, shard);
          laneFor(target, key).nextMs = dueOf(key, first[0]);
        }
      }
      started = true;
      unwatch = store.watch(OUTBOX, () => void afterCommit());
      void afterCommit();
      wakeDue();
    },
    async stop(waitMs) {
      stopping = true;
      unwatch();
      timer.stop();
      const deadline = clock.mono() + waitMs;
      while (running.size > 0 && clock.mono() < deadline) await new Promise((resolve) => setTimeout(resolve, 10));
      for (const abort of running.values()) abort.abort();
    },
    nextDueMs() {
      const earliest = Math.min(...[...lanes.values()].map((lane) => lane.nextMs));
      return earliest === Number.POSITIVE_INFINITY ? undefined : earliest;
    },
    quiet(waitMs) {
      if (isQuiet()) return Promise.resolve(true);
      return new Promise((resolve) => {
        const finish = (result: boolean) => {
          idle.delete(check);
          clearTimeout(limit);
          resolve(result);
        };
        const check = () => {
          if (isQuiet()) finish(true);
        };
        const limit = setTimeout(() => finish(isQuiet()), waitMs);
        idle.add(check);
      });
    },
    stats: () => ({ running: running.size, lanes: lanes.size, due: [...lanes.values()].filter((lane) => lane.nextMs <= clock.virtual()).length }),
  };
}
