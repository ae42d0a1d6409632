import type { Method, MethodResponse, PutMethodRequest } from '@aws-sdk/client-api-gateway';
import { badRequest, notFound } from '../errors.ts';
import { asBoolean, compact, invalidPath, type Patch, patchList, patchMap, requireOp } from './patch.ts';

export const HTTP_METHODS = ['GET', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS', 'HEAD', 'ANY'];
const AUTHORIZATION_TYPES = ['NONE', 'AWS_IAM', 'CUSTOM', 'COGNITO_USER_POOLS'];

/** What an API has, to check references against. */
export interface References {
  readonly hasAuthorizer: (id: string) => boolean;
  readonly hasValidator: (id: string) => boolean;
  readonly hasModel: (name: string) => boolean;
}

const needsAuthorizer = (type: string | undefined) => type === 'CUSTOM' || type === 'COGNITO_USER_POOLS';

function checkAuthorization(method: Method, references: References): void {
  if (!AUTHORIZATION_TYPES.includes(method.authorizationType ?? ''))
    throw badRequest('Invalid authorization type specified. Valid options are NONE,AWS_IAM,CUSTOM,COGNITO_USER_POOLS');
  if (needsAuthorizer(method.authorizationType) && !references.hasAuthorizer(method.authorizerId ?? '')) {
    throw badRequest('Invalid authorizer ID specified. Setting the authorization type to CUSTOM or COGNITO_USER_POOLS requires a valid authorizer.');
  }
}

function checkParameterNames(parameters: Readonly<Record<string, boolean>> | undefined): void {
  const names = Object.keys(parameters ?? {});
  for (const name of names) {
    if (!/^method\.request\.(querystring|header|path|multivaluequerystring|multivalueheader)\..+$/.test(name)) {
      throw badRequest(`Invalid mapping expression specified: Validation Result: warnings : [], errors : [Invalid mapping expression specified: ${name}]`);
    }
  }
  const bare = names.map((name) => name.split('.').slice(3).join('.'));
  if (new Set(bare).size !== bare.length) throw badRequest('Parameter names must be unique across querystring, header and path');
}

/** A method as PutMethod makes it; checks in AWS's order. */
export function newMethod(request: PutMethodRequest, references: References): Method {
  const httpMethod = request.httpMethod ?? '';
  if (!HTTP_METHODS.includes(httpMethod)) throw badRequest(`Invalid HttpMethod specified. Valid options are ${HTTP_METHODS.join(',')}`);
  checkParameterNames(request.requestParameters);
  const method: Method = compact({
    httpMethod,
    // AWS takes it in any case.
    authorizationType: request.authorizationType?.toUpperCase(),
    authorizerId: needsAuthorizer(request.authorizationType?.toUpperCase()) ? request.authorizerId : undefined,
    apiKeyRequired: request.apiKeyRequired ?? false,
    operationName: request.operationName,
    requestParameters: nonEmpty(request.requestParameters),
    requestModels: nonEmpty(request.requestModels),
    requestValidatorId: request.requestValidatorId || undefined,
    authorizationScopes: request.authorizationScopes,
  });
  checkAuthorization(method, references);
  if (method.requestValidatorId !== undefined && !references.hasValidator(method.requestValidatorId))
    throw badRequest('Invalid Request Validator identifier specified');
  for (const name of Object.values(method.requestModels ?? {})) if (!references.hasModel(name)) throw badRequest(`Invalid model identifier specified: ${name}`);
  return method;
}

export function nonEmpty<T>(map: Record<string, T> | undefined): Record<string, T> | undefined {
  return map && Object.keys(map).length > 0 ? map : undefined;
}

/** All operations of one UpdateMethod: the authorizer is checked once they are through. */
export function patchMethod(method: Method, patches: readonly Patch[], references: References): Method {
  let next = patches.reduce((current, patch) => patchOne(current, patch, references), method);
  // An authorizer on a method that takes none is ignored.
  if (!needsAuthorizer(next.authorizationType)) next = compact({ ...next, authorizerId: undefined });
  checkAuthorization(next, references);
  return next;
}

function patchOne(method: Method, patch: Patch, references: References): Method {
  const [first, name] = patch.segments;
  if (patch.segments.length > 2) throw invalidPath(patch);
  const removed = patch.op === 'remove';
  switch (first) {
    case 'apiKeyRequired':
      requireOp(patch, 'replace');
      return { ...method, apiKeyRequired: asBoolean(patch.value) };
    case 'authorizationType':
    case 'authorizerId':
    case 'operationName':
      requireOp(patch, 'replace');
      return compact({ ...method, [first]: patch.value || undefined });
    case 'requestValidatorId':
      requireOp(patch, 'replace');
      if (patch.value && !references.hasValidator(patch.value)) throw badRequest('Invalid Request Validator identifier specified');
      return compact({ ...method, requestValidatorId: patch.value || undefined });
    case 'requestParameters': {
      if (name === undefined) throw invalidPath(patch);
      const requestParameters = patchMap(method.requestParameters, name, removed ? undefined : asBoolean(patch.value));
      checkParameterNames(requestParameters);
      return compact({ ...method, requestParameters });
    }
    case 'requestModels':
      if (name === undefined) throw invalidPath(patch);
      if (!removed && !references.hasModel(patch.value ?? '')) throw badRequest(`Invalid model identifier specified: ${patch.value}`);
      return compact({ ...method, requestModels: patchMap(method.requestModels, name, removed ? undefined : patch.value) });
    case 'authorizationScopes':
      requireOp(patch, 'add', 'remove');
      return compact({
        ...method,
        authorizationScopes: patchList(method.authorizationScopes, removed ? patch.value : undefined, removed ? undefined : patch.value),
      });
    default:
      throw invalidPath(patch);
  }
}

/** One operation of UpdateMethodResponse. */
export function patchMethodResponse(response: MethodResponse, patch: Patch): MethodResponse {
  const [first, name] = patch.segments;
  if (name === undefined || patch.segments.length > 2) throw invalidPath(patch);
  const add = patch.op === 'add';
  if (first === 'responseParameters') {
    if (!add && response.responseParameters?.[name] === undefined) throw notFound('Invalid parameter name specified');
    return compact({
      ...response,
      responseParameters: patchMap(response.responseParameters, name, patch.op === 'remove' ? undefined : asBoolean(patch.value)),
    });
  }
  if (first === 'responseModels') {
    if (!add && response.responseModels?.[name] === undefined) throw notFound('Content-Type specified was not found');
    return compact({ ...response, responseModels: patchMap(response.responseModels, name, patch.op === 'remove' ? undefined : (patch.value ?? '')) });
  }
  throw invalidPath(patch);
}
