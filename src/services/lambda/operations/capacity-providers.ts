import type {
  CapacityProvider,
  CreateCapacityProviderRequest,
  CreateCapacityProviderResponse,
  DeleteCapacityProviderRequest,
  DeleteCapacityProviderResponse,
  GetCapacityProviderRequest,
  GetCapacityProviderResponse,
  GetFunctionScalingConfigRequest,
  ListCapacityProvidersRequest,
  ListCapacityProvidersResponse,
  ListFunctionVersionsByCapacityProviderRequest,
  ListFunctionVersionsByCapacityProviderResponse,
  UpdateCapacityProviderRequest,
  UpdateCapacityProviderResponse,
} from '@aws-sdk/client-lambda';
import { formatArn } from '../../../kit/arn.ts';
import type { Ctx, Operation } from '../../service.ts';
import { lastModified } from '../domain/configuration.ts';
import { type Place, readReference } from '../domain/names.ts';
import { conflict, invalidParameter, notFound } from '../errors.ts';
import { find } from '../functions.ts';
import { LIST_ITEMS_MAX } from '../limits.ts';
import { type CapacityProviderRow, getCapacityProviderRow, keys, listRows, read, write } from '../store.ts';
import { markerOf, readMarker } from './list-functions.ts';

/** Capacity is this machine's: what a provider says is kept and shown. */
export const CAPACITY_RECORDED = [
  'VpcConfig',
  'PermissionsConfig',
  'InstanceRequirements',
  'CapacityProviderScalingConfig',
  'KmsKeyArn',
  'Tags',
  'PropagateTags',
  'TelemetryConfig',
];

/** "CreateCapacityProvider". */
export const createCapacityProvider: Operation<CreateCapacityProviderRequest, CreateCapacityProviderResponse> = async (ctx, input) => {
  const { CapacityProviderName: given = '', Tags: tags = {}, ...config } = input;
  const name = nameOf(ctx, given);
  const row: CapacityProviderRow = { name, config, tags, modifiedMs: ctx.platform.clock.virtual() };
  const key = keys.capacityProvider(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (read(tx, key)) throw conflict(`Capacity provider already exists: ${providerArn(ctx, name)}`);
    write(tx, key, row);
  });
  return { CapacityProvider: shown(ctx, row, 'Pending') };
};

/** "GetCapacityProvider". */
export const getCapacityProvider: Operation<GetCapacityProviderRequest, GetCapacityProviderResponse> = async (ctx, input) => ({
  CapacityProvider: shown(ctx, await requireProvider(ctx, input.CapacityProviderName ?? ''), 'Active'),
});

/** "ListCapacityProviders". */
export const listCapacityProviders: Operation<ListCapacityProvidersRequest, ListCapacityProvidersResponse> = async (ctx, input) => {
  if (input.State !== undefined && input.State !== 'Active') return { CapacityProviders: [] };
  const prefix = keys.capacityProviders(ctx);
  const limit = Math.min(input.MaxItems ?? LIST_ITEMS_MAX, LIST_ITEMS_MAX);
  const { rows, lastKey } = await listRows<CapacityProviderRow>(ctx.platform.store, prefix, limit, readMarker(input.Marker, prefix));
  return { CapacityProviders: rows.map((row) => shown(ctx, row, 'Active')), ...(lastKey === undefined ? {} : { NextMarker: markerOf(lastKey) }) };
};

/** "UpdateCapacityProvider". */
export const updateCapacityProvider: Operation<UpdateCapacityProviderRequest, UpdateCapacityProviderResponse> = async (ctx, input) => {
  const { CapacityProviderName: given = '', ...config } = input;
  const name = nameOf(ctx, given);
  const key = keys.capacityProvider(ctx, name);
  const modifiedMs = ctx.platform.clock.virtual();
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const before = read<CapacityProviderRow>(tx, key);
    if (!before) throw noProvider(ctx, name);
    const after: CapacityProviderRow = { ...before, config: { ...before.config, ...config }, modifiedMs };
    write(tx, key, after);
    return after;
  });
  return { CapacityProvider: shown(ctx, row, 'Active') };
};

/** "DeleteCapacityProvider". */
export const deleteCapacityProvider: Operation<DeleteCapacityProviderRequest, DeleteCapacityProviderResponse> = async (ctx, input) => {
  const name = nameOf(ctx, input.CapacityProviderName ?? '');
  const key = keys.capacityProvider(ctx, name);
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const before = read<CapacityProviderRow>(tx, key);
    if (!before) throw noProvider(ctx, name);
    tx.delete(key);
    return before;
  });
  return { CapacityProvider: shown(ctx, row, 'Deleting') };
};

/** "ListFunctionVersionsByCapacityProvider": none, for functions that ask for a provider are refused. */
export const listFunctionVersionsByCapacityProvider: Operation<
  ListFunctionVersionsByCapacityProviderRequest,
  ListFunctionVersionsByCapacityProviderResponse
> = async (ctx, input) => {
  const { name } = await requireProvider(ctx, input.CapacityProviderName ?? '');
  return { CapacityProviderArn: providerArn(ctx, name), FunctionVersions: [] };
};

/** "PutFunctionScalingConfig" and "GetFunctionScalingConfig": for functions with a capacity provider, of which there are none. */
export const functionScalingConfig: Operation<GetFunctionScalingConfigRequest, never> = async (ctx, input) => {
  await find(ctx.platform, ctx, readReference(ctx, input.FunctionName ?? '', input.Qualifier));
  throw invalidParameter('Function scaling configurations are supported only for functions with a capacity provider.');
};

export function providerArn(place: Place, name: string): string {
  if (name.startsWith('arn:')) return name;
  return formatArn({ service: 'lambda', region: place.region, account: place.account, resource: `capacity-provider:${name}` });
}

function nameOf(ctx: Ctx, given: string): string {
  if (!given.startsWith('arn:')) return given;
  const name = given.slice(given.lastIndexOf(':') + 1);
  if (given !== providerArn(ctx, name)) throw noProvider(ctx, given);
  return name;
}

const noProvider = (ctx: Ctx, name: string) => notFound(`Capacity provider not found: ${providerArn(ctx, name)}`);

async function requireProvider(ctx: Ctx, given: string): Promise<CapacityProviderRow> {
  const name = nameOf(ctx, given);
  const row = await getCapacityProviderRow(ctx.platform.store, ctx, name);
  if (!row) throw noProvider(ctx, name);
  return row;
}

function shown(ctx: Ctx, row: CapacityProviderRow, state: 'Pending' | 'Active' | 'Deleting'): CapacityProvider {
  return {
    ...(row.config as unknown as Pick<CapacityProvider, 'VpcConfig' | 'PermissionsConfig'>),
    CapacityProviderArn: providerArn(ctx, row.name),
    State: state,
    LastModified: lastModified(row.modifiedMs),
  };
}
