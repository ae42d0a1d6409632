import { describe, expect, it } from 'vitest';
import { attributesMatch, bodyMatches, wildcardMatches } from './filter-match.ts';
import { compileFilterPolicy } from './filter-policy.ts';

const body = (policy: unknown, message: unknown) => bodyMatches(compileFilterPolicy(policy), JSON.stringify(message));
const failure = (policy: unknown): string => {
  try {
    compileFilterPolicy(policy);
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error('expected a refusal');
};

describe('filter policies on bodies', () => {
  it.each<[policy: unknown, message: unknown, matches: boolean]>([
    [{ a: ['x', 1, null, true] }, { a: 'x' }, true],
    [{ a: ['x', 1, null, true] }, { a: 1.0 }, true],
    [{ a: ['x', 1, null, true] }, { a: null }, true],
    [{ a: ['1'] }, { a: 1 }, false],
    [{ a: ['x'] }, {}, false],
    [{ a: ['x'], b: ['y'] }, { a: 'x' }, false],
    [{ a: ['x'] }, { a: ['w', 'x'] }, true],
    [{ a: [{ prefix: 'ab' }, { suffix: 'yz' }] }, { a: 'abc' }, true],
    [{ a: [{ prefix: 'ab' }, { suffix: 'yz' }] }, { a: 'xyz' }, true],
    [{ a: [{ 'equals-ignore-case': 'TEN' }] }, { a: 'tEn' }, true],
    [{ a: [{ wildcard: 'a*c*e' }] }, { a: 'abcde' }, true],
    [{ a: [{ wildcard: 'a*c*e' }] }, { a: 'abde' }, false],
    [{ a: [{ 'anything-but': ['x', 'y'] }] }, { a: 'z' }, true],
    [{ a: [{ 'anything-but': ['x', 'y'] }] }, { a: 'y' }, false],
    [{ a: [{ 'anything-but': ['x'] }] }, {}, false],
    [{ a: [{ 'anything-but': ['x'] }] }, { a: ['x', 'y'] }, true],
    [{ a: [{ 'anything-but': { prefix: 'x' } }] }, { a: 'xy' }, false],
    [{ a: [{ 'anything-but': { wildcard: 'x*z' } }] }, { a: 'xyz' }, false],
    [{ a: [{ 'anything-but': 5 }] }, { a: 6 }, true],
    [{ a: [{ exists: true }] }, { a: '' }, true],
    [{ a: [{ exists: false }] }, { b: 1 }, true],
    [{ a: [{ exists: false }] }, { a: [] }, true],
    [{ a: { b: [{ exists: false }] } }, { a: 1 }, true],
    [{ a: [{ numeric: ['>', 0, '<=', 5] }] }, { a: 5 }, true],
    [{ a: [{ numeric: ['>', 0, '<', 5] }] }, { a: 5 }, false],
    [{ a: [{ numeric: ['=', 3.015e2] }] }, { a: 301.5 }, true],
    [{ a: [{ numeric: ['<', 1] }] }, { a: '0' }, false],
    [{ a: [{ cidr: '10.0.0.0/24' }] }, { a: '10.0.0.255' }, true],
    [{ a: [{ cidr: '10.0.0.0/24' }] }, { a: '10.0.1.0' }, false],
    [{ a: [{ cidr: '2001:db8::/32' }] }, { a: '2001:db8:1::1' }, true],
    [
      { a: { b: ['x'], c: ['y'] } },
      {
        a: [
          { b: 'x', c: 'z' },
          { b: 'w', c: 'y' },
        ],
      },
      false,
    ],
    [{ a: { b: ['x'], c: ['y'] } }, { a: [{ b: 'x', c: 'y' }] }, true],
    [{ 'a.b': ['x'] }, { a: { b: 'x' } }, true],
    [{ a: { b: ['x'] } }, { 'a.b': 'x' }, true],
    [{ $or: [{ a: ['x'] }, { b: ['y'] }] }, { b: 'y' }, true],
    [{ c: ['z'], $or: [{ a: ['x'] }, { b: ['y'] }] }, { b: 'y' }, false],
    [{ $or: ['x'] }, { $or: 'x' }, true],
    [{ a: ['x'] }, ['x'], false],
  ])('%j lets %j through: %s', (policy, message, matches) => {
    expect(body(policy, message)).toBe(matches);
  });

  it('lets nothing through that is no JSON, and bears any depth', () => {
    expect(bodyMatches(compileFilterPolicy({ a: [{ exists: false }] }), 'text')).toBe(false);
    expect(bodyMatches(compileFilterPolicy({ a: ['x'] }), `{"a":${'['.repeat(5000)}"x"${']'.repeat(5000)}}`)).toBe(false);
  });
});

describe('filter policies on attributes', () => {
  const attributes = {
    text: { type: 'String', value: 'x' },
    number: { type: 'Number', value: '100' },
    list: { type: 'String.Array', value: '["a", 7, true, null]' },
    bytes: { type: 'Binary', value: 'AAAA' },
  };
  it.each<[policy: unknown, matches: boolean]>([
    [{ text: ['x'] }, true],
    [{ number: [100] }, true],
    [{ number: ['100'] }, false],
    [{ number: [{ numeric: ['>=', 100] }] }, true],
    [{ list: ['a'] }, true],
    [{ list: [7] }, true],
    [{ list: [null] }, true],
    [{ list: ['b'] }, false],
    [{ bytes: [{ exists: true }] }, false],
    [{ other: [{ exists: false }] }, true],
  ])('%j: %s', (policy, matches) => {
    expect(attributesMatch(compileFilterPolicy(policy), attributes)).toBe(matches);
  });
});

describe('refusals', () => {
  const at = (policy: unknown, column: number) => `\n at [Source: (String)"${JSON.stringify(policy)}"; line: 1, column: ${column}]`;
  it.each<[policy: unknown, message: string, column?: number]>([
    [{ key: 'value' }, '"key" must be an object or an array', 9],
    [{ key: [] }, 'Empty arrays are not allowed', 10],
    [{ key: [['value']] }, 'Match value must be String, number, true, false, or null', 10],
    [{ key: [{ 'wrong-operator': true }] }, 'Unrecognized match type wrong-operator', 31],
    [{ key: [{ suffix: 'value', prefix: 'value2' }] }, 'Only one key allowed in match expression', 37],
    [{ key: [{ suffix: 100 }] }, 'suffix match pattern must be a string', 22],
    [{ key: [{ cidr: ['bad-filter'] }] }, 'prefix match pattern must be a string', 18],
    [{ key: [{ cidr: 'bad-filter' }] }, "Malformed CIDR, one '/' required"],
    [{ key: [{ cidr: 'xx.11.xx/8' }] }, 'Nonstandard IP address: xx.11.xx'],
    [{ key: [{ exists: 'no' }] }, 'exists match pattern must be either true or false.', 20],
    [{ key: [{ numeric: [] }] }, 'Invalid member in numeric match: ]', 22],
    [{ key: [{ numeric: ['operator'] }] }, 'Unrecognized numeric range operator: operator', 32],
    [{ key: [{ numeric: ['>', 3, '<', 1] }] }, 'Bottom must be less than top', 33],
    [{ key: [{ numeric: ['>', 20, '<', 30, '<', 50] }] }, 'Too many terms in numeric range expression', 36],
    [{ key: [{ 'anything-but': { suffix: 'test' } }] }, 'Unsupported anything-but pattern: suffix', 36],
    [{ key: [{ 'anything-but': { 'wrong-operator': null } }] }, 'Unsupported anything-but pattern: wrong-operator', 47],
    [{ a: ['1'], b: ['1'], c: ['1'], d: ['1'], e: ['1'], f: ['1'] }, 'Filter policy can not have more than 5 keys'],
    [{ key: Array.from({ length: 151 }, (_, i) => `value${i}`) }, 'Filter policy is too complex'],
    [{ a: { b: { c: ['1', '2', '3', '4'] } }, d: { e: ['1', '2', '3'] }, f: ['1', '2', '3'] }, 'Filter policy is too complex'],
  ])('%j: %s', (policy, message, column) => {
    expect(failure(policy)).toBe(column === undefined ? message : `${message}${at(policy, column)}`);
  });

  it('end with policies whose branches multiply', () => {
    const or = { $or: [{ a: ['1'] }, { b: ['1'] }, { c: ['1'] }] };
    const wide = { $or: Array.from({ length: 60 }, () => ({ x: or, y: or, z: or })) };
    expect(failure(wide)).toBe('Filter policy is too complex');
  });
});

it.each([
  ['*', '', true],
  ['a*', 'a', true],
  ['*a', 'ba', true],
  ['a*a', 'a', false],
  ['a\\*b', 'a*b', true],
  ['a\\*b', 'axb', false],
])('wildcard %s on %j: %s', (pattern, text, matches) => {
  expect(wildcardMatches(pattern, text)).toBe(matches);
});
