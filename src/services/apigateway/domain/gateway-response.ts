import type { GatewayResponse } from '@aws-sdk/client-api-gateway';
import { badRequest, notFound } from '../errors.ts';
import { invalidPath, type Patch, patchMap, requireOp } from './patch.ts';
import type { GatewayResponseRow } from './types.ts';

/** "Gateway response types for API Gateway": the default status of each; the two defaults have none of their own. */
export const GATEWAY_RESPONSES = {
  ACCESS_DENIED: '403',
  API_CONFIGURATION_ERROR: '500',
  AUTHORIZER_CONFIGURATION_ERROR: '500',
  AUTHORIZER_FAILURE: '500',
  BAD_REQUEST_BODY: '400',
  BAD_REQUEST_PARAMETERS: '400',
  DEFAULT_4XX: undefined,
  DEFAULT_5XX: undefined,
  EXPIRED_TOKEN: '403',
  INTEGRATION_FAILURE: '504',
  INTEGRATION_TIMEOUT: '504',
  INVALID_API_KEY: '403',
  INVALID_SIGNATURE: '403',
  MISSING_AUTHENTICATION_TOKEN: '403',
  QUOTA_EXCEEDED: '429',
  REQUEST_TOO_LARGE: '413',
  RESOURCE_NOT_FOUND: '404',
  THROTTLED: '429',
  UNAUTHORIZED: '401',
  UNSUPPORTED_MEDIA_TYPE: '415',
  WAF_FILTERED: '403',
} as const;

export type ResponseType = keyof typeof GATEWAY_RESPONSES;

export const RESPONSE_TYPES = Object.keys(GATEWAY_RESPONSES) as readonly ResponseType[];

const DEFAULT_TEMPLATES = { 'application/json': '{"message":$context.error.messageString}' };

/**
 * The response of `type`: the API's own, else one made from its DEFAULT_4XX or DEFAULT_5XX, else AWS's.
 */
export function gatewayResponse(rows: readonly GatewayResponseRow[], type: ResponseType): GatewayResponse {
  const own = rows.find((row) => row.responseType === type);
  if (own) return own;
  const usual = GATEWAY_RESPONSES[type];
  const family = usual === undefined ? undefined : rows.find((row) => row.responseType === (usual < '500' ? 'DEFAULT_4XX' : 'DEFAULT_5XX'));
  const status = family?.statusCode ?? usual;
  return {
    responseType: type,
    ...(status === undefined ? {} : { statusCode: status }),
    responseParameters: family?.responseParameters ?? {},
    responseTemplates: family?.responseTemplates ?? DEFAULT_TEMPLATES,
    defaultResponse: true,
  };
}

/** A response as PutGatewayResponse makes it. */
export function newGatewayResponse(
  type: ResponseType,
  given: Pick<GatewayResponse, 'statusCode' | 'responseParameters' | 'responseTemplates'>,
): GatewayResponseRow {
  const statusCode = given.statusCode ?? GATEWAY_RESPONSES[type];
  return {
    responseType: type,
    ...(statusCode === undefined ? {} : { statusCode }),
    responseParameters: given.responseParameters ?? {},
    responseTemplates: given.responseTemplates ?? DEFAULT_TEMPLATES,
    defaultResponse: false,
  };
}

/** One operation of UpdateGatewayResponse. */
export function patchGatewayResponse(row: GatewayResponseRow, patch: Patch): GatewayResponseRow {
  const [first, name] = patch.segments;
  if (first === 'statusCode') {
    if (patch.op !== 'replace') throw invalidPath(patch);
    return { ...row, statusCode: patch.value ?? '' };
  }
  if ((first !== 'responseParameters' && first !== 'responseTemplates') || name === undefined) throw invalidPath(patch);
  requireOp(patch, 'add', 'remove', 'replace');
  if (patch.op !== 'add' && row[first]?.[name] === undefined) throw notFound('Invalid parameter name specified');
  if (patch.op !== 'remove' && !patch.value) throw badRequest(`Invalid null or empty value in ${first}`);
  return { ...row, [first]: patchMap(row[first], name, patch.op === 'remove' ? undefined : patch.value) ?? {} };
}
