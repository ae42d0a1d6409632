import { Writable } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { createBus } from '../bus/outbox.ts';
import { type Clock, systemClock } from '../kit/clock.ts';
import { createIds } from '../kit/ids.ts';
import type { Log } from '../kit/log.ts';
import type { Trace } from '../kit/trace.ts';
import { openStore } from '../store/open.ts';
import type { Store } from '../store/store.ts';
import { createAccessRing } from './access.ts';
import { Calls, createTelemetry, traceDeliveries } from './index.ts';
import { createLineage, type Span } from './lineage.ts';
import { createLog, textLine } from './log.ts';
import { createMeters } from './meters.ts';
import { createMetrics } from './metrics.ts';

const errors: string[] = [];
const log: Log = { debug() {}, info() {}, warn() {}, error: (_fields, message) => void errors.push(message) };
let store: Store;
let clock: Clock;
beforeEach(async () => {
  clock = systemClock();
  clock.freeze(Date.UTC(2024, 0, 2, 3, 30));
  store = await openStore({ store: 'memory', clock });
});
afterEach(async () => {
  await store.close();
  errors.length = 0;
});

describe('metrics', () => {
  test('the text form', async () => {
    const metrics = createMetrics();
    metrics.counter('croft_things', 'Things\nseen.', { kind: 'a "b" \\ c' }).add();
    metrics.counter('croft_things', 'Things\nseen.', { kind: 'a "b" \\ c' }).add(2);
    metrics.gauge('croft_level', 'Level.', () => 7);
    metrics.gauge('croft_levels', 'Levels.', () => [[{ of: 'x' }, 1]]);
    const histogram = metrics.histogram('croft_seconds', 'Time.', [0.1, 1], { op: 'o' });
    for (const value of [0.05, 0.1, 0.5, 5]) histogram.observe(value);
    expect(await metrics.render()).toBe(
      [
        '# HELP croft_things Things\\nseen.',
        '# TYPE croft_things counter',
        'croft_things_total{kind="a \\"b\\" \\\\ c"} 3',
        '# HELP croft_level Level.',
        '# TYPE croft_level gauge',
        'croft_level 7',
        '# HELP croft_levels Levels.',
        '# TYPE croft_levels gauge',
        'croft_levels{of="x"} 1',
        '# HELP croft_seconds Time.',
        '# TYPE croft_seconds histogram',
        'croft_seconds_bucket{op="o",le="0.1"} 2',
        'croft_seconds_bucket{op="o",le="1"} 3',
        'croft_seconds_bucket{op="o",le="+Inf"} 4',
        'croft_seconds_count{op="o"} 4',
        'croft_seconds_sum{op="o"} 5.65',
        '# EOF',
        '',
      ].join('\n'),
    );
  });
  test('one name, one kind', () => {
    const metrics = createMetrics();
    metrics.counter('croft_x', 'X.');
    expect(() => metrics.gauge('croft_x', 'X.', () => 1)).toThrow(/is a counter/);
  });
  test('figures that are asked for first; a failure spoils nothing', async () => {
    const metrics = createMetrics();
    let level = 0;
    metrics.gauge('croft_level', 'Level.', () => level);
    metrics.collect(async () => {
      level = 3;
    });
    metrics.collect(() => Promise.reject(new Error('no')));
    expect(await metrics.render()).toContain('croft_level 3');
  });
});

describe('meters', () => {
  test('are sums by hour, in the store after a flush', async () => {
    const meters = createMeters(store, clock, log);
    meters.meter('1', 'eu', 'dynamodb', 'ReadRequestUnits', 0.5);
    meters.meter('1', 'eu', 'dynamodb', 'ReadRequestUnits', 0.25);
    await meters.flush();
    meters.meter('1', 'eu', 'dynamodb', 'ReadRequestUnits', 1);
    meters.meter('2', 'eu', 'sqs', 'Requests', 3);
    for (const nonsense of [0, -1, Number.NaN, Number.POSITIVE_INFINITY]) meters.meter('1', 'eu', 'dynamodb', 'ReadRequestUnits', nonsense);
    clock.advance(3_600_000);
    meters.meter('1', 'eu', 'dynamodb', 'ReadRequestUnits', 0.000125);
    const readings = await meters.read({ account: '1' });
    expect(readings.map(({ hour, quantity }) => [hour, quantity])).toEqual([
      ['2024-01-02T03:00:00.000Z', 1.75],
      ['2024-01-02T04:00:00.000Z', 0.000125],
    ]);
    expect(await meters.read({ service: 'sqs' })).toEqual([
      { account: '2', region: 'eu', service: 'sqs', dimension: 'Requests', hour: '2024-01-02T03:00:00.000Z', quantity: 3 },
    ]);
    expect(await createMeters(store, clock, log).read()).toHaveLength(3);
  });
  test('a failed write loses nothing', async () => {
    let broken = true;
    const meters = createMeters(
      { ...store, transact: (declaration, fn) => (broken ? Promise.reject(new Error('disk full')) : store.transact(declaration, fn)) },
      clock,
      log,
    );
    meters.meter('1', 'eu', 's', 'd', 2);
    await meters.flush();
    expect(errors).toHaveLength(1);
    broken = false;
    meters.meter('1', 'eu', 's', 'd', 1);
    expect((await meters.read())[0]?.quantity).toBe(3);
  });
});

describe('lineage', () => {
  const trace = '1-00000001-0123456789abcdef01234567';
  const span = (id: string, startMs: number, of = trace): Span => ({
    trace: of,
    id,
    kind: 'request',
    name: 'x:Y',
    account: '1',
    region: 'eu',
    startMs,
    durationMs: 1,
    status: 200,
  });
  const make = (bounds?: { ageMs: number; bytes: number }) => createLineage(store, clock, createIds('seed'), log, bounds);

  test('a trace’s spans in order of start, also after a restart', async () => {
    const lineage = make();
    const now = clock.virtual();
    lineage.record(span('b'.repeat(16), now + 5));
    lineage.record(span('a'.repeat(16), now));
    lineage.record(span('c'.repeat(16), now, '1-00000002-0123456789abcdef01234567'));
    await lineage.flush();
    expect((await make().read(trace)).map(({ id }) => id[0])).toEqual(['a', 'b']);
  });
  test('what is too old goes', async () => {
    const lineage = make({ ageMs: 60_000, bytes: 1e9 });
    lineage.record(span('a'.repeat(16), clock.virtual()));
    await lineage.flush();
    clock.advance(50_000);
    lineage.record(span('b'.repeat(16), clock.virtual()));
    await lineage.flush();
    expect(await lineage.read(trace)).toHaveLength(2);
    clock.advance(20_000);
    await lineage.trim();
    expect((await lineage.read(trace)).map(({ id }) => id[0])).toEqual(['b']);
  });
  test('what is too much goes, oldest first, and nothing is left behind', async () => {
    const lineage = make({ ageMs: 1e9, bytes: 2000 });
    for (let i = 0; i < 100; i++) lineage.record(span(i.toString(16).padStart(16, '0'), clock.virtual() + i));
    await lineage.flush();
    const left = await lineage.read(trace);
    expect(left.length).toBeGreaterThan(0);
    expect(left.length).toBeLessThan(30);
    expect(left.at(-1)?.id).toBe('0000000000000063');
    clock.advance(2e9);
    await lineage.trim();
    const { entries } = await store.range({ from: '', to: '\xff' });
    // Only the counter of bytes, which is back at nothing.
    expect(entries.map(([, value]) => Buffer.from(value).readBigInt64BE())).toEqual([0n]);
  });
});

test('a delivery is a span, and what it causes its child', async () => {
  const lineage = createLineage(store, clock, createIds('seed'), log);
  const ids = createIds();
  const around = traceDeliveries(new Calls(), lineage, clock, ids);
  const bus = createBus({ store, clock, ids, onError: (_fields, message) => void errors.push(message), around });
  const trace = { root: '1-00000001-0123456789abcdef01234567', parent: 'f'.repeat(16), sampled: true };
  const delivered: Trace[] = [];
  const done = new Promise<void>((resolve) => {
    bus.register('first', { concurrency: 1 }, async (attempt) => {
      delivered.push(attempt.trace);
      await store.transact({}, (tx) => bus.enqueue(tx, { target: 'second', account: '1', region: 'eu', payload: {}, trace: attempt.trace }));
      return { done: true };
    });
    bus.register('second', { concurrency: 1 }, async (attempt) => {
      delivered.push(attempt.trace);
      resolve();
      throw new TypeError('no');
    });
  });
  await bus.start();
  await store.transact({}, (tx) => bus.enqueue(tx, { target: 'first', account: '1', region: 'eu', payload: {}, trace }));
  await done;
  await bus.stop(1000);
  const spans = await lineage.read(trace.root);
  const [first, second] = ['first', 'second'].map((name) => spans.find((span) => span.name === name));
  expect(first).toMatchObject({ kind: 'delivery', parent: 'f'.repeat(16) });
  expect(second).toMatchObject({ kind: 'delivery', parent: first?.id, error: 'TypeError' });
  expect(delivered.map(({ parent }) => parent)).toEqual([first?.id, second?.id]);
});

test('the access ring forgets the oldest', () => {
  const ring = createAccessRing(3);
  for (let i = 0; i < 5; i++)
    ring.record({
      timeMs: i,
      requestId: String(i),
      account: '1',
      region: 'eu',
      principal: i % 2 ? 'odd' : 'even',
      action: 'a:B',
      resources: ['*'],
      internal: false,
    });
  expect(ring.read().map(({ requestId }) => requestId)).toEqual(['4', '3', '2']);
  expect(ring.read({ principal: 'even', limit: 1 }).map(({ requestId }) => requestId)).toEqual(['4']);
});

test('a telemetry that stops has written everything', async () => {
  const telemetry = createTelemetry({ store, clock, ids: createIds(), log });
  telemetry.meters.meter('1', 'eu', 's', 'd', 1);
  await telemetry.stop();
  expect(await createMeters(store, clock, log).read()).toHaveLength(1);
  expect(await telemetry.metrics.render()).toContain('croft_event_loop_delay_seconds{quantile="0.99"}');
});

describe('the log', () => {
  test('JSON and text, from a level up', async () => {
    for (const format of ['json', 'text'] as const) {
      let text = '';
      const destination = new Writable({
        write(chunk: Buffer, _encoding, done) {
          text += chunk.toString();
          done();
        },
      });
      const made = createLog({ level: 'info', format, destination });
      made.debug({}, 'unseen');
      made.error({ err: new Error('bang'), port: 4566 }, 'it broke');
      await new Promise((resolve) => setImmediate(resolve));
      expect(text).not.toContain('unseen');
      expect(text).toContain('bang');
      if (format === 'json') expect(JSON.parse(text)).toMatchObject({ msg: 'it broke', port: 4566 });
      else expect(text).toMatch(/^\d\d:\d\d:\d\d\.\d{3} error it broke port=4566\nError: bang\n/);
    }
  });
  test('what is not JSON passes through', () => expect(textLine('hello\n')).toBe('hello\n'));
});
