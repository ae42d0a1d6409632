import type {
  DeleteMethodCommandInput,
  DeleteMethodResponseCommandInput,
  GetMethodCommandInput,
  GetMethodResponseCommandInput,
  Method,
  MethodResponse,
  PutMethodCommandInput,
  PutMethodResponseCommandInput,
  UpdateMethodCommandInput,
  UpdateMethodResponseCommandInput,
} from '@aws-sdk/client-api-gateway';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { newMethod, patchMethod, patchMethodResponse, type References } from '../domain/method.ts';
import { compact, patchesOf } from '../domain/patch.ts';
import type { ResourceRow } from '../domain/types.ts';
import { badRequest, conflict, methodNotFound, resourceNotFound, responseNotFound } from '../errors.ts';
import { keys, readResource, update } from '../store.ts';

interface MethodPath {
  restApiId: string | undefined;
  resourceId: string | undefined;
  httpMethod: string | undefined;
}

/** Changes one method of one resource; throws NotFoundException where either is missing. `undefined` deletes it. */
export function updateMethodRow<T>(
  ctx: Ctx,
  path: MethodPath,
  change: (method: Method, tx: Tx) => readonly [Method | undefined, T],
  missing = methodNotFound,
): Promise<T> {
  const name = path.httpMethod ?? '';
  return update<ResourceRow, T>(ctx.platform.store, keys.part(ctx, path.restApiId ?? '', 'resource', path.resourceId ?? ''), resourceNotFound, (row, tx) => {
    const method = row.methods[name];
    if (!method) throw missing();
    const [next, result] = change(method, tx);
    const { [name]: _old, ...others } = row.methods;
    return [{ ...row, methods: next ? { ...row.methods, [name]: next } : others }, result];
  });
}

export async function readMethod(ctx: Ctx, path: MethodPath): Promise<Method> {
  const row = await readResource(ctx.platform.store, ctx, path.restApiId ?? '', path.resourceId ?? '');
  const method = row.methods[path.httpMethod ?? ''];
  if (!method) throw methodNotFound();
  return method;
}

function references(tx: Tx, ctx: Ctx, apiId: string): References {
  const has = (part: 'authorizer' | 'validator' | 'model') => (id: string) => id !== '' && tx.get(keys.part(ctx, apiId, part, id)) !== undefined;
  // Empty is known to every API, imported ones included.
  return { hasAuthorizer: has('authorizer'), hasValidator: has('validator'), hasModel: (name) => name === 'Empty' || has('model')(name) };
}

/** "PutMethod". */
export const putMethod: Operation<PutMethodCommandInput, Method> = async (ctx, input) => {
  const apiId = input.restApiId ?? '';
  return update<ResourceRow, Method>(ctx.platform.store, keys.part(ctx, apiId, 'resource', input.resourceId ?? ''), resourceNotFound, (row, tx) => {
    const method = newMethod(input as Parameters<typeof newMethod>[0], references(tx, ctx, apiId));
    const name = method.httpMethod ?? '';
    if (row.methods[name]) throw conflict('Method already exists for this resource');
    return [{ ...row, methods: { ...row.methods, [name]: method } }, method];
  });
};

/** "GetMethod". */
export const getMethod: Operation<GetMethodCommandInput, Method> = (ctx, input) => readMethod(ctx, input as MethodPath);

/** "UpdateMethod". */
export const updateMethod: Operation<UpdateMethodCommandInput, Method> = (ctx, input) =>
  updateMethodRow(ctx, input as MethodPath, (method, tx) => {
    const next = patchMethod(method, patchesOf(input.patchOperations), references(tx, ctx, input.restApiId ?? ''));
    return [next, next];
  });

/** "DeleteMethod". */
export const deleteMethod: Operation<DeleteMethodCommandInput> = (ctx, input) => updateMethodRow(ctx, input as MethodPath, () => [undefined, {}]);

/** "PutMethodResponse". */
export const putMethodResponse: Operation<PutMethodResponseCommandInput, MethodResponse> = (ctx, input) =>
  updateMethodRow(ctx, input as MethodPath, (method, tx) => {
    const statusCode = input.statusCode ?? '';
    if (method.methodResponses?.[statusCode]) throw conflict('Response already exists for this resource');
    const known = references(tx, ctx, input.restApiId ?? '');
    for (const name of Object.values(input.responseModels ?? {})) if (!known.hasModel(name)) throw badRequest(`Invalid model identifier specified: ${name}`);
    const response = compact({ statusCode, responseParameters: input.responseParameters, responseModels: input.responseModels });
    return [{ ...method, methodResponses: { ...method.methodResponses, [statusCode]: response } }, response];
  });

/** "GetMethodResponse". */
export const getMethodResponse: Operation<GetMethodResponseCommandInput, MethodResponse> = async (ctx, input) => {
  const response = (await readMethod(ctx, input as MethodPath)).methodResponses?.[input.statusCode ?? ''];
  if (!response) throw responseNotFound();
  return response;
};

/** "UpdateMethodResponse". */
export const updateMethodResponse: Operation<UpdateMethodResponseCommandInput, MethodResponse> = (ctx, input) =>
  updateMethodRow(ctx, input as MethodPath, (method) => {
    const statusCode = input.statusCode ?? '';
    const response = method.methodResponses?.[statusCode];
    if (!response) throw responseNotFound();
    const next = patchesOf(input.patchOperations).reduce(patchMethodResponse, response);
    return [{ ...method, methodResponses: { ...method.methodResponses, [statusCode]: next } }, next];
  });

/** "DeleteMethodResponse". */
export const deleteMethodResponse: Operation<DeleteMethodResponseCommandInput> = (ctx, input) =>
  updateMethodRow(ctx, input as MethodPath, (method) => {
    const { [input.statusCode ?? '']: gone, ...rest } = method.methodResponses ?? {};
    if (!gone) throw responseNotFound();
    return [{ ...method, methodResponses: rest }, {}];
  });
