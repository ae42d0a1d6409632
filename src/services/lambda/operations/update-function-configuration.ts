import type { FunctionConfiguration, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda';
import type { Operation } from '../../service.ts';
import { enqueueSettle } from '../deliveries.ts';
import { fullConfiguration, UPDATING } from '../domain/configuration.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { reconfigured } from '../domain/parameters.ts';
import { functionNotFound } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { type FunctionRow, keys, read, type VersionRow, write } from '../store.ts';
import { checkUpdate, runnable } from './update-function-code.ts';

/** "UpdateFunctionConfiguration". */
export const updateFunctionConfiguration: Operation<UpdateFunctionConfigurationRequest, FunctionConfiguration> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const arn = functionArn(ctx, name);
  await requireFunction(ctx.platform, ctx, name);
  const revisionId = ids.uuid();
  const nowMs = clock.virtual();
  const key = keys.fn(ctx, name);
  const latest = await store.transact({ keys: [key] }, (tx) => {
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(arn);
    checkUpdate(fn, arn, input.RevisionId);
    const { variables: _, ...before } = fn.latest;
    const row: VersionRow = { ...before, ...reconfigured(name, fn.latest, input), lastModifiedMs: nowMs, revisionId, launchId: revisionId, ...UPDATING };
    write(tx, key, { ...fn, latest: row, previous: runnable(fn) });
    enqueueSettle(ctx, tx, { name, revisionId });
    return row;
  });
  return fullConfiguration(ctx, name, latest);
};
