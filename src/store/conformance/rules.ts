import { describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../kit/clock.ts';
import { KEY_BYTES_MAX } from '../../kit/key.ts';
import type { Place } from '../conformance.ts';
import { NOTES, notedAtMs, notesOf } from '../notes.ts';
import { type Tx, VALUE_BYTES_MAX } from '../store.ts';
import { counter, names, sharedStore, string, text } from './helpers.ts';

/** What single calls promise. */
export function rulesSuite(make: () => Promise<Place>): void {
  describe('rules', () => {
    const shared = sharedStore(make);

    it('orders keys by their bytes, both ways', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const sorted = [
        '',
        '\x00',
        '\x00\x00',
        '\x00\x01',
        '\x00\xff',
        '\x01',
        'a',
        'a\x00',
        'a\xff',
        'b',
        '\x7f',
        '\x80',
        '\xc3\xa4',
        '\xfe',
        '\xff',
        '\xff\x00',
        '\xff\xff',
      ].map((key) => p + key);
      await store.transact({ keys: sorted }, (tx) => {
        for (const key of [...sorted].reverse()) tx.put(key, text(`value of ${key}`));
      });
      const range = { from: p, to: `${p}\xff\xff\xff` };
      expect(names((await store.range(range)).entries)).toEqual(sorted);
      expect(names((await store.range({ ...range, reverse: true })).entries)).toEqual([...sorted].reverse());
      expect(await store.transact({ ranges: [range] }, (tx) => names(tx.range(range).entries))).toEqual(sorted);
      for (const key of sorted) expect(string(await store.get(key))).toBe(`value of ${key}`);
    });

    it('keeps the note of each commit that wrote something, in their order, and of no other', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const noted = (n: number, fn: (tx: Tx) => void) => store.transact({ keys: [p], note: () => `${JSON.stringify(p)} ${n}` }, fn).catch(() => undefined);
      await Promise.all([
        noted(0, (tx) => tx.put(p, text('0'))),
        noted(1, (tx) => void tx.get(p)),
        noted(2, (tx) => {
          tx.put(p, text('2'));
          throw new Error('not this one');
        }),
        noted(3, (tx) => tx.delete(p)),
      ]);
      await expect(store.transact({ keys: [p], note: () => 'two\nlines' }, (tx) => tx.put(p, text('4')))).rejects.toThrow('one line');
      expect(await store.get(p)).toBeUndefined();
      const rows = await store.range(NOTES);
      const notes = rows.entries.flatMap(notesOf).filter((note) => note.startsWith(JSON.stringify(p)));
      expect(notes.map((note) => Number(note.split(' ').at(-1)))).toEqual([0, 3]);
      for (const row of rows.entries) expect(Math.abs(systemClock().real() - notedAtMs(row))).toBeLessThan(3_600_000);
    });

    it('pages ranges by count and by bytes, at least one entry a page, and says whether there is more', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const keys = Array.from({ length: 10 }, (_, n) => `${p}${n}`);
      await store.transact({ keys }, (tx) => {
        for (const key of keys) tx.put(key, Buffer.alloc(100 - p.length - 1, 1));
      });
      const range = { from: p, to: `${p}\xff` };
      const cases = [
        [{ limit: 10 }, 10, false],
        [{ limit: 9 }, 9, true],
        [{ limit: 1, reverse: true }, 1, true],
        [{ maxBytes: 1 }, 1, true],
        [{ maxBytes: 100 }, 1, true],
        [{ maxBytes: 101 }, 2, true],
        [{ maxBytes: 1000 }, 10, false],
        [{ maxBytes: 900, reverse: true }, 9, true],
      ] as const;
      for (const [options, count, more] of cases) {
        const expected = options && 'reverse' in options ? [...keys].reverse() : keys;
        for (const page of [await store.range({ ...range, ...options }), await store.transact({}, (tx) => tx.range({ ...range, ...options }))]) {
          expect({ options, keys: names(page.entries), more: page.more }).toEqual({ options, keys: expected.slice(0, count), more });
        }
      }
      expect(await store.range({ from: `${p}5`, to: `${p}5` })).toEqual({ entries: [], more: false });
      expect(await store.range({ from: `${p}6`, to: `${p}5` })).toEqual({ entries: [], more: false });
      await expect(store.range({ ...range, limit: 0 })).rejects.toThrow(RangeError);
      await expect(store.range({ ...range, maxBytes: Number.NaN })).rejects.toThrow(RangeError);
    });

    it('shows a transaction its own writes over what is there, ranges included', async () => {
      const { store } = shared;
      const p = shared.prefix();
      await store.transact({}, (tx) => {
        for (const n of [1, 3, 5, 7]) tx.put(`${p}${n}`, text('old'));
      });
      const range = { from: p, to: `${p}\xff` };
      const seen = await store.transact({}, (tx) => {
        tx.put(`${p}2`, text('new'));
        tx.put(`${p}3`, text('new'));
        tx.delete(`${p}5`);
        tx.delete(`${p}9`);
        tx.add(`${p}8`, -2n);
        tx.add(`${p}8`, 5n);
        return {
          up: names(tx.range(range).entries),
          down: names(tx.range({ ...range, reverse: true, limit: 3 }).entries),
          firstTwo: tx.range({ ...range, limit: 2 }).more,
          three: tx.get(`${p}3`),
          five: tx.get(`${p}5`),
          eight: counter(tx.get(`${p}8`)),
        };
      });
      expect(seen).toEqual({
        up: ['1', '2', '3', '7', '8'].map((n) => p + n),
        down: ['8', '7', '3'].map((n) => p + n),
        firstTwo: true,
        three: text('new'),
        five: undefined,
        eight: 3n,
      });
      expect(names((await store.range(range)).entries)).toEqual(['1', '2', '3', '7', '8'].map((n) => p + n));
    });

    it('takes the largest keys and values, and refuses larger ones', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const key = p + '\xff'.repeat(KEY_BYTES_MAX - p.length);
      const value = Buffer.alloc(VALUE_BYTES_MAX);
      for (let at = 0; at < value.length; at += 1000) value[at] = at % 251;
      await store.transact({ keys: [key] }, (tx) => tx.put(key, value));
      expect(Buffer.from((await store.get(key)) ?? []).equals(value)).toBe(true);
      expect((await store.range({ from: p, to: `${key}\x00` })).entries.map(([k, v]) => [k === key, v.length])).toEqual([[true, VALUE_BYTES_MAX]]);
      await store.transact({ keys: [`${p}empty`] }, (tx) => tx.put(`${p}empty`, new Uint8Array()));
      expect(string(await store.get(`${p}empty`))).toBe('');

      await expect(store.get(`${key}x`)).rejects.toThrow(RangeError);
      await expect(store.get('\u0100')).rejects.toThrow(RangeError);
      await expect(store.transact({}, (tx) => tx.put(`${key}x`, value))).rejects.toThrow(RangeError);
      await expect(store.transact({ keys: [`${key}x`] }, () => 1)).rejects.toThrow(RangeError);
      await expect(store.transact({}, (tx) => tx.put(p, Buffer.alloc(VALUE_BYTES_MAX + 1)))).rejects.toThrow(RangeError);
      await expect(store.transact({}, (tx) => tx.add(`${p}empty`, 1n))).rejects.toThrow(RangeError);
    });

    it('writes nothing of a function that throws, and returns its error', async () => {
      const { store } = shared;
      const p = shared.prefix();
      await store.transact({}, (tx) => tx.put(`${p}a`, text('1')));
      const attempt = store.transact({ keys: [`${p}a`, `${p}b`] }, (tx) => {
        tx.put(`${p}a`, text('2'));
        tx.put(`${p}b`, text('2'));
        tx.sequence(`${p}s`);
        throw new Error(`saw ${Buffer.from(tx.get(`${p}a`) ?? []).toString()}`);
      });
      await expect(attempt).rejects.toThrow('saw 2');
      expect((await store.getMany([`${p}a`, `${p}b`])).map(string)).toEqual(['1', undefined]);
      expect(await store.transact({}, (tx) => tx.sequence(`${p}s`))).toBe(1n);
    });

    it('refuses a function that is not synchronous, and a transaction used after its end', async () => {
      const { store } = shared;
      const p = shared.prefix();
      let kept: { get(key: string): unknown } | undefined;
      const attempt = store.transact({}, async (tx) => {
        kept = tx;
        tx.put(p, text('x'));
      });
      await expect(attempt).rejects.toThrow(TypeError);
      expect(() => kept?.get(p)).toThrow('after its function had returned');
      expect(await store.get(p)).toBeUndefined();
    });

    it('reads many keys in the order asked, repeats and absences included', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const keys = Array.from({ length: 300 }, (_, n) => `${p}${n}`);
      await store.transact({ keys }, (tx) => {
        for (const key of keys) tx.put(key, text(key));
      });
      const asked = [`${p}7`, `${p}absent`, `${p}7`, ...keys];
      expect((await store.getMany(asked)).map(string)).toEqual([`${p}7`, undefined, `${p}7`, ...keys]);
      expect(await store.getMany([])).toEqual([]);
    });

    it('calls watchers after commits under their prefix, and no others', async () => {
      const { store } = shared;
      const p = shared.prefix();
      const [outer, inner, other, stopped] = [vi.fn(), vi.fn(), vi.fn(), vi.fn()];
      const unsubscribe = [store.watch(p, outer), store.watch(`${p}a`, inner), store.watch(`${p}b`, other)];
      store.watch(p, stopped)();
      const woken = new Promise<void>((resolve) => unsubscribe.push(store.watch(`${p}a`, resolve)));
      await store.transact({}, (tx) => tx.put(`${p}ab`, text('1')));
      await woken;
      expect([outer, inner, other, stopped].map((listener) => listener.mock.calls.length)).toEqual([1, 1, 0, 0]);
      await store.transact({}, (tx) => tx.get(`${p}ab`));
      await expect(
        store.transact({}, (tx) => {
          tx.put(`${p}ab`, text('2'));
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      const deleted = new Promise<void>((resolve) => unsubscribe.push(store.watch(`${p}a`, resolve)));
      await store.transact({}, (tx) => tx.delete(`${p}ab`));
      await deleted;
      expect([outer, inner, other].map((listener) => listener.mock.calls.length)).toEqual([2, 2, 0]);
      for (const stop of unsubscribe) stop();
      await store.transact({}, (tx) => tx.put(`${p}ab`, text('3')));
      expect(outer.mock.calls.length).toBe(2);
    });

    it('tells the outcome of a commit by its id', async () => {
      const { store } = shared;
      const p = shared.prefix();
      expect(await store.outcome(`${p}1`)).toBe('unknown');
      await store.transact({ commitId: `${p}1` }, (tx) => tx.put(p, text('1')));
      await store.transact({ commitId: `${p}2` }, () => undefined);
      await expect(
        store.transact({ commitId: `${p}3` }, () => {
          throw new Error('no');
        }),
      ).rejects.toThrow('no');
      expect(await Promise.all(['1', '2', '3'].map((id) => store.outcome(p + id)))).toEqual(['committed', 'committed', 'unknown']);
    });

    it('draws sequences from 1, each shard its own', async () => {
      const { store } = shared;
      const p = shared.prefix();
      expect(await store.transact({}, (tx) => [tx.sequence(`${p}a`), tx.sequence(`${p}a`), tx.sequence(`${p}b`)])).toEqual([1n, 2n, 1n]);
      expect(await store.transact({}, (tx) => [tx.sequence(`${p}a`), tx.sequence(`${p}b`)])).toEqual([3n, 2n]);
    });

    it('wraps counters at 64 bits', async () => {
      const { store } = shared;
      const p = shared.prefix();
      await store.transact({}, (tx) => tx.add(p, 2n ** 63n - 1n));
      await store.transact({}, (tx) => tx.add(p, 1n));
      expect(counter(await store.get(p))).toBe(-(2n ** 63n));
    });
  });
}
