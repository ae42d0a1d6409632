import type { ExecuteStatementInput, ExecuteStatementOutput } from '@aws-sdk/client-dynamodb';
import type { Operation } from '../../service.ts';
import { consumedCapacity } from '../domain/capacity.ts';
import { Constraints, RETURN_CONSUMED_CAPACITY, RETURN_VALUES_ON_FAILURE } from '../domain/constraints.ts';
import { STATEMENT_CHARS_MAX } from '../limits.ts';
import { readStatement, runSelect, runWriteStatement } from '../statements.ts';
import type { Tables } from '../store.ts';

/** "ExecuteStatement": one PartiQL statement, a page of it where it reads. */
export function executeStatement(tables: Tables): Operation<ExecuteStatementInput, ExecuteStatementOutput> {
  return async (ctx, input) => {
    checkInput(input);
    const statement = readStatement(input.Statement, input.Parameters);
    if (statement.kind === 'select') {
      const page = await runSelect(tables, ctx, statement, {
        consistent: input.ConsistentRead,
        limit: input.Limit,
        nextToken: input.NextToken,
        request: [input.Statement, input.Parameters ?? []],
      });
      ctx.meter('ReadRequestUnits', page.units.total);
      const ConsumedCapacity = consumedCapacity(input.ReturnConsumedCapacity, page.table, page.units);
      return {
        Items: page.items as ExecuteStatementOutput['Items'],
        ...(page.nextToken ? { NextToken: page.nextToken } : {}),
        ...(page.last ? { LastEvaluatedKey: page.last as ExecuteStatementOutput['LastEvaluatedKey'] } : {}),
        ...(ConsumedCapacity ? { ConsumedCapacity } : {}),
      };
    }
    const { table, items, units } = await runWriteStatement(tables, ctx, statement, input.ReturnValuesOnConditionCheckFailure === 'ALL_OLD');
    const ConsumedCapacity = consumedCapacity(input.ReturnConsumedCapacity, table, units);
    return { Items: items as ExecuteStatementOutput['Items'], ...(ConsumedCapacity ? { ConsumedCapacity } : {}) };
  };
}

function checkInput(input: ExecuteStatementInput): void {
  const constraints = new Constraints();
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constrainStatement(constraints, '', input);
  constraints.length('nextToken', input.NextToken, 1);
  constraints.atLeast('limit', input.Limit, 1);
  constraints.oneOf('returnValuesOnConditionCheckFailure', input.ReturnValuesOnConditionCheckFailure, RETURN_VALUES_ON_FAILURE);
  constraints.check();
}

/** The constraints that a statement has wherever it stands; `path` ends with a dot. */
export function constrainStatement(
  constraints: Constraints,
  path: string,
  input: { Statement?: string | undefined; Parameters?: readonly unknown[] | undefined },
): void {
  if (constraints.required(`${path}statement`, input.Statement)) constraints.length(`${path}statement`, input.Statement, 1, STATEMENT_CHARS_MAX);
  constraints.length(`${path}parameters`, input.Parameters, 1);
}
