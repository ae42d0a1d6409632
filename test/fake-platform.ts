import type { Attempt, Bus, Delivery, Outcome } from '../src/bus/bus.ts';
import { systemClock } from '../src/kit/clock.ts';
import { AwsError, notImplemented } from '../src/kit/errors.ts';
import { createIds } from '../src/kit/ids.ts';
import { newTrace } from '../src/kit/trace.ts';
import type { Ctx, Platform, Service } from '../src/services/service.ts';
import { createMemoryStore } from '../src/store/memory/memory.ts';

/** A bus without durability: `drain` delivers what is due until nothing is. For tests of one room's operations; the rest goes through `startCroft`. */
export interface FakeBus extends Bus {
  drain(): Promise<void>;
  readonly waiting: readonly Delivery[];
}

export function fakeBus(nowMs: () => number): FakeBus {
  const targets = new Map<string, (attempt: Attempt) => Promise<Outcome>>();
  let waiting: (Delivery & { id: string; attempt: number })[] = [];
  let next = 1;
  return {
    register: (target, _options, deliver) => void targets.set(target, deliver),
    enqueue(_tx, delivery) {
      const id = `d${next++}`;
      waiting.push({ ...delivery, id, attempt: 1 });
      return id;
    },
    start: async () => {},
    stop: async () => {},
    nextDueMs: () => waiting.reduce<number | undefined>((least, d) => Math.min(least ?? Number.POSITIVE_INFINITY, d.dueMs ?? 0), undefined),
    quiet: async () => true,
    stats: () => ({ waiting: waiting.length }),
    get waiting() {
      return waiting;
    },
    async drain() {
      for (;;) {
        const due = waiting.find((d) => (d.dueMs ?? 0) <= nowMs());
        if (!due) return;
        waiting = waiting.filter((d) => d !== due);
        const outcome = await targets.get(due.target)?.({
          ...due,
          trace: due.trace ?? TRACE,
          enqueuedMs: nowMs(),
          settle: () => {},
          signal: new AbortController().signal,
        });
        if (outcome && 'retry' in outcome) waiting.push({ ...due, attempt: due.attempt + 1, dueMs: outcome.retry.atMs });
      }
    },
  };
}

const TRACE = { root: '1-00000000-000000000000000000000000', sampled: false };

/** A platform over the memory store whose contexts call straight into `rooms`, without gateway, codec or validation. */
export async function fakePlatform(rooms: readonly Service[]) {
  const clock = systemClock();
  const bus = fakeBus(() => clock.virtual());
  const ids = createIds('fake-platform');
  const meters: Record<string, number> = {};
  const account = '000000000000';
  const platform: Platform = {
    store: createMemoryStore(clock),
    blobs: {} as Platform['blobs'],
    bus,
    clock,
    ids,
    log: { debug() {}, info() {}, warn() {}, error() {} },
    address: () => ({ scheme: 'http', host: 'localhost', port: 4566 }),
    contextFor: (options) => context(options.account, options.region),
  };
  const context = (inAccount: string, region: string): Ctx => ({
    platform,
    account: inAccount,
    region,
    requestId: ids.uuid(),
    principal: { account: inAccount, accessKeyId: 'test', arn: `arn:aws:iam::${inAccount}:root`, userId: inAccount, type: 'root' },
    trace: newTrace(ids, clock.virtual()),
    signal: new AbortController().signal,
    async call(service, operation, input) {
      const entry = rooms.find((room) => room.name === service)?.operations[operation];
      if (!entry) throw notImplemented(`${service} ${operation}`);
      return (await entry.run(context(inAccount, region), input)) as Record<string, unknown>;
    },
    meter: (dimension, quantity) => {
      meters[dimension] = (meters[dimension] ?? 0) + quantity;
    },
  });
  for (const room of rooms) await room.start?.(platform);
  return { platform, bus, clock, meters, ctx: context(account, 'us-east-1') };
}

/** The code of the AwsError that `promise` rejects with. */
export async function errorOf(promise: Promise<unknown>): Promise<{ code: string; message: string; status: number }> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof AwsError) return { code: error.code, message: error.message, status: error.status };
    throw error;
  }
  throw new Error('expected a rejection');
}
