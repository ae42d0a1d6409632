import type { FunctionConfiguration, UpdateFunctionConfigurationRequest } from '@aws-sdk/client-lambda';
import type { Operation } from '../../service.ts';
import { enqueueSettle } from '../deliveries.ts';
import { fullConfiguration, UPDATING } from '../domain/configuration.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { reconfigured } from '../domain/parameters.ts';
import { functionNotFound } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { type FunctionRow, keys, read, type VersionRow, write } from '../store.ts';
import { checkTotalSize, resolveLayers } from './layers.ts';
import { checkUpdate, runnable } from './update-function-code.ts';

/** "UpdateFunctionConfiguration". */
export const updateFunctionConfiguration: Operation<UpdateFunctionConfigurationRequest, FunctionConfiguration> = async (ctx, input) => {
  const { store, ids, clock } = ctx.platform;
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const arn = functionArn(ctx, name);
  const { latest: current } = await requireFunction(ctx.platform, ctx, name);
  const layers = input.Layers === undefined ? undefined : await resolveLayers(ctx, input.Layers, current.layers);
  if (layers) checkTotalSize(current.code.unzippedBytes, layers);
  const revisionId = ids.uuid();
  const nowMs = clock.virtual();
  const key = keys.fn(ctx, name);
  const latest = await store.transact({ keys: [key] }, (tx) => {
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(arn);
    checkUpdate(fn, arn, input.RevisionId);
    const { variables: _1, imageConfig: _2, layers: had, ...before } = fn.latest;
    const has = layers ?? had ?? [];
    const row: VersionRow = {
      ...before,
      ...(has.length > 0 ? { layers: has } : {}),
      ...reconfigured(name, fn.latest, input),
      lastModifiedMs: nowMs,
      revisionId,
      launchId: revisionId,
      ...UPDATING,
    };
    write(tx, key, { ...fn, latest: row, previous: runnable(fn) });
    enqueueSettle(ctx, tx, { name, revisionId });
    return row;
  });
  return fullConfiguration(ctx, name, latest);
};
