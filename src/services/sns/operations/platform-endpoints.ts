import type {
  CreatePlatformEndpointInput,
  DeleteEndpointInput,
  GetEndpointAttributesInput,
  ListEndpointsByPlatformApplicationInput,
  SetEndpointAttributesInput,
} from '@aws-sdk/client-sns';
import type { Ctx } from '../../service.ts';
import { nextToken, startAfter } from '../domain/paging.ts';
import { applicationOfArn, endpointArn, endpointAttributes, endpointOfArn } from '../domain/platform.ts';
import { invalidParameter, missing, notFound } from '../errors.ts';
import { PAGE_SIZE } from '../limits.ts';
import { type EndpointRow, find, fromKey, keys, type PlatformApplicationRow, read, rowsOf, write } from '../store.ts';

/** "CreatePlatformEndpoint": one a device; again with the same attributes it is the same one. */
export async function createPlatformEndpoint(ctx: Ctx, input: CreatePlatformEndpointInput) {
  const { scope, platform, name: application } = applicationOfArn(input.PlatformApplicationArn, ctx.region);
  const { Token: token, CustomUserData: data } = input;
  if (token === undefined) throw missing('token');
  const { store, ids } = ctx.platform;
  if (!(await find<PlatformApplicationRow>(store, keys.application(scope, platform, application)))) throw notFound('PlatformApplication');
  const own = endpointAttributes(input.Attributes);
  const attributes = { ...(data === undefined ? {} : endpointAttributes({ CustomUserData: data })), ...own, Token: token };
  const row: EndpointRow = { id: ids.uuid(), platform, application, attributes: { Enabled: 'true', ...attributes } };
  const deviceKey = keys.deviceToken(scope, platform, application, token);
  const id = await store.transact({ keys: [deviceKey] }, (tx) => {
    const had = read<string>(tx, deviceKey);
    const has = had === undefined ? undefined : read<EndpointRow>(tx, keys.endpoint(scope, platform, application, had));
    if (has) {
      const different = Object.entries(row.attributes).some(([name, value]) => has.attributes[name] !== value);
      if (different) throw sameToken(endpointArn(scope, platform, application, has.id));
      return has.id;
    }
    write(tx, deviceKey, row.id);
    write(tx, keys.endpoint(scope, platform, application, row.id), row);
    return row.id;
  });
  return { EndpointArn: endpointArn(scope, platform, application, id) };
}

const sameToken = (arn: string) => invalidParameter('Token', `Endpoint ${arn} already exists with the same Token, but different attributes.`);

/** "DeleteEndpoint": one that is not there is no error; its subscriptions stay. */
export async function deleteEndpoint(ctx: Ctx, input: DeleteEndpointInput): Promise<Record<string, never>> {
  const { scope, platform, application, id } = endpointOfArn(input.EndpointArn, ctx.region);
  const key = keys.endpoint(scope, platform, application, id);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<EndpointRow>(tx, key);
    if (!row) return;
    tx.delete(key);
    tx.delete(keys.deviceToken(scope, platform, application, row.attributes['Token'] ?? ''));
  });
  return {};
}

/** "ListEndpointsByPlatformApplication": a hundred a page. */
export async function listEndpointsByPlatformApplication(ctx: Ctx, input: ListEndpointsByPlatformApplicationInput) {
  const { scope, platform, name } = applicationOfArn(input.PlatformApplicationArn, ctx.region);
  const { store } = ctx.platform;
  if (!(await find<PlatformApplicationRow>(store, keys.application(scope, platform, name)))) throw notFound('PlatformApplication');
  const prefix = keys.endpoints(scope, platform, name);
  const page = await store.range({ ...fromKey(prefix, startAfter(prefix, input.NextToken)), limit: PAGE_SIZE });
  const Endpoints = rowsOf<EndpointRow>(page).map(({ id, attributes }) => ({ EndpointArn: endpointArn(scope, platform, name, id), Attributes: attributes }));
  return { Endpoints, ...nextToken(prefix, page) };
}

/** "GetEndpointAttributes". */
export async function getEndpointAttributes(ctx: Ctx, input: GetEndpointAttributesInput) {
  const { scope, platform, application, id } = endpointOfArn(input.EndpointArn, ctx.region);
  const row = await find<EndpointRow>(ctx.platform.store, keys.endpoint(scope, platform, application, id));
  if (!row) throw notFound('Endpoint');
  return { Attributes: row.attributes };
}

/** "SetEndpointAttributes". */
export async function setEndpointAttributes(ctx: Ctx, input: SetEndpointAttributesInput): Promise<Record<string, never>> {
  if (input.Attributes === undefined || Object.keys(input.Attributes).length === 0) throw missing('attributes');
  const { scope, platform, application, id } = endpointOfArn(input.EndpointArn, ctx.region);
  const key = keys.endpoint(scope, platform, application, id);
  if (!(await find<EndpointRow>(ctx.platform.store, key))) throw notFound('Endpoint');
  const changes = endpointAttributes(input.Attributes);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<EndpointRow>(tx, key);
    if (!row) throw notFound('Endpoint');
    const { Token: token } = changes;
    if (token !== undefined && token !== row.attributes['Token']) {
      tx.delete(keys.deviceToken(scope, platform, application, row.attributes['Token'] ?? ''));
      write(tx, keys.deviceToken(scope, platform, application, token), id);
    }
    write(tx, key, { ...row, attributes: { ...row.attributes, ...changes } });
  });
  return {};
}
