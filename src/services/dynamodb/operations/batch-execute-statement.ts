import type {
  BatchExecuteStatementInput,
  BatchExecuteStatementOutput,
  BatchStatementErrorCodeEnum,
  BatchStatementRequest,
  BatchStatementResponse,
} from '@aws-sdk/client-dynamodb';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { consumedCapacity, Units } from '../domain/capacity.ts';
import { Constraints, RETURN_CONSUMED_CAPACITY } from '../domain/constraints.ts';
import { itemKey } from '../domain/partiql/plan.ts';
import type { Statement } from '../domain/partiql/statement.ts';
import type { Table } from '../domain/table.ts';
import { validation } from '../errors.ts';
import { openTable } from '../items.ts';
import { BATCH_STATEMENTS_MAX } from '../limits.ts';
import { readStatement, runSelect, runWriteStatement } from '../statements.ts';
import type { Tables } from '../store.ts';
import { constrainStatement } from './execute-statement.ts';

interface Done {
  readonly response: BatchStatementResponse;
  readonly table?: Table;
  readonly units?: Units;
}

/** "BatchExecuteStatement": up to 25 statements of one item each; what is wrong with one is told in its place. */
export function batchExecuteStatement(tables: Tables): Operation<BatchExecuteStatementInput, BatchExecuteStatementOutput> {
  return async (ctx, input) => {
    checkInput(input);
    const members = (input.Statements ?? []).map((request) => ({ request, statement: attempt(() => readStatement(request.Statement, request.Parameters)) }));
    const kinds = new Set(members.flatMap(({ statement }) => (statement instanceof AwsError ? [] : [statement.kind === 'select'])));
    if (kinds.size > 1) throw validation('BatchExecuteStatement API does not support both read and write operations in the same request.');
    const done: Done[] = [];
    for (const { request, statement } of members) done.push(statement instanceof AwsError ? failed(statement) : await run(tables, ctx, request, statement));
    const capacities = [...unitsByTable(done)].map(([table, units]) => consumedCapacity(input.ReturnConsumedCapacity, table, units));
    const ConsumedCapacity = capacities.filter((capacity) => capacity !== undefined);
    return { Responses: done.map(({ response }) => response), ...(ConsumedCapacity.length > 0 ? { ConsumedCapacity } : {}) };
  };
}

function checkInput(input: BatchExecuteStatementInput): void {
  const constraints = new Constraints();
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  if (constraints.required('statements', input.Statements)) constraints.length('statements', input.Statements, 1, BATCH_STATEMENTS_MAX);
  (input.Statements ?? []).forEach((statement, at) => {
    constrainStatement(constraints, `statements.${at + 1}.member.`, statement);
  });
  constraints.check();
}

async function run(tables: Tables, ctx: Ctx, request: BatchStatementRequest, statement: Statement): Promise<Done> {
  try {
    if (statement.kind === 'select') {
      if (itemKey(await openTable(tables, ctx, statement.from.table), statement) === undefined) {
        throw validation('Select statements within BatchExecuteStatement must specify the primary key in the where clause.');
      }
      const { table, items, units } = await runSelect(tables, ctx, statement, { consistent: request.ConsistentRead });
      ctx.meter('ReadRequestUnits', units.total);
      return { table, units, response: answer(table, items) };
    }
    const { table, items, units } = await runWriteStatement(tables, ctx, statement, false);
    return { table, units, response: answer(table, items) };
  } catch (error) {
    if (error instanceof AwsError) return failed(error, statement.from.table);
    throw error;
  }
}

function answer(table: Table, items: readonly unknown[]): BatchStatementResponse {
  return { TableName: table.name, ...(items.length > 0 ? { Item: items[0] as NonNullable<BatchStatementResponse['Item']> } : {}) };
}

const CODES: Readonly<Record<string, BatchStatementErrorCodeEnum>> = {
  ValidationException: 'ValidationError',
  ResourceNotFoundException: 'ResourceNotFound',
  ConditionalCheckFailedException: 'ConditionalCheckFailed',
  DuplicateItemException: 'DuplicateItem',
};

/** A statement that reached its table and failed there names it. */
function failed(error: AwsError, table?: string): Done {
  const Code = CODES[error.code] ?? 'InternalServerError';
  const ran = Code === 'ConditionalCheckFailed' || Code === 'DuplicateItem';
  return { response: { Error: { Code, Message: error.message }, ...(ran && table !== undefined ? { TableName: table } : {}) } };
}

function attempt<T>(read: () => T): T | AwsError {
  try {
    return read();
  } catch (error) {
    if (error instanceof AwsError) return error;
    throw error;
  }
}

function unitsByTable(done: readonly Done[]): Map<Table, Units> {
  const byTable = new Map<Table, Units>();
  for (const { table, units } of done) {
    if (!table || !units) continue;
    const sum = byTable.get(table) ?? new Units();
    sum.add(units);
    byTable.set(table, sum);
  }
  return byTable;
}
