import type { CreateRestApiRequest, EndpointConfiguration, RestApi } from '@aws-sdk/client-api-gateway';
import { badRequest } from '../errors.ts';
import { COMPRESSION_BYTES_MAX } from '../limits.ts';
import { asBoolean, compact, invalidPath, type Patch, patchList, requireOp } from './patch.ts';
import type { RestApiRow } from './types.ts';

const ENDPOINT_TYPES = ['REGIONAL', 'EDGE', 'PRIVATE'];

/** What GetRestApi answers. Tags are shown when there are any; updates always show them. */
export function describeApi(row: RestApiRow, alwaysTags = false): RestApi {
  const { createdMs, tags, binaryMediaTypes, ...rest } = row;
  return {
    ...rest,
    createdDate: new Date(createdMs),
    ...(alwaysTags || Object.keys(tags ?? {}).length > 0 ? { tags: tags ?? {} } : {}),
    ...(binaryMediaTypes && binaryMediaTypes.length > 0 ? { binaryMediaTypes } : {}),
  };
}

/** Fills in the defaults: EDGE over IPv4; a private API is dual-stack. */
export function endpointConfiguration(given: EndpointConfiguration | undefined): EndpointConfiguration {
  const types = given?.types ?? ['EDGE'];
  if (types.length === 0) throw badRequest('REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.');
  if (types.length > 1) throw badRequest('Cannot create an api with multiple Endpoint Types.');
  const isPrivate = types[0] === 'PRIVATE';
  const ipAddressType = given?.ipAddressType ?? (isPrivate ? 'dualstack' : 'ipv4');
  return compact({ types, ipAddressType, vpcEndpointIds: given?.vpcEndpointIds });
}

function checkPrivate(configuration: EndpointConfiguration | undefined): void {
  if (configuration?.types?.[0] === 'PRIVATE' && configuration.ipAddressType === 'ipv4') {
    throw badRequest('Only dualstack ipAddressType is supported for Private APIs.');
  }
}

export function compressionSize(value: number | undefined): number | undefined {
  if (value === undefined) return undefined;
  if (!Number.isInteger(value) || value < 0 || value > COMPRESSION_BYTES_MAX) {
    throw badRequest('Invalid minimum compression size, must be between 0 and 10485760');
  }
  return value;
}

/** A new API's row; checks in AWS's order. */
export function newApi(request: CreateRestApiRequest, id: string, rootResourceId: string, createdMs: number): RestApiRow {
  const configuration = endpointConfiguration(request.endpointConfiguration);
  if (request.description === '') throw badRequest('Description cannot be an empty string');
  checkPrivate(configuration);
  if (!request.name) throw badRequest('API name must be specified');
  return compact({
    id,
    name: request.name,
    description: request.description,
    version: request.version,
    createdMs,
    binaryMediaTypes: request.binaryMediaTypes,
    minimumCompressionSize: compressionSize(request.minimumCompressionSize),
    apiKeySource: request.apiKeySource ?? 'HEADER',
    endpointConfiguration: configuration,
    policy: request.policy,
    tags: request.tags ?? {},
    disableExecuteApiEndpoint: request.disableExecuteApiEndpoint ?? false,
    rootResourceId,
  });
}

/** One operation of UpdateRestApi. */
export function patchApi(api: RestApiRow, patch: Patch): RestApiRow {
  const [first, second] = patch.segments;
  switch (first) {
    case 'name':
    case 'description':
    case 'version':
    case 'policy':
      return compact({ ...api, [first]: patch.op === 'remove' || patch.value === '' ? undefined : patch.value }) as RestApiRow;
    case 'apiKeySource':
      requireOp(patch, 'replace');
      if (patch.value !== 'HEADER' && patch.value !== 'AUTHORIZER') throw badRequest('Invalid api key source specified. Valid options are HEADER,AUTHORIZER');
      return { ...api, apiKeySource: patch.value };
    case 'disableExecuteApiEndpoint':
      requireOp(patch, 'replace');
      return { ...api, disableExecuteApiEndpoint: asBoolean(patch.value) };
    case 'minimumCompressionSize':
      requireOp(patch, 'replace');
      return compact({ ...api, minimumCompressionSize: patch.value ? compressionSize(Number(patch.value)) : undefined }) as RestApiRow;
    case 'binaryMediaTypes':
      return patchMediaTypes(api, patch, second);
    case 'endpointConfiguration':
      return { ...api, endpointConfiguration: patchEndpoint(api.endpointConfiguration ?? {}, patch, second) };
    default:
      throw invalidPath(patch);
  }
}

function patchMediaTypes(api: RestApiRow, patch: Patch, mediaType: string | undefined): RestApiRow {
  if (mediaType === undefined) throw invalidPath(patch);
  const replaced = patch.value?.replaceAll('~1', '/').replaceAll('~0', '~') ?? mediaType;
  const [removed, added] = patch.op === 'remove' ? [mediaType, undefined] : patch.op === 'replace' ? [mediaType, replaced] : [undefined, mediaType];
  return compact({ ...api, binaryMediaTypes: patchList(api.binaryMediaTypes, removed, added) }) as RestApiRow;
}

function patchEndpoint(configuration: EndpointConfiguration, patch: Patch, part: string | undefined): EndpointConfiguration {
  if (part === 'types') {
    if (!['add', 'remove', 'replace'].includes(patch.op)) throw badRequest("Invalid patch operation specified. Must be 'add'|'remove'|'replace'");
    const type = patch.value ?? patch.segments[2] ?? '';
    if (!ENDPOINT_TYPES.includes(type)) throw badRequest('Invalid EndpointTypes specified. Valid options are REGIONAL,EDGE,PRIVATE');
    if (patch.op === 'remove' && !configuration.types?.includes(type as 'EDGE'))
      throw badRequest("Invalid patch operation specified. Must be 'add'|'remove'|'replace'");
    if (patch.op === 'remove') throw badRequest('REGIONAL Configuration and EDGE Configuration cannot be both DISABLED.');
    return { ...configuration, types: [type as 'EDGE'], ...(type === 'PRIVATE' ? { ipAddressType: 'dualstack' } : {}) };
  }
  if (part === 'ipAddressType') {
    requireOp(patch, 'replace');
    if (patch.value !== 'ipv4' && patch.value !== 'dualstack') throw badRequest('ipAddressType must be either ipv4 or dualstack.');
    const next = { ...configuration, ipAddressType: patch.value } as const;
    checkPrivate(next);
    return next;
  }
  if (part === 'vpcEndpointIds') {
    const value = patch.value;
    return compact({
      ...configuration,
      vpcEndpointIds: patchList(configuration.vpcEndpointIds, patch.op === 'remove' ? value : undefined, patch.op === 'add' ? value : undefined),
    });
  }
  throw invalidPath(patch);
}
