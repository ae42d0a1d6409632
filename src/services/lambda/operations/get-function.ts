import type { FunctionConfiguration, GetFunctionRequest, GetFunctionResponse } from '@aws-sdk/client-lambda';
import type { Operation } from '../../service.ts';
import { fullConfiguration } from '../domain/configuration.ts';
import { isVersion, readReference } from '../domain/names.ts';
import { find, type LambdaRoom, runtimeWarning } from '../functions.ts';

/** "GetFunction". */
export function getFunction(room: LambdaRoom): Operation<GetFunctionRequest, GetFunctionResponse> {
  return async (ctx, input) => {
    const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
    const { fn, row } = await find(ctx.platform, ctx, reference);
    return {
      Configuration: fullConfiguration(ctx, fn.name, row, reference.qualifier, await runtimeWarning(row)),
      Code: row.image
        ? { RepositoryType: 'ECR', ImageUri: row.image.uri, ResolvedImageUri: row.image.resolvedUri }
        : { RepositoryType: 'S3', Location: room.links.make(ctx.platform, row.code.blobId) },
      // Tags are the function's: a version is shown without, as recorded.
      ...(Object.keys(fn.tags).length > 0 && !isVersion(reference.qualifier ?? '') ? { Tags: { ...fn.tags } } : {}),
      ...(fn.reservedConcurrency === undefined ? {} : { Concurrency: { ReservedConcurrentExecutions: fn.reservedConcurrency } }),
    };
  };
}

/** "GetFunctionConfiguration". */
export const getFunctionConfiguration: Operation<GetFunctionRequest, FunctionConfiguration> = async (ctx, input) => {
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const { fn, row } = await find(ctx.platform, ctx, reference);
  return fullConfiguration(ctx, fn.name, row, reference.qualifier, await runtimeWarning(row));
};
