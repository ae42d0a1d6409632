import type {
  CreateRestApiCommandInput,
  DeleteRestApiCommandInput,
  GetRestApiCommandInput,
  GetRestApisCommandInput,
  RestApi,
  RestApis,
  UpdateRestApiCommandInput,
} from '@aws-sdk/client-api-gateway';
import { notImplemented } from '../../../kit/errors.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { NewId } from '../domain/ids.ts';
import { defaultModels } from '../domain/model.ts';
import { pageOf } from '../domain/paging.ts';
import { patchesOf } from '../domain/patch.ts';
import { describeApi, newApi, patchApi } from '../domain/rest-api.ts';
import type { RestApiRow } from '../domain/types.ts';
import { apiNotFound } from '../errors.ts';
import { PURGE_TARGET } from '../purge.ts';
import { keys, list, putPart, readApi, txApi, update } from '../store.ts';

/** "CreateRestApi": with its root resource and the models Empty and Error. */
export const createRestApi: Operation<CreateRestApiCommandInput, RestApi> = (ctx, input) => createRestApiOnce(ctx, input, ctx.platform.ids.text);

/** {@link createRestApi}; ids that come again name the API made before. */
export async function createRestApiOnce(ctx: Ctx, input: CreateRestApiCommandInput, newId: NewId): Promise<RestApi> {
  if (input.cloneFrom !== undefined) throw notImplemented('CreateRestApi with cloneFrom');
  const { store, clock } = ctx.platform;
  const api = newApi(input as Parameters<typeof newApi>[0], newId(10), newId(10), clock.virtual());
  const models = defaultModels().map((model) => ({ ...model, id: newId(6) }));
  return store.transact({ keys: [keys.api(ctx, api.id)] }, (tx) => {
    const before = tx.get(keys.api(ctx, api.id));
    if (before) return describeApi(decodeJson<RestApiRow>(before));
    tx.put(keys.api(ctx, api.id), encodeJson(api));
    tx.put(keys.owner(api.id), encodeJson({ account: ctx.account, region: ctx.region }));
    putPart(tx, ctx, api.id, 'resource', api.rootResourceId, { id: api.rootResourceId, path: '/', methods: {} });
    for (const model of models) putPart(tx, ctx, api.id, 'model', model.name, model);
    return describeApi(api);
  });
}

/** "GetRestApi". */
export const getRestApi: Operation<GetRestApiCommandInput, RestApi> = async (ctx, input) =>
  describeApi(await readApi(ctx.platform.store, ctx, input.restApiId ?? ''));

/** "GetRestApis", oldest first. */
export const getRestApis: Operation<GetRestApisCommandInput, RestApis> = async (ctx, input) => {
  const rows = await list<RestApiRow>(ctx.platform.store, keys.apis(ctx));
  rows.sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
  const page = pageOf(rows, input, (row) => row.id);
  return { ...page, items: page.items.map((row) => describeApi(row)) };
};

/** "UpdateRestApi". */
export const updateRestApi: Operation<UpdateRestApiCommandInput, RestApi> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  return update<RestApiRow, RestApi>(
    ctx.platform.store,
    keys.api(ctx, apiId),
    () => apiNotFound(ctx.account, apiId),
    (row) => {
      const next = patchesOf(input.patchOperations).reduce(patchApi, row);
      return [next, describeApi(next, true)];
    },
  );
};

/** "DeleteRestApi": gone at once; its parts are removed in the background. */
export const deleteRestApi: Operation<DeleteRestApiCommandInput> = async (ctx, input) => {
  const { store, bus } = ctx.platform;
  const apiId = input.restApiId ?? '';
  await store.transact({ keys: [keys.api(ctx, apiId)] }, (tx) => {
    txApi(tx, ctx, apiId);
    tx.delete(keys.api(ctx, apiId));
    tx.delete(keys.owner(apiId));
    bus.enqueue(tx, { target: PURGE_TARGET, account: ctx.account, region: ctx.region, payload: { apiId }, trace: ctx.trace });
  });
  return {};
};
