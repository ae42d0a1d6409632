import type { QueryInput, QueryOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { ATTRIBUTES_TO_GET_MAX, CONDITIONAL_OPERATORS, Constraints, RETURN_CONSUMED_CAPACITY, requiredTableName, SELECTS } from '../domain/constraints.ts';
import { type Condition, type ResolvedCondition, resolveCondition } from '../domain/expression/condition.ts';
import { meets } from '../domain/expression/evaluate.ts';
import { checkKeyTests, type KeyRangePlan, type KeyTest, type KeyTests, keyTests, legacyKeyTests, planKeyRange } from '../domain/key-condition.ts';
import { checkAttributesToGet, checkConditionalOperator, checkConditions, constrainConditions, filterCondition } from '../domain/legacy.ts';
import { checkExpressionParameters } from '../domain/parameters.ts';
import { nestedHeadsOf, type Projected, resolveProjected } from '../domain/projected.ts';
import { checkKey, checkNestedPaths, type Index, keyAttributesOf, type Table } from '../domain/table.ts';
import { type AttributeValue, attributeOf, checkValue, equalValues, type Item } from '../domain/value.ts';
import { placeholdersOf } from '../domain/write.ts';
import { validation } from '../errors.ts';
import { openTable } from '../items.ts';
import { checkProjected, checkSelect, indexNamed, readPage, rowOfStartKey } from '../pages.ts';
import type { Tables } from '../store.ts';

/** What a Query asks for, before the table is known. */
interface QueryPlan {
  readonly tests: KeyTests;
  readonly filter: Condition | undefined;
  readonly resolvedFilter: ResolvedCondition | undefined;
  readonly filterHeads: ReadonlySet<string>;
  readonly projected: Projected | undefined;
}

/** "Query": the items of one partition, in the order of their sort keys. */
export function query(tables: Tables): Operation<QueryInput, QueryOutput> {
  return async (ctx, input) => {
    const tableName = checkInput(input);
    const plan = planQuery(input);
    const table = await openTable(tables, ctx, tableName);
    const index = indexNamed(table, input.IndexName, input.ConsistentRead);
    const range = planRange(table, index, plan, input.ExclusiveStartKey as Item | undefined);
    checkFilterKeys(table, index, input, plan);
    checkNestedPaths(table, nestedHeadsOf(plan.projected));
    checkProjected(index, input.Select, plan.projected);
    checkNestedPaths(table, plan.resolvedFilter?.nestedHeads);
    const result = await readPage(tables, ctx, {
      table,
      index,
      range: range.range,
      partitionKey: range.partitionKey,
      reverse: input.ScanIndexForward === false,
      after: input.ExclusiveStartKey && rowOfStartKey(table, index, input.ExclusiveStartKey as Item),
      limit: input.Limit,
      filter: plan.filter,
      projected: plan.projected,
      select: input.Select,
      consistent: input.ConsistentRead,
      returnCapacity: input.ReturnConsumedCapacity,
    });
    return result as QueryOutput;
  };
}

function checkInput(input: QueryInput): string {
  const constraints = new Constraints();
  const tableName = requiredTableName(input.TableName, constraints);
  constraints.oneOf('select', input.Select, SELECTS);
  constraints.name('indexName', input.IndexName, 3);
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constrainConditions(constraints, 'queryFilter', input.QueryFilter);
  constraints.oneOf('conditionalOperator', input.ConditionalOperator, CONDITIONAL_OPERATORS);
  constraints.length('attributesToGet', input.AttributesToGet, 1, ATTRIBUTES_TO_GET_MAX);
  constrainConditions(constraints, 'keyConditions', input.KeyConditions);
  constraints.check();
  if (input.Limit !== undefined && input.Limit < 1) {
    throw validation("1 validation error detected: Value at 'Limit' failed to satisfy constraint: Member must have value greater than or equal to 1");
  }
  return tableName;
}

const EXPRESSIONS = ['ProjectionExpression', 'FilterExpression', 'KeyConditionExpression'];

function planQuery(input: QueryInput): QueryPlan {
  // KeyConditions alone may stand beside the other expressions.
  const legacyKeys = input.KeyConditionExpression === undefined ? [] : ['KeyConditions'];
  checkExpressionParameters(input, EXPRESSIONS, ['AttributesToGet', 'QueryFilter', 'ConditionalOperator', ...legacyKeys]);
  checkConditionalOperator(input.ConditionalOperator, input.QueryFilter);
  if (input.QueryFilter) checkConditions(input.QueryFilter);
  checkAttributesToGet(input.AttributesToGet);
  checkStartKeyValues(input.ExclusiveStartKey as Item | undefined);
  if (input.KeyConditions === undefined && input.KeyConditionExpression === undefined) {
    throw validation('Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.');
  }
  try {
    checkSelect(input.Select, input.IndexName, input.ProjectionExpression, input.AttributesToGet);
  } catch (error) {
    // Query puts these sentences into the envelope, Scan does not.
    throw validation(`1 validation error detected: ${(error as Error).message}`);
  }
  const placeholders = placeholdersOf(input);
  const key = input.KeyConditionExpression === undefined ? undefined : resolveCondition('KeyConditionExpression', input.KeyConditionExpression, placeholders);
  const filter = input.FilterExpression === undefined ? undefined : resolveCondition('FilterExpression', input.FilterExpression, placeholders);
  const projected = resolveProjected(input.ProjectionExpression, input.AttributesToGet, placeholders);
  placeholders.checkAllUsed();
  if (input.KeyConditions) checkConditions(input.KeyConditions);
  const tests = key ? keyTests(key.condition) : legacyKeyTests(input.KeyConditions ?? {});
  if (tests.size !== 1 && tests.size !== 2) throw validation('Conditions can be of length 1 or 2 only');
  const legacyFilter = input.QueryFilter && filterCondition(input.QueryFilter, input.ConditionalOperator);
  return {
    tests,
    filter: filter?.condition ?? legacyFilter,
    resolvedFilter: filter,
    filterHeads: filter?.heads ?? new Set(Object.keys(input.QueryFilter ?? {})),
    projected,
  };
}

/** The values of an ExclusiveStartKey; AWS tells where most of the faults were found, and of some only what they are. */
export function checkStartKeyValues(key: Item | undefined): void {
  for (const value of Object.values(key ?? {})) {
    try {
      checkValue(value);
    } catch (error) {
      const { message } = error as Error;
      if (/contains duplicates|number set|numeric value|significant digits|number with magnitude/.test(message)) throw error;
      throw validation(`The provided starting key is invalid: ${message}`);
    }
  }
}

function planRange(table: Table, index: Index | undefined, plan: QueryPlan, start: Item | undefined): KeyRangePlan {
  const hash = index?.hash ?? table.hash;
  const range = index ? index.range : table.range;
  const names = index?.keyNames ?? table.keyNames;
  if (start && Object.keys(start).length !== names.length) throw validation(INVALID_START);
  checkKeyTests(hash, range, plan.tests, start);
  const planned = planKeyRange(table, index, plan.tests);
  if (start) {
    checkTableStartKey(table, start);
    checkStartInRange(planned, attributeOf(start, hash.name), range && attributeOf(start, range.name));
  }
  return planned;
}

export const INVALID_START = 'The provided starting key is invalid';

/** The table's own key inside a start key. */
export function checkTableStartKey(table: Table, start: Item): void {
  try {
    checkKey(table, keyAttributesOf(table.keyNames, start));
  } catch (error) {
    throw validation(`${INVALID_START}: ${(error as Error).message}`);
  }
}

function checkStartInRange({ hashValue, rangeTest }: KeyRangePlan, hash: AttributeValue | undefined, range: AttributeValue | undefined): void {
  const samePartition = hash !== undefined && equalValues(hash, hashValue);
  if (rangeTest === undefined) {
    if (!samePartition) throw validation('The provided starting key is outside query boundaries based on provided conditions');
    return;
  }
  if (range === undefined || !meetsTest(range, rangeTest)) throw validation('The provided starting key does not match the range key predicate');
  if (!samePartition) throw validation('The query can return at most one row and cannot be restarted');
}

function meetsTest(value: AttributeValue, test: KeyTest): boolean {
  return meets({ key: value }, filterCondition({ key: { ComparisonOperator: test.operator as 'EQ', AttributeValueList: test.values as never } }, undefined));
}

/** The keys that are queried cannot be filtered by. */
function checkFilterKeys(table: Table, index: Index | undefined, input: QueryInput, plan: QueryPlan): void {
  const what = input.QueryFilter ? 'QueryFilter' : 'Filter Expression';
  const names = index ? [index.hash.name, index.range?.name] : table.keyNames;
  for (const name of names) {
    if (name !== undefined && plan.filterHeads.has(name)) {
      throw validation(`${what} can only contain non-primary key attributes: Primary key attribute: ${name}`);
    }
  }
}
