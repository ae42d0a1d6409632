import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { restoreBackup } from '../backup.ts';
import type { Place } from '../conformance.ts';
import { OUTCOME_KEPT_MS } from '../limits.ts';
import { openStore } from '../open.ts';
import { counter, names, string, text, turn } from './helpers.ts';

/** What is there after a close, a failure, a restore. */
export function durabilitySuite(make: () => Promise<Place>): void {
  describe('durability', () => {
    let place: Place;
    beforeEach(async () => {
      place = await make();
    });
    afterEach(() => place.remove());

    it('has everything after it is opened again, and draws no sequence number twice', async (test) => {
      if (!place.durable) test.skip('this driver keeps nothing');
      const first = await place.open();
      const writes = Array.from({ length: 50 }, (_, n) =>
        first.transact({ commitId: `id${n}` }, (tx) => {
          tx.put(`key${n}`, text(`value${n}`));
          return tx.sequence('s');
        }),
      );
      // Closing waits for what is pending.
      await first.close();
      await Promise.all(writes);
      const second = await place.open();
      expect((await second.range({ from: 'key', to: 'kez' })).entries).toHaveLength(50);
      expect(await second.outcome('id49')).toBe('committed');
      expect(await second.transact({}, (tx) => tx.sequence('s'))).toBe(51n);
      await second.close();
    });

    it('refuses everything once closed', async () => {
      const store = await place.open();
      await store.close();
      await store.close();
      for (const call of [store.get('a'), store.getMany(['a']), store.range({ from: 'a', to: 'b' }), store.transact({}, () => 1), store.outcome('a')]) {
        await expect(call).rejects.toThrow('The store is closed.');
      }
    });

    it('forgets the outcome of a commit after an hour', async () => {
      let nowMs = 1_700_000_000_000;
      const store = await place.open({ clock: { real: () => nowMs, mono: () => performance.now() } });
      await store.transact({ commitId: 'early' }, (tx) => tx.put('a', text('1')));
      nowMs += OUTCOME_KEPT_MS;
      expect(await store.outcome('early')).toBe('committed');
      nowMs += 1;
      expect(await store.outcome('early')).toBe('unknown');
      await store.transact({ commitId: 'late' }, (tx) => tx.put('a', text('1')));
      expect(await store.outcome('late')).toBe('committed');
      await store.close();
    });

    it('backs up while it runs, one state of all keys, and restores', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'croft-backup-'));
      const store = await place.open();
      const keys = Array.from({ length: 300 }, (_, n) => `k${n}`);
      const write = () =>
        store.transact({ keys }, (tx) => {
          for (const key of keys) tx.add(key, 1n);
          tx.sequence('s');
        });
      await write();
      let backedUp = false;
      const writes = (async () => {
        while (!backedUp) {
          await write();
          await turn();
        }
      })();
      const path = join(folder, 'new', 'backup');
      await store.backup(path).finally(() => {
        backedUp = true;
      });
      await writes;
      await expect(store.backup(path)).rejects.toThrow('exists already');
      const final = counter(await store.get('k0'));
      await store.close();

      await restoreBackup(path, join(folder, 'data'));
      const restored = await openStore({ store: 'sqlite', dataDir: join(folder, 'data') });
      const counts = new Set((await restored.range({ from: 'k', to: 'l' })).entries.map(([, value]) => counter(value)));
      expect(counts.size).toBe(1);
      const [count = 0n] = counts;
      expect(count).toBeGreaterThanOrEqual(1n);
      expect(count).toBeLessThanOrEqual(final);
      expect(await restored.transact({}, (tx) => tx.sequence('s'))).toBe(count + 1n);
      await restored.close();
      await rm(folder, { recursive: true });
    });

    it('fails what depends on a failed commit, keeps what does not, and recovers', async (test) => {
      if (!place.sabotage) test.skip('commits of this driver cannot fail');
      const store = await place.open();
      await store.transact({}, (tx) => tx.put('good', text('before')));
      const repair = await place.sabotage?.('bad');
      const failing = store.transact({ keys: ['bad'] }, (tx) => tx.put('bad', text('1')));
      const dependent = store.transact({ keys: ['bad', 'good'] }, (tx) => tx.put('good', tx.get('bad') ?? text('did not see it')));
      const reader = store.transact({ keys: ['bad'] }, (tx) => tx.get('bad'));
      const thrower = store.transact({ keys: ['bad'] }, (tx) => {
        throw new Error(`saw ${tx.get('bad')}`);
      });
      const results = await Promise.allSettled([failing, dependent, reader, thrower]);
      expect(results[0]).toMatchObject({ status: 'rejected', reason: { code: 'InternalFailure', status: 500 } });
      // Each either failed with the commit it had read, or ran on the state without it: none may answer with what never was.
      for (const [n, result] of results.slice(1).entries()) {
        if (result.status === 'fulfilled') expect(result.value, `dependent ${n}`).toBeUndefined();
        else expect(String(result.reason), `dependent ${n}`).not.toContain('saw 1');
      }
      expect(await store.get('bad')).toBeUndefined();
      expect(['before', 'did not see it']).toContain(string(await store.get('good')));

      await store.transact({ keys: ['good'] }, (tx) => tx.put('good', text('meanwhile')));
      await repair?.();
      await store.transact({ keys: ['bad'] }, (tx) => {
        expect(tx.get('bad')).toBeUndefined();
        tx.put('bad', text('2'));
      });
      expect(names((await store.range({ from: 'a', to: 'z' })).entries)).toEqual(['bad', 'good']);
      await store.close();
    });
  });
}
