import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { call, processesOf } from '../../src/compute/testing.ts';
import { probe, reasonToSkip, startSandboxed } from './host.ts';
import { leftovers } from './leftovers.ts';

const reason = await reasonToSkip();
if (reason !== undefined) console.warn(`the tests of what is left behind are skipped: ${reason}`);

const SOAK = process.env['CROFT_SOAK'] === '1';
/** Environments made and ended. */
const CYCLES = SOAK ? 10_000 : 60;
/** At once. */
const WORKERS = 4;

describe.skipIf(reason !== undefined)('nothing is left behind', () => {
  it(`by ${CYCLES} environments, some of them with a runtime`, { timeout: SOAK ? 3_600_000 : 60_000 }, async () => {
    const plane = await startSandboxed({ pooled: false });
    const instance = `croft-${process.pid}-`;
    const fn = await probe('python', 'cycled');
    const empty = { runtime: '', memoryMb: 128, ephemeralStorageMb: 512 };
    await (await plane.driver.prepare(empty)).kill();
    const before = leftovers(instance);
    let left = CYCLES;
    const worker = async () => {
      while (left-- > 0) {
        if (left % 10 === 0) {
          // A function that runs, and ends with its environment.
          await call(plane, { ...fn, spec: { ...fn.spec, configuration: String(left) } }, { do: 'allocate', mb: 1 });
          plane.compute.retire(fn.spec.key);
        } else await (await plane.driver.prepare(empty)).kill();
      }
    };
    await Promise.all(Array.from({ length: WORKERS }, worker));
    await expect.poll(() => plane.compute.stats()).toMatchObject({ environments: 0 });
    await expect.poll(() => leftovers(instance)).toEqual(before);
    await plane.stop();
    expect(leftovers(instance)).toMatchObject({ processes: [], cgroups: [], mounts: [] });
    expect(existsSync(plane.directory) ? readdirSync(plane.directory) : []).toEqual([]);
  });

  it.each(['platform', 'platform and helper'])('when the %s is killed', async (what) => {
    const directory = mkdtempSync(join(tmpdir(), 'croft-killed-'));
    const victim = spawn(process.execPath, [join(import.meta.dirname, 'victim.ts'), directory], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [first] = (await once(victim.stdout, 'data')) as [Buffer];
    const stream = first.toString().trim();
    const instance = `croft-${victim.pid}-`;
    expect(processesOf(stream)).toHaveLength(1);
    const { processes, cgroups } = leftovers(instance);
    expect(processes.length).toBeGreaterThan(0);
    // So that it notices nothing before its own end.
    victim.kill('SIGSTOP');
    if (what !== 'platform') process.kill(helperOf(instance), 'SIGKILL');
    victim.kill('SIGKILL');
    await expect.poll(() => processesOf(stream)).toEqual([]);
    await expect.poll(() => leftovers(instance).processes).toEqual([]);
    if (what !== 'platform') {
      // Nobody was left to remove these: the next start does.
      expect(leftovers(instance).cgroups).toHaveLength(cgroups.length);
      const next = await startSandboxed({ directory });
      await next.stop();
    }
    await expect.poll(() => leftovers(instance)).toMatchObject({ processes: [], cgroups: [], mounts: [] });
    rmSync(directory, { recursive: true, force: true });
  });
});

/** The process id of the helper itself. */
function helperOf(instance: string): number {
  const pid = leftovers(instance).processes.find((one) => readFileSync(`/proc/${one}/comm`, 'utf8') === 'croft-sandboxd\n');
  if (pid === undefined) throw new Error('there is no helper');
  return Number(pid);
}
