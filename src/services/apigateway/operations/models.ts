import type {
  CreateModelCommandInput,
  DeleteModelCommandInput,
  GetModelCommandInput,
  GetModelsCommandInput,
  Model,
  Models,
  UpdateModelCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Operation } from '../../service.ts';
import { checkSchema } from '../domain/model.ts';
import { pageOf } from '../domain/paging.ts';
import { compact, type Patch, patchesOf, requireReplace } from '../domain/patch.ts';
import type { ModelRow, ResourceRow } from '../domain/types.ts';
import { badRequest, conflict, modelNotFound } from '../errors.ts';
import { keys, list, putPart, rangeOf, read, readApi, txApi, txList, txRead, update } from '../store.ts';

/** "CreateModel". */
export const createModel: Operation<CreateModelCommandInput, Model> = async (ctx, input) => {
  const { store, ids } = ctx.platform;
  const apiId = input.restApiId ?? '';
  const name = input.name ?? '';
  const row = compact({ id: ids.text(6), name, description: input.description || undefined, schema: input.schema, contentType: input.contentType }) as ModelRow;
  const key = keys.part(ctx, apiId, 'model', name);
  await store.transact({ keys: [key], reads: [keys.api(ctx, apiId)] }, (tx) => {
    if (name === '') throw badRequest('Model name must be non-empty');
    txApi(tx, ctx, apiId);
    checkSchema(input.schema);
    if (tx.get(key)) throw conflict('Model name already exists for this REST API');
    putPart(tx, ctx, apiId, 'model', name, row);
  });
  return row;
};

/** "GetModel". */
export const getModel: Operation<GetModelCommandInput, Model> = (ctx, input) => {
  const name = input.modelName ?? '';
  return read<ModelRow>(ctx.platform.store, keys.part(ctx, input.restApiId ?? '', 'model', name), () => modelNotFound(name));
};

/** "GetModels", by name. */
export const getModels: Operation<GetModelsCommandInput, Models> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  return pageOf(await list<ModelRow>(ctx.platform.store, keys.parts(ctx, apiId, 'model')), input, (row) => row.name);
};

function patchModel(row: ModelRow, patch: Patch): ModelRow {
  requireReplace(patch, ['/description', '/schema']);
  if (patch.path === '/schema') checkSchema(patch.value);
  return compact({ ...row, [patch.path.slice(1)]: patch.value || undefined }) as ModelRow;
}

/** "UpdateModel". */
export const updateModel: Operation<UpdateModelCommandInput, Model> = async (ctx, input) => {
  const name = input.modelName ?? '';
  return update<ModelRow, Model>(
    ctx.platform.store,
    keys.part(ctx, input.restApiId ?? '', 'model', name),
    () => modelNotFound(name),
    (row) => {
      const next = patchesOf(input.patchOperations).reduce(patchModel, row);
      return [next, next];
    },
  );
};

/** "DeleteModel": refused while a method takes it. */
export const deleteModel: Operation<DeleteModelCommandInput> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const name = input.modelName ?? '';
  const key = keys.part(ctx, apiId, 'model', name);
  const resources = keys.parts(ctx, apiId, 'resource');
  await ctx.platform.store.transact({ keys: [key], ranges: [rangeOf(resources)] }, (tx) => {
    txRead<ModelRow>(tx, key, () => modelNotFound(name));
    for (const resource of txList<ResourceRow>(tx, resources).sort((a, b) => (a.path < b.path ? -1 : 1))) {
      for (const [httpMethod, method] of Object.entries(resource.methods)) {
        if (!Object.values(method.requestModels ?? {}).includes(name)) continue;
        throw conflict(`Cannot delete model '${name}', is referenced in method request: ${resource.path}/${httpMethod}`);
      }
    }
    tx.delete(key);
  });
  return {};
};
