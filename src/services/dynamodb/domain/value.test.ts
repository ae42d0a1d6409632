import { describe, expect, it } from 'vitest';
import { type AttributeValue, checkItem, checkValue, compareValues, equalValues, itemSize } from './value.ts';

const nested = (levels: number): AttributeValue => (levels === 0 ? { S: 'x' } : { M: { a: nested(levels - 1) } });

describe('checkValue', () => {
  it.each<[string, AttributeValue, string]>([
    ['no type', {}, 'Supplied AttributeValue is empty, must contain exactly one of the supported datatypes'],
    ['two types', { S: 'a', N: '1' }, 'Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes'],
    ['NULL false', { NULL: false }, 'One or more parameter values were invalid: Null attribute value types must have the value of true'],
    ['empty SS', { SS: [] }, 'One or more parameter values were invalid: An string set  may not be empty'],
    ['empty NS', { NS: [] }, 'One or more parameter values were invalid: An number set  may not be empty'],
    ['empty BS', { BS: [] }, 'One or more parameter values were invalid: Binary sets should not be empty'],
    ['same strings', { SS: ['a', 'a'] }, 'One or more parameter values were invalid: Input collection [a, a] contains duplicates.'],
    ['same numbers', { NS: ['1', '1.0'] }, 'Input collection contains duplicates'],
    [
      'same binaries',
      { BS: [Buffer.from('a'), Buffer.from('a')] },
      'One or more parameter values were invalid: Input collection [YQ==, YQ==]of type BS contains duplicates.',
    ],
    ['inside a list', { L: [{ SS: [] }] }, 'One or more parameter values were invalid: An string set  may not be empty'],
    ['too deep', nested(33), 'Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit'],
  ])('refuses %s', (_name, value, message) => {
    expect(() => checkValue(value)).toThrow(expect.objectContaining({ code: 'ValidationException', message }));
  });

  it('takes 32 levels, empty strings and binaries, and empty containers', () => {
    for (const value of [nested(32), { S: '' }, { B: new Uint8Array() }, { SS: [''] }, { M: {} }, { L: [] }])
      expect(checkValue(value)).toBeGreaterThanOrEqual(0);
  });

  it('makes numbers canonical wherever they are', () => {
    const item = { a: { N: '1.50' }, b: { L: [{ N: '007' }] }, c: { NS: ['1e2', '-0'] } };
    checkItem(item);
    expect(item).toEqual({ a: { N: '1.5' }, b: { L: [{ N: '7' }] }, c: { NS: ['100', '0'] } });
  });
});

describe('sizes', () => {
  it.each<[AttributeValue, number]>([
    [{ S: 'añ' }, 3],
    [{ N: '123' }, 3],
    [{ B: new Uint8Array(5) }, 5],
    [{ BOOL: true }, 1],
    [{ NULL: true }, 1],
    [{ SS: ['ab', 'c'] }, 3],
    [{ L: [] }, 3],
    [{ L: [{ S: 'ab' }, { BOOL: true }] }, 3 + 2 + 2 + 1],
    [{ M: { ab: { S: 'c' } } }, 3 + 1 + 2 + 1],
  ])('%j', (value, size) => {
    expect(checkItem({ a: value })).toBe(1 + size);
    expect(itemSize({ a: value })).toBe(1 + size);
  });
});

it('sets are equal in any order, and types never mix', () => {
  expect(equalValues({ SS: ['a', 'b'] }, { SS: ['b', 'a'] })).toBe(true);
  expect(equalValues({ L: [{ N: '1' }] }, { L: [{ N: '2' }] })).toBe(false);
  expect(equalValues({ M: { a: { S: 'x' } } }, { M: { a: { S: 'x' } } })).toBe(true);
  expect(equalValues({ S: '1' }, { N: '1' })).toBe(false);
  expect(compareValues({ S: '1' }, { N: '1' })).toBeUndefined();
});
