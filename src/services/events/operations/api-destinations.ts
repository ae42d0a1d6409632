import type {
  ApiDestination,
  CreateApiDestinationRequest,
  CreateApiDestinationResponse,
  DeleteApiDestinationRequest,
  DescribeApiDestinationRequest,
  DescribeApiDestinationResponse,
  ListApiDestinationsRequest,
  ListApiDestinationsResponse,
  UpdateApiDestinationRequest,
  UpdateApiDestinationResponse,
} from '@aws-sdk/client-eventbridge';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { destinationArn, namedBy } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { destinationExists, destinationNotFound, invalidParameter, notFound } from '../errors.ts';
import { INVOCATION_RATE_DEFAULT } from '../limits.ts';
import { type ConnectionRow, type DestinationRow, keys, listRows, read, txRead, write } from '../store.ts';

/** AWS wants `https`; `http` is taken too, for endpoints on one's own machine. */
function checkEndpoint(endpoint: string): void {
  let url: URL | undefined;
  try {
    url = new URL(endpoint.replaceAll('*', 'x'));
  } catch {
    url = undefined;
  }
  if (url?.protocol !== 'https:' && url?.protocol !== 'http:') throw invalidParameter('InvocationEndpoint', 'The endpoint must be a valid HTTPS URL.');
}

/** The connection must be there, under its present id. */
function checkConnection(tx: Tx, arn: string): void {
  const place = namedBy(arn, 'connection');
  const row = place && txRead<ConnectionRow>(tx, keys.connection(place, place.name));
  if (!place || row?.id !== place.id) throw notFound(`Connection '${arn}' does not exist.`);
}

/** A destination is active while its connection is authorized. */
async function brief(ctx: Ctx, row: DestinationRow) {
  const place = namedBy(row.connectionArn, 'connection');
  const connection = place && (await read<ConnectionRow>(ctx.platform.store, keys.connection(place, place.name)));
  const active = connection?.id === place?.id && connection?.state === 'AUTHORIZED';
  return {
    ApiDestinationArn: destinationArn(ctx, row.name, row.id),
    ApiDestinationState: active ? ('ACTIVE' as const) : ('INACTIVE' as const),
    CreationTime: new Date(row.createdMs),
    LastModifiedTime: new Date(row.modifiedMs),
  };
}

const summary = async (ctx: Ctx, row: DestinationRow): Promise<ApiDestination> => ({
  ...(await brief(ctx, row)),
  Name: row.name,
  ConnectionArn: row.connectionArn,
  InvocationEndpoint: row.endpoint,
  HttpMethod: row.method as 'POST',
  InvocationRateLimitPerSecond: row.ratePerSecond,
});

/** "CreateApiDestination". */
export const createApiDestination: Operation<CreateApiDestinationRequest, CreateApiDestinationResponse> = async (ctx, input) => {
  const { Name: name = '', Description, ConnectionArn = '', InvocationEndpoint = '', HttpMethod = 'POST', InvocationRateLimitPerSecond } = input;
  checkEndpoint(InvocationEndpoint);
  const { store, clock, ids } = ctx.platform;
  const nowMs = clock.virtual();
  const row: DestinationRow = {
    name,
    id: ids.uuid(),
    ...(Description === undefined ? {} : { description: Description }),
    connectionArn: ConnectionArn,
    endpoint: InvocationEndpoint,
    method: HttpMethod,
    ratePerSecond: InvocationRateLimitPerSecond ?? INVOCATION_RATE_DEFAULT,
    createdMs: nowMs,
    modifiedMs: nowMs,
  };
  const key = keys.destination(ctx, name);
  await store.transact({ keys: [key] }, (tx) => {
    if (tx.get(key)) throw destinationExists(name);
    checkConnection(tx, ConnectionArn);
    write(tx, key, row);
  });
  return brief(ctx, row);
};

/** "DescribeApiDestination". */
export const describeApiDestination: Operation<DescribeApiDestinationRequest, DescribeApiDestinationResponse> = async (ctx, input) => {
  const name = input.Name ?? '';
  const row = await read<DestinationRow>(ctx.platform.store, keys.destination(ctx, name));
  if (!row) throw destinationNotFound('describe', name);
  return { ...(await summary(ctx, row)), ...(row.description === undefined ? {} : { Description: row.description }) };
};

/** "ListApiDestinations": by name. */
export const listApiDestinations: Operation<ListApiDestinationsRequest, ListApiDestinationsResponse> = async (ctx, input) => {
  const { after, limit } = pageOf(input);
  const wanted = (row: DestinationRow) => input.ConnectionArn === undefined || row.connectionArn === input.ConnectionArn;
  const { rows, next } = await listRows<DestinationRow>(ctx.platform.store, keys.destinations(ctx), { prefix: input.NamePrefix ?? '', after, limit, wanted });
  return { ApiDestinations: await Promise.all(rows.map((row) => summary(ctx, row))), ...tokenOf(next) };
};

/** "UpdateApiDestination": what is not given stays. */
export const updateApiDestination: Operation<UpdateApiDestinationRequest, UpdateApiDestinationResponse> = async (ctx, input) => {
  const { Name: name = '', Description, ConnectionArn, InvocationEndpoint, HttpMethod, InvocationRateLimitPerSecond } = input;
  if (InvocationEndpoint !== undefined) checkEndpoint(InvocationEndpoint);
  const key = keys.destination(ctx, name);
  const nowMs = ctx.platform.clock.virtual();
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const had = txRead<DestinationRow>(tx, key);
    if (!had) throw destinationNotFound('update', name);
    if (ConnectionArn !== undefined) checkConnection(tx, ConnectionArn);
    const changed: DestinationRow = {
      ...had,
      ...(Description === undefined ? {} : { description: Description }),
      ...(ConnectionArn === undefined ? {} : { connectionArn: ConnectionArn }),
      ...(InvocationEndpoint === undefined ? {} : { endpoint: InvocationEndpoint }),
      ...(HttpMethod === undefined ? {} : { method: HttpMethod }),
      ...(InvocationRateLimitPerSecond === undefined ? {} : { ratePerSecond: InvocationRateLimitPerSecond }),
      modifiedMs: nowMs,
    };
    write(tx, key, changed);
    return changed;
  });
  return brief(ctx, row);
};

/** "DeleteApiDestination". */
export const deleteApiDestination: Operation<DeleteApiDestinationRequest, Record<string, never>> = async (ctx, input) => {
  const name = input.Name ?? '';
  const key = keys.destination(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (!tx.get(key)) throw destinationNotFound('delete', name);
    tx.delete(key);
  });
  return {};
};
