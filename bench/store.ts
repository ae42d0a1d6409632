import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openStore } from '../src/store/open.ts';
import type { Store } from '../src/store/store.ts';

/**
 * Durable commits a second, by `node bench/store.ts [sqlite | memory | postgres://…]`: 64 clients, each waiting for its own commit;
 * then one counter for all against a counter each; then pages and single reads. Times are in milliseconds.
 */

const CLIENTS = 64;
const SECONDS = Number(process.env['BENCH_SECONDS'] ?? 3);
const VALUE = Buffer.alloc(1000, 'x');

interface Result {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

async function measure(run: (client: number, n: number) => Promise<unknown>): Promise<Result> {
  const latencies: number[] = [];
  const startMs = performance.now();
  const endMs = startMs + SECONDS * 1000;
  await Promise.all(
    Array.from({ length: CLIENTS }, async (_, client) => {
      for (let n = 0; performance.now() < endMs; n++) {
        const beganMs = performance.now();
        await run(client, n);
        latencies.push(performance.now() - beganMs);
      }
    }),
  );
  const tookMs = performance.now() - startMs;
  latencies.sort((a, b) => a - b);
  const at = (share: number) => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return { perSecond: (latencies.length / tookMs) * 1000, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function print(name: string, { perSecond, p50Ms, p99Ms }: Result): void {
  console.log(
    `${name.padEnd(46)} ${Math.round(perSecond).toLocaleString('en').padStart(9)} /s   p50 ${p50Ms.toFixed(2).padStart(6)}   p99 ${p99Ms.toFixed(2).padStart(6)}`,
  );
}

async function main(store: Store): Promise<void> {
  const add = (key: string) => store.transact({ keys: [key] }, (tx) => tx.add(key, 1n));
  const scattered = (client: number, n: number) => `item${((client * 1_000_003 + n) * 2_654_435_761) % 2 ** 32}`;
  await measure((client, n) => store.transact({}, (tx) => tx.put(`warm${client}.${n % 10}`, VALUE)));

  print(
    `put 1,000 B under a new key, ${CLIENTS} clients`,
    await measure((client, n) => {
      const key = scattered(client, n);
      return store.transact({ keys: [key] }, (tx) => tx.put(key, VALUE));
    }),
  );
  const many = await measure((client) => add(`counter${client}`));
  print(`add to one of ${CLIENTS} counters`, many);
  const hot = await measure(() => add('counter'));
  print('add to one counter', hot);
  console.log(`one counter reaches ${(hot.perSecond / many.perSecond).toFixed(2)} of ${CLIENTS} counters' rate (at least 0.33 wanted)`);
  print('get', await measure((client, n) => store.get(scattered(client, n % 100))));

  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  let pages = 0;
  print(
    'put, while pages of up to 1 MiB are read',
    await measure(async (client, n) => {
      if (client > 1) return store.transact({}, (tx) => tx.put(`item${client}.${n % 1000}`, VALUE));
      const { entries } = await store.range({ from: 'item', to: 'itemz', limit: 10_000 });
      pages++;
      return entries;
    }),
  );
  delay.disable();
  console.log(`  ${pages} pages; event-loop delay p50 ${(delay.percentile(50) / 1e6).toFixed(1)} ms, p99 ${(delay.percentile(99) / 1e6).toFixed(1)} ms`);
  console.log(store.stats());
}

const name = process.argv[2] ?? 'sqlite';
const folder = mkdtempSync(join(tmpdir(), 'croft-bench-'));
const store = await openStore({ store: name, dataDir: join(folder, 'data') });
console.log(`store: ${store.driver}, node ${process.version}`);
try {
  await main(store);
} finally {
  await store.close();
  rmSync(folder, { recursive: true });
}
