import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { keyOf, prefixEnd } from '../../kit/key.ts';
import { commonPrefix, type LockSet, levelsOf, lockForRange, lockForWrite, locksOf } from './locks.ts';

const exclude = (a: LockSet, b: LockSet) => [...a].some(([id, exclusive]) => b.has(id) && (exclusive || b.get(id)));
const lock = (take: (locks: LockSet) => void) => {
  const locks: LockSet = new Map();
  take(locks);
  return locks;
};

describe('locks', () => {
  it('exclude each other wherever a key is written into a range that is read', () => {
    const byteString = fc.array(fc.constantFrom('\x00', '\x01', '\x02', '\xff', 'a', 'b', '\x00\x01'), { maxLength: 12 }).map((parts) => parts.join(''));
    let inside = 0;
    fc.assert(
      fc.property(byteString, byteString, byteString, (from, to, key) => {
        if (!(key >= from && key < to)) return;
        inside++;
        expect(key.startsWith(commonPrefix({ from, to }))).toBe(true);
        expect(
          exclude(
            lock((locks) => lockForRange(locks, { from, to })),
            lock((locks) => lockForWrite(locks, key)),
          ),
        ).toBe(true);
      }),
      { numRuns: 5000 },
    );
    expect(inside).toBeGreaterThan(100);
  });

  it('leave different tables, and different keys of one, alone', () => {
    const table = (name: string) => keyOf('ddb', '000000000000', 'us-east-1', name);
    const range = { from: table('a'), to: prefixEnd(table('a')) };
    const locks = lock((held) => lockForRange(held, range));
    expect(exclude(locks, locksOf({ keys: [`${table('a')}x`] }))).toBe(true);
    expect(exclude(locks, locksOf({ keys: [`${table('b')}x`] }))).toBe(false);
    expect(exclude(locksOf({ keys: [`${table('a')}x`] }), locksOf({ keys: [`${table('a')}y`] }))).toBe(false);
    expect(exclude(locksOf({ reads: [table('a')] }), locksOf({ reads: [table('a')] }))).toBe(false);
    expect(exclude(locksOf({ reads: [table('a')] }), locksOf({ keys: [table('a')] }))).toBe(true);
  });

  it('have levels at the ends of parts', () => {
    expect(levelsOf('')).toEqual(['']);
    expect(levelsOf(`${keyOf('a', 'b')}c`)).toEqual(['', keyOf('a'), keyOf('a', 'b')]);
    expect(levelsOf(keyOf('1', '2', '3', '4', '5', '6', '7', '8'))).toHaveLength(7);
  });
});
