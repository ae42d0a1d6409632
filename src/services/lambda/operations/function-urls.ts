import type {
  CreateFunctionUrlConfigRequest,
  CreateFunctionUrlConfigResponse,
  DeleteFunctionUrlConfigRequest,
  FunctionUrlConfig,
  GetFunctionUrlConfigRequest,
  GetFunctionUrlConfigResponse,
  ListFunctionUrlConfigsRequest,
  ListFunctionUrlConfigsResponse,
  UpdateFunctionUrlConfigRequest,
  UpdateFunctionUrlConfigResponse,
} from '@aws-sdk/client-lambda';
import type { Ctx, Operation } from '../../service.ts';
import { urlOf } from '../domain/function-url.ts';
import { type FunctionReference, functionArn, readReference } from '../domain/names.ts';
import { refuseTenancy } from '../domain/tenancy.ts';
import { conflict, noSuchResource, notFound } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { LIST_ITEMS_MAX } from '../limits.ts';
import { getAliasRow, getFunctionRow, keys, listRows, read, type UrlCors, type UrlRow, write } from '../store.ts';
import { markerOf, readMarker } from './list-functions.ts';

const ID_LENGTH = 32;
const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';
const NO_FUNCTION = 'Function does not exist';

/** "CreateFunctionUrlConfig". */
export const createFunctionUrlConfig: Operation<CreateFunctionUrlConfigRequest, CreateFunctionUrlConfigResponse> = async (ctx, input) => {
  const { store, clock, ids } = ctx.platform;
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  await requireTarget(ctx, reference);
  const { name, qualifier = '' } = reference;
  refuseTenancy((await requireFunction(ctx.platform, ctx, name)).latest, 'A function URL');
  const nowMs = clock.virtual();
  const row: UrlRow = {
    id: ids.text(ID_LENGTH, ID_LETTERS),
    account: ctx.account,
    region: ctx.region,
    name,
    qualifier,
    authType: input.AuthType ?? '',
    ...(input.Cors ? { cors: input.Cors as UrlCors } : {}),
    ...(input.InvokeMode ? { invokeMode: input.InvokeMode } : {}),
    createdMs: nowMs,
    modifiedMs: nowMs,
  };
  const key = keys.url(ctx, name, qualifier);
  await store.transact({ keys: [key, keys.urlId(row.id)] }, (tx) => {
    if (read(tx, key)) {
      throw conflict(
        `Failed to create function url config for [functionArn = ${functionArn(ctx, name, qualifier || undefined)}]. Error message:  FunctionUrlConfig exists for this Lambda function`,
      );
    }
    write(tx, key, row);
    write(tx, keys.urlId(row.id), row);
  });
  const { LastModifiedTime: _, ...created } = shown(ctx, row);
  return created;
};

/** "GetFunctionUrlConfig". */
export const getFunctionUrlConfig: Operation<GetFunctionUrlConfigRequest, GetFunctionUrlConfigResponse> = async (ctx, input) => {
  const { name, qualifier = '' } = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  return { InvokeMode: 'BUFFERED', ...shown(ctx, await requireUrl(ctx, name, qualifier)) };
};

/** "UpdateFunctionUrlConfig". */
export const updateFunctionUrlConfig: Operation<UpdateFunctionUrlConfigRequest, UpdateFunctionUrlConfigResponse> = async (ctx, input) => {
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  await requireTarget(ctx, reference);
  const { name, qualifier = '' } = reference;
  const { id } = await requireUrl(ctx, name, qualifier);
  const nowMs = ctx.platform.clock.virtual();
  const key = keys.url(ctx, name, qualifier);
  const row = await ctx.platform.store.transact({ keys: [key, keys.urlId(id)] }, (tx) => {
    const before = read<UrlRow>(tx, key);
    if (!before || before.id !== id) throw noSuchResource();
    const after: UrlRow = {
      ...before,
      ...(input.AuthType ? { authType: input.AuthType } : {}),
      ...(input.Cors ? { cors: input.Cors as UrlCors } : {}),
      ...(input.InvokeMode ? { invokeMode: input.InvokeMode } : {}),
      modifiedMs: nowMs,
    };
    write(tx, key, after);
    write(tx, keys.urlId(id), after);
    return after;
  });
  return shown(ctx, row);
};

/** "DeleteFunctionUrlConfig". */
export const deleteFunctionUrlConfig: Operation<DeleteFunctionUrlConfigRequest, Record<string, never>> = async (ctx, input) => {
  const { name, qualifier = '' } = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const { id } = await requireUrl(ctx, name, qualifier);
  const key = keys.url(ctx, name, qualifier);
  await ctx.platform.store.transact({ keys: [key, keys.urlId(id)] }, (tx) => {
    if (read<UrlRow>(tx, key)?.id !== id) throw noSuchResource();
    tx.delete(key);
    tx.delete(keys.urlId(id));
  });
  return {};
};

/** "ListFunctionUrlConfigs". */
export const listFunctionUrlConfigs: Operation<ListFunctionUrlConfigsRequest, ListFunctionUrlConfigsResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  if (!(await getFunctionRow(ctx.platform.store, ctx, name))) throw notFound(NO_FUNCTION);
  const prefix = keys.urls(ctx, name);
  const limit = Math.min(input.MaxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX);
  const { rows, lastKey } = await listRows<UrlRow>(ctx.platform.store, prefix, limit, readMarker(input.Marker, prefix));
  return {
    FunctionUrlConfigs: rows.map((row) => ({ InvokeMode: 'BUFFERED', ...shown(ctx, row) })),
    ...(lastKey === undefined ? {} : { NextMarker: markerOf(lastKey) }),
  };
};

async function requireTarget(ctx: Ctx, { name, qualifier }: FunctionReference): Promise<void> {
  const { store } = ctx.platform;
  if (!(await getFunctionRow(store, ctx, name))) throw notFound(NO_FUNCTION);
  if (qualifier !== undefined && !(await getAliasRow(store, ctx, name, qualifier))) throw notFound(NO_FUNCTION);
}

async function requireUrl(ctx: Ctx, name: string, qualifier: string): Promise<UrlRow> {
  const key = keys.url(ctx, name, qualifier);
  const [row] = (await listRows<UrlRow>(ctx.platform.store, key, 1)).rows;
  if (!row || row.qualifier !== qualifier) throw noSuchResource();
  return row;
}

function shown(ctx: Ctx, row: UrlRow): FunctionUrlConfig {
  return {
    FunctionUrl: urlOf(row.id, row.region, ctx.platform.address()),
    FunctionArn: functionArn(ctx, row.name, row.qualifier || undefined),
    AuthType: row.authType as 'NONE',
    ...(row.cors ? { Cors: { ...row.cors } as NonNullable<FunctionUrlConfig['Cors']> } : {}),
    CreationTime: new Date(row.createdMs).toISOString(),
    LastModifiedTime: new Date(row.modifiedMs).toISOString(),
    ...(row.invokeMode ? { InvokeMode: row.invokeMode as 'BUFFERED' } : {}),
  };
}
