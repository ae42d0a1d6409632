import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compilePattern, EventPatternError, validatePattern } from './index.ts';

const recorded = join(import.meta.dirname, '../../../../shared/conformance/event-patterns');

/** Reasons recorded from AWS, and the columns that they name; by file, without `_EXC`. */
const REASONS: Readonly<Record<string, readonly [reason: string, ...columns: number[]]>> = {
  int_nolist: ['"int" must be an object or an array', 11],
  content_numeric_operatorcasing: ['Unrecognized match type NUMERIC', 36],
  string_nolist: ['"string" must be an object or an array', 13],
  arrays_empty: ['Empty arrays are not allowed', 17],
  operator_case_sensitive: ['Unrecognized match type EXISTS', 28],
  content_numeric: ['Bad numeric range operator: >', 49],
  content_wildcard_complex: ['Rule is too complex - try using fewer wildcard characters or fewer repeating character sequences after a wildcard character'],
  content_numeric_syntax: ['Value of < must be numeric', 50],
  content_wildcard_repeating_star: ['Consecutive wildcard characters at pos 26', 72],
  content_ignorecase: ['equals-ignore-case match pattern must be a string', 42],
  content_ip_address: ["Malformed CIDR, one '/' required"],
  content_anything_but_ignorecase: ['Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.', 66],
  content_anything_but_ignorecase_list: ['Inside anything-but/equals-ignore-case list, number|start|null|boolean is not supported.', 67, 67],
  content_ignorecase_list: ['equals-ignore-case match pattern must be a string', 42],
  content_wildcard_int: ['wildcard match pattern must be a string', 34],
  content_wildcard_list: ['wildcard match pattern must be a string', 32],
  content_anything_wildcard_list_type: ['wildcard match pattern must be a string', 57, 57],
  content_anything_wildcard_type: ['wildcard match pattern must be a string', 59],
  content_anything_suffix_list_type: ['prefix/suffix match pattern must be a string', 58, 58],
  content_anything_suffix_int: ['prefix/suffix match pattern must be a string', 57],
  content_anything_prefix_list_type: ['prefix/suffix match pattern must be a string', 55, 55],
  content_anything_prefix_int: ['prefix/suffix match pattern must be a string', 54],
  content_prefix_list: ['prefix match pattern must be a string', 23],
  content_prefix_int: ['prefix match pattern must be a string', 25],
  content_suffix_int: ['suffix match pattern must be a string', 29],
  content_suffix_list: ['suffix match pattern must be a string', 27],
  content_anything_prefix_ignorecase: ['Value of anything-but must be an array or single string/number value.', 55],
  content_anything_suffix_ignorecase: ['Value of anything-but must be an array or single string/number value.', 55],
  content_ip_address_bad_mask: ['Malformed CIDR, mask bits must be an integer'],
  content_ip_address_bad_ip: ['Nonstandard IP address: xx.11.xx'],
  content_ip_address_type: ['prefix match pattern must be a string', 43],
  content_ip_address_v6_bad_ip: ['Nonstandard IP address: xxxx:db8:1234:1a00::'],
  content_anything_prefix_empty: ['Null prefix/suffix not allowed', 56],
  content_anything_suffix_empty: ['Null prefix/suffix not allowed', 56],
  content_numeric_number: ['Value of numeric must be an array.', 39],
  content_anything_but_string_null_type: ['Value of anything-but must be an array or single string/number value.', 44],
  content_anything_but_string_list_null_type: ['Inside anything but list, start|null|boolean is not supported.', 56, 56],
  content_anything_suffix_list_null_type: ['prefix/suffix match pattern must be a string', 59, 59],
};

/** The files are JSON with comments and trailing commas. */
function readJson5(path: string): { Event: unknown; EventPattern: unknown } {
  const text = readFileSync(path, 'utf8').replace(/("(?:[^"\\]|\\.)*")|\/\/[^\n]*/g, (_, string?: string) => string ?? '');
  return JSON.parse(text.replace(/("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])/g, (_, string?: string) => string ?? ''));
}

/** JSON as Python's `json.dumps` writes it, with which the patterns were sent when they were recorded. */
function spaced(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(spaced).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value)
    .map(([key, inner]) => `${JSON.stringify(key)}: ${spaced(inner)}`)
    .join(', ')}}`;
}

describe.skipIf(!existsSync(recorded))('patterns recorded from AWS', () => {
  const files = existsSync(recorded) ? readdirSync(recorded).filter((file) => file.endsWith('.json5')) : [];
  it.each(files.map((file) => basename(file, '.json5')))('%s', (name) => {
    const { Event: event, EventPattern: pattern } = readJson5(join(recorded, `${name}.json5`));
    // One kind of file holds a pattern alone, for the tests with many keys.
    const text = spaced(pattern);
    if (!name.endsWith('_EXC')) {
      expect(compilePattern(text)(event)).toBe(!name.endsWith('_NEG'));
      return;
    }
    const [reason, ...columns] = REASONS[name.slice(0, -4)] ?? ['not recorded'];
    expect(validatePattern(text)).toBe([reason, ...columns.map((column) => ` at [Source: (String)"${text}"; line: 1, column: ${column}]`)].join('\n'));
  });

  it('has the pattern with many keys', () => {
    const read = (name: string) => JSON.parse(readFileSync(join(recorded, name), 'utf8')) as unknown;
    expect(compilePattern(JSON.stringify(read('complex_multi_key_event_pattern.json')))(read('complex_multi_key_event.json'))).toBe(true);
  });
});

describe('event patterns', () => {
  const matches = (pattern: unknown, event: unknown) => compilePattern(JSON.stringify(pattern))(event);

  it.each([
    [
      'this is valid json but not a dict',
      "Unrecognized token 'this': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')",
      5,
    ],
    ['["not", "a", "dict", "but valid json"]', 'Filter is not an object', 2],
    ['{"not": closed mark"', "Unrecognized token 'closed': was expecting (JSON String, Number, Array, Object or token 'null', 'true' or 'false')", 15],
    ['{}', 'Empty objects are not allowed', 3],
    ['{"a": {}}', 'Empty objects are not allowed', 9],
    ['{"a": [[1]]}', 'Match value must be String, number, true, false, or null', 9],
    ['{"a": [{}]}', 'Match expression name not found', 10],
    ['{"$or": 1}', 'It must be an Array followed with $or.', 10],
    ['{"$or": [{"a": [1]}]}', 'There must have at least 2 Objects in $or relationship.', 21],
    ['{"$or": [{"prefix": [1]}, {"a": [1]}]}', 'prefix is Ruler reserved fieldName which cannot be used inside $or.', 22],
    ['{"a": [{"anything-but": ["x", 1]}]}', 'Inside anything but list, either all values are number or string, mixed type is not supported', 33],
    ['{"a": [{"anything-but": {"cidr": "x"}}]}', 'Unsupported anything-but pattern: cidr', 35],
    ['{"a": [{"exists": "yes"}]}', 'exists match pattern must be either true or false.', 20],
    ['{"a": [{"prefix": {"suffix": "x"}}]}', 'Unsupported prefix pattern: suffix', 31],
    ['{"a": [{"numeric": [">", 5, "<", 1]}]}', 'Bottom must be less than top', 36],
    ['{"a": [{"numeric": ["!", 5]}]}', 'Unrecognized numeric range operator: !', 27],
    ['{"a": [{"prefix": "x", "suffix": "y"}]}', 'Only one key allowed in match expression', 35],
    ['{\n"a": 1}', '"a" must be an object or an array', 7],
  ])('refuses %s', (text, reason, column) => {
    const line = text.split('\n').length;
    expect(validatePattern(text)).toBe(`${reason}\n at [Source: (String)"${text}"; line: ${line}, column: ${column}]`);
  });

  it('quotes the first 500 characters of its source', () => {
    const text = JSON.stringify({ a: 'x'.repeat(600) });
    expect(validatePattern(text)).toContain(`${text.slice(0, 500)}"[truncated 108 chars]; line: 1`);
  });

  it('takes fields of one array from the same element', () => {
    const pattern = { items: { kind: ['b'], size: [2] } };
    expect(
      matches(pattern, {
        items: [
          { kind: 'a', size: 2 },
          { kind: 'b', size: 1 },
        ],
      }),
    ).toBe(false);
    expect(
      matches(pattern, {
        items: [
          { kind: 'a', size: 1 },
          { kind: 'b', size: 2 },
        ],
      }),
    ).toBe(true);
    expect(matches({ 'items.kind': ['a'], other: ['x'] }, { items: [{ kind: 'a' }], other: 'x' })).toBe(true);
  });

  it('lets arrays that only one path looks into alone', () => {
    const elements = Array.from({ length: 300 }, (_, i) => ({ x: i, y: i }));
    expect(matches({ p: { x: [{ exists: true }], y: [299] }, q: { y: [{ numeric: ['>', 5] }] } }, { p: elements, q: elements })).toBe(true);
    expect(matches({ p: { x: [1, 2, 3], y: [4, 5] } }, { p: elements })).toBe(false);
  });

  it('combines $or with what stands beside it, and nested', () => {
    const pattern = { source: ['s'], $or: [{ a: [1] }, { b: { $or: [{ c: [2] }, { d: [3] }] } }] };
    expect(matches(pattern, { source: 's', a: 1 })).toBe(true);
    expect(matches(pattern, { source: 's', b: { d: 3 } })).toBe(true);
    expect(matches(pattern, { source: 's', b: { c: 3 } })).toBe(false);
    expect(matches(pattern, { source: 't', a: 1 })).toBe(false);
  });

  it.each([
    [[{ cidr: '10.0.0.0/8' }], '10.200.3.4', true],
    [[{ cidr: '10.0.0.0/8' }], '11.0.0.1', false],
    [[{ cidr: '10.0.0.0/8' }], '10.0.0', false],
    [['::1'], '0:0:0:0:0:0:0:1', true],
    [[{ 'anything-but': { wildcard: '*/bin/*.jar' } }], '/usr/bin/x.jar', false],
    [[{ 'anything-but': { wildcard: ['*/bin/*.jar', '*.class'] } }], '/usr/bin/x.txt', true],
    [[{ 'anything-but': { 'equals-ignore-case': ['STOPPED'] } }], 'Stopped', false],
    [[{ prefix: { 'equals-ignore-case': 'ÄB' } }], 'äbc', true],
    [[{ suffix: { 'equals-ignore-case': '.PNG' } }], 'a.png', true],
    [[{ wildcard: 'a\\*b*' }], 'a*bc', true],
    [[{ wildcard: 'a\\*b*' }], 'axbc', false],
    [[{ wildcard: 'ab*ba' }], 'aba', false],
    [[{ numeric: ['>', 0, '<=', 5] }], 5, true],
    [[{ numeric: ['>=', -1e3] }], -1000, true],
    [[{ numeric: ['=', 3.018e2] }], '301.8', false],
    [[{ 'anything-but': [1, 2] }], 'x', true],
    [[{ exists: true }], null, true],
    [[{ exists: false }], null, false],
    [[{ exactly: 'x' }], 'x', true],
  ])('%j on %j is %s', (tests, value, expected) => {
    expect(matches({ field: tests }, { field: value })).toBe(expected);
  });

  it('never throws anything but an EventPatternError, and reads what it wrote itself', () => {
    fc.assert(
      fc.property(fc.oneof(fc.json(), fc.string()), fc.jsonValue(), (text, event) => {
        try {
          compilePattern(text)(event);
        } catch (error) {
          expect(error).toBeInstanceOf(EventPatternError);
        }
      }),
    );
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect(matches({ a: [value] }, { a: value })).toBe(true);
        expect(matches({ a: [{ 'anything-but': value }] }, { a: value })).toBe(false);
      }),
    );
  });

  it('stays bounded on hostile patterns and events', () => {
    const half = Array.from({ length: 12 }, (_, i) => ({ $or: [{ [`a${i}`]: [1] }, { [`b${i}`]: [1] }] }));
    expect(validatePattern(JSON.stringify(Object.assign({}, ...half.map((each, i) => ({ [`k${i}`]: each })))))).toMatch(/^Rule is too complex/);
    expect(validatePattern('['.repeat(100_000))).toBeDefined();
    expect(validatePattern('{"a":'.repeat(5_000))).toMatch(/^Document nesting depth/);
    const elements = Array.from({ length: 10_000 }, (_, i) => ({ x: i, y: i, z: -i }));
    const each = [{ exists: true }];
    expect(matches({ p: { x: each, y: each, z: [{ numeric: ['>', 0] }] } }, { p: elements })).toBe(false);
    expect(matches({ p: { x: [{ numeric: ['<', 5_000] }], y: [{ numeric: ['>=', 5_000] }] } }, { p: elements })).toBe(false);
  });
});
