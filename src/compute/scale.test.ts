import { describe, expect, it } from 'vitest';
import { call, processesOf, startCompute, type TestFunction, testFunction } from './testing.ts';

const SOAK = process.env['CROFT_SOAK'] === '1';
/** Functions that take turns in the memory of four environments. */
const FUNCTIONS = SOAK ? 500 : 24;
/** Environments live at once. */
const LIVE = SOAK ? 500 : 16;
const TIMEOUT_MS = SOAK ? 600_000 : 60_000;

const SOURCE =
  'exports.handler = async ({ ms = 0 }) => { await new Promise((resolve) => setTimeout(resolve, ms)); return process.env.AWS_LAMBDA_LOG_STREAM_NAME; };';
const make = (name: string, timeoutMs = 60_000): Promise<TestFunction> =>
  testFunction({ 'index.js': SOURCE }, { runtime: 'nodejs22.x', functionName: name, timeoutMs });

describe('scale', () => {
  it(
    'keeps to the memory budget while many functions take turns, and answers all of them',
    async () => {
      const small = await startCompute({ memoryBudgetMb: 512 });
      try {
        const functions = await Promise.all(Array.from({ length: FUNCTIONS }, (_, i) => make(`turn-${i}`)));
        let mostMb = 0;
        let most = 0;
        const look = setInterval(() => {
          const { reservedMb = 0, environments = 0 } = small.compute.stats();
          mostMb = Math.max(mostMb, reservedMb);
          most = Math.max(most, environments);
        }, 2);
        const left = [...functions];
        const answered: unknown[] = [];
        const worker = async () => {
          for (let fn = left.pop(); fn; fn = left.pop()) answered.push((await call(small, fn)).json);
        };
        await Promise.all(Array.from({ length: 8 }, worker));
        clearInterval(look);
        expect(answered).toHaveLength(FUNCTIONS);
        expect(mostMb).toBeLessThanOrEqual(512);
        expect(most).toBeLessThanOrEqual(4);
      } finally {
        await small.stop();
      }
    },
    TIMEOUT_MS,
  );

  it('goes to zero when nobody calls, and wakes with the next call', async () => {
    const quick = await startCompute({ idleMs: 200 });
    try {
      const fn = await make('idle');
      const { json: stream } = await call(quick, fn);
      expect(processesOf(stream)).toHaveLength(1);
      await expect.poll(() => quick.compute.stats()).toMatchObject({ environments: 0, reservedMb: 0 });
      await expect.poll(() => processesOf(stream)).toEqual([]);
      const again = await call(quick, fn);
      expect(again.json).not.toBe(stream);
      expect(again.report.initMs).toBeGreaterThan(0);
    } finally {
      await quick.stop();
    }
  });

  it(
    `holds ${LIVE} environments at once`,
    async () => {
      const large = await startCompute({ memoryBudgetMb: LIVE * 128 });
      try {
        const functions = await Promise.all(Array.from({ length: LIVE }, (_, i) => make(`live-${i}`)));
        // Not faster than they start: waiting callers are throttled after ten seconds.
        const streams = new Set<unknown>();
        const left = [...functions];
        const worker = async () => {
          for (let fn = left.pop(); fn; fn = left.pop()) streams.add((await call(large, fn)).json);
        };
        await Promise.all(Array.from({ length: 8 }, worker));
        await expect.poll(() => large.compute.stats()).toMatchObject({ environments: LIVE, idle: LIVE, reservedMb: LIVE * 128 });
        expect(streams.size).toBe(LIVE);
        for (const stream of streams) expect(processesOf(stream)).toHaveLength(1);
        // All of them are warm.
        const again = await Promise.all(functions.map((fn) => call(large, fn)));
        expect(again.every(({ report }) => report.initMs === undefined)).toBe(true);
      } finally {
        await large.stop();
      }
    },
    TIMEOUT_MS,
  );
});
