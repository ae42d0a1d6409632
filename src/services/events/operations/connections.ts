import type {
  Connection,
  ConnectionAuthResponseParameters,
  ConnectionHttpParameters,
  ConnectionState,
  CreateConnectionRequest,
  CreateConnectionResponse,
  DeauthorizeConnectionRequest,
  DeauthorizeConnectionResponse,
  DeleteConnectionRequest,
  DeleteConnectionResponse,
  DescribeConnectionRequest,
  DescribeConnectionResponse,
  ListConnectionsRequest,
  ListConnectionsResponse,
  UpdateConnectionRequest,
  UpdateConnectionResponse,
} from '@aws-sdk/client-eventbridge';
import { formatArn } from '../../../kit/arn.ts';
import { notImplemented } from '../../../kit/errors.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { AUTHORIZE, type AuthorizePayload } from '../delivery/payloads.ts';
import { connectionArn } from '../domain/names.ts';
import { pageOf, tokenOf } from '../domain/paging.ts';
import { connectionExists, connectionNotFound, invalidParameter, validation } from '../errors.ts';
import { AUTHORIZE_MS_MIN } from '../limits.ts';
import { type ConnectionRow, keys, listRows, read, txRead, write } from '../store.ts';
import type { AuthParameters } from '../types.ts';

const PARAMETERS_OF: Readonly<Record<string, 'BasicAuthParameters' | 'OAuthParameters' | 'ApiKeyAuthParameters'>> = {
  BASIC: 'BasicAuthParameters',
  OAUTH_CLIENT_CREDENTIALS: 'OAuthParameters',
  API_KEY: 'ApiKeyAuthParameters',
};

function checkAuth(type: string, auth: AuthParameters): void {
  if (auth.ConnectivityParameters !== undefined) throw notImplemented('Private connectivity of a connection');
  const wanted = PARAMETERS_OF[type];
  for (const name of Object.values(PARAMETERS_OF)) {
    if (name !== wanted && auth[name] !== undefined) throw validation(`Parameter ${name} is not valid for authorization type ${type}.`);
  }
  if (wanted !== undefined && auth[wanted] === undefined) throw validation(`Parameter ${wanted} is required for authorization type ${type}.`);
}

/** Lower case is taken, as recorded, though the model's values are upper case. */
function upperMethod(auth: AuthParameters): AuthParameters {
  const oauth = auth.OAuthParameters;
  if (oauth?.HttpMethod === undefined) return auth;
  const HttpMethod = oauth.HttpMethod.toUpperCase();
  if (HttpMethod !== 'GET' && HttpMethod !== 'POST' && HttpMethod !== 'PUT') throw invalidParameter('HttpMethod', 'Must be one of GET, POST, PUT.');
  return { ...auth, OAuthParameters: { ...oauth, HttpMethod } };
}

/** OAuth connections ask for a token first. */
const stateOf = (type: string): ConnectionState => (type === 'OAUTH_CLIENT_CREDENTIALS' ? 'AUTHORIZING' : 'AUTHORIZED');

function enqueueAuthorize(ctx: Ctx, tx: Tx, row: ConnectionRow): void {
  if (row.state === 'AUTHORIZED') return;
  const payload: AuthorizePayload = { connection: row.name, id: row.id, modifiedMs: row.modifiedMs };
  const { account, region, trace } = ctx;
  ctx.platform.bus.enqueue(tx, { target: AUTHORIZE, account, region, trace, payload, dueMs: row.modifiedMs + AUTHORIZE_MS_MIN });
}

/** "CreateConnection". */
export const createConnection: Operation<CreateConnectionRequest, CreateConnectionResponse> = async (ctx, input) => {
  const { Name: name = '', Description, AuthorizationType = 'BASIC', AuthParameters: auth = {}, KmsKeyIdentifier } = input;
  if (input.InvocationConnectivityParameters !== undefined) throw notImplemented('Private connectivity of a connection');
  checkAuth(AuthorizationType, auth);
  const { store, clock, ids } = ctx.platform;
  const nowMs = clock.virtual();
  const row: ConnectionRow = {
    name,
    id: ids.uuid(),
    secretName: ids.uuid(),
    secretSuffix: ids.text(6),
    ...(Description === undefined ? {} : { description: Description }),
    authorizationType: AuthorizationType,
    ...(KmsKeyIdentifier === undefined ? {} : { kmsKeyIdentifier: KmsKeyIdentifier }),
    auth: upperMethod(auth),
    state: stateOf(AuthorizationType),
    createdMs: nowMs,
    modifiedMs: nowMs,
    authorizedMs: nowMs,
  };
  const key = keys.connection(ctx, name);
  await store.transact({ keys: [key] }, (tx) => {
    if (tx.get(key)) throw connectionExists(name);
    write(tx, key, row);
    enqueueAuthorize(ctx, tx, row);
  });
  const { LastAuthorizedTime: _later, ...answer } = brief(ctx, row);
  return answer;
};

function brief(ctx: Ctx, row: ConnectionRow) {
  return {
    ConnectionArn: connectionArn(ctx, row.name, row.id),
    ConnectionState: row.state as ConnectionState,
    CreationTime: new Date(row.createdMs),
    LastModifiedTime: new Date(row.modifiedMs),
    ...(row.authorizedMs === undefined ? {} : { LastAuthorizedTime: new Date(row.authorizedMs) }),
  };
}

const summary = (ctx: Ctx, row: ConnectionRow): Connection => ({ ...brief(ctx, row), Name: row.name, AuthorizationType: row.authorizationType as 'BASIC' });

/** "DescribeConnection": without what is secret. */
export const describeConnection: Operation<DescribeConnectionRequest, DescribeConnectionResponse> = async (ctx, input) => {
  const name = input.Name ?? '';
  const row = await read<ConnectionRow>(ctx.platform.store, keys.connection(ctx, name));
  if (!row) throw connectionNotFound('describe', name);
  const secret = `secret:events!connection/${name}/${row.secretName}-${row.secretSuffix}`;
  return {
    ...summary(ctx, row),
    ...(row.description === undefined ? {} : { Description: row.description }),
    SecretArn: formatArn({ service: 'secretsmanager', region: ctx.region, account: ctx.account, resource: secret }),
    ...(row.kmsKeyIdentifier === undefined ? {} : { KmsKeyIdentifier: row.kmsKeyIdentifier }),
    AuthParameters: publicPart(row.auth),
  };
};

function publicPart({
  BasicAuthParameters,
  ApiKeyAuthParameters,
  OAuthParameters,
  InvocationHttpParameters,
}: AuthParameters): ConnectionAuthResponseParameters {
  return {
    ...(BasicAuthParameters ? { BasicAuthParameters: { Username: BasicAuthParameters.Username } } : {}),
    ...(ApiKeyAuthParameters ? { ApiKeyAuthParameters: { ApiKeyName: ApiKeyAuthParameters.ApiKeyName } } : {}),
    ...(OAuthParameters
      ? {
          OAuthParameters: {
            ClientParameters: { ClientID: OAuthParameters.ClientParameters?.ClientID },
            AuthorizationEndpoint: OAuthParameters.AuthorizationEndpoint,
            HttpMethod: OAuthParameters.HttpMethod,
            ...(OAuthParameters.OAuthHttpParameters ? { OAuthHttpParameters: withoutSecrets(OAuthParameters.OAuthHttpParameters) } : {}),
          },
        }
      : {}),
    ...(InvocationHttpParameters ? { InvocationHttpParameters: withoutSecrets(InvocationHttpParameters) } : {}),
  };
}

/** Values of parameters that are marked secret are left out. */
function withoutSecrets(parameters: ConnectionHttpParameters): ConnectionHttpParameters {
  const shown = <T extends { Value?: string | undefined; IsValueSecret?: boolean | undefined }>(list: T[] | undefined) =>
    list?.map((one) => {
      if (!one.IsValueSecret) return { ...one, IsValueSecret: false };
      const { Value: _secret, ...rest } = one;
      return rest;
    });
  return Object.fromEntries(
    Object.entries({
      HeaderParameters: shown(parameters.HeaderParameters),
      QueryStringParameters: shown(parameters.QueryStringParameters),
      BodyParameters: shown(parameters.BodyParameters),
    }).filter(([, list]) => list !== undefined),
  ) as ConnectionHttpParameters;
}

/** "ListConnections": by name. */
export const listConnections: Operation<ListConnectionsRequest, ListConnectionsResponse> = async (ctx, input) => {
  const { after, limit } = pageOf(input);
  const wanted = (row: ConnectionRow) => input.ConnectionState === undefined || row.state === input.ConnectionState;
  const { rows, next } = await listRows<ConnectionRow>(ctx.platform.store, keys.connections(ctx), { prefix: input.NamePrefix ?? '', after, limit, wanted });
  return { Connections: rows.map((row) => summary(ctx, row)), ...tokenOf(next) };
};

async function change(ctx: Ctx, verb: string, name: string, next: (tx: Tx, row: ConnectionRow) => ConnectionRow) {
  const key = keys.connection(ctx, name);
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const had = txRead<ConnectionRow>(tx, key);
    if (!had) throw connectionNotFound(verb, name);
    const changed = next(tx, had);
    write(tx, key, changed);
    return changed;
  });
  return brief(ctx, row);
}

/** "UpdateConnection": what is not given stays; parameters of the authorization are merged member by member. */
export const updateConnection: Operation<UpdateConnectionRequest, UpdateConnectionResponse> = async (ctx, input) => {
  const { Name: name = '', Description, AuthorizationType, KmsKeyIdentifier } = input;
  if (input.InvocationConnectivityParameters !== undefined) throw notImplemented('Private connectivity of a connection');
  const nowMs = ctx.platform.clock.virtual();
  return change(ctx, 'update', name, (tx, had) => {
    const type = AuthorizationType ?? had.authorizationType;
    const kept = type === had.authorizationType ? had.auth : { InvocationHttpParameters: had.auth.InvocationHttpParameters };
    const auth = upperMethod(merge(kept, input.AuthParameters ?? {}) as AuthParameters);
    checkAuth(type, auth);
    const row: ConnectionRow = {
      ...had,
      ...(Description === undefined ? {} : { description: Description }),
      ...(KmsKeyIdentifier === undefined ? {} : { kmsKeyIdentifier: KmsKeyIdentifier }),
      authorizationType: type,
      auth,
      state: stateOf(type),
      modifiedMs: nowMs,
      authorizedMs: nowMs,
    };
    enqueueAuthorize(ctx, tx, row);
    return row;
  });
};

function merge(had: unknown, given: unknown): unknown {
  if (typeof had !== 'object' || had === null || typeof given !== 'object' || given === null || Array.isArray(given)) return given ?? had;
  const out: Record<string, unknown> = { ...had };
  for (const [name, value] of Object.entries(given)) if (value !== undefined) out[name] = merge(out[name], value);
  return out;
}

/** "DeauthorizeConnection": its authorization parameters are gone. */
export const deauthorizeConnection: Operation<DeauthorizeConnectionRequest, DeauthorizeConnectionResponse> = (ctx, input) => {
  const nowMs = ctx.platform.clock.virtual();
  return change(ctx, 'deauthorize', input.Name ?? '', (tx, had) => {
    const row: ConnectionRow = { ...had, auth: {}, state: 'DEAUTHORIZING', modifiedMs: nowMs };
    enqueueAuthorize(ctx, tx, row);
    return row;
  });
};

/** "DeleteConnection": gone at once, where AWS's takes a moment. */
export const deleteConnection: Operation<DeleteConnectionRequest, DeleteConnectionResponse> = async (ctx, input) => {
  const name = input.Name ?? '';
  const key = keys.connection(ctx, name);
  const row = await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const had = txRead<ConnectionRow>(tx, key);
    if (!had) throw connectionNotFound('delete', name);
    tx.delete(key);
    return had;
  });
  return { ...brief(ctx, row), ConnectionState: 'DELETING' };
};
