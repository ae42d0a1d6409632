import { invalidParameter, validation } from '../../errors.ts';
import { ITEM_BYTES_MAX, PARTIQL_PARTITIONS_MAX } from '../../limits.ts';
import type { Comparator, Condition, Operand } from '../expression/condition.ts';
import { valueAt } from '../expression/path.ts';
import { type KeyOperator, type KeyTest, planKeyRange } from '../key-condition.ts';
import type { Projected } from '../projected.ts';
import { checkKeyContent, type Index, type KeyAttribute, type Table } from '../table.ts';
import { type AttributeValue, checkItem, type Item, setAttribute } from '../value.ts';
import { type ItemWrite, TOO_LARGE } from '../write.ts';
import { projectedName } from './parser.ts';
import type { OrderTerm, Select, WriteStatement } from './statement.ts';

/** What WHERE says of one item: its key, and what else must hold. */
interface KeyAndRest {
  readonly key: Item;
  readonly rest: Condition | undefined;
}

function conjuncts(where: Condition | undefined): readonly Condition[] {
  if (where === undefined) return [];
  return where.type === 'and' ? where.parts.flatMap(conjuncts) : [where];
}

function all(parts: readonly Condition[]): Condition | undefined {
  return parts.length > 1 ? { type: 'and', parts } : parts[0];
}

/** The value that `name = value` asks for. */
function equalTo(condition: Condition, name: string): AttributeValue | undefined {
  if (condition.type !== 'compare' || condition.operator !== '=') return undefined;
  const { left, right } = condition;
  if (isAttribute(left, name) && right.type === 'value') return right.value;
  return isAttribute(right, name) && left.type === 'value' ? left.value : undefined;
}

function isAttribute(operand: Operand, name: string): boolean {
  return operand.type === 'path' && operand.path.length === 1 && operand.path[0] === name;
}

function checkKeyValue(value: AttributeValue, attribute: KeyAttribute, isHash: boolean): void {
  if (value[attribute.type] === undefined) throw validation(`Key attribute's data type should match its data type in table's schema: ${attribute.name}`);
  checkKeyContent(value, attribute, isHash);
}

/** The whole primary key, by equality; undefined where WHERE does not have it. */
function wholeKey(table: Table, where: Condition | undefined): KeyAndRest | undefined {
  const key: Item = {};
  let rest = conjuncts(where);
  for (const attribute of table.range ? [table.hash, table.range] : [table.hash]) {
    const found = rest.find((condition) => equalTo(condition, attribute.name) !== undefined);
    const value = found && equalTo(found, attribute.name);
    if (value === undefined) return undefined;
    checkKeyValue(value, attribute, attribute === table.hash);
    setAttribute(key, attribute.name, value);
    rest = rest.filter((condition) => condition !== found);
  }
  return { key, rest: all(rest) };
}

/** The key of a statement that reads one item and nothing else; undefined where it may read more. */
export function itemKey(table: Table, select: Select): Item | undefined {
  return select.from.index === undefined ? wholeKey(table, select.where)?.key : undefined;
}

/** What must hold beside the key for the item to be an answer. */
export function itemFilter(table: Table, select: Select): Condition | undefined {
  return wholeKey(table, select.where)?.rest;
}

/** An INSERT, UPDATE, DELETE or EXISTS as a write of one item. Throws ValidationException. */
export function planWrite(table: Table, statement: WriteStatement, returnOnFailure = false): ItemWrite {
  const base = { size: 0, actions: [], legacyUpdate: false, nestedHeads: undefined, returnOnFailure } as const;
  const exists: Condition = { type: 'function', name: 'attribute_exists', args: [{ type: 'path', path: [table.hash.name] }] };
  if (statement.kind === 'insert') {
    const size = checkItem(statement.item);
    if (size > ITEM_BYTES_MAX) throw validation(TOO_LARGE);
    // Refused where the item is there already.
    return { ...base, action: 'Put', key: statement.item, size, condition: { type: 'not', part: exists }, inserts: true };
  }
  const found = wholeKey(table, statement.where);
  if (statement.kind === 'exists') {
    if (found?.rest === undefined) throw validation('EXISTS() must contain a single item read with additional condition');
    return { ...base, action: 'ConditionCheck', key: found.key, condition: found.rest };
  }
  if (!found) throw validation('Where clause does not contain a mandatory equality on all key attributes');
  const { key, rest } = found;
  if (statement.kind === 'delete') {
    // Of an item that is not there nothing is asked.
    return { ...base, action: 'Delete', key, condition: rest && { type: 'or', parts: [{ type: 'not', part: exists }, rest] } };
  }
  const nestedHeads = new Set(statement.actions.filter(({ path }) => path.length > 1).map(({ path }) => path[0] as string));
  return { ...base, action: 'Update', key, actions: statement.actions, nestedHeads, condition: rest ? { type: 'and', parts: [exists, rest] } : exists };
}

/** How a SELECT is answered: the partitions it reads, in order, or the whole table or index where `ranges` is undefined. */
export interface SelectPlan {
  readonly ranges: readonly ReturnType<typeof planKeyRange>[] | undefined;
  readonly reverse: boolean;
  readonly filter: Condition | undefined;
}

/** Throws ValidationException in AWS's words. */
export function planSelect(table: Table, index: Index | undefined, select: Select): SelectPlan {
  const hash = index?.hash ?? table.hash;
  const range = index ? index.range : table.range;
  const parts = conjuncts(select.where);
  const keyed = parts.find((part) => hashValues(part, hash.name) !== undefined);
  const values = keyed && hashValues(keyed, hash.name);
  checkOrder(select, hash, range, parts, values);
  if (keyed === undefined || values === undefined) return { ranges: undefined, reverse: false, filter: select.where };
  if (values.length > PARTIQL_PARTITIONS_MAX) {
    throw validation(`Number of hash keys in the IN operator exceeds the maximum allowed: ${PARTIQL_PARTITIONS_MAX}`);
  }
  for (const value of values) checkKeyValue(value, hash, true);
  const sorted = range && parts.find((part) => part !== keyed && rangeTest(part, range) !== undefined);
  const test = range && sorted && rangeTest(sorted, range);
  const filter = all(parts.filter((part) => part !== keyed && part !== sorted));
  if (index) checkFilterProjected(index, filter);
  const ranges = values.map((value) =>
    planKeyRange(
      table,
      index,
      new Map<string, KeyTest>([[hash.name, { operator: 'EQ', values: [value] }], ...(range && test ? [[range.name, test] as const] : [])]),
    ),
  );
  return { ranges: ordered(ranges, select.orderBy, hash), reverse: descends(select.orderBy, range), filter };
}

/** The partition keys that a conjunct asks for, each once. */
function hashValues(condition: Condition, name: string): AttributeValue[] | undefined {
  const equal = equalTo(condition, name);
  if (equal !== undefined) return [equal];
  if (condition.type !== 'in' || !isAttribute(condition.operand, name)) return undefined;
  const values = condition.list.map((operand) => (operand as Extract<Operand, { type: 'value' }>).value);
  return [...new Map(values.map((value) => [JSON.stringify(value), value])).values()];
}

const KEY_OPERATORS: Partial<Record<Comparator, KeyOperator>> = { '=': 'EQ', '<': 'LT', '<=': 'LE', '>': 'GT', '>=': 'GE' };
const MIRRORED: Partial<Record<Comparator, KeyOperator>> = { '=': 'EQ', '<': 'GT', '<=': 'GE', '>': 'LT', '>=': 'LE' };

/** A conjunct that narrows the range of sort keys. One whose values are of another type than the key stays a filter. */
function rangeTest(condition: Condition, range: KeyAttribute): KeyTest | undefined {
  const test = rawRangeTest(condition, range.name);
  if (test?.values.some((value) => value[range.type] === undefined)) return undefined;
  if (test?.operator === 'BEGINS_WITH' && range.type === 'N') return undefined;
  return test;
}

function rawRangeTest(condition: Condition, name: string): KeyTest | undefined {
  const valueIn = (operand: Operand) => (operand.type === 'value' ? operand.value : undefined);
  const test = (operator: KeyOperator | undefined, ...values: (AttributeValue | undefined)[]): KeyTest | undefined =>
    operator === undefined || values.includes(undefined) ? undefined : { operator, values: values as AttributeValue[] };
  switch (condition.type) {
    case 'compare':
      if (isAttribute(condition.left, name)) return test(KEY_OPERATORS[condition.operator], valueIn(condition.right));
      return isAttribute(condition.right, name) ? test(MIRRORED[condition.operator], valueIn(condition.left)) : undefined;
    case 'between':
      return isAttribute(condition.operand, name) ? test('BETWEEN', valueIn(condition.lower), valueIn(condition.upper)) : undefined;
    case 'function': {
      const [first, second] = condition.args;
      return condition.name === 'begins_with' && first && second && isAttribute(first, name) ? test('BEGINS_WITH', valueIn(second)) : undefined;
    }
    default:
      return undefined;
  }
}

function checkOrder(
  { orderBy, where }: Select,
  hash: KeyAttribute,
  range: KeyAttribute | undefined,
  parts: readonly Condition[],
  values: readonly AttributeValue[] | undefined,
): void {
  if (orderBy.length === 0) return;
  if (where === undefined) throw validation('Must have WHERE clause in the statement when using ORDER BY clause.');
  for (const { attribute } of orderBy) {
    if (attribute !== hash.name && attribute !== range?.name) throw validation(`Attribute ${attribute} in ORDER BY clause must be part of the primary key`);
  }
  if (values === undefined || parts.length === 0) {
    throw validation('Must have at least one non-optional hash key condition in WHERE clause when using ORDER BY clause.');
  }
  if (values.length > 1 && orderBy.every(({ attribute }) => attribute !== hash.name)) {
    throw validation('Must have hash key in ORDER BY clause when more than one hash key condition specified in WHERE clause.');
  }
}

function ordered<T extends { readonly partitionKey: string }>(ranges: readonly T[], orderBy: readonly OrderTerm[], hash: KeyAttribute): readonly T[] {
  const term = orderBy.find(({ attribute }) => attribute === hash.name);
  if (!term) return ranges;
  const ascending = [...ranges].sort((a, b) => (a.partitionKey < b.partitionKey ? -1 : 1));
  return term.descending ? ascending.reverse() : ascending;
}

function descends(orderBy: readonly OrderTerm[], range: KeyAttribute | undefined): boolean {
  return orderBy.some(({ attribute, descending }) => descending && attribute === range?.name);
}

/** A keyed read of an index may filter only by what the index holds. */
function checkFilterProjected(index: Index, filter: Condition | undefined): void {
  if (filter === undefined || index.projected === undefined) return;
  const heads = new Set<string>();
  // A filter inside an OR may name what is not there: it is not met.
  for (const part of conjuncts(filter)) if (part.type !== 'or') collectHeads(part, heads);
  const missing = [...heads].filter((name) => !index.projected?.has(name));
  if (missing.length > 0) throw invalidParameter(`Secondary index ${index.name} does not project one or more filter attributes: [${missing.join(', ')}]`);
}

function collectHeads(condition: Condition, heads: Set<string>): void {
  const add = (operand: Operand): void => {
    if (operand.type === 'path') heads.add(operand.path[0] as string);
    else if (operand.type === 'size') add(operand.operand);
  };
  switch (condition.type) {
    case 'and':
    case 'or':
      for (const part of condition.parts) collectHeads(part, heads);
      return;
    case 'not':
      collectHeads(condition.part, heads);
      return;
    case 'compare':
      add(condition.left);
      add(condition.right);
      return;
    case 'between':
      for (const operand of [condition.operand, condition.lower, condition.upper]) add(operand);
      return;
    case 'in':
      for (const operand of [condition.operand, ...condition.list]) add(operand);
      return;
    case 'function':
      for (const operand of condition.args) add(operand);
  }
}

/** The named attributes of an item, nested ones under their last names. */
export function projectionOf(select: Select): Projected | undefined {
  const { paths } = select;
  if (paths === undefined) return undefined;
  const named = paths.map((path) => [projectedName(path), path] as const);
  return {
    paths,
    apply(item) {
      const out: Item = {};
      for (const [name, path] of named) {
        const value = valueAt(item, path);
        if (value !== undefined) setAttribute(out, name, value);
      }
      return out;
    },
  };
}
