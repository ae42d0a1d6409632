import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, startCompute, type TestCompute, type TestFunction, testFunction } from './testing.ts';

let plane: TestCompute;
beforeAll(async () => {
  plane = await startCompute();
});
afterAll(() => plane.stop());

const SOURCE = `
if (process.env.BROKEN && process.env.AWS_LAMBDA_INITIALIZATION_TYPE === 'provisioned-concurrency') throw new Error('broken');
let calls = 0;
exports.handler = async (event) => {
  if (event.exit) process.exit(1);
  if (event.ms) await new Promise((resolve) => setTimeout(resolve, event.ms));
  return { pid: process.env.AWS_LAMBDA_LOG_STREAM_NAME + ' ' + process.pid, calls: ++calls, type: process.env.AWS_LAMBDA_INITIALIZATION_TYPE };
};`;

interface Answer {
  /** With its environment: each has process ids of its own. */
  readonly pid: string;
  readonly calls: number;
  readonly type: string;
}

const make = (functionName: string, variables: Record<string, string> = {}): Promise<TestFunction> =>
  testFunction({ 'index.js': SOURCE }, { runtime: 'nodejs22.x', functionName, variables });

async function ready(test: TestCompute, fn: TestFunction, count: number): Promise<void> {
  await expect.poll(() => test.compute.provisioned(fn.spec.key)).toMatchObject({ allocated: count });
}

const answer = async (fn: TestFunction, event: unknown = {}) => {
  const { json, report } = await call(plane, fn, event);
  return { ...(json as Answer), report };
};

describe('provisioned environments', () => {
  it('are initialised before the first call, which has no cold start', async () => {
    const fn = await make('ahead');
    plane.compute.provision(fn.spec, 2);
    await ready(plane, fn, 2);
    expect(fn.log.filter((line) => line.startsWith('INIT_START'))).toHaveLength(2);
    const first = await answer(fn);
    expect(first).toMatchObject({ calls: 1, type: 'provisioned-concurrency' });
    expect(first.report.initMs).toBeUndefined();
    expect(first.report.billedMs).toBe(Math.ceil(first.report.durationMs));
    await expect.poll(() => fn.log.find((line) => line.startsWith('REPORT'))).toBeDefined();
    expect(fn.log.filter((line) => line.includes('Init Duration'))).toEqual([]);
  });

  it('take what they can; the rest spills over to environments on demand', async () => {
    const fn = await make('spill');
    plane.compute.provision(fn.spec, 1);
    await ready(plane, fn, 1);
    let onDemand = 0;
    const busy = answer(fn, { ms: 300 });
    await expect.poll(() => plane.compute.provisioned(fn.spec.key)?.inUse).toBe(1);
    const spilled = plane.compute.invoke(
      fn.spec,
      { requestId: 'r', payload: Buffer.from('{}'), invokedFunctionArn: 'arn', trace: 't' },
      { onDemand: () => void onDemand++ },
    );
    expect(JSON.parse((await spilled).payload.toString())).toMatchObject({ type: 'on-demand' });
    expect(await busy).toMatchObject({ type: 'provisioned-concurrency' });
    expect(onDemand).toBe(1);
    // One after the other they never need a second environment, however fast.
    const types = new Set<string>();
    for (let i = 0; i < 20; i++) types.add((await answer(fn)).type);
    expect([...types]).toEqual(['provisioned-concurrency']);
  });

  it('count the most that were in use at once', async () => {
    const fn = await make('peak');
    plane.compute.provision(fn.spec, 2);
    await ready(plane, fn, 2);
    await Promise.all([answer(fn, { ms: 50 }), answer(fn, { ms: 50 })]);
    await expect.poll(() => plane.compute.provisioned(fn.spec.key)).toMatchObject({ inUse: 0, peak: 2 });
  });

  it('come back after their runtime ended', async () => {
    const fn = await make('reset');
    plane.compute.provision(fn.spec, 1);
    await ready(plane, fn, 1);
    const { pid } = await answer(fn);
    await call(plane, fn, { exit: true });
    await expect.poll(async () => (await answer(fn)).type).toBe('provisioned-concurrency');
    expect((await answer(fn)).pid).not.toBe(pid);
    expect(plane.compute.provisioned(fn.spec.key)).toMatchObject({ allocated: 1 });
  });

  it('fail after six attempts, and calls run on demand', async () => {
    const fn = await make('failing', { BROKEN: '1' });
    plane.compute.provision(fn.spec, 1);
    await expect.poll(() => plane.compute.provisioned(fn.spec.key), { timeout: 10_000 }).toMatchObject({ allocated: 0, failure: 'init' });
    expect(fn.log.filter((line) => line.startsWith('INIT_START'))).toHaveLength(6);
    expect(await answer(fn)).toMatchObject({ type: 'on-demand' });
  });

  it('are replaced before their credentials end, and so are others', async () => {
    const fn = await make('renewed');
    let asked = 0;
    const credentials = () => {
      asked++;
      return Promise.resolve({ accessKeyId: 'A', secretAccessKey: 's', sessionToken: 't', expiresMs: Date.now() + fn.spec.timeoutMs + 300 });
    };
    const short: TestFunction = { ...fn, spec: { ...fn.spec, credentials } };
    const first = await answer(short);
    expect((await answer(short)).pid).toBe(first.pid);
    await expect.poll(async () => (await answer(short)).pid).not.toBe(first.pid);
    plane.compute.provision(short.spec, 1);
    await ready(plane, short, 1);
    const kept = await answer(short);
    expect(kept.type).toBe('provisioned-concurrency');
    await expect.poll(async () => (await answer(short)).pid).not.toBe(kept.pid);
    await ready(plane, short, 1);
    expect(asked).toBeGreaterThan(3);
    plane.compute.provision(short.spec, 0);
  });

  it('never take all of the memory', async () => {
    const small = await startCompute({ memoryBudgetMb: 512 });
    try {
      const fn = await make('large');
      small.compute.provision(fn.spec, 10);
      await expect.poll(() => small.compute.provisioned(fn.spec.key)).toMatchObject({ requested: 10, allocated: 3, failure: 'capacity' });
      expect(small.compute.stats()).toMatchObject({ provisioned: 3, reservedMb: 384 });
      const other = await make('beside');
      expect((await call(small, other)).json).toMatchObject({ type: 'on-demand' });
    } finally {
      await small.stop();
    }
  });

  it('end when nobody asks for them any more, busy ones when they are done', async () => {
    const fn = await make('ended');
    plane.compute.provision(fn.spec, 2);
    await ready(plane, fn, 2);
    const busy = answer(fn, { ms: 100 });
    await expect.poll(() => plane.compute.provisioned(fn.spec.key)?.inUse).toBe(1);
    const before = plane.compute.stats()['environments'] ?? 0;
    plane.compute.provision(fn.spec, 0);
    expect(plane.compute.provisioned(fn.spec.key)).toBeUndefined();
    expect(await busy).toMatchObject({ type: 'provisioned-concurrency' });
    await expect.poll(() => plane.compute.stats()['environments']).toBe(before - 2);
    expect(await answer(fn)).toMatchObject({ type: 'on-demand' });
  });
});
