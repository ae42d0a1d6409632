import type {
  Authorizer,
  Authorizers,
  CreateAuthorizerCommandInput,
  DeleteAuthorizerCommandInput,
  GetAuthorizerCommandInput,
  GetAuthorizersCommandInput,
  UpdateAuthorizerCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Ctx, Operation } from '../../service.ts';
import type { NewId } from '../domain/ids.ts';
import { pageOf } from '../domain/paging.ts';
import { compact, invalidPath, type Patch, patchesOf, patchList } from '../domain/patch.ts';
import type { AuthorizerRow, ResourceRow } from '../domain/types.ts';
import { authorizerNotFound, badRequest, conflict } from '../errors.ts';
import { AUTHORIZER_TTL_SECONDS_DEFAULT } from '../limits.ts';
import { keys, list, putPart, rangeOf, read, readApi, txList, txRead, update } from '../store.ts';

/** "CreateAuthorizer". */
export const createAuthorizer: Operation<CreateAuthorizerCommandInput, Authorizer> = (ctx, input) => createAuthorizerOnce(ctx, input, ctx.platform.ids.text);

/** {@link createAuthorizer}; an id that comes again overwrites what was made before, which is the same. */
export async function createAuthorizerOnce(ctx: Ctx, input: CreateAuthorizerCommandInput, newId: NewId): Promise<Authorizer> {
  const { store } = ctx.platform;
  const apiId = input.restApiId ?? '';
  const isLambda = input.type === 'TOKEN' || input.type === 'REQUEST';
  if (isLambda && !input.authorizerUri) throw badRequest('Authorizer URI is a required parameter for TOKEN and REQUEST authorizers.');
  if (input.type === 'COGNITO_USER_POOLS' && !input.providerARNs?.length)
    throw badRequest('Provider ARN is a required parameter for COGNITO_USER_POOLS authorizers.');
  const row = compact({
    id: newId(6),
    name: input.name ?? '',
    type: input.type,
    providerARNs: input.providerARNs,
    authType: input.authType ?? (isLambda ? 'custom' : 'cognito_user_pools'),
    authorizerUri: input.authorizerUri,
    authorizerCredentials: input.authorizerCredentials,
    identitySource: input.identitySource,
    identityValidationExpression: input.identityValidationExpression,
    authorizerResultTtlInSeconds: input.authorizerResultTtlInSeconds ?? (isLambda ? AUTHORIZER_TTL_SECONDS_DEFAULT : undefined),
  }) as AuthorizerRow;
  const prefix = keys.parts(ctx, apiId, 'authorizer');
  await store.transact({ reads: [keys.api(ctx, apiId)], ranges: [rangeOf(prefix)] }, (tx) => {
    // AWS's own answer for an API that is not there.
    if (!tx.get(keys.api(ctx, apiId))) throw conflict('Unable to complete operation due to concurrent modification. Please try again later.');
    if (txList<AuthorizerRow>(tx, prefix).some((other) => other.name === row.name && other.id !== row.id)) throw badRequest('Authorizer name must be unique');
    putPart(tx, ctx, apiId, 'authorizer', row.id, row);
  });
  return row;
}

/** "GetAuthorizer". */
export const getAuthorizer: Operation<GetAuthorizerCommandInput, Authorizer> = (ctx, input) =>
  read<AuthorizerRow>(ctx.platform.store, keys.part(ctx, input.restApiId ?? '', 'authorizer', input.authorizerId ?? ''), authorizerNotFound);

/** "GetAuthorizers". */
export const getAuthorizers: Operation<GetAuthorizersCommandInput, Authorizers> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  await readApi(ctx.platform.store, ctx, apiId);
  return pageOf(await list<AuthorizerRow>(ctx.platform.store, keys.parts(ctx, apiId, 'authorizer')), input, (row) => row.id);
};

function patchAuthorizer(row: AuthorizerRow, patch: Patch): AuthorizerRow {
  const [name] = patch.segments;
  const value = patch.op === 'remove' ? undefined : patch.value;
  switch (name) {
    case 'name':
    case 'type':
    case 'authType':
    case 'authorizerUri':
    case 'authorizerCredentials':
    case 'identitySource':
    case 'identityValidationExpression':
      return compact({ ...row, [name]: value || undefined }) as AuthorizerRow;
    case 'authorizerResultTtlInSeconds':
      return { ...row, authorizerResultTtlInSeconds: Number(value ?? AUTHORIZER_TTL_SECONDS_DEFAULT) };
    case 'providerARNs':
      return compact({ ...row, providerARNs: patchList(row.providerARNs, patch.op === 'remove' ? patch.value : undefined, value) }) as AuthorizerRow;
    default:
      throw invalidPath(patch);
  }
}

/** "UpdateAuthorizer". */
export const updateAuthorizer: Operation<UpdateAuthorizerCommandInput, Authorizer> = async (ctx, input) =>
  update<AuthorizerRow, Authorizer>(
    ctx.platform.store,
    keys.part(ctx, input.restApiId ?? '', 'authorizer', input.authorizerId ?? ''),
    authorizerNotFound,
    (row) => {
      const next = patchesOf(input.patchOperations).reduce(patchAuthorizer, row);
      return [next, next];
    },
  );

/** "DeleteAuthorizer": refused while a method uses it. */
export const deleteAuthorizer: Operation<DeleteAuthorizerCommandInput> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  const key = keys.part(ctx, apiId, 'authorizer', input.authorizerId ?? '');
  const resources = keys.parts(ctx, apiId, 'resource');
  await ctx.platform.store.transact({ keys: [key], ranges: [rangeOf(resources)] }, (tx) => {
    const row = txRead<AuthorizerRow>(tx, key, authorizerNotFound);
    for (const resource of txList<ResourceRow>(tx, resources)) {
      const user = Object.entries(resource.methods).find(([, method]) => method.authorizerId === row.id);
      if (user) throw conflict(`Cannot delete authorizer '${row.name}', is referenced in method: ${resource.path}/${user[0]}`);
    }
    tx.delete(key);
  });
  return {};
};
