import type { Condition as LegacyCondition } from '@aws-sdk/client-dynamodb';
import { type Key, prefixEnd } from '../../../kit/key.ts';
import type { KeyRange } from '../../../store/store.ts';
import { invalidParameter, validation } from '../errors.ts';
import { delimited, keyBytes, partitionHash } from './encoding.ts';
import type { Condition, Operand } from './expression/condition.ts';
import { checkKeyContent, checkKeyPiece, type Index, type KeyAttribute, type Table } from './table.ts';
import { type AttributeValue, attributeOf, type Item, valueSize } from './value.ts';

/** What may be asked of a key attribute; names as in the legacy `KeyConditions`. */
export type KeyOperator = 'EQ' | 'LT' | 'LE' | 'GT' | 'GE' | 'BETWEEN' | 'BEGINS_WITH';

export interface KeyTest {
  readonly operator: string;
  readonly values: readonly AttributeValue[];
}

/** Tests by attribute. */
export type KeyTests = ReadonlyMap<string, KeyTest>;

const OPERATORS: Readonly<Record<string, KeyOperator>> = { '=': 'EQ', '<': 'LT', '<=': 'LE', '>': 'GT', '>=': 'GE' };
const MIRRORED: Readonly<Record<string, string>> = { '=': '=', '<': '>', '<=': '>=', '>': '<', '>=': '<=' };

/** A key condition expression as tests. Throws ValidationException for what no index can answer. */
export function keyTests(condition: Condition): KeyTests {
  const tests = new Map<string, KeyTest>();
  collect(condition, tests);
  return tests;
}

export function legacyKeyTests(conditions: Record<string, LegacyCondition>): KeyTests {
  return new Map(
    Object.entries(conditions).map(([name, condition]) => [
      name,
      { operator: condition.ComparisonOperator ?? '', values: (condition.AttributeValueList ?? []) as AttributeValue[] },
    ]),
  );
}

function collect(condition: Condition, tests: Map<string, KeyTest>): void {
  switch (condition.type) {
    case 'and':
      for (const part of condition.parts) collect(part, tests);
      return;
    case 'or':
    case 'not':
    case 'in':
      throw validation(`Invalid operator used in KeyConditionExpression: ${condition.type.toUpperCase()}`);
    case 'function':
      if (condition.name !== 'begins_with') throw validation(`Invalid operator used in KeyConditionExpression: ${condition.name}`);
      addTest(tests, 'BEGINS_WITH', condition.args, condition.name);
      return;
    case 'between':
      addTest(tests, 'BETWEEN', [condition.operand, condition.lower, condition.upper], 'BETWEEN');
      return;
    case 'compare': {
      if (condition.operator === '<>') throw validation('Invalid operator used in KeyConditionExpression: <>');
      const mirrored = condition.left.type === 'value' && condition.right.type === 'path';
      const operator = OPERATORS[(mirrored ? MIRRORED[condition.operator] : condition.operator) as string] as KeyOperator;
      addTest(tests, operator, [condition.left, condition.right]);
    }
  }
}

function addTest(tests: Map<string, KeyTest>, operator: KeyOperator, operands: readonly Operand[], firstOperandOf?: string): void {
  if (firstOperandOf !== undefined && operands[0]?.type !== 'path') {
    throw validation(`Invalid condition in KeyConditionExpression: ${firstOperandOf} operator must have the key attribute as its first operand`);
  }
  let name: string | undefined;
  const values: AttributeValue[] = [];
  for (const operand of operands) {
    if (operand.type === 'size') throw validation('KeyConditionExpressions cannot contain nested operations');
    if (operand.type === 'value') {
      values.push(operand.value);
      continue;
    }
    if (name !== undefined) throw validation('Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition');
    if (operand.path.length > 1) throw validation('KeyConditionExpressions cannot have conditions on nested attributes');
    name = operand.path[0] as string;
  }
  if (name === undefined) throw validation('Invalid condition in KeyConditionExpression: No key attribute specified');
  if (tests.has(name)) throw validation('KeyConditionExpressions must only contain one condition per key');
  tests.set(name, { operator, values });
}

/** The part of an index, or of the table, that a query reads. */
export interface KeyRangePlan {
  readonly partitionKey: Key;
  readonly hashValue: AttributeValue;
  readonly rangeTest: KeyTest | undefined;
  readonly range: KeyRange;
}

const NOT_INDEXABLE: ReadonlySet<string> = new Set(['NULL', 'NOT_NULL', 'NE', 'CONTAINS', 'NOT_CONTAINS', 'IN']);

/** Checks the tests, and the start key with them, against the keys that are queried. Throws ValidationException in AWS's order of checks. */
export function checkKeyTests(hash: KeyAttribute, range: KeyAttribute | undefined, tests: KeyTests, start: Item | undefined): void {
  for (const attribute of range ? [hash, range] : [hash]) {
    const isHash = attribute === hash;
    if (start) {
      if (attributeOf(start, attribute.name) === undefined) throw validation('The provided starting key is invalid');
      checkKeyPiece(start, attribute, isHash);
    }
    if (isHash && range === undefined && tests.size > 1) throw validation('Query key condition not supported');
    const test = tests.get(attribute.name);
    if (test === undefined) {
      if (isHash || tests.size > 1) throw validation(`Query condition missed key schema element: ${attribute.name}`);
      continue;
    }
    if (NOT_INDEXABLE.has(test.operator)) throw validation('Attempted conditional constraint is not an indexable operation');
    if (test.values.some((value) => value[attribute.type] === undefined)) throw invalidParameter('Condition parameter type does not match schema type');
    if (isHash && test.operator !== 'EQ') throw validation('Query key condition not supported');
    // `begins_with` may be asked of an empty start; equality with an empty key never holds and is refused.
    for (const value of test.values) if (test.operator !== 'BEGINS_WITH' || valueSize(value) > 0) checkKeyContent(value, attribute, isHash);
  }
}

/** The key range that checked tests describe. */
export function planKeyRange(table: Table, index: Index | undefined, tests: KeyTests): KeyRangePlan {
  const hash = index?.hash ?? table.hash;
  const range = index ? index.range : table.range;
  const hashValue = tests.get(hash.name)?.values[0] as AttributeValue;
  const partitionKey = keyBytes(hashValue);
  const partition = (index?.prefix ?? table.itemPrefix) + partitionHash(table.salt, partitionKey);
  const rangeTest = range && tests.get(range.name);
  const sort = index ? delimitedSort(partition) : rawSort(partition);
  const whole = { from: partition, to: prefixEnd(partition) };
  return { partitionKey, hashValue, rangeTest, range: rangeTest ? narrowed(whole, sort, rangeTest) : whole };
}

/** How sort keys lie in a partition: where the entries of one begin, and where they have all passed. */
interface SortLayout {
  first(sort: Key): Key;
  after(sort: Key): Key;
  /** Where every sort key that begins with `start` has passed; undefined at the partition's end. */
  afterPrefix(start: Key): Key | undefined;
}

/** Items of the table: the sort key ends the row's key, as it is. */
function rawSort(partition: Key): SortLayout {
  return {
    first: (sort) => partition + sort,
    after: (sort) => `${partition}${sort}\x00`,
    afterPrefix: (start) => prefixEnd(partition + start),
  };
}

/** Entries of an index: the sort key is delimited, the item's hash follows. */
function delimitedSort(partition: Key): SortLayout {
  return {
    first: (sort) => partition + delimited(sort),
    after: (sort) => prefixEnd(partition + delimited(sort)),
    afterPrefix: (start) => {
      let end = start.length;
      while (end > 0 && start.charCodeAt(end - 1) === 0xff) end--;
      return end === 0 ? undefined : partition + delimited(prefixEnd(start.slice(0, end)));
    },
  };
}

function narrowed(whole: KeyRange, sort: SortLayout, test: KeyTest): KeyRange {
  const [low, high] = test.values.map(keyBytes) as [Key, Key];
  switch (test.operator) {
    case 'EQ':
      return { from: sort.first(low), to: sort.after(low) };
    case 'LT':
      return { from: whole.from, to: sort.first(low) };
    case 'LE':
      return { from: whole.from, to: sort.after(low) };
    case 'GT':
      return { from: sort.after(low), to: whole.to };
    case 'GE':
      return { from: sort.first(low), to: whole.to };
    case 'BETWEEN':
      return { from: sort.first(low), to: sort.after(high) };
    default:
      return low === '' ? whole : { from: sort.first(low), to: sort.afterPrefix(low) ?? whole.to };
  }
}
