import type {
  CreateStageCommandInput,
  DeleteStageCommandInput,
  GetStageCommandInput,
  GetStagesCommandInput,
  Stage,
  Stages,
  UpdateStageCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { patchesOf } from '../domain/patch.ts';
import { checkStageName, describeStage, newStage, patchStage } from '../domain/stage.ts';
import type { StageRow } from '../domain/types.ts';
import { badRequest, conflict, limitExceeded, stageNotFound } from '../errors.ts';
import { STAGES_MAX } from '../limits.ts';
import { keys, list, putPart, rangeOf, read, readApi, txApi, txList, txRead, update } from '../store.ts';

function checkDeployment(tx: Tx, ctx: Ctx, apiId: string, deploymentId: string): void {
  if (!tx.get(keys.part(ctx, apiId, 'deployment', deploymentId))) throw badRequest('Deployment id does not exist');
}

/** "CreateStage". */
export const createStage: Operation<CreateStageCommandInput, Stage> = async (ctx, input) => {
  const { store, clock } = ctx.platform;
  const apiId = input.restApiId ?? '';
  const stageName = input.stageName ?? '';
  checkStageName(stageName);
  const row = newStage({ ...(input as Partial<StageRow>), stageName, deploymentId: input.deploymentId ?? '' }, clock.virtual());
  const stages = keys.parts(ctx, apiId, 'stage');
  await store.transact({ reads: [keys.api(ctx, apiId)], ranges: [rangeOf(stages)] }, (tx) => {
    txApi(tx, ctx, apiId);
    checkDeployment(tx, ctx, apiId, row.deploymentId);
    if (row.canarySettings?.deploymentId) checkDeployment(tx, ctx, apiId, row.canarySettings.deploymentId);
    const existing = txList<StageRow>(tx, stages);
    if (existing.some((stage) => stage.stageName === stageName)) throw conflict('Stage already exists');
    if (existing.length >= STAGES_MAX)
      throw limitExceeded('Maximum number of stages for this API has been reached. Please contact AWS if you need additional stages.');
    putPart(tx, ctx, apiId, 'stage', stageName, row);
  });
  return describeStage(row);
};

/** "GetStage". */
export const getStage: Operation<GetStageCommandInput, Stage> = async (ctx, input) =>
  describeStage(await read<StageRow>(ctx.platform.store, keys.part(ctx, input.restApiId ?? '', 'stage', input.stageName ?? ''), stageNotFound));

/** "GetStages", by name. */
export const getStages: Operation<GetStagesCommandInput, Stages> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  const rows = await list<StageRow>(ctx.platform.store, keys.parts(ctx, apiId, 'stage'));
  return { item: rows.filter((row) => input.deploymentId === undefined || row.deploymentId === input.deploymentId).map(describeStage) };
};

/** "UpdateStage". */
export const updateStage: Operation<UpdateStageCommandInput, Stage> = async (ctx, input) => {
  const { store, clock } = ctx.platform;
  const apiId = input.restApiId ?? '';
  const nowMs = clock.virtual();
  return update<StageRow, Stage>(store, keys.part(ctx, apiId, 'stage', input.stageName ?? ''), stageNotFound, (row, tx) => {
    const patched = patchesOf(input.patchOperations).reduce(patchStage, row);
    if (patched.deploymentId !== row.deploymentId) checkDeployment(tx, ctx, apiId, patched.deploymentId);
    const canary = patched.canarySettings?.deploymentId;
    if (canary !== undefined && canary !== row.canarySettings?.deploymentId) checkDeployment(tx, ctx, apiId, canary);
    const next = { ...patched, updatedMs: nowMs };
    return [next, describeStage(next)];
  });
};

/** "DeleteStage". */
export const deleteStage: Operation<DeleteStageCommandInput> = async (ctx, input) => {
  const key = keys.part(ctx, input.restApiId ?? '', 'stage', input.stageName ?? '');
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    txRead<StageRow>(tx, key, stageNotFound);
    tx.delete(key);
  });
  return {};
};
