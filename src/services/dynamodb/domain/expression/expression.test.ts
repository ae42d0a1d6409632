import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AwsError } from '../../../../kit/errors.ts';
import type { AttributeValue, Item } from '../value.ts';
import { applyUpdate } from './apply.ts';
import { resolveCondition } from './condition.ts';
import { meets } from './evaluate.ts';
import { Projection } from './path.ts';
import { Placeholders } from './placeholders.ts';
import { projectionPaths } from './projection.ts';
import { resolveUpdate } from './update.ts';

type Values = Record<string, AttributeValue>;

const item: Item = {
  pk: { S: 'user#1' },
  n: { N: '5' },
  s: { S: 'hello' },
  b: { B: Buffer.from('bytes') },
  okay: { BOOL: true },
  nil: { NULL: true },
  tags: { SS: ['x', 'y'] },
  nums: { NS: ['1', '2'] },
  elems: { L: [{ S: 'zero' }, { N: '1' }, { M: { deep: { S: 'value' } } }] },
  doc: { M: { a: { N: '1' }, nest: { M: { c: { S: 'd' } } } } },
  'dotted.name': { S: 'dots' },
};

const holds = (text: string, values?: Values, names?: Record<string, string>): boolean => {
  const placeholders = new Placeholders(names, values);
  const { condition } = resolveCondition('ConditionExpression', text, placeholders);
  placeholders.checkAllUsed();
  return meets(item, condition);
};

const updated = (text: string, values?: Values, names?: Record<string, string>): Item => {
  const placeholders = new Placeholders(names, values);
  const { actions } = resolveUpdate(text, placeholders);
  placeholders.checkAllUsed();
  return applyUpdate(item, actions);
};

const projected = (text: string, names?: Record<string, string>): Item => new Projection(projectionPaths(text, new Placeholders(names, undefined))).apply(item);

const refused = (run: () => unknown, message: string) => expect(run).toThrow(expect.objectContaining({ code: 'ValidationException', message }));

describe('conditions', () => {
  it.each<[string, Values | undefined, boolean]>([
    ['n = :v', { ':v': { N: '5' } }, true],
    ['n = :v', { ':v': { N: '5.0' } }, true],
    ['n = :v', { ':v': { S: '5' } }, false],
    ['n <> :v', { ':v': { S: '5' } }, true],
    ['absent <> :v', { ':v': { S: 'x' } }, true],
    ['absent = :v', { ':v': { S: 'x' } }, false],
    ['n > :v', { ':v': { N: '4.999' } }, true],
    ['s >= :v', { ':v': { S: 'hello' } }, true],
    ['s < :v', { ':v': { N: '9' } }, false],
    [':v < n', { ':v': { N: '4' } }, true],
    ['n BETWEEN :a AND :b', { ':a': { N: '5' }, ':b': { N: '6' } }, true],
    ['n between :a and :b', { ':a': { N: '6' }, ':b': { N: '7' } }, false],
    ['s IN (:a, :b)', { ':a': { S: 'x' }, ':b': { S: 'hello' } }, true],
    ['absent IN (:a)', { ':a': { S: 'x' } }, false],
    ['attribute_exists(doc.nest.c)', undefined, true],
    ['attribute_exists(elems[3])', undefined, false],
    ['attribute_exists((elems[2]).deep)', undefined, true],
    ['(doc.nest).c = :v', { ':v': { S: 'd' } }, true],
    ['attribute_not_exists(absent)', undefined, true],
    ['attribute_type(tags, :t)', { ':t': { S: 'SS' } }, true],
    ['begins_with(pk, :p)', { ':p': { S: 'user#' } }, true],
    ['begins_with(b, :p)', { ':p': { B: Buffer.from('by') } }, true],
    ['contains(s, :p)', { ':p': { S: 'ell' } }, true],
    ['contains(tags, :p)', { ':p': { S: 'y' } }, true],
    ['contains(nums, :p)', { ':p': { N: '2.0' } }, true],
    ['contains(elems, :p)', { ':p': { N: '1' } }, true],
    ['contains(b, :p)', { ':p': { B: Buffer.from('te') } }, true],
    ['contains(absent, :p)', { ':p': { S: 'y' } }, false],
    ['size(s) = :n', { ':n': { N: '5' } }, true],
    ['size(elems) > :n AND size(doc) = :m', { ':n': { N: '2' }, ':m': { N: '2' } }, true],
    ['size(n) = :n', { ':n': { N: '1' } }, false],
    ['elems[2].deep = :v', { ':v': { S: 'value' } }, true],
    ['NOT n = :v', { ':v': { N: '5' } }, false],
    ['NOT (n = :v OR n = :w)', { ':v': { N: '1' }, ':w': { N: '2' } }, true],
    ['n = :a OR n = :b AND s = :a', { ':a': { N: '5' }, ':b': { N: '6' } }, true],
    ['(n = :a OR n = :b) AND s = :a', { ':a': { N: '5' }, ':b': { N: '6' } }, false],
    ['(n) = (:v)', { ':v': { N: '5' } }, true],
    ['((n) = :v) AND (okay = :t)', { ':v': { N: '5' }, ':t': { BOOL: true } }, true],
    ['tags = :v', { ':v': { SS: ['y', 'x'] } }, true],
    ['doc.#i.c = :v', undefined, true],
  ])('%s with %j: %s', (text, values, expected) => {
    const names = text.includes('#i') ? { '#i': 'nest' } : undefined;
    expect(holds(text, values ?? (text.includes(':v') ? { ':v': { S: 'd' } } : undefined), names)).toBe(expected);
  });

  it('names with dots are one attribute', () => {
    expect(holds('attribute_exists(#d)', undefined, { '#d': 'dotted.name' })).toBe(true);
  });

  const V: Values = { ':v': { S: 'x' } };
  it.each<[string, Values | undefined, string]>([
    ['', undefined, 'The expression can not be empty;'],
    ['a = ', undefined, 'Syntax error; token: "<EOF>", near: "="'],
    ['foo', undefined, 'Syntax error; token: "<EOF>", near: "foo"'],
    ['a = = :v', V, 'Syntax error; token: "=", near: "= = :v"'],
    ['attribute_not_exists(', undefined, 'Syntax error; token: "<EOF>", near: "("'],
    ['!!! x', undefined, 'Syntax error; token: "!", near: "!!"'],
    ['my-attr = :v', V, 'Syntax error; token: "-", near: "my-attr"'],
    ['(a = :v', V, 'Syntax error; token: "<EOF>", near: ":v"'],
    ['a = :v)', V, 'Syntax error; token: ")", near: ":v)"'],
    ['((a = :v))', V, 'The expression has redundant parentheses;'],
    ['status = :v', V, 'Attribute name is a reserved keyword; reserved keyword: status'],
    ['Foo(a)', undefined, 'Invalid function name; function: Foo'],
    ['Size(a) = :v', V, 'Invalid function name; function: Size'],
    ['size(a)', undefined, 'The function is not allowed to be used this way in an expression; function: size'],
    ['attribute_exists(a) = :v', V, 'The function is not allowed to be used this way in an expression; function: attribute_exists'],
    ['a = :w', V, 'An expression attribute value used in expression is not defined; attribute value: :w'],
    ['#a = :v', V, 'An expression attribute name used in the document path is not defined; attribute name: #a'],
    ['begins_with(a)', undefined, 'Incorrect number of operands for operator or function; operator or function: begins_with, number of operands: 1'],
    ['begins_with(a, :v)', { ':v': { N: '1' } }, 'Incorrect operand type for operator or function; operator or function: begins_with, operand type: N'],
    ['attribute_exists(:v)', V, 'Operator or function requires a document path; operator or function: attribute_exists'],
    ['attribute_type(a, :v)', V, 'Invalid attribute type name found; type: x, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}'],
    ['a = a', undefined, 'The first operand must be distinct from the remaining operands for this operator or function; operator: =, first operand: [a]'],
    [
      'contains(a[0].b, a[0].b)',
      undefined,
      'The first operand must be distinct from the remaining operands for this operator or function; operator: contains, first operand: [a, [0], b]',
    ],
    [
      'a BETWEEN :x AND :y',
      { ':x': { S: 'b' }, ':y': { S: 'a' } },
      'The BETWEEN operator requires upper bound to be greater than or equal to lower bound; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {S:a}',
    ],
    [
      'a BETWEEN :x AND :y',
      { ':x': { S: 'b' }, ':y': { N: '1' } },
      'The BETWEEN operator requires same data type for lower and upper bounds; lower bound operand: AttributeValue: {S:b}, upper bound operand: AttributeValue: {N:1}',
    ],
    ['a < :v', { ':v': { BOOL: true } }, 'Incorrect operand type for operator or function; operator: <, operand type: BOOL'],
    [`a = :v${' '.repeat(4096)}`, V, 'Expression size has exceeded the maximum allowed size; expression size: 4102'],
    [Array.from({ length: 301 }, () => 'a=:v').join(' OR '), V, 'The expression contains too many operators; operator count: 301'],
  ])('refuses %j', (text, values, message) => {
    refused(() => holds(text, values), `Invalid ConditionExpression: ${message}`);
  });

  it('unused and badly named placeholders', () => {
    refused(() => holds('n = :v', { ':v': { N: '1' }, ':w': { N: '1' } }), 'Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}');
    refused(() => holds('n = :v', { ':v': { N: '1' } }, { '#u': 'x' }), 'Value provided in ExpressionAttributeNames unused in expressions: keys: {#u}');
    refused(() => holds('n = :v', { v: { N: '1' } }), 'ExpressionAttributeValues contains invalid key: Syntax error; key: "v"');
    refused(() => holds('n = :v', {}), 'ExpressionAttributeValues must not be empty');
    refused(() => holds('n = :v', undefined, { a: 'x' }), 'ExpressionAttributeNames contains invalid key: Syntax error; key: "a"');
    refused(
      () => holds('n = :v', { ':v': { SS: [] } }),
      'ExpressionAttributeValues contains invalid value: One or more parameter values were invalid: An string set  may not be empty for key :v',
    );
  });
});

describe('updates', () => {
  it.each<[string, string, Values | undefined, Item]>([
    ['set', 'SET s = :v', { ':v': { S: 'bye' } }, { s: { S: 'bye' } }],
    ['arithmetic', 'SET n = n + :v', { ':v': { N: '0.5' } }, { n: { N: '5.5' } }],
    ['parentheses', 'SET n = (n - :v)', { ':v': { N: '7' } }, { n: { N: '-2' } }],
    ['values come from the item as it was', 'SET n = :v, m = n', { ':v': { N: '9' } }, { n: { N: '9' }, m: { N: '5' } }],
    ['if_not_exists', 'SET n = if_not_exists(n, :v), z = if_not_exists(z, :v) + :v', { ':v': { N: '1' } }, { n: { N: '5' }, z: { N: '2' } }],
    ['list_append', 'SET elems = list_append(elems, :v)', { ':v': { L: [{ S: 'end' }] } }, { elems: { L: [...(item['elems']?.L ?? []), { S: 'end' }] } }],
    [
      'nested',
      'SET doc.nest.e = :v, elems[2].deep = :v',
      { ':v': { S: 'new' } },
      {
        doc: { M: { a: { N: '1' }, nest: { M: { c: { S: 'd' }, e: { S: 'new' } } } } },
        elems: { L: [{ S: 'zero' }, { N: '1' }, { M: { deep: { S: 'new' } } }] },
      },
    ],
    [
      'beyond the end appends',
      'SET elems[9] = :v, elems[7] = :w',
      { ':v': { S: 'nine' }, ':w': { S: 'seven' } },
      { elems: { L: [...(item['elems']?.L ?? []), { S: 'seven' }, { S: 'nine' }] } },
    ],
    ['remove elements by their old index', 'REMOVE elems[0], elems[1]', undefined, { elems: { L: [{ M: { deep: { S: 'value' } } }] } }],
    [
      'set and remove in one list',
      'SET elems[1] = :v REMOVE elems[0]',
      { ':v': { S: 'one' } },
      { elems: { L: [{ S: 'one' }, { M: { deep: { S: 'value' } } }] } },
    ],
    [
      'set and add beyond the end, by index',
      'SET elems[9] = :v ADD elems[8] :v',
      { ':v': { N: '1' } },
      { elems: { L: [...(item['elems']?.L ?? []), { N: '1' }, { N: '1' }] } },
    ],
    ['add to a number', 'ADD n :v, fresh :v', { ':v': { N: '2' } }, { n: { N: '7' }, fresh: { N: '2' } }],
    ['add to a set', 'ADD tags :v', { ':v': { SS: ['y', 'z'] } }, { tags: { SS: ['x', 'y', 'z'] } }],
    ['delete from a set', 'DELETE tags :v', { ':v': { SS: ['x', 'q'] } }, { tags: { SS: ['y'] } }],
  ])('%s', (_name, text, values, expected) => {
    expect(updated(text, values)).toEqual({ ...item, ...expected });
  });

  it('removes attributes, and a set with its last member', () => {
    expect(updated('REMOVE s, absent, doc.nest.c')).toEqual({ ...without('s'), doc: { M: { a: { N: '1' }, nest: { M: {} } } } });
    expect(updated('DELETE tags :v', { ':v': { SS: ['x', 'y'] } })).toEqual(without('tags'));
  });

  const without = (name: string): Item => Object.fromEntries(Object.entries(item).filter(([key]) => key !== name));

  it.each<[string, Values | undefined, string]>([
    ['INVALID SYNTAX HERE', undefined, 'Syntax error; token: "INVALID", near: "INVALID SYNTAX"'],
    ['', undefined, 'The expression can not be empty;'],
    ['SET', undefined, 'Syntax error; token: "<EOF>", near: "SET"'],
    ['SET a = :v,', { ':v': { N: '1' } }, 'Syntax error; token: "<EOF>", near: ","'],
    ['SET 8f2a = :v', { ':v': { N: '1' } }, 'Syntax error; token: "8f2a", near: "SET 8f2a ="'],
    ['ADD hits : incr', undefined, 'Syntax error; token: ":", near: "hits : incr"'],
    ['SET a = :v, updated = SET b = :v', { ':v': { N: '1' } }, 'Syntax error; token: "SET", near: "= SET b"'],
    ['SET a = :v SET b = :v', { ':v': { N: '1' } }, 'The "SET" section can only be used once in an update expression;'],
    [
      'SET a = :v, a.b = :v',
      { ':v': { N: '1' } },
      'Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a, b]',
    ],
    [
      'SET a.b = :v REMOVE a',
      { ':v': { N: '1' } },
      'Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a, b], path two: [a]',
    ],
    [
      'SET a[1] = :v, a.b = :v',
      { ':v': { N: '1' } },
      'Two document paths conflict with each other; must remove or rewrite one of these paths; path one: [a, [1]], path two: [a, b]',
    ],
    ['SET a = foo(b, :v)', { ':v': { N: '1' } }, 'Invalid function name; function: foo'],
    ['SET a = if_not_exists(:v, :v)', { ':v': { N: '1' } }, 'Operator or function requires a document path; operator or function: if_not_exists'],
    ['SET a = b + :v', { ':v': { S: '1' } }, 'Incorrect operand type for operator or function; operator or function: +, operand type: S'],
    ['ADD a :v', { ':v': { S: '1' } }, 'Incorrect operand type for operator or function; operator: ADD, operand type: STRING'],
    ['DELETE a :v', { ':v': { N: '1' } }, 'Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER'],
    ['SET #a = :w', { ':v': { N: '1' } }, 'An expression attribute name used in the document path is not defined; attribute name: #a'],
    ['SET name = :w', { ':v': { N: '1' } }, 'Attribute name is a reserved keyword; reserved keyword: name'],
  ])('refuses %j', (text, values, message) => {
    refused(() => updated(text, values), `Invalid UpdateExpression: ${message}`);
  });

  it.each<[string, Values, string]>([
    ['SET a = absent', { ':v': { N: '1' } }, 'The provided expression refers to an attribute that does not exist in the item'],
    ['SET a = s + :v', { ':v': { N: '1' } }, 'An operand in the update expression has an incorrect data type'],
    ['SET absent.b = :v', { ':v': { N: '1' } }, 'The document path provided in the update expression is invalid for update'],
    ['SET doc[0] = :v', { ':v': { N: '1' } }, 'The document path provided in the update expression is invalid for update'],
    ['ADD s :v', { ':v': { N: '1' } }, 'An operand in the update expression has an incorrect data type'],
    ['DELETE nums :v', { ':v': { SS: ['1'] } }, 'An operand in the update expression has an incorrect data type'],
  ])('%s fails on the item', (text, values, message) => {
    refused(() => updated(text, text.includes(':v') ? values : undefined), message);
  });
});

describe('projections', () => {
  it('keep the shape, and close up lists', () => {
    expect(projected('s, doc.nest.c, absent.x')).toEqual({ s: { S: 'hello' }, doc: { M: { nest: { M: { c: { S: 'd' } } } } } });
    expect(projected('elems[2], elems[0], elems[9]')).toEqual({ elems: { L: [{ S: 'zero' }, { M: { deep: { S: 'value' } } }] } });
    expect(projected('#d', { '#d': 'dotted.name' })).toEqual({ 'dotted.name': { S: 'dots' } });
    expect(projected('elems[5].x, doc.a.b')).toEqual({});
  });

  it.each([
    ['a, a', 'Two document paths overlap with each other; must remove or rewrite one of these paths; path one: [a], path two: [a]'],
    ['id age', 'Syntax error; token: "age", near: "id age"'],
    ['a[x]', 'Syntax error; token: "x", near: "[x]"'],
    ['!!! INVALID !!!', 'Syntax error; token: "!", near: "!!"'],
  ])('refuses %j', (text, message) => {
    refused(() => projected(text), `Invalid ProjectionExpression: ${message}`);
  });
});

describe('hostile input', () => {
  const pieces = fc.array(
    fc.constantFrom(
      '(',
      ')',
      'a',
      '#n',
      ':v',
      '=',
      '<',
      'AND',
      'OR',
      'NOT',
      'IN',
      'BETWEEN',
      'size',
      'contains',
      ',',
      '.',
      '[0]',
      'SET',
      'ADD',
      'REMOVE',
      '+',
      '-',
      'if_not_exists',
      '!',
      '\u{1f600}',
      ' ',
    ),
    { maxLength: 40 },
  );
  const values: Values = { ':v': { N: '1' } };
  const names = { '#n': 'n' };

  it('is answered or refused, never a crash', () => {
    const quietly = (run: () => unknown) => {
      try {
        run();
      } catch (error) {
        if (!(error instanceof AwsError) || error.code !== 'ValidationException') throw error;
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          pieces.map((p) => p.join(' ')),
          pieces.map((p) => p.join('')),
          fc.string(),
        ),
        (text) => {
          quietly(() => holds(text, values, names));
          quietly(() => updated(text, values, names));
          quietly(() => projected(text, names));
        },
      ),
      { numRuns: 3000 },
    );
    for (const deep of [
      '('.repeat(4000),
      'NOT '.repeat(1000),
      'size('.repeat(800),
      `SET a = ${'('.repeat(4000)}`,
      `a${'.a'.repeat(2000)}`,
      `a${'[0]'.repeat(1300)} = :v`,
    ]) {
      quietly(() => holds(deep, values));
      quietly(() => updated(deep, values));
      quietly(() => projected(deep));
    }
  });
});
