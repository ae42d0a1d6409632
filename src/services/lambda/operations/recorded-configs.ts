import type {
  GetFunctionRecursionConfigRequest,
  GetFunctionRecursionConfigResponse,
  GetRuntimeManagementConfigRequest,
  GetRuntimeManagementConfigResponse,
  PutFunctionRecursionConfigRequest,
  PutRuntimeManagementConfigRequest,
  PutRuntimeManagementConfigResponse,
} from '@aws-sdk/client-lambda';
import type { Ctx, Operation } from '../../service.ts';
import { type FunctionReference, functionArn, readReference } from '../domain/names.ts';
import { functionNotFound, invalidParameter } from '../errors.ts';
import { find, requireFunction } from '../functions.ts';
import { type FunctionRow, keys, read, write } from '../store.ts';

/** "PutFunctionRecursionConfig"; what it says is in `recursion.ts`. */
export const putFunctionRecursionConfig: Operation<PutFunctionRecursionConfigRequest, GetFunctionRecursionConfigResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const recursiveLoop = input.RecursiveLoop ?? 'Terminate';
  await change(ctx, name, (fn) => ({ ...fn, recursiveLoop }));
  return { RecursiveLoop: recursiveLoop };
};

/** "GetFunctionRecursionConfig". */
export const getFunctionRecursionConfig: Operation<GetFunctionRecursionConfigRequest, GetFunctionRecursionConfigResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const { recursiveLoop } = await requireFunction(ctx.platform, ctx, name);
  return { RecursiveLoop: (recursiveLoop ?? 'Terminate') as 'Terminate' };
};

/** "PutRuntimeManagementConfig": kept and shown; the interpreters are the machine's. */
export const putRuntimeManagementConfig: Operation<PutRuntimeManagementConfigRequest, PutRuntimeManagementConfigResponse> = async (ctx, input) => {
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const updateOn = input.UpdateRuntimeOn ?? 'Auto';
  if (updateOn === 'Manual' && !input.RuntimeVersionArn) throw invalidParameter('RuntimeVersionArn is required when UpdateRuntimeOn is set to Manual.');
  if (updateOn !== 'Manual' && input.RuntimeVersionArn) throw invalidParameter('RuntimeVersionArn is only supported when UpdateRuntimeOn is set to Manual.');
  await find(ctx.platform, ctx, reference);
  const setting = { updateOn, ...(input.RuntimeVersionArn ? { versionArn: input.RuntimeVersionArn } : {}) };
  await change(ctx, reference.name, (fn) => ({ ...fn, runtimeManagement: { ...fn.runtimeManagement, [qualifierOf(reference)]: setting } }));
  return shown(ctx, reference, setting);
};

/** "GetRuntimeManagementConfig". */
export const getRuntimeManagementConfig: Operation<GetRuntimeManagementConfigRequest, GetRuntimeManagementConfigResponse> = async (ctx, input) => {
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const { fn } = await find(ctx.platform, ctx, reference);
  return shown(ctx, reference, fn.runtimeManagement?.[qualifierOf(reference)] ?? { updateOn: 'Auto' });
};

const qualifierOf = ({ qualifier = '$LATEST' }: FunctionReference) => qualifier;

function shown(ctx: Ctx, reference: FunctionReference, { updateOn, versionArn }: { readonly updateOn: string; readonly versionArn?: string }) {
  return {
    UpdateRuntimeOn: updateOn as 'Auto',
    FunctionArn: functionArn(ctx, reference.name, qualifierOf(reference)),
    ...(versionArn === undefined ? {} : { RuntimeVersionArn: versionArn }),
  } as PutRuntimeManagementConfigResponse & GetRuntimeManagementConfigResponse;
}

async function change(ctx: Ctx, name: string, to: (fn: FunctionRow) => FunctionRow): Promise<void> {
  const key = keys.fn(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(functionArn(ctx, name));
    write(tx, key, to(fn));
  });
}
