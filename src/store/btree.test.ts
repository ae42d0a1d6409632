import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BTree, type Walk } from './btree.ts';
import { seed, soak } from './conformance/helpers.ts';

const collect = (walk: Walk<number>) => {
  const entries: (readonly [string, number])[] = [];
  for (let entry = walk.next(); entry; entry = walk.next()) entries.push(entry);
  return entries;
};

it('is an ordered map, whatever is set and deleted', () => {
  const key = fc.integer({ min: 0, max: 3000 }).map(String);
  // Long runs of sets and of deletes, so that nodes split and vanish.
  const run = fc.tuple(fc.constantFrom('set', 'delete', 'ascending'), fc.array(key, { minLength: 1, maxLength: 400 }));
  fc.assert(
    fc.property(fc.array(run, { maxLength: 20 }), key, key, (runs, from, to) => {
      const tree = new BTree<number>();
      const map = new Map<string, number>();
      let value = 0;
      for (const [kind, keys] of runs) {
        for (const each of kind === 'ascending' ? [...keys].sort() : keys) {
          value++;
          if (kind === 'delete') {
            expect(tree.delete(each)).toBe(map.get(each));
            map.delete(each);
          } else {
            expect(tree.set(each, value)).toBe(map.get(each));
            map.set(each, value);
          }
        }
      }
      const sorted = [...map].sort(([a], [b]) => (a < b ? -1 : 1));
      expect(tree.size).toBe(map.size);
      expect(collect(tree.walk('', undefined))).toEqual(sorted);
      expect(collect(tree.walk('', undefined, true))).toEqual([...sorted].reverse());
      const within = sorted.filter(([each]) => each >= from && each < to);
      expect(collect(tree.walk(from, to))).toEqual(within);
      expect(collect(tree.walk(from, to, true))).toEqual([...within].reverse());
      for (const [each] of sorted) expect(tree.get(each)).toBe(map.get(each));
    }),
    { numRuns: soak ? 2000 : 60, seed: Buffer.from(seed).readInt32BE() },
  );
});
