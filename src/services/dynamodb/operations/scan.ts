import type { ScanInput, ScanOutput } from '@aws-sdk/client-dynamodb';
import { prefixEnd } from '../../../kit/key.ts';
import type { Operation } from '../../service.ts';
import { ATTRIBUTES_TO_GET_MAX, CONDITIONAL_OPERATORS, Constraints, RETURN_CONSUMED_CAPACITY, requiredTableName, SELECTS } from '../domain/constraints.ts';
import { resolveCondition } from '../domain/expression/condition.ts';
import { checkAttributesToGet, checkConditionalOperator, checkConditions, constrainConditions, filterCondition } from '../domain/legacy.ts';
import { checkExpressionParameters } from '../domain/parameters.ts';
import { nestedHeadsOf, resolveProjected } from '../domain/projected.ts';
import { checkKeyPiece, checkNestedPaths, type Index, type Table } from '../domain/table.ts';
import { attributeOf, type Item } from '../domain/value.ts';
import { placeholdersOf } from '../domain/write.ts';
import { KEY_SCHEMA_MISMATCH, validation } from '../errors.ts';
import { openTable } from '../items.ts';
import { SCAN_SEGMENTS_MAX } from '../limits.ts';
import { checkProjected, checkSelect, indexNamed, readPage, rowOfStartKey, segmentRange } from '../pages.ts';
import type { Tables } from '../store.ts';
import { checkStartKeyValues, checkTableStartKey, INVALID_START } from './query.ts';

/** "Scan": every item, in the order of the partition keys' hashes; segments are equal parts of the hash space. */
export function scan(tables: Tables): Operation<ScanInput, ScanOutput> {
  return async (ctx, input) => {
    const tableName = checkInput(input);
    const { filter, projected } = planScan(input);
    const table = await openTable(tables, ctx, tableName);
    const index = indexNamed(table, input.IndexName, input.ConsistentRead);
    const start = input.ExclusiveStartKey as Item | undefined;
    if (start) checkStartKey(table, index, start);
    checkProjected(index, input.Select, projected);
    if (start) checkTableStartKey(table, start);
    const prefix = index?.prefix ?? table.itemPrefix;
    const range = input.TotalSegments === undefined ? { from: prefix, to: prefixEnd(prefix) } : segmentRange(prefix, input.Segment ?? 0, input.TotalSegments);
    const after = start && rowOfStartKey(table, index, start);
    if (after !== undefined && (after < range.from || after >= range.to)) {
      throw validation(
        `The provided starting key is invalid: Invalid ExclusiveStartKey. Please use ExclusiveStartKey with correct Segment. TotalSegments: ${input.TotalSegments} Segment: ${input.Segment}`,
      );
    }
    checkNestedPaths(table, nestedHeadsOf(projected));
    checkNestedPaths(table, filter?.nestedHeads);
    const result = await readPage(tables, ctx, {
      table,
      index,
      range,
      partitionKey: undefined,
      reverse: false,
      after,
      limit: input.Limit,
      filter: filter?.condition ?? (input.ScanFilter && filterCondition(input.ScanFilter, input.ConditionalOperator)),
      projected,
      select: input.Select,
      consistent: input.ConsistentRead,
      returnCapacity: input.ReturnConsumedCapacity,
    });
    return result as ScanOutput;
  };
}

function checkInput(input: ScanInput): string {
  const constraints = new Constraints();
  const tableName = requiredTableName(input.TableName, constraints);
  constraints.oneOf('select', input.Select, SELECTS);
  constraints.name('indexName', input.IndexName, 3);
  constraints.atLeast('totalSegments', input.TotalSegments, 1);
  constraints.atMost('totalSegments', input.TotalSegments, SCAN_SEGMENTS_MAX);
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constraints.oneOf('conditionalOperator', input.ConditionalOperator, CONDITIONAL_OPERATORS);
  constrainConditions(constraints, 'scanFilter', input.ScanFilter);
  constraints.atLeast('segment', input.Segment, 0);
  constraints.atMost('segment', input.Segment, SCAN_SEGMENTS_MAX - 1);
  constraints.atLeast('limit', input.Limit, 1);
  constraints.length('attributesToGet', input.AttributesToGet, 1, ATTRIBUTES_TO_GET_MAX);
  constraints.check();
  return tableName;
}

function planScan(input: ScanInput) {
  checkExpressionParameters(input, ['ProjectionExpression', 'FilterExpression'], ['AttributesToGet', 'ScanFilter', 'ConditionalOperator']);
  checkAttributesToGet(input.AttributesToGet);
  checkConditionalOperator(input.ConditionalOperator, input.ScanFilter);
  if (input.ScanFilter) checkConditions(input.ScanFilter);
  checkStartKeyValues(input.ExclusiveStartKey as Item | undefined);
  checkSegments(input.Segment, input.TotalSegments);
  checkSelect(input.Select, input.IndexName, input.ProjectionExpression, input.AttributesToGet);
  const placeholders = placeholdersOf(input);
  const filter = input.FilterExpression === undefined ? undefined : resolveCondition('FilterExpression', input.FilterExpression, placeholders);
  const projected = resolveProjected(input.ProjectionExpression, input.AttributesToGet, placeholders);
  placeholders.checkAllUsed();
  return { filter, projected };
}

function checkSegments(segment: number | undefined, total: number | undefined): void {
  if (segment !== undefined && total === undefined) {
    throw validation('The TotalSegments parameter is required but was not present in the request when Segment parameter is present');
  }
  if (total === undefined) return;
  if (segment === undefined) {
    throw validation('The Segment parameter is required but was not present in the request when parameter TotalSegments is present');
  }
  if (segment >= total) {
    throw validation(
      `The Segment parameter is zero-based and must be less than parameter TotalSegments: Segment: ${segment} is not less than TotalSegments: ${total}`,
    );
  }
}

/** Of an index's start key Scan tells less than of a table's. */
function checkStartKey(table: Table, index: Index | undefined, start: Item): void {
  const names = index?.keyNames ?? table.keyNames;
  if (Object.keys(start).length !== names.length) throw validation(index ? INVALID_START : `${INVALID_START}: ${KEY_SCHEMA_MISMATCH}`);
  if (!index) return;
  for (const attribute of index.range ? [index.hash, index.range] : [index.hash]) {
    if (attributeOf(start, attribute.name) === undefined) throw validation(INVALID_START);
    checkKeyPiece(start, attribute, attribute === index.hash);
  }
}
