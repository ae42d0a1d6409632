import { expect, it } from 'vitest';
import { PAGE_BYTES_MAX } from '../limits.ts';
import { pageSize } from './page-size.ts';

const item = (length: number) => ({ a: { S: '0123456789' }, b: { S: '00000' }, c: { S: 'abcde' }, e: { S: 'e'.repeat(length) } });
const sum = (lengths: readonly number[]) => lengths.reduce((total, length) => total + pageSize(item(length), 'b'), 0);

it('a page ends where it ended on AWS: one byte more in the last of 25 items fills the megabyte', () => {
  const lengths = Array.from({ length: 24 }, () => 41_596);
  expect(sum([...lengths, 41_596])).toBeLessThan(PAGE_BYTES_MAX);
  expect(sum([...lengths, 41_597])).toBeGreaterThanOrEqual(PAGE_BYTES_MAX);
});

it('counts every type, and the sort key with each chunk', () => {
  const types = { s: { SS: ['a', 'bc'] }, n: { NS: ['1'] }, b: { BS: [new Uint8Array(2)] }, l: { L: [{ NULL: true }] }, m: { M: { x: { BOOL: true } } } };
  const values = 3 + 2 + 1 + (2 + 1 + 1) + (2 + 1 + 1) + (3 + 1) + (3 + 1 + 1 + 1);
  expect(pageSize(types, undefined)).toBe(2 + 5 + values + 18);
  expect(pageSize({ k: { N: '12' } }, 'k')).toBe(2 + 18 + 2);
});
