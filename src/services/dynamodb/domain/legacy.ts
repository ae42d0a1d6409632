import type { AttributeValueUpdate, ExpectedAttributeValue, Condition as LegacyCondition } from '@aws-sdk/client-dynamodb';
import { invalidParameter, validation } from '../errors.ts';
import { ATTRIBUTE_ACTIONS, COMPARISON_OPERATORS, CONDITIONAL_OPERATORS, type Constraints } from './constraints.ts';
import type { Comparator, Condition, Operand } from './expression/condition.ts';
import type { UpdateAction } from './expression/update.ts';
import { type AttributeValue, checkValue, compareValues, typeOf } from './value.ts';

/** "Legacy conditional parameters": what came before expressions, translated into the same conditions and actions. */
type Expected = Record<string, ExpectedAttributeValue>;
type Conditions = Record<string, LegacyCondition>;

const COMPARATORS: Readonly<Record<string, Comparator>> = { EQ: '=', NE: '<>', LT: '<', LE: '<=', GT: '>', GE: '>=' };
const ANY_COUNT = -1;
const ARGUMENT_COUNTS: Readonly<Record<string, number>> = { NULL: 0, NOT_NULL: 0, BETWEEN: 2, IN: ANY_COUNT };
const SCALARS = ['S', 'N', 'B'];
const ARGUMENT_TYPES: Readonly<Record<string, readonly string[]>> = {
  LE: SCALARS,
  LT: SCALARS,
  GE: SCALARS,
  GT: SCALARS,
  CONTAINS: SCALARS,
  NOT_CONTAINS: SCALARS,
  BEGINS_WITH: ['S', 'B'],
  IN: SCALARS,
  BETWEEN: SCALARS,
};

/** The enumerations inside the legacy parameters. */
export function constrainLegacy(
  constraints: Constraints,
  input: {
    ConditionalOperator?: string | undefined;
    Expected?: Expected | undefined;
    AttributeUpdates?: Record<string, AttributeValueUpdate> | undefined;
  },
): void {
  constraints.oneOf('conditionalOperator', input.ConditionalOperator, CONDITIONAL_OPERATORS);
  for (const [name, condition] of Object.entries(input.Expected ?? {})) {
    constraints.oneOf(`expected.${name}.member.comparisonOperator`, condition.ComparisonOperator, COMPARISON_OPERATORS);
  }
  for (const [name, update] of Object.entries(input.AttributeUpdates ?? {})) {
    constraints.oneOf(`attributeUpdates.${name}.member.action`, update.Action, ATTRIBUTE_ACTIONS);
  }
}

export function constrainConditions(constraints: Constraints, parameter: string, conditions: Conditions | undefined): void {
  for (const [name, condition] of Object.entries(conditions ?? {})) {
    const path = `${parameter}.${name}.member.comparisonOperator`;
    if (constraints.required(path, condition.ComparisonOperator)) constraints.oneOf(path, condition.ComparisonOperator, COMPARISON_OPERATORS);
  }
}

/** `ConditionalOperator` joins two tests or more. */
export function checkConditionalOperator(operator: string | undefined, conditions: object | undefined): void {
  if (operator === undefined) return;
  if (conditions === undefined) throw validation('ConditionalOperator cannot be used without Filter or Expected');
  if (Object.keys(conditions).length < 2) throw validation('ConditionalOperator can only be used when Filter or Expected has two or more elements');
}

/** `Expected` as a condition. Throws ValidationException. */
export function expectedCondition(expected: Expected, operator: string | undefined): Condition {
  const tests = Object.entries(expected).map(([name, condition]) => {
    checkExpected(name, condition);
    return expectedTest(name, condition);
  });
  return join(tests, operator);
}

function join(tests: readonly Condition[], operator: string | undefined): Condition {
  const [only] = tests;
  return only && tests.length === 1 ? only : { type: operator === 'OR' ? 'or' : 'and', parts: tests };
}

function checkExpected(name: string, condition: ExpectedAttributeValue): void {
  const { AttributeValueList: list, ComparisonOperator: operator, Exists: exists, Value: value } = condition;
  if (list && value) throw invalidParameter(`Value and AttributeValueList cannot be used together for Attribute: ${name}`);
  for (const argument of list ?? (value ? [value] : [])) checkValue(argument as AttributeValue);
  if (operator !== undefined) {
    if (exists !== undefined) throw invalidParameter(`Exists and ComparisonOperator cannot be used together for Attribute: ${name}`);
    if (operator !== 'NULL' && operator !== 'NOT_NULL' && !list && !value) {
      throw invalidParameter(`Value or AttributeValueList must be used with ComparisonOperator: ${operator} for Attribute: ${name}`);
    }
    checkArguments(operator, (list ?? (value ? [value] : [])) as AttributeValue[]);
  } else if (list) {
    throw invalidParameter(`AttributeValueList can only be used with a ComparisonOperator for Attribute: ${name}`);
  } else if (exists !== false && !value) {
    throw invalidParameter(`Value must be provided when Exists is ${exists === undefined ? 'null' : exists} for Attribute: ${name}`);
  } else if (exists === false && value) throw invalidParameter(`Value cannot be used when Exists is false for Attribute: ${name}`);
}

function expectedTest(name: string, condition: ExpectedAttributeValue): Condition {
  const { AttributeValueList: list, ComparisonOperator: operator, Exists: exists, Value: value } = condition;
  if (exists === false) return legacyTest(name, 'NULL', []);
  return legacyTest(name, operator ?? 'EQ', (list ?? (value ? [value] : [])) as AttributeValue[]);
}

/** `QueryFilter`, `ScanFilter` or the tests of `KeyConditions`. Throws ValidationException. */
export function checkConditions(conditions: Conditions): void {
  for (const condition of Object.values(conditions)) {
    const list = (condition.AttributeValueList ?? []) as AttributeValue[];
    for (const argument of list) checkValue(argument);
    checkArguments(condition.ComparisonOperator ?? '', list);
  }
}

export function filterCondition(conditions: Conditions, operator: string | undefined): Condition {
  return join(
    Object.entries(conditions).map(([name, condition]) =>
      legacyTest(name, condition.ComparisonOperator ?? '', (condition.AttributeValueList ?? []) as AttributeValue[]),
    ),
    operator,
  );
}

function checkArguments(operator: string, list: readonly AttributeValue[]): void {
  const wanted = ARGUMENT_COUNTS[operator] ?? 1;
  if (wanted === ANY_COUNT ? list.length === 0 : list.length !== wanted) {
    throw invalidParameter(`Invalid number of argument(s) for the ${operator} ComparisonOperator`);
  }
  const [first] = list;
  if (!first) return;
  const type = typeOf(first);
  if (list.some((argument) => typeOf(argument) !== type)) throw invalidParameter('AttributeValues inside AttributeValueList must be of same type');
  const types = ARGUMENT_TYPES[operator];
  if (types && !types.includes(type)) throw invalidParameter(`ComparisonOperator ${operator} is not valid for ${type} AttributeValue type`);
  if (operator === 'BETWEEN' && (compareValues(first, list[1] as AttributeValue) ?? 0) > 0) {
    throw validation('The BETWEEN condition was provided a range where the lower bound is greater than the upper bound');
  }
}

function legacyTest(name: string, operator: string, list: readonly AttributeValue[]): Condition {
  const operand: Operand = { type: 'path', path: [name] };
  const values = list.map((value): Operand => ({ type: 'value', value }));
  const [first, second] = values as [Operand, Operand];
  const comparator = COMPARATORS[operator];
  if (comparator) return { type: 'compare', operator: comparator, left: operand, right: first };
  switch (operator) {
    case 'NULL':
      return { type: 'function', name: 'attribute_not_exists', args: [operand] };
    case 'NOT_NULL':
      return { type: 'function', name: 'attribute_exists', args: [operand] };
    case 'BETWEEN':
      return { type: 'between', operand, lower: first, upper: second };
    case 'IN':
      return { type: 'in', operand, list: values };
    case 'BEGINS_WITH':
      return { type: 'function', name: 'begins_with', args: [operand, first] };
    case 'NOT_CONTAINS':
      return { type: 'not', part: { type: 'function', name: 'contains', args: [operand, first] } };
    default:
      return { type: 'function', name: 'contains', args: [operand, first] };
  }
}

/** `AttributeUpdates` as actions. Throws ValidationException. */
export function updateActions(updates: Record<string, AttributeValueUpdate>): UpdateAction[] {
  return Object.entries(updates).map(([name, update]): UpdateAction => {
    const path = [name];
    const value = update.Value as AttributeValue | undefined;
    if (value) checkValue(value);
    if (!value) {
      if (update.Action !== 'DELETE') throw invalidParameter('Only DELETE action is allowed when no attribute value is specified');
      return { type: 'remove', path };
    }
    const type = typeOf(value);
    if (update.Action === 'DELETE') {
      if (type !== 'SS' && type !== 'NS' && type !== 'BS') throw invalidParameter(`DELETE action with value is not supported for the type ${type}`);
      return { type: 'delete', path, value };
    }
    if (update.Action === 'ADD') {
      if (!['N', 'SS', 'NS', 'BS', 'L'].includes(type)) throw invalidParameter(`ADD action is not supported for the type ${type}`);
      return { type: 'add', path, value };
    }
    return { type: 'set', path, value: { type: 'value', value } };
  });
}

/** `AttributesToGet`, refused where a name comes twice. */
export function checkAttributesToGet(names: readonly string[] | undefined): void {
  const seen = new Set<string>();
  for (const name of names ?? []) {
    if (seen.has(name)) throw invalidParameter(`Duplicate value in attribute name: ${name}`);
    seen.add(name);
  }
}
