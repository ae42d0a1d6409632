import { describe, expect, it } from 'vitest';
import type { Place } from '../conformance.ts';
import { counter, sharedStore, soak, string, text, turn } from './helpers.ts';

const CLIENTS = 64;
const ROUNDS = soak ? 500 : 10;
/** A million and more transactions, each on disk, on a machine that may do other things too. */
const CONTENTION_MS_MAX = soak ? 1_800_000 : 300_000;

const clients = <T>(count: number, run: (client: number) => Promise<T>): Promise<T[]> => Promise.all(Array.from({ length: count }, (_, n) => run(n)));

/** What many at once may rely on. */
export function contentionSuite(make: () => Promise<Place>): void {
  describe('contention', () => {
    const shared = sharedStore(make);

    it('loses no update of one counter, read and put or added', { timeout: CONTENTION_MS_MAX }, async () => {
      const { store } = shared;
      const p = shared.prefix();
      const seen = await clients(CLIENTS, async (n) => {
        const mine: bigint[] = [];
        for (let round = 0; round < ROUNDS; round++) {
          const value = await store.transact(n % 2 ? { keys: [p] } : {}, (tx) => {
            if (n % 4 === 0) {
              const sum = Buffer.alloc(8);
              sum.writeBigInt64BE(counter(tx.get(p)) + 1n);
              tx.put(p, sum);
            } else tx.add(p, 1n);
            return counter(tx.get(p));
          });
          mine.push(value);
          // What was acknowledged can be read.
          expect(counter(await store.get(p))).toBeGreaterThanOrEqual(value);
        }
        return mine;
      });
      expect(counter(await store.get(p))).toBe(BigInt(CLIENTS * ROUNDS));
      expect(new Set(seen.flat()).size).toBe(CLIENTS * ROUNDS);
    });

    it('lets one of many create what is absent', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const created = await clients(CLIENTS, (n) =>
        store.transact(n % 2 ? { keys: [p] } : {}, (tx) => {
          if (tx.get(p)) return false;
          tx.put(p, text(String(n)));
          return true;
        }),
      );
      expect(created.filter(Boolean)).toHaveLength(1);
      expect(string(await store.get(p))).toBe(String(created.indexOf(true)));
    });

    it('lets one of many write into an empty range, declared or not', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const range = { from: p, to: `${p}\xff` };
      const created = await clients(CLIENTS, (n) =>
        store.transact(n % 2 ? { ranges: [range], keys: [`${p}${n}`] } : {}, (tx) => {
          if (tx.range({ ...range, limit: 1 }).entries.length > 0) return false;
          tx.put(`${p}${n}`, text('x'));
          return true;
        }),
      );
      expect(created.filter(Boolean)).toHaveLength(1);
      expect((await store.range(range)).entries).toHaveLength(1);
    });

    it('shows committed state whole: sums over transfers never change', { timeout: CONTENTION_MS_MAX }, async () => {
      const { store } = shared;
      const p = shared.prefix();
      const accounts = Array.from({ length: 8 }, (_, n) => `${p}${n}`);
      await store.transact({ keys: accounts }, (tx) => {
        for (const account of accounts) tx.add(account, 100n);
      });
      let transferring = true;
      const transfers = clients(8, async (n) => {
        for (let round = 0; round < ROUNDS * 3; round++) {
          const [from = p, to = p] = [accounts[(n + round) % 8], accounts[(n + round * 3 + 1) % 8]];
          await store.transact({ keys: [from, to] }, (tx) => {
            tx.add(from, -7n);
            tx.add(to, 7n);
          });
        }
      }).finally(() => {
        transferring = false;
      });
      const sum = (values: (Uint8Array | undefined)[]) => values.reduce((total, value) => total + counter(value), 0n);
      while (transferring) {
        await turn();
        expect(sum(await store.getMany(accounts))).toBe(800n);
        expect(sum((await store.range({ from: p, to: `${p}\xff` })).entries.map(([, value]) => value))).toBe(800n);
        expect(await store.transact({ reads: accounts }, (tx) => sum(accounts.map((account) => tx.get(account))))).toBe(800n);
      }
      await transfers;
    });

    it('makes sequence numbers visible in their order', { timeout: CONTENTION_MS_MAX }, async () => {
      const { store } = shared;
      const p = shared.prefix();
      const range = { from: p, to: `${p}\xff`, limit: 100_000 };
      let drawing = true;
      const drawn = clients(16, async (n) => {
        const mine: string[] = [];
        for (let round = 0; round < ROUNDS * 2; round++) {
          const number = await store.transact({}, (tx) => {
            const next = String(tx.sequence(p)).padStart(8, '0');
            // The client's name keeps keys apart: only the sequence itself can keep the numbers apart.
            tx.put(`${p}${next} ${n}`, text('x'));
            return next;
          });
          mine.push(number);
          // Apart from each other: else all would always share one batch.
          for (let wait = 0; wait < n % 4; wait++) await store.get(p);
        }
        return mine;
      }).finally(() => {
        drawing = false;
      });
      let before: readonly string[] = [];
      while (drawing) {
        await turn();
        const now = (await store.range(range)).entries.map(([key]) => key);
        // Whatever was seen is still there, and whatever is new comes after it.
        expect(now.slice(0, before.length)).toEqual(before);
        before = now;
      }
      const all = (await drawn).map((mine) => {
        expect(mine).toEqual([...mine].sort());
        return mine;
      });
      expect(new Set(all.flat()).size).toBe(16 * ROUNDS * 2);
    });

    it('reads a long page from one snapshot while others write', { timeout: CONTENTION_MS_MAX }, async () => {
      const { store } = shared;
      const p = shared.prefix();
      const keys = Array.from({ length: 2000 }, (_, n) => `${p}${String(n).padStart(5, '0')}`);
      const write = (generation: number) =>
        store.transact({ keys }, (tx) => {
          for (const key of keys) tx.put(key, text(`${generation}`));
        });
      await write(0);
      let writing = true;
      const writes = (async () => {
        for (let generation = 1; generation <= ROUNDS; generation++) await write(generation);
      })().finally(() => {
        writing = false;
      });
      while (writing) {
        await turn();
        const { entries } = await store.range({ from: p, to: `${p}\xff`, limit: 5000 });
        expect(entries).toHaveLength(keys.length);
        expect(new Set(entries.map(([, value]) => string(value))).size).toBe(1);
      }
      await writes;
    });
  });
}
