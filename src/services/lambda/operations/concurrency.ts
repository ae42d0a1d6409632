import type {
  DeleteFunctionConcurrencyRequest,
  GetFunctionConcurrencyRequest,
  GetFunctionConcurrencyResponse,
  PutFunctionConcurrencyRequest,
} from '@aws-sdk/client-lambda';
import type { Ctx, Operation } from '../../service.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { functionNotFound, invalidParameter, plainInvalidParameter } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { CONCURRENT_EXECUTIONS, UNRESERVED_CONCURRENCY_MIN } from '../limits.ts';
import { type FunctionRow, keys, read, write } from '../store.ts';
import { reservedByOthers } from './storage.ts';

/** "PutFunctionConcurrency". */
export const putFunctionConcurrency: Operation<PutFunctionConcurrencyRequest, GetFunctionConcurrencyResponse> = async (ctx, input) => {
  const name = unqualified(ctx, input.FunctionName ?? '');
  const reserved = input.ReservedConcurrentExecutions ?? 0;
  if (!(await ctx.platform.store.get(keys.fn(ctx, name)))) throw functionNotFound(functionArn(ctx, name, '$LATEST'));
  if (CONCURRENT_EXECUTIONS - (await reservedByOthers(ctx, name)) - reserved < UNRESERVED_CONCURRENCY_MIN) {
    throw plainInvalidParameter(
      `Specified ReservedConcurrentExecutions for function decreases account's UnreservedConcurrentExecution below its minimum value of [${UNRESERVED_CONCURRENCY_MIN}].`,
    );
  }
  await change(ctx, name, (fn) => ({ ...fn, reservedConcurrency: reserved }));
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
  await change(ctx, unqualified(ctx, input.FunctionName ?? ''), ({ reservedConcurrency: _, ...fn }) => fn);
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

async function change(ctx: Ctx, name: string, to: (fn: FunctionRow) => FunctionRow): Promise<void> {
  const key = keys.fn(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(functionArn(ctx, name));
    write(tx, key, to(fn));
  });
}
