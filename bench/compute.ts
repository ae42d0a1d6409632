/**
 * `node bench/compute.ts`: from an invocation to its answer inside of the compute plane, for a trivial function: with an environment that
 * waits (pool hit), without (pool miss), as a plain process, and warm. Sandbox driver, CPU not limited, page cache warm.
 */
import { performance } from 'node:perf_hooks';
import { POOL_SIZE_DEFAULT } from '../src/compute/sandbox/limits.ts';
import { call, startCompute, type TestCompute, testFunction } from '../src/compute/testing.ts';
import { startSandboxed } from '../test/security/host.ts';

const STARTS = Number(process.env['BENCH_STARTS'] ?? 40);
const WARM = 2000;
/** The pool is full again, and the machine at rest. */
const PAUSE_MS = 400;

const LANGUAGES = [
  { title: 'Python', runtime: 'python3.11', files: { 'index.py': 'def handler(event, context):\n    return 1\n' } },
  { title: 'Node.js', runtime: 'nodejs24.x', files: { 'index.js': 'exports.handler = async () => 1;' } },
] as const;
type Language = (typeof LANGUAGES)[number];

interface Plane extends TestCompute {
  readonly driver?: { waiting(): number };
}

/** Milliseconds of first answers, each of a function of its own, where `full` sandboxes wait. */
async function firstAnswers(plane: Plane, language: Language, count: number, full = 0): Promise<number[]> {
  const times: number[] = [];
  // Two more, which bring the page cache and the pool to where they stay.
  for (let i = 0; i < count + 2; i++) {
    const fn = await testFunction(language.files, { runtime: language.runtime, functionName: `${language.title}-${i}` });
    await plane.compute.prefetch(fn.spec.code);
    const began = performance.now();
    await call(plane, fn);
    if (i >= 2) times.push(performance.now() - began);
    plane.compute.retire(fn.spec.key);
    const until = performance.now() + 10_000;
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
    while (plane.driver && plane.driver.waiting() < full && performance.now() < until) await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return times;
}

async function warmAnswers(plane: Plane, language: Language): Promise<number[]> {
  const fn = await testFunction(language.files, { runtime: language.runtime, functionName: `${language.title}-warm` });
  const times: number[] = [];
  for (let i = 0; i < WARM; i++) {
    const began = performance.now();
    await call(plane, fn);
    if (i >= WARM / 10) times.push(performance.now() - began);
  }
  return times;
}

function line(what: string, times: number[]): void {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share: number) => (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN).toFixed(2).padStart(8);
  console.log(`${what.padEnd(32)} p50 ${at(0.5)} ms   p99 ${at(0.99)} ms   (${times.length})`);
}

const hits: Plane = await startSandboxed();
const misses: Plane = await startSandboxed({ pooled: false });
process.env['CROFT_ISOLATION'] = 'process';
const plain: Plane = await startCompute();
for (const [index, language] of LANGUAGES.entries()) {
  line(`${language.title}, pool hit`, await firstAnswers(hits, language, STARTS, POOL_SIZE_DEFAULT * (index + 1)));
  line(`${language.title}, pool miss`, await firstAnswers(misses, language, STARTS));
  line(`${language.title}, plain process`, await firstAnswers(plain, language, STARTS));
  line(`${language.title}, warm`, await warmAnswers(hits, language));
}
await Promise.all([hits, misses, plain].map((plane) => plane.stop()));
