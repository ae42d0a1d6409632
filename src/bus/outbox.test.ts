import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '../kit/clock.ts';
import { createIds } from '../kit/ids.ts';
import { newTrace } from '../kit/trace.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import type { Attempt, Bus, Outcome } from './bus.ts';
import { createBus } from './outbox.ts';

const ids = createIds('outbox');
const START_MS = Date.UTC(2026, 0, 1);

describe('the outbox', () => {
  let store: Store;
  let clock: Clock;
  let bus: Bus;
  let errors: string[];

  beforeEach(async () => {
    store = await openStore({ store: 'memory' });
    clock = systemClock();
    clock.freeze(START_MS);
    errors = [];
    bus = newBus();
  });
  afterEach(async () => {
    await bus.stop(1_000);
    await store.close();
  });

  const newBus = () => createBus({ store, clock, ids, onError: (_fields, message) => errors.push(message) });
  const enqueue = (payload: unknown, more: { dueMs?: number; orderKey?: string; target?: string } = {}) =>
    store.transact({}, (tx) => bus.enqueue(tx, { target: 'test', account: '1', region: 'r', payload, trace: newTrace(ids, START_MS), ...more }));
  const record = (outcome: (attempt: Attempt) => Outcome | Promise<Outcome> = () => ({ done: true })) => {
    const seen: Attempt[] = [];
    bus.register('test', { concurrency: 4 }, async (attempt) => {
      seen.push(attempt);
      return outcome(attempt);
    });
    return seen;
  };

  it('delivers after the commit, once', async () => {
    const seen = record();
    await bus.start();
    const id = await enqueue({ a: 1 });
    expect(await bus.quiet(5_000)).toBe(true);
    expect(seen).toHaveLength(1);
    expect(seen[0]).toMatchObject({ id, attempt: 1, payload: { a: 1 }, enqueuedMs: START_MS });
  });

  it('delivers nothing of a transaction that was given up', async () => {
    const seen = record();
    await bus.start();
    await expect(
      store.transact({}, (tx) => {
        bus.enqueue(tx, { target: 'test', account: '1', region: 'r', payload: 'no', trace: newTrace(ids, START_MS) });
        throw new Error('changed my mind');
      }),
    ).rejects.toThrow('changed my mind');
    await enqueue('yes');
    await until(() => seen.length > 0);
    expect(seen.map((a) => a.payload)).toEqual(['yes']);
  });

  it('delivers after a restart what was enqueued before it', async () => {
    record();
    await enqueue('kept');
    await enqueue('later', { dueMs: START_MS + 60_000 });
    bus = newBus();
    const seen = record();
    await bus.start();
    await bus.quiet(5_000);
    expect(seen.map((a) => a.payload)).toEqual(['kept']);
    expect(bus.nextDueMs()).toBe(START_MS + 60_000);
    clock.advance(60_000);
    await until(() => seen.length === 2);
    expect(seen[1]?.payload).toBe('later');
  });

  it('finds the lanes of every shard at a restart, and those of its own targets only', async () => {
    for (const name of ['test', 'tes', 'test2']) bus.register(name, { concurrency: 4 }, async () => ({ done: true }));
    const sent = Array.from({ length: 300 }, (_, n) => n);
    await Promise.all(sent.map((n) => enqueue(n)));
    await enqueue('other', { target: 'tes' });
    await enqueue('another', { target: 'test2' });
    bus = newBus();
    const seen = record();
    await bus.start();
    await until(() => seen.length === sent.length);
    expect(new Set(seen.map((a) => a.payload))).toEqual(new Set(sent));
  });

  it('retries when the handler asks, at the virtual time it names, with the payload it gives', async () => {
    const seen = record(({ attempt }) => (attempt < 3 ? { retry: { atMs: clock.virtual() + 60_000, payload: { attempt } } } : { done: true }));
    await bus.start();
    await enqueue('first');
    await until(() => seen.length === 1 && bus.nextDueMs() === START_MS + 60_000);
    clock.advance(60_000);
    await until(() => seen.length === 2 && bus.nextDueMs() === START_MS + 120_000);
    clock.advance(60_000);
    await until(() => seen.length === 3);
    expect(seen.map((a) => [a.attempt, a.payload])).toEqual([
      [1, 'first'],
      [2, { attempt: 1 }],
      [3, { attempt: 2 }],
    ]);
    expect(new Set(seen.map((a) => a.id)).size).toBe(1);
  });

  it('tries again when the handler throws, and says so', async () => {
    const seen = record(({ attempt }) => {
      if (attempt === 1) throw new Error('boom');
      return { done: true };
    });
    await bus.start();
    await enqueue('x');
    await until(() => seen.length === 1 && (bus.nextDueMs() ?? 0) > START_MS);
    clock.advance(2_000);
    await until(() => seen.length === 2);
    expect(errors).toEqual(['a delivery failed and will be tried again']);
  });

  it('runs at most as many at once as the target allows, and all in the end', async () => {
    let running = 0;
    let most = 0;
    const seen = record(async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return { done: true };
    });
    await bus.start();
    await Promise.all(Array.from({ length: 200 }, (_, i) => enqueue(i)));
    await until(() => seen.length === 200);
    expect(most).toBeLessThanOrEqual(4);
    expect(new Set(seen.map((a) => a.payload)).size).toBe(200);
  });

  it('runs deliveries of one order key one at a time', async () => {
    let running = 0;
    let overlapped = false;
    const seen = record(async () => {
      overlapped ||= running++ > 0;
      await new Promise((resolve) => setTimeout(resolve, 1));
      running--;
      return { done: true };
    });
    await bus.start();
    for (let i = 0; i < 20; i++) await enqueue(i, { orderKey: 'one' });
    await until(() => seen.length === 20);
    expect(overlapped).toBe(false);
  });

  it('removes a delivery in the handler’s own commit', async () => {
    const seen = record(async (attempt) => {
      await store.transact({}, (tx) => {
        tx.put('effect', Buffer.from('1'));
        attempt.settle(tx);
      });
      return { done: true };
    });
    await bus.start();
    await enqueue('x');
    await until(() => seen.length === 1);
    await bus.quiet(5_000);
    bus = newBus();
    const again = record();
    await bus.start();
    await bus.quiet(5_000);
    expect(again).toEqual([]);
  });
});

/** Waits for a state that an event brings about, not for a time. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 2));
}
