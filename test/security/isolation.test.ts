import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { call, processesOf } from '../../src/compute/testing.ts';
import { type Bait, layBait, probe, reasonToSkip, startSandboxed } from './host.ts';

const reason = await reasonToSkip();
if (reason !== undefined) console.warn(`the isolation tests are skipped: ${reason}`);

/** Where an interpreter outside of /usr lies: its folder is seen, empty but for it. */
const SHOWN = ['root', 'work', 'home', 'nix', 'data', 'Users', 'builds', 'github', 'app', 'srv', 'tmp'];

describe.skipIf(reason !== undefined)('a function cannot leave its execution environment', () => {
  let bait: Bait;
  let plane: Awaited<ReturnType<typeof startSandboxed>>;
  beforeAll(async () => {
    bait = await layBait();
    plane = await startSandboxed();
  });
  afterAll(async () => {
    await plane.stop();
    bait.close();
  });
  const event = (more: object = {}) => ({ ...bait.event, shown: SHOWN, ...more });

  it.each(['python', 'node'] as const)('%s: started for it, waiting for it, and after a reset', async (language) => {
    const cold = await startSandboxed({ pooled: false });
    try {
      const fn = await probe(language, `cold-${language}`);
      expect((await call(cold, fn, event())).json).toEqual([]);
    } finally {
      await cold.stop();
    }
    const first = await probe(language, `first-${language}`);
    expect((await call(plane, first, event())).json).toEqual([]);
    // Python's are there when Node.js's turn comes.
    const all = language === 'python' ? 2 : 4;
    await expect.poll(() => plane.driver.waiting()).toBe(all);
    const pooled = await probe(language, `pooled-${language}`);
    const { json, report } = await call(plane, pooled, event());
    expect(json).toEqual([]);
    // It was one of those that waited: its variables did not come with its start.
    expect(processesOf(`pooled-${language}`, 'AWS_LAMBDA_FUNCTION_NAME')).toEqual([]);
    expect(report.initMs).toBeGreaterThan(0);
    if (language === 'node') return;
    const late = await probe(language, 'late', { timeoutMs: 1000 });
    await call(plane, late, { do: 'leave' });
    expect((await call(plane, late, event())).json).toEqual([]);
  });

  it('cannot exhaust the machine: processes, descriptors, disk, memory', async () => {
    const fn = await probe('python', 'greedy');
    expect((await call(plane, fn, event({ more: ['crowd', 'fill'] }))).json).toEqual([]);
    const small = await probe('python', 'small', { memoryMb: 128 });
    const ended = await call(plane, small, { do: 'allocate', mb: 400 });
    expect(ended.json).toEqual({
      errorType: 'Runtime.ExitError',
      errorMessage: `RequestId: ${ended.requestId} Error: Runtime exited with error: signal: killed`,
    });
    expect(ended.report.memoryUsedMb).toBeGreaterThan(120);
    expect(ended.report.memoryUsedMb).toBeLessThanOrEqual(128);
    expect((await call(plane, small, { do: 'allocate', mb: 16 })).json).toBe(16 * 1024 ** 2);
  });

  it('shares the network, and only that, where it is told to', async () => {
    const open = await startSandboxed({ network: 'host' });
    try {
      for (const name of ['cold', 'pooled']) {
        const { json } = await call(open, await probe('python', `network-${name}`), event());
        const about = (json as string[]).filter((found) => !/interfaces|reaches|machine's net namespace/.test(found));
        expect([about, (json as string[]).length > 0]).toEqual([[], true]);
        await expect.poll(() => open.driver.waiting()).toBeGreaterThan(0);
      }
    } finally {
      await open.stop();
    }
  });

  it('leaves no grandchild behind after a timeout', async () => {
    const fn = await probe('python', 'family', { timeoutMs: 1500, handler: 'index.handler' });
    const running = call(plane, fn, { do: 'leave' });
    const mine = () => processesOf('family', 'AWS_LAMBDA_FUNCTION_NAME').length;
    expect((await running).json).toMatchObject({ errorType: 'Sandbox.Timedout' });
    expect(mine()).toBe(0);
  });
});

/** Each layer alone must be missed by the probes: otherwise nobody would notice its absence. */
const LAYERS = [
  'seccomp',
  'capabilities',
  'no-new-privs',
  'uid',
  'read-only',
  'proc',
  'proc-mask',
  'net',
  'ipc',
  'uts',
  'tmp',
  'descriptors',
  'pids',
  'rlimits',
  'pivot',
  'devices',
  'cgroup-namespace',
] as const;
/** Only root can do without these, or has them. */
const OF_ROOT: readonly string[] = ['uid', 'pids', 'net', 'devices', 'proc'];

describe.skipIf(reason !== undefined)('the probes notice the absence of', () => {
  let bait: Bait;
  beforeAll(async () => {
    process.env['CROFT_TEST'] = '1';
    bait = await layBait();
  });
  afterAll(() => {
    delete process.env['CROFT_TEST'];
    bait.close();
  });
  const isRoot = process.getuid?.() === 0;

  it.each(LAYERS.filter((layer) => isRoot || !OF_ROOT.includes(layer)))('%s', async (layer) => {
    const plane = await startSandboxed({ pooled: false, without: [layer] });
    try {
      const fn = await probe('python', `without-${layer}`);
      const { json } = await call(plane, fn, { ...bait.event, shown: SHOWN, more: layer === 'pids' ? ['crowd'] : [] });
      // What they find, or that they do not live to tell it.
      expect(json).not.toEqual([]);
    } finally {
      await plane.stop();
    }
  });

  it.skipIf(!isRoot)('memory', async () => {
    const plane = await startSandboxed({ pooled: false, without: ['memory'] });
    try {
      const fn = await probe('python', 'without-memory', { memoryMb: 128 });
      expect((await call(plane, fn, { do: 'allocate', mb: 400 })).json).toBe(400 * 1024 ** 2);
    } finally {
      await plane.stop();
    }
  });

  it('nothing else: layers are only switched off in tests', async () => {
    delete process.env['CROFT_TEST'];
    await expect(startSandboxed({ without: ['seccomp'] }).then((plane) => plane.stop())).rejects.toThrow(/ended \(status 2\)/);
    process.env['CROFT_TEST'] = '1';
  });
});
