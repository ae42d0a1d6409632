import type {
  CreateDeploymentCommandInput,
  DeleteDeploymentCommandInput,
  Deployment,
  Deployments,
  GetDeploymentCommandInput,
  GetDeploymentsCommandInput,
  UpdateDeploymentCommandInput,
} from '@aws-sdk/client-api-gateway';
import { decodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import { newCanary } from '../domain/canary.ts';
import type { NewId } from '../domain/ids.ts';
import { pageOf } from '../domain/paging.ts';
import { compact, invalidPath, type Patch, patchesOf } from '../domain/patch.ts';
import { checkStageName, newStage } from '../domain/stage.ts';
import type { ApiSnapshot, DeploymentRow, StageRow } from '../domain/types.ts';
import { badRequest, deploymentNotFound } from '../errors.ts';
import {
  keys,
  list,
  putDeployment,
  putPart,
  rangeOf,
  read,
  readApi,
  deleteDeployment as removeDeployment,
  txList,
  txRead,
  txSnapshot,
  update,
} from '../store.ts';

function describe(row: DeploymentRow, embed: readonly string[] | undefined): Deployment {
  return compact({
    id: row.id,
    description: row.description,
    createdDate: new Date(row.createdMs),
    apiSummary: embed?.includes('apisummary') ? row.apiSummary : undefined,
  });
}

/** An API can be deployed once every method has an integration. */
function summaryOf(snapshot: ApiSnapshot): DeploymentRow['apiSummary'] {
  const summary: DeploymentRow['apiSummary'] = {};
  for (const resource of snapshot.resources) {
    for (const [name, method] of Object.entries(resource.methods)) {
      if (!method.methodIntegration) throw badRequest('No integration defined for method');
      summary[resource.path] = {
        ...summary[resource.path],
        [name]: { authorizationType: method.authorizationType ?? 'NONE', apiKeyRequired: method.apiKeyRequired ?? false },
      };
    }
  }
  if (Object.keys(summary).length === 0) throw badRequest("The REST API doesn't contain any methods");
  return summary;
}

/** "CreateDeployment": the API as it is in this commit, and the stage if one is named. */
export const createDeployment: Operation<CreateDeploymentCommandInput, Deployment> = (ctx, input) => createDeploymentOnce(ctx, input, ctx.platform.ids.text);

/** {@link createDeployment}; an id that comes again names the deployment made before. */
export async function createDeploymentOnce(ctx: Ctx, input: CreateDeploymentCommandInput, newId: NewId): Promise<Deployment> {
  const { store, clock } = ctx.platform;
  const apiId = input.restApiId ?? '';
  const id = newId(6);
  const nowMs = clock.virtual();
  const stageName = input.stageName || undefined;
  if (stageName !== undefined) checkStageName(stageName);
  if (input.canarySettings && stageName === undefined) {
    throw badRequest(
      `Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment. Provided value is ${input.stageName ?? 'null'}`,
    );
  }
  const ranges = (['resource', 'model', 'validator', 'authorizer', 'gatewayResponse'] as const).map((part) => rangeOf(keys.parts(ctx, apiId, part)));
  const row = await store.transact(
    { reads: [keys.api(ctx, apiId)], ranges, keys: stageName === undefined ? [] : [keys.part(ctx, apiId, 'stage', stageName)] },
    (tx) => {
      const before = tx.get(keys.part(ctx, apiId, 'deployment', id));
      if (before) return decodeJson<DeploymentRow>(before);
      const snapshot = txSnapshot(tx, ctx, apiId);
      const deployment = putDeployment(
        tx,
        ctx,
        apiId,
        compact({ id, description: input.description || undefined, createdMs: nowMs, apiSummary: summaryOf(snapshot) }),
        snapshot,
      );
      if (stageName === undefined) return deployment;
      const existing = tx.get(keys.part(ctx, apiId, 'stage', stageName));
      if (input.canarySettings) {
        if (!existing) {
          throw badRequest(`Invalid deployment content specified.Stage ${stageName} must already be created before making a canary release deployment`);
        }
        const canarySettings = newCanary(input.canarySettings, id);
        putPart(tx, ctx, apiId, 'stage', stageName, { ...decodeJson<StageRow>(existing), canarySettings, updatedMs: nowMs });
        return deployment;
      }
      const stage: StageRow = existing
        ? { ...decodeJson<StageRow>(existing), deploymentId: id, updatedMs: nowMs, ...(input.variables ? { variables: input.variables } : {}) }
        : newStage(
            {
              stageName,
              deploymentId: id,
              description: input.stageDescription,
              variables: input.variables,
              cacheClusterEnabled: input.cacheClusterEnabled,
              cacheClusterSize: input.cacheClusterSize,
              tracingEnabled: input.tracingEnabled,
            },
            nowMs,
          );
      putPart(tx, ctx, apiId, 'stage', stageName, stage);
      return deployment;
    },
  );
  return describe(row, undefined);
}

/** "GetDeployment". */
export const getDeployment: Operation<GetDeploymentCommandInput, Deployment> = async (ctx, input) => {
  const key = keys.part(ctx, input.restApiId ?? '', 'deployment', input.deploymentId ?? '');
  return describe(await read<DeploymentRow>(ctx.platform.store, key, deploymentNotFound), input.embed);
};

/** "GetDeployments", newest first. */
export const getDeployments: Operation<GetDeploymentsCommandInput, Deployments> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  const rows = await list<DeploymentRow>(ctx.platform.store, keys.parts(ctx, apiId, 'deployment'));
  rows.sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
  const page = pageOf(rows, input, (row) => row.id);
  return { ...page, items: page.items.map((row) => describe(row, undefined)) };
};

function patchDeployment(row: DeploymentRow, patch: Patch): DeploymentRow {
  if (patch.path !== '/description') throw invalidPath(patch);
  return compact({ ...row, description: patch.op === 'remove' ? undefined : patch.value }) as DeploymentRow;
}

/** "UpdateDeployment": its description. */
export const updateDeployment: Operation<UpdateDeploymentCommandInput, Deployment> = async (ctx, input) =>
  update<DeploymentRow, Deployment>(
    ctx.platform.store,
    keys.part(ctx, input.restApiId ?? '', 'deployment', input.deploymentId ?? ''),
    deploymentNotFound,
    (row) => {
      const next = patchesOf(input.patchOperations).reduce(patchDeployment, row);
      return [next, describe(next, undefined)];
    },
  );

/** "DeleteDeployment": refused while a stage points to it. */
export const deleteDeployment: Operation<DeleteDeploymentCommandInput> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const id = input.deploymentId ?? '';
  const key = keys.part(ctx, apiId, 'deployment', id);
  const stages = keys.parts(ctx, apiId, 'stage');
  await ctx.platform.store.transact({ keys: [key], ranges: [rangeOf(stages)] }, (tx) => {
    const row = txRead<DeploymentRow>(tx, key, deploymentNotFound);
    if (txList<StageRow>(tx, stages).some((stage) => stage.deploymentId === id || stage.canarySettings?.deploymentId === id)) {
      throw badRequest('Active stages pointing to this deployment must be moved or deleted');
    }
    removeDeployment(tx, ctx, apiId, row);
  });
  return {};
};
