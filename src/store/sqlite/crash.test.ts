import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { createIds } from '../../kit/ids.ts';
import { projectRoot } from '../../kit/root.ts';
import { seed, soak } from '../conformance/helpers.ts';
import { openStore } from '../open.ts';
import { beginShadow, check, losePower } from './crash.ts';

const ROUNDS = soak ? 200 : 8;
const MORE_ROUNDS_MAX = 40;
/** Rounds on one data directory; then a new one, so that files stay small. */
const ROUNDS_A_PLACE = 4;
const IDS_A_ROUND = 1_000_000;

const folder = mkdtempSync(join(tmpdir(), 'croft-crash-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const library = compile();

/** The fault layer, or undefined with the reason printed. */
function compile(): string | undefined {
  if (process.platform !== 'linux') {
    console.log(`Crash tests are skipped: the fault layer is for Linux, this is ${process.platform}`);
    return undefined;
  }
  const output = join(folder, 'faultfs.so');
  try {
    execFileSync('cc', ['-shared', '-fPIC', '-O1', '-Wall', '-o', output, join(projectRoot(), 'native/faultfs/faultfs.c'), '-ldl', '-lpthread'], {
      stdio: 'pipe',
    });
    return output;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') {
      console.log('Crash tests are skipped: there is no C compiler (cc) to build the fault layer with');
      return undefined;
    }
    throw error;
  }
}

interface Place {
  readonly dataDir: string;
  readonly shadowDir: string;
  readonly acknowledged: Set<number>;
  rounds: number;
}

let places = 0;
const newPlace = (): Place => {
  const base = join(folder, `place${places++}`);
  return { dataDir: join(base, 'data'), shadowDir: join(base, 'shadow'), acknowledged: new Set(), rounds: 0 };
};

function start(place: Place, environment: Record<string, string>, clients = 16): ChildProcess & { lines: AsyncIterableIterator<string> } {
  const script = fileURLToPath(new URL('./crash.fixture.ts', import.meta.url));
  const child = spawn(process.execPath, [script, place.dataDir, String(place.rounds++ * IDS_A_ROUND), String(clients)], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, LD_PRELOAD: library, FAULTFS_DIR: place.dataDir, FAULTFS_SHADOW: place.shadowDir, ...environment },
  });
  return Object.assign(child, { lines: createInterface(child.stdout as NodeJS.ReadableStream)[Symbol.asyncIterator]() });
}

/** Lets a process write until it has acknowledged `count` commits, kills it, and cuts the power. Returns what is wrong afterwards. */
async function crash(place: Place, count: number, random: string, environment: Record<string, string> = {}): Promise<{ wrong: string[]; sectorsLost: number }> {
  beginShadow(place.dataDir, place.shadowDir);
  const child = start(place, environment);
  let seen = 0;
  for await (const line of child.lines) {
    // Lines that are on their way when it is killed were acknowledged too: the loop reads to the end.
    if (/^\d+$/.test(line)) {
      place.acknowledged.add(Number(line));
      seen++;
    } else if (line !== 'opened') throw new Error(line);
    if (seen >= count) child.kill('SIGKILL');
  }
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
  expect(child.signalCode, 'the process ends by being killed').toBe('SIGKILL');
  const { sectorsLost } = losePower(place.dataDir, place.shadowDir, createIds(random));
  return { wrong: await check(place.dataDir, place.acknowledged), sectorsLost };
}

describe.skipIf(!library)(`power cuts (CROFT_SEED=${seed})`, () => {
  it(`loses nothing acknowledged in ${ROUNDS} power cuts`, { timeout: 1_800_000 }, async () => {
    const ids = createIds(`${seed} crash`);
    let place = newPlace();
    let lostInAll = 0;
    // A kill may happen to find everything synced: a few more rounds, until something was cut.
    for (let round = 0; round < ROUNDS || (lostInAll === 0 && round < ROUNDS + MORE_ROUNDS_MAX); round++) {
      if (place.rounds >= ROUNDS_A_PLACE) {
        rmSync(join(place.dataDir, '..'), { recursive: true });
        place = newPlace();
      }
      // Sometimes while it is opening, sometimes after checkpoints.
      const count = ids.float() < 0.2 ? 0 : Math.floor(ids.float() * (soak ? 1500 : 600));
      const { wrong, sectorsLost } = await crash(place, count, `${seed} crash ${round}`);
      expect(wrong, `round ${round}, after ${count} commits`).toEqual([]);
      lostInAll += sectorsLost;
    }
    // Otherwise nothing was cut.
    expect(lostInAll).toBeGreaterThan(0);
  });

  for (const ignored of ['1', 'croft.db-wal']) {
    it(`sees the loss when ${ignored === '1' ? 'nothing' : `${ignored} is not`} synced`, { timeout: 120_000 }, async () => {
      const wrong: string[] = [];
      for (let round = 0; round < 5 && wrong.length === 0; round++) {
        wrong.push(...(await crash(newPlace(), 200, `${seed} ignore ${round}`, { FAULTFS_IGNORE_SYNC: ignored })).wrong);
      }
      expect(wrong).not.toEqual([]);
    });
  }

  it('answers a full disk with errors, loses nothing, and goes on when there is space again', { timeout: 120_000 }, async () => {
    const place = newPlace();
    beginShadow(place.dataDir, place.shadowDir);
    const flag = join(folder, 'full');
    const child = start(place, { FAULTFS_FULL: flag });
    const failures = new Set<string>();
    let stage: 'space' | 'full' | 'space again' = 'space';
    let count = 0;
    for await (const line of child.lines) {
      if (line.startsWith('failed ')) failures.add(line);
      else if (/^\d+$/.test(line)) {
        place.acknowledged.add(Number(line));
        count++;
      }
      if (stage === 'space' && count >= 50) {
        writeFileSync(flag, '');
        stage = 'full';
      } else if (stage === 'full' && failures.size > 0) {
        rmSync(flag);
        stage = 'space again';
        count = 0;
      } else if (stage === 'space again' && count === 50) child.stdin?.write('stop\n');
    }
    expect(stage).toBe('space again');
    expect(failures).toEqual(
      new Set([`failed StoreFullError: The disk under ${place.dataDir} is full. Nothing of this request was written; free some space and try again.`]),
    );
    expect(await check(place.dataDir, place.acknowledged)).toEqual([]);
  });

  it('is not locked by a process that was killed, and names the one that runs', { timeout: 60_000 }, async () => {
    const place = newPlace();
    beginShadow(place.dataDir, place.shadowDir);
    const child = start(place, {}, 1);
    await child.lines.next();
    await expect(openStore({ store: 'sqlite', dataDir: place.dataDir })).rejects.toThrow(
      `The data directory ${place.dataDir} is in use by process ${child.pid}. Stop it, or choose another with --data-dir.`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await (await openStore({ store: 'sqlite', dataDir: place.dataDir })).close();
  });
});
