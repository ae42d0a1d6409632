import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ITEM_BYTES_MAX, ROW_JSON_BYTES_MAX, SORT_KEY_BYTES_MAX } from '../limits.ts';
import { delimited, encodeRow, keyBytes, partitionHash, rowItem, rowPartitionKey, rowSize } from './encoding.ts';
import { checkItem, compareValues, type Item } from './value.ts';

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

/** Byte strings in which zeros, and runs of zeros, are common. */
const byteStrings = fc
  .array(
    fc.oneof(
      fc.constant('\x00'),
      fc.constant('\x01'),
      fc.constant('\xff'),
      fc.integer({ min: 0, max: 255 }).map((b) => String.fromCharCode(b)),
      fc.integer({ min: 1, max: 400 }).map((n) => '\x00'.repeat(n)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => parts.join(''));

describe('delimited', () => {
  it('keeps the order, whatever follows', () => {
    fc.assert(
      fc.property(byteStrings, byteStrings, byteStrings, byteStrings, (a, b, tailA, tailB) => {
        if (a !== b) expect(order(delimited(a) + tailA, delimited(b) + tailB)).toBe(order(a, b));
      }),
      { numRuns: 5000 },
    );
  });

  it('no text is the beginning of another', () => {
    fc.assert(
      fc.property(byteStrings, byteStrings, (a, b) => a === b || !delimited(b).startsWith(delimited(a))),
      { numRuns: 5000 },
    );
  });

  it('grows by half at most, so that every sort key fits a store key', () => {
    for (const text of ['\x00'.repeat(SORT_KEY_BYTES_MAX), '\x00\x01'.repeat(SORT_KEY_BYTES_MAX / 2), '\x01'.repeat(SORT_KEY_BYTES_MAX)]) {
      expect(delimited(text).length).toBeLessThanOrEqual(SORT_KEY_BYTES_MAX * 1.5 + 2);
    }
  });
});

describe('keys', () => {
  it('text sorts by its UTF-8 bytes, in memory as in the store', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), (a, b) => {
        expect(Math.sign(compareValues({ S: a }, { S: b }) ?? Number.NaN)).toBe(order(keyBytes({ S: a }), keyBytes({ S: b })));
      }),
      { numRuns: 300 },
    );
    expect(compareValues({ S: '\u{1f600}' }, { S: '\ufb01' })).toBeGreaterThan(0);
  });

  it('binary sorts as unsigned bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(compareValues({ B: a }, { B: b })).toBe(order(keyBytes({ B: a }), keyBytes({ B: b })));
      }),
    );
  });

  it('hashes depend on the salt', () => {
    expect(partitionHash('a', 'key')).toHaveLength(16);
    expect(partitionHash('a', 'key')).not.toBe(partitionHash('b', 'key'));
  });
});

describe('rows', () => {
  it('bring back what they were made of', () => {
    const item: Item = {
      pk: { S: 'añ\u{1f600}' },
      n: { N: '1.0' },
      b: { B: new Uint8Array([0, 255, 7]) },
      deep: { M: { l: { L: [{ BS: [new Uint8Array([1]), new Uint8Array([])] }, { NULL: true }, { BOOL: false }] }, s: { SS: ['x', 'y'] } } },
    };
    const size = checkItem(item);
    const row = encodeRow(item, size, 'k\x00ey');
    expect(rowSize(row)).toBe(size);
    expect(rowPartitionKey(row)).toBe('k\x00ey');
    const back = rowItem(row);
    expect(back['n']).toEqual({ N: '1' });
    expect(Buffer.from(back['b']?.B ?? []).toString('hex')).toBe('00ff07');
    expect(back['deep']?.M?.['l']?.L?.[0]?.BS?.map((b) => b.length)).toEqual([1, 0]);
    expect(back['deep']?.M?.['s']).toEqual({ SS: ['x', 'y'] });
  });

  it('keep an attribute named __proto__', () => {
    const plain = JSON.parse('{"__proto__":{"S":"x"},"b":{"S":"y"}}') as Item;
    expect(Object.keys(rowItem(encodeRow(plain, 1, '')))).toEqual(['__proto__', 'b']);
    const binary = JSON.parse('{"__proto__":{"S":"x"}}') as Item;
    binary['b'] = { B: new Uint8Array([0]) };
    expect(Object.keys(rowItem(encodeRow(binary, 1, '')))).toEqual(['__proto__', 'b']);
  });
});

describe('rows of what is far longer in JSON than as AWS counts it', () => {
  it.each<[string, Item]>([
    ['control characters', { pk: { S: 'a' }, v: { S: '\u0001\u0002\u0003\u20ac'.repeat(68_000) } }],
    ['empty strings', { pk: { S: 'a' }, v: { L: Array.from({ length: 199_000 }, (_, n) => (n % 3 ? { S: '' } : { NULL: true })) } }],
    ['binaries among them', { pk: { S: 'a' }, b: { B: Buffer.from([1, 2, 3]) }, v: { S: '\u0001'.repeat(390_000) } }],
  ])('%s fit a store value', (_name, item) => {
    const size = checkItem(item);
    expect(size).toBeLessThanOrEqual(ITEM_BYTES_MAX);
    const row = encodeRow(item, size, 'a');
    expect(JSON.stringify(item).length).toBeGreaterThan(ROW_JSON_BYTES_MAX);
    expect(row.length).toBeLessThan(ROW_JSON_BYTES_MAX);
    expect([rowSize(row), rowPartitionKey(row)]).toEqual([size, 'a']);
    expect(JSON.stringify(rowItem(row))).toBe(JSON.stringify(item));
  });
});
