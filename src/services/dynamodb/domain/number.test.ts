import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addNumbers, canonicalNumber, compareNumbers, numberOrder, numberSize, subtractNumbers } from './number.ts';

/** Canonical numbers of every size the service takes. */
const numbers = fc
  .tuple(fc.boolean(), fc.bigInt({ min: 0n, max: 10n ** 38n - 1n }), fc.integer({ min: -167, max: 125 }))
  .map(([negative, digits, shift]) => `${negative ? '-' : ''}${digits}E${shift}`)
  .map((text) => {
    try {
      return canonicalNumber(text);
    } catch {
      return undefined;
    }
  })
  .filter((text) => text !== undefined);

/** The reference: an integer at one common scale. */
const exact = (text: string): bigint => {
  const negative = text.startsWith('-');
  const [whole = '', fraction = ''] = text.replace('-', '').split('.');
  const value = BigInt(whole + fraction.padEnd(200, '0'));
  return negative ? -value : value;
};

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);

describe('canonical form', () => {
  it.each([
    ['0', '0'],
    ['-0', '0'],
    ['0.000', '0'],
    ['0e999999999', '0'],
    ['00042', '42'],
    ['-007.50', '-7.5'],
    ['1.0', '1'],
    ['3.1400', '3.14'],
    ['1.5E2', '150'],
    ['+5', '5'],
    ['.5', '0.5'],
    ['5.', '5'],
    ['1e-3', '0.001'],
    ['100', '100'],
    ['12345678901234567890123456789012345678', '12345678901234567890123456789012345678'],
    ['9.9999999999999999999999999999999999999E+125', `${'9'.repeat(38)}${'0'.repeat(88)}`],
    ['1E-130', `0.${'0'.repeat(129)}1`],
    ['1000000000000000000000000000000000000000', `1${'0'.repeat(39)}`],
  ])('%s is %s', (text, expected) => {
    expect(canonicalNumber(text)).toBe(expected);
  });

  it.each([
    ['', 'The parameter cannot be converted to a numeric value'],
    ['abc', 'The parameter cannot be converted to a numeric value: abc'],
    ['1 ', 'The parameter cannot be converted to a numeric value: 1 '],
    ['.', 'The parameter cannot be converted to a numeric value: .'],
    ['e5', 'The parameter cannot be converted to a numeric value: e5'],
    ['0x10', 'The parameter cannot be converted to a numeric value: 0x10'],
    ['Infinity', 'The parameter cannot be converted to a numeric value: Infinity'],
    ['123456789012345678901234567890123456789', 'Attempting to store more than 38 significant digits in a Number'],
    ['1E+126', 'Number overflow. Attempting to store a number with magnitude larger than supported range'],
    ['-1E+126', 'Number overflow. Attempting to store a number with magnitude larger than supported range'],
    ['1e99999999999999999999', 'Number overflow. Attempting to store a number with magnitude larger than supported range'],
    ['1E-131', 'Number underflow. Attempting to store a number with magnitude smaller than supported range'],
  ])('refuses %j', (text, message) => {
    expect(() => canonicalNumber(text)).toThrow(expect.objectContaining({ code: 'ValidationException', message }));
  });

  it('is its own canonical form', () => {
    fc.assert(fc.property(numbers, (n) => canonicalNumber(n) === n));
  });

  it('reads a megabyte in no time', () => {
    expect(() => canonicalNumber('9'.repeat(1_000_000))).toThrow('Number overflow');
    expect(canonicalNumber(`${'0'.repeat(1_000_000)}7`)).toBe('7');
  });
});

describe('order', () => {
  it('bytes, comparison and value agree', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        const expected = exact(a) < exact(b) ? -1 : exact(a) > exact(b) ? 1 : 0;
        expect(order(numberOrder(a), numberOrder(b))).toBe(expected);
        expect(Math.sign(compareNumbers(a, b))).toBe(expected);
      }),
      { numRuns: 2000 },
    );
  });

  it('neighbours and prefixes', () => {
    const sorted = ['-100', '-12.5', '-12', '-1.25', '-1.2', '-1', '-0.5', '0', '0.001', '0.5', '1', '1.2', '1.25', '9', '10', '12', '12.5', '100'];
    const shuffled = [...sorted].sort((a, b) => (a < b ? 1 : -1));
    expect(shuffled.sort((a, b) => order(numberOrder(a), numberOrder(b)))).toEqual(sorted);
  });
});

describe('arithmetic', () => {
  it('is exact or refused', () => {
    fc.assert(
      fc.property(numbers, numbers, (a, b) => {
        let sum: string;
        try {
          sum = addNumbers(a, b);
        } catch (error) {
          expect((error as Error).message).toMatch(/^(Attempting to store more than 38|Number overflow|Number underflow)/);
          return;
        }
        expect(exact(sum)).toBe(exact(a) + exact(b));
        expect(canonicalNumber(sum)).toBe(sum);
      }),
      { numRuns: 2000 },
    );
  });

  it.each([
    ['0.1', '0.2', '0.3'],
    ['1', '-1', '0'],
    ['999999999999999', '1', '1000000000000000'],
    ['99999999999999999999999999999999999999', '1', '100000000000000000000000000000000000000'],
    ['-0.5', '0.5', '0'],
    ['5', '-10', '-5'],
  ])('%s + %s = %s', (a, b, sum) => {
    expect(addNumbers(a, b)).toBe(sum);
    expect(subtractNumbers(sum, b)).toBe(a);
  });

  it('refuses what needs 39 digits', () => {
    expect(() => addNumbers('99999999999999999999999999999999999999', '0.1')).toThrow('Attempting to store more than 38 significant digits in a Number');
  });
});

it.each([
  ['0', 1],
  ['1', 2],
  ['-1', 3],
  ['10', 2],
  ['12', 2],
  ['123', 3],
  ['1.5', 3],
])('the size of %s is %i', (text, size) => {
  expect(numberSize(text)).toBe(size);
});
