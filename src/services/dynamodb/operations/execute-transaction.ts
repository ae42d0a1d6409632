import type { ExecuteTransactionInput, ExecuteTransactionOutput } from '@aws-sdk/client-dynamodb';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { Constraints, RETURN_CONSUMED_CAPACITY } from '../domain/constraints.ts';
import { itemFilter, itemKey, planWrite, projectionOf } from '../domain/partiql/plan.ts';
import type { Select, Statement, WriteStatement } from '../domain/partiql/statement.ts';
import type { Table } from '../domain/table.ts';
import { validation } from '../errors.ts';
import { openTable } from '../items.ts';
import { TRANSACT_ITEMS_MAX } from '../limits.ts';
import { readStatement } from '../statements.ts';
import type { Tables } from '../store.ts';
import { constrainStatement } from './execute-statement.ts';
import { type Get, readTransaction } from './transact-get-items.ts';
import { writeTransaction } from './transact-write-items.ts';

/** "ExecuteTransaction": up to 100 statements, all reads or all writes, as TransactGetItems or TransactWriteItems runs them. */
export function executeTransaction(tables: Tables): Operation<ExecuteTransactionInput, ExecuteTransactionOutput> {
  const runWrites = writeTransaction(tables);
  return async (ctx, input) => {
    checkInput(input);
    const statements = (input.TransactStatements ?? []).map((member, at) => inStatement(at, () => checked(readStatement(member.Statement, member.Parameters))));
    const reads = statements.filter((statement) => statement.kind === 'select');
    if (reads.length > 0 && reads.length < statements.length) {
      throw validation('ExecuteTransaction API does not support both read and write operations in the same request.');
    }
    if (reads.length > 0) return runReads(tables, ctx, reads, input.ReturnConsumedCapacity);
    const actions = (statements as WriteStatement[]).map((statement, at) => ({
      tableName: statement.from.table,
      plan: (table: Table) => inStatement(at, () => planWrite(table, statement)),
    }));
    const { ConsumedCapacity } = await runWrites(ctx, actions, input, input.TransactStatements);
    return { Responses: [], ...(ConsumedCapacity ? { ConsumedCapacity } : {}) };
  };
}

function checkInput(input: ExecuteTransactionInput): void {
  const constraints = new Constraints();
  constraints.oneOf('returnConsumedCapacity', input.ReturnConsumedCapacity, RETURN_CONSUMED_CAPACITY);
  constraints.length('clientRequestToken', input.ClientRequestToken, 1, 36);
  const members = input.TransactStatements;
  if (constraints.required('transactStatements', members)) constraints.length('transactStatements', members, 1, TRANSACT_ITEMS_MAX);
  (members ?? []).forEach((member, at) => {
    constrainStatement(constraints, `transactStatements.${at + 1}.member.`, member);
  });
  constraints.check();
}

/** What a statement may not have in a transaction. */
function checked(statement: Statement): Statement {
  if ((statement.kind === 'update' || statement.kind === 'delete') && statement.returning) {
    throw validation('RETURNING clause is not supported in ExecuteTransaction.');
  }
  if (statement.kind === 'select' && statement.from.index !== undefined) throw validation('Reads on indices are not supported within transactions.');
  return statement;
}

/** Runs `read` and says of which statement its fault is. */
function inStatement<T>(at: number, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof AwsError && error.code === 'ValidationException') throw validation(`Validation failed in TransactStatements[${at}]: ${error.message}`);
    throw error;
  }
}

async function runReads(tables: Tables, ctx: Ctx, selects: readonly Select[], returnCapacity: string | undefined): Promise<ExecuteTransactionOutput> {
  const found: Table[] = [];
  const gets: Get[] = [];
  for (const [at, select] of selects.entries()) {
    const table = await openTable(tables, ctx, select.from.table);
    found.push(table);
    gets.push(
      inStatement(at, () => {
        const key = itemKey(table, select);
        if (key === undefined) throw validation('Select statements within ExecuteTransaction must specify the primary key in the where clause.');
        return { tableName: table.name, key, projected: projectionOf(select), filter: itemFilter(table, select) };
      }),
    );
  }
  const { Responses, ConsumedCapacity } = await readTransaction(tables, ctx, gets, found, returnCapacity);
  return { Responses: Responses ?? [], ...(ConsumedCapacity ? { ConsumedCapacity } : {}) };
}
