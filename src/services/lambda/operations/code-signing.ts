import type {
  CodeSigningConfig,
  CreateCodeSigningConfigRequest,
  CreateCodeSigningConfigResponse,
  DeleteCodeSigningConfigRequest,
  DeleteFunctionCodeSigningConfigRequest,
  GetFunctionCodeSigningConfigRequest,
  ListCodeSigningConfigsRequest,
  ListCodeSigningConfigsResponse,
  ListFunctionsByCodeSigningConfigRequest,
  ListFunctionsByCodeSigningConfigResponse,
  PutFunctionCodeSigningConfigRequest,
  PutFunctionCodeSigningConfigResponse,
  UpdateCodeSigningConfigRequest,
} from '@aws-sdk/client-lambda';
import { formatArn } from '../../../kit/arn.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { lastModified } from '../domain/configuration.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { codeSigningConfigGone, codeSigningConfigNotFound, conflict, functionNotFound } from '../errors.ts';
import { requireFunction } from '../functions.ts';
import { LIST_ITEMS_MAX } from '../limits.ts';
import { type CodeSigningRow, type FunctionRow, getCodeSigningRow, keys, listRows, read, readAll, under, write } from '../store.ts';
import { markerOf, readMarker } from './list-functions.ts';

const ID_LENGTH = 17;
const ID_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

/** "CreateCodeSigningConfig": kept and shown; signatures are not checked. */
export const createCodeSigningConfig: Operation<CreateCodeSigningConfigRequest, CreateCodeSigningConfigResponse> = async (ctx, input) => {
  const { store, clock, ids } = ctx.platform;
  const row: CodeSigningRow = {
    id: `csc-${ids.text(ID_LENGTH, ID_LETTERS)}`,
    description: input.Description ?? '',
    publishers: input.AllowedPublishers?.SigningProfileVersionArns ?? [],
    untrusted: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? 'Warn',
    ...(input.Tags ? { tags: input.Tags } : {}),
    modifiedMs: clock.virtual(),
  };
  const key = keys.codeSigning(ctx, row.id);
  await store.transact({ keys: [key] }, (tx) => write(tx, key, row));
  return { CodeSigningConfig: shown(ctx, row) };
};

/** "UpdateCodeSigningConfig". */
export const updateCodeSigningConfig: Operation<UpdateCodeSigningConfigRequest, CreateCodeSigningConfigResponse> = async (ctx, input) => {
  const arn = input.CodeSigningConfigArn ?? '';
  const key = keys.codeSigning(ctx, idOf(ctx, arn));
  const modifiedMs = ctx.platform.clock.virtual();
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const before = read<CodeSigningRow>(tx, key);
    if (!before) throw codeSigningConfigNotFound(arn);
    const after: CodeSigningRow = {
      ...before,
      description: input.Description ?? before.description,
      publishers: input.AllowedPublishers?.SigningProfileVersionArns ?? before.publishers,
      untrusted: input.CodeSigningPolicies?.UntrustedArtifactOnDeployment ?? before.untrusted,
      modifiedMs,
    };
    write(tx, key, after);
    return after;
  });
  return { CodeSigningConfig: shown(ctx, row) };
};

/** "GetCodeSigningConfig". */
export const getCodeSigningConfig: Operation<DeleteCodeSigningConfigRequest, CreateCodeSigningConfigResponse> = async (ctx, input) => {
  return { CodeSigningConfig: shown(ctx, await requireConfig(ctx, input.CodeSigningConfigArn ?? '')) };
};

/** "DeleteCodeSigningConfig": not while a function has it. */
export const deleteCodeSigningConfig: Operation<DeleteCodeSigningConfigRequest, Record<string, never>> = async (ctx, input) => {
  const arn = input.CodeSigningConfigArn ?? '';
  const key = keys.codeSigning(ctx, idOf(ctx, arn));
  await ctx.platform.store.transact({ keys: [key], ranges: [under(keys.functions(ctx))] }, (tx) => {
    if (!read(tx, key)) throw codeSigningConfigNotFound(arn);
    if (usersOf(tx, ctx, arn).length > 0) throw conflict(`Cannot delete the code signing configuration ${arn}: functions are still using it.`);
    tx.delete(key);
  });
  return {};
};

/** "ListCodeSigningConfigs". */
export const listCodeSigningConfigs: Operation<ListCodeSigningConfigsRequest, ListCodeSigningConfigsResponse> = async (ctx, input) => {
  const prefix = keys.codeSignings(ctx);
  const { rows, lastKey } = await listRows<CodeSigningRow>(ctx.platform.store, prefix, limitOf(input.MaxItems), readMarker(input.Marker, prefix));
  return { CodeSigningConfigs: rows.map((row) => shown(ctx, row)), ...(lastKey === undefined ? {} : { NextMarker: markerOf(lastKey) }) };
};

/** "ListFunctionsByCodeSigningConfig". */
export const listFunctionsByCodeSigningConfig: Operation<ListFunctionsByCodeSigningConfigRequest, ListFunctionsByCodeSigningConfigResponse> = async (
  ctx,
  input,
) => {
  const arn = input.CodeSigningConfigArn ?? '';
  await requireConfig(ctx, arn);
  const prefix = keys.functions(ctx);
  const { rows } = await listRows<FunctionRow>(ctx.platform.store, prefix, Number.MAX_SAFE_INTEGER, readMarker(input.Marker, prefix));
  const found = rows.filter(({ codeSigningConfigArn }) => codeSigningConfigArn === arn);
  const page = found.slice(0, limitOf(input.MaxItems));
  const last = page.at(-1);
  return {
    FunctionArns: page.map(({ name }) => functionArn(ctx, name)),
    ...(last && found.length > page.length ? { NextMarker: markerOf(keys.fn(ctx, last.name)) } : {}),
  };
};

/** "PutFunctionCodeSigningConfig": recorded. */
export const putFunctionCodeSigningConfig: Operation<PutFunctionCodeSigningConfigRequest, PutFunctionCodeSigningConfigResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const arn = input.CodeSigningConfigArn ?? '';
  const configKey = keys.codeSigning(ctx, idOf(ctx, arn));
  const key = keys.fn(ctx, name);
  await ctx.platform.store.transact({ keys: [key], reads: [configKey] }, (tx) => {
    if (!read(tx, configKey)) throw codeSigningConfigGone(arn);
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(functionArn(ctx, name));
    write(tx, key, { ...fn, codeSigningConfigArn: arn });
  });
  return { CodeSigningConfigArn: arn, FunctionName: name };
};

/** "GetFunctionCodeSigningConfig": of a function that has none, an empty object. */
export const getFunctionCodeSigningConfig: Operation<GetFunctionCodeSigningConfigRequest, Partial<PutFunctionCodeSigningConfigResponse>> = async (
  ctx,
  input,
) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const { codeSigningConfigArn } = await requireFunction(ctx.platform, ctx, name);
  return codeSigningConfigArn === undefined ? {} : { CodeSigningConfigArn: codeSigningConfigArn, FunctionName: name };
};

/** "DeleteFunctionCodeSigningConfig". */
export const deleteFunctionCodeSigningConfig: Operation<DeleteFunctionCodeSigningConfigRequest, Record<string, never>> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const key = keys.fn(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const fn = read<FunctionRow>(tx, key);
    if (!fn) throw functionNotFound(functionArn(ctx, name));
    const { codeSigningConfigArn: _, ...rest } = fn;
    write(tx, key, rest);
  });
  return {};
};

const limitOf = (maxItems: number | undefined) => Math.min(maxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX);

function arnOf(ctx: Ctx, id: string): string {
  return formatArn({ service: 'lambda', region: ctx.region, account: ctx.account, resource: `code-signing-config:${id}` });
}

/** Of another account's or region's ARN, what no configuration has. */
function idOf(ctx: Ctx, arn: string): string {
  const id = arn.slice(arn.lastIndexOf(':') + 1);
  return arn === arnOf(ctx, id) ? id : arn;
}

async function requireConfig(ctx: Ctx, arn: string): Promise<CodeSigningRow> {
  const row = await getCodeSigningRow(ctx.platform.store, ctx, idOf(ctx, arn));
  if (!row) throw codeSigningConfigNotFound(arn);
  return row;
}

/** Refuses a configuration that a function cannot have, for it is not there. */
export async function requireSigning(ctx: Ctx, arn: string): Promise<void> {
  if (!(await getCodeSigningRow(ctx.platform.store, ctx, idOf(ctx, arn)))) throw codeSigningConfigGone(arn);
}

function usersOf(tx: Tx, ctx: Ctx, arn: string): readonly FunctionRow[] {
  return readAll<FunctionRow>(tx, keys.functions(ctx))
    .map(({ row }) => row)
    .filter(({ codeSigningConfigArn }) => codeSigningConfigArn === arn);
}

function shown(ctx: Ctx, row: CodeSigningRow): CodeSigningConfig {
  return {
    CodeSigningConfigId: row.id,
    CodeSigningConfigArn: arnOf(ctx, row.id),
    Description: row.description,
    AllowedPublishers: { SigningProfileVersionArns: [...row.publishers] },
    CodeSigningPolicies: { UntrustedArtifactOnDeployment: row.untrusted as 'Warn' },
    LastModified: lastModified(row.modifiedMs),
  };
}
