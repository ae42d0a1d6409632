import type {
  AliasConfiguration,
  CreateAliasRequest,
  DeleteAliasRequest,
  GetAliasRequest,
  ListAliasesRequest,
  ListAliasesResponse,
  UpdateAliasRequest,
} from '@aws-sdk/client-lambda';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { withoutProvisioned } from '../domain/concurrency.ts';
import { functionArn, readReference } from '../domain/names.ts';
import { conflict, functionNotFound, invalidParameter, notFound, plainInvalidParameter, revisionMismatch, validation } from '../errors.ts';
import { type LambdaRoom, requireFunction } from '../functions.ts';
import { LIST_ITEMS_MAX } from '../limits.ts';
import { type AliasRow, type FunctionRow, getAliasRow, getFunctionRow, keys, listRows, read, write } from '../store.ts';
import { markerOf, readMarker } from './list-functions.ts';
import { changeConcurrency } from './shared-concurrency.ts';

type Weights = Record<string, number>;

/** "CreateAlias". */
export const createAlias: Operation<CreateAliasRequest, AliasConfiguration> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const alias = input.Name ?? '';
  const version = input.FunctionVersion ?? '';
  const weights = input.RoutingConfig?.AdditionalVersionWeights;
  const row: AliasRow = {
    name: alias,
    functionVersion: version,
    description: input.Description ?? '',
    ...withWeights(weights),
    revisionId: ctx.platform.ids.uuid(),
  };
  const key = keys.alias(ctx, name, alias);
  await ctx.platform.store.transact({ keys: [key], reads: [keys.fn(ctx, name)] }, (tx) => {
    requireVersion(tx, ctx, name, version);
    checkWeights(tx, ctx, name, version, weights);
    if (read(tx, key)) throw conflict(`Alias already exists: ${functionArn(ctx, name, alias)}`);
    write(tx, key, row);
  });
  return shown(ctx, name, row);
};

/** "UpdateAlias". Its provisioned concurrency moves with it. */
export const updateAlias =
  (room: LambdaRoom): Operation<UpdateAliasRequest, AliasConfiguration> =>
  async (ctx, input) => {
    const { name } = readReference(ctx, input.FunctionName ?? '');
    const alias = input.Name ?? '';
    const key = keys.alias(ctx, name, alias);
    const revisionId = ctx.platform.ids.uuid();
    const row = await ctx.platform.store.transact({ keys: [key], reads: [keys.fn(ctx, name)] }, (tx) => {
      if (!read<FunctionRow>(tx, keys.fn(ctx, name))) throw functionNotFound(functionArn(ctx, name));
      const before = read<AliasRow>(tx, key);
      if (!before) throw notFound(`Alias not found: ${functionArn(ctx, name, alias)}`);
      if (input.RevisionId !== undefined && input.RevisionId !== before.revisionId) throw revisionMismatch();
      const version = input.FunctionVersion ?? before.functionVersion;
      const weights = input.RoutingConfig === undefined ? before.weights : input.RoutingConfig.AdditionalVersionWeights;
      requireVersion(tx, ctx, name, version);
      checkWeights(tx, ctx, name, version, weights);
      const after: AliasRow = {
        name: alias,
        functionVersion: version,
        description: input.Description ?? before.description,
        ...withWeights(weights),
        revisionId,
      };
      write(tx, key, after);
      return after;
    });
    await room.provisioning.apply(ctx.platform, ctx, name);
    return shown(ctx, name, row);
  };

/** "GetAlias". */
export const getAlias: Operation<GetAliasRequest, AliasConfiguration> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  const row = await getAliasRow(ctx.platform.store, ctx, name, input.Name ?? '');
  if (!row) throw notFound(`Cannot find alias arn: ${functionArn(ctx, name, input.Name)}`);
  return shown(ctx, name, row);
};

/** "ListAliases". */
export const listAliases: Operation<ListAliasesRequest, ListAliasesResponse> = async (ctx, input) => {
  const { name } = readReference(ctx, input.FunctionName ?? '');
  await requireFunction(ctx.platform, ctx, name);
  const prefix = keys.aliases(ctx, name);
  const limit = Math.min(input.MaxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX);
  const { rows, lastKey } = await listRows<AliasRow>(ctx.platform.store, prefix, limit, readMarker(input.Marker, prefix));
  const wanted = rows.filter((row) => input.FunctionVersion === undefined || row.functionVersion === input.FunctionVersion);
  return { Aliases: wanted.map((row) => shown(ctx, name, row)), ...(lastKey === undefined ? {} : { NextMarker: markerOf(lastKey) }) };
};

/** "DeleteAlias": an alias that is not there is a success. What was provisioned for it ends. */
export const deleteAlias =
  (room: LambdaRoom): Operation<DeleteAliasRequest, Record<string, never>> =>
  async (ctx, input) => {
    const { name } = readReference(ctx, input.FunctionName ?? '');
    const alias = input.Name ?? '';
    const fn = await getFunctionRow(ctx.platform.store, ctx, name);
    const gone = (tx: Tx) => {
      tx.delete(keys.alias(ctx, name, alias));
      tx.delete(keys.policy(ctx, name, alias));
    };
    if (!fn?.provisioned?.[alias]) await ctx.platform.store.transact({ keys: [keys.alias(ctx, name, alias), keys.policy(ctx, name, alias)] }, gone);
    else {
      await changeConcurrency(ctx, name, (tx) => {
        gone(tx);
        return withoutProvisioned(read<FunctionRow>(tx, keys.fn(ctx, name)) ?? fn, alias);
      });
      await room.provisioning.apply(ctx.platform, ctx, name);
    }
    return {};
  };

function requireVersion(tx: Tx, ctx: Ctx, name: string, version: string): void {
  const found = version === '$LATEST' ? read(tx, keys.fn(ctx, name)) : read(tx, keys.version(ctx, name, version));
  if (!found) throw functionNotFound(functionArn(ctx, name, version));
}

function checkWeights(tx: Tx, ctx: Ctx, name: string, version: string, weights: Weights | undefined): void {
  const entries = Object.entries(weights ?? {});
  if (entries.length > 1) throw invalidParameter('Number of items in AdditionalVersionWeights cannot be greater than 1');
  const [entry] = entries;
  if (!entry) return;
  const [other, weight] = entry;
  if (weight < 0 || weight > 1) {
    throw validation(
      `Value '{${other}=${weight.toFixed(1)}}' at 'routingConfig.additionalVersionWeights' failed to satisfy constraint: Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must have value greater than or equal to 0.0, Member must not be null]`,
    );
  }
  if (other === version)
    throw invalidParameter(`Invalid function version ${version}. Function version ${version} is already included in routing configuration.`);
  if (version === '$LATEST') throw plainInvalidParameter('$LATEST is not supported for an alias pointing to more than 1 version');
  requireVersion(tx, ctx, name, other);
}

function withWeights(weights: Weights | undefined): { readonly weights?: Weights } {
  return weights && Object.keys(weights).length > 0 ? { weights } : {};
}

function shown(ctx: Ctx, name: string, row: AliasRow): AliasConfiguration {
  return {
    AliasArn: functionArn(ctx, name, row.name),
    Name: row.name,
    FunctionVersion: row.functionVersion,
    Description: row.description,
    ...(row.weights ? { RoutingConfig: { AdditionalVersionWeights: { ...row.weights } } } : {}),
    RevisionId: row.revisionId,
  };
}
