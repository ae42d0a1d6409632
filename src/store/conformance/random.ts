import { describe, expect, it } from 'vitest';
import { createIds } from '../../kit/ids.ts';
import type { Place } from '../conformance.ts';
import { Reference } from '../reference.ts';
import { createScripts, play, type Script, ScriptError, type Seen, show } from '../script.ts';
import type { Store } from '../store.ts';
import { counter, seed, sharedStore, soak } from './helpers.ts';

const SEQUENTIAL = soak ? 20_000 : 400;
const CONCURRENT = soak ? 20_000 : 600;
const CLIENTS = 16;

/** Random transactions, compared with the {@link Reference}. */
export function randomSuite(make: () => Promise<Place>): void {
  describe(`random transactions (CROFT_SEED=${seed})`, () => {
    const shared = sharedStore(make);

    it(`${SEQUENTIAL} one after another`, { timeout: 600_000 }, async () => {
      const { store } = shared;
      const p = shared.prefix();
      const scripts = createScripts(createIds(`${seed} sequential`), p);
      const reference = new Reference();
      for (let n = 0; n < SEQUENTIAL; n++) {
        const script = scripts.next();
        const expected = outcomeOf(() => reference.transact((tx) => play(script, tx)));
        expect(await outcomeOfStore(store, script), `transaction ${n}`).toEqual(expected);
        if (n % 10 === 0) {
          const options = scripts.range();
          expect(shown(await store.range(options)), JSON.stringify(options)).toEqual(shown(reference.range(options)));
        }
      }
      await expectSame(store, reference, p);
    });

    it(`${CONCURRENT} at once, each as if alone`, { timeout: 600_000 }, async () => {
      const { store } = shared;
      const groups = Array.from({ length: 4 }, (_, n) => {
        const prefix = shared.prefix();
        const scripts = createScripts(createIds(`${seed} concurrent ${n}`), prefix);
        return { prefix, scripts, order: `${prefix}order`, log: [] as { at: bigint; script: Script; seen: Seen | string }[] };
      });
      // Every transaction counts its group's transactions, and so learns its place among them.
      const client = async (group: (typeof groups)[number], count: number) => {
        for (let n = 0; n < count; n++) {
          const script = group.scripts.next();
          let at = 0n;
          const attempt = store.transact(script.declaration, (tx) => {
            at = counter(tx.get(group.order)) + 1n;
            tx.add(group.order, 1n);
            return play(script, tx);
          });
          const seen = await attempt.catch((error: unknown) => {
            if (error instanceof ScriptError) return undefined;
            throw error;
          });
          if (seen) group.log.push({ at, script, seen });
        }
      };
      await Promise.all(Array.from({ length: CLIENTS }, (_, n) => client(groups[n % groups.length] as (typeof groups)[number], CONCURRENT / CLIENTS)));
      for (const group of groups) {
        const reference = new Reference();
        group.log.sort((a, b) => Number(a.at - b.at));
        expect(group.log.map(({ at }) => at)).toEqual(group.log.map((_, n) => BigInt(n + 1)));
        for (const { at, script, seen } of group.log) {
          reference.add(group.order, 1n);
          expect(seen, `transaction ${at} of ${group.prefix}`).toEqual(play(script, reference));
        }
        await expectSame(store, reference, group.prefix);
      }
    });
  });
}

async function outcomeOfStore(store: Store, script: Script): Promise<Seen | string> {
  try {
    return await store.transact(script.declaration, (tx) => play(script, tx));
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
}

function outcomeOf(run: () => Seen): Seen | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof ScriptError) return error.message;
    throw error;
  }
}

const shown = (page: { entries: readonly (readonly [string, Uint8Array])[]; more: boolean }) => ({
  entries: page.entries.map(([key, value]) => `${escape(key)}=${show(value)}`),
  more: page.more,
});

async function expectSame(store: Store, reference: Reference, prefix: string): Promise<void> {
  const range = { from: prefix, to: `${prefix}\xff`, limit: 100_000, maxBytes: 2 ** 30 };
  expect(shown(await store.range(range))).toEqual(shown(reference.range(range)));
}
