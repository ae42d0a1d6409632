import type {
  DeleteFunctionConcurrencyRequest,
  GetFunctionConcurrencyRequest,
  GetFunctionConcurrencyResponse,
  PutFunctionConcurrencyRequest,
} from '@aws-sdk/client-lambda';
import type { Ctx, Operation } from '../../service.ts';
import { takenBy } from '../domain/concurrency.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { functionNotFound, invalidParameter, plainInvalidParameter } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { CONCURRENT_EXECUTIONS, UNRESERVED_CONCURRENCY_MIN } from '../limits.ts';
import { type FunctionRow, keys, read } from '../store.ts';
import { changeConcurrency } from './shared-concurrency.ts';

/** "PutFunctionConcurrency". */
export const putFunctionConcurrency: Operation<PutFunctionConcurrencyRequest, GetFunctionConcurrencyResponse> = async (ctx, input) => {
  const name = unqualified(ctx, input.FunctionName ?? '');
  const reserved = input.ReservedConcurrentExecutions ?? 0;
  await changeConcurrency(ctx, name, (tx, others) => {
    const fn = read<FunctionRow>(tx, keys.fn(ctx, name));
    if (!fn) throw functionNotFound(functionArn(ctx, name, '$LATEST'));
    const { provisioned } = takenBy(fn);
    if (reserved < provisioned) {
      throw plainInvalidParameter(
        ` ReservedConcurrentExecutions  ${reserved} should not be lower than function's total provisioned concurrency [${provisioned}].`,
      );
    }
    if (CONCURRENT_EXECUTIONS - others - reserved < UNRESERVED_CONCURRENCY_MIN) {
      throw plainInvalidParameter(
        `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${UNRESERVED_CONCURRENCY_MIN}].`,
      );
    }
    return { ...fn, reservedConcurrency: reserved };
  });
  return { ReservedConcurrentExecutions: reserved };
};

/** "GetFunctionConcurrency". */
export const getFunctionConcurrency: Operation<GetFunctionConcurrencyRequest, GetFunctionConcurrencyResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const { reservedConcurrency } = await requireFunction(ctx.platform, ctx, name);
  return reservedConcurrency === undefined ? {} : { ReservedConcurrentExecutions: reservedConcurrency };
};

/** "DeleteFunctionConcurrency". */
export const deleteFunctionConcurrency: Operation<DeleteFunctionConcurrencyRequest, Record<string, never>> = async (ctx, input) => {
  const name = unqualified(ctx, input.FunctionName ?? '');
  await changeConcurrency(ctx, name, (tx) => {
    const before = read<FunctionRow>(tx, keys.fn(ctx, name));
    if (!before) throw functionNotFound(functionArn(ctx, name));
    const { reservedConcurrency: _, ...fn } = before;
    return fn;
  });
  return {};
};

function unqualified(ctx: Ctx, functionName: string): string {
  const { name, qualifier } = readReference(ctx, functionName);
  if (qualifier !== undefined) {
    throw invalidParameter(
      'This operation is permitted on Lambda functions only. Aliases and versions do not support this operation. Please specify either a function name or an unqualified function ARN.',
    );
  }
  return name;
}
