/** Runs the probes of both languages as whoever starts this, and prints what they found as JSON. */
import { call } from '../../src/compute/testing.ts';
import { layBait, probe, startSandboxed } from './host.ts';

const bait = await layBait();
const plane = await startSandboxed();
const found: Record<string, unknown> = {};
for (const language of ['python', 'node'] as const) {
  // The second one waited for its function.
  for (const path of ['cold', 'pooled']) {
    const fn = await probe(language, `${path}-${language}`);
    const { json } = await call(plane, fn, { ...bait.event, shown: ['root', 'work', 'home', 'data', 'tmp'], more: path === 'cold' ? ['crowd'] : [] });
    found[`${path} ${language}`] = json;
    while (path === 'cold' && plane.driver.waiting() === 0) await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
const features = await plane.driver.probe();
await plane.stop();
bait.close();
process.stdout.write(`${JSON.stringify({ found, features })}\n`);
