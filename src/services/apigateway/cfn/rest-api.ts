import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../../service.ts';
import { idsFrom } from '../domain/ids.ts';
import { importRestApiOnce } from '../operations/import.ts';
import { createRestApiOnce } from '../operations/rest-apis.ts';
import { asBool, asList, asNumber, asObject, asText, call, deleteQuietly, escapePath, input, type PatchOp, patchScalar, tagsOf, textMap } from './values.ts';

const result = (api: Record<string, unknown>): ResourceResult => ({
  physicalId: String(api['id']),
  attributes: { RestApiId: api['id'], RootResourceId: api['rootResourceId'] },
});

/** The OpenAPI document: in place, or in a bucket; undefined where the API has none. */
async function bodyOf(ctx: Ctx, properties: Properties): Promise<Buffer | undefined> {
  if (properties['Body'] !== undefined) return Buffer.from(JSON.stringify(properties['Body']), 'utf8');
  const location = properties['BodyS3Location'];
  if (location === undefined) return undefined;
  const { Bucket, Key, Version } = asObject(location);
  const object = await ctx.call('s3', 'GetObject', input({ Bucket: asText(Bucket), Key: asText(Key), VersionId: asText(Version) }));
  const chunks: Uint8Array[] = [];
  for await (const chunk of object['Body'] as AsyncIterable<Uint8Array>) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function endpointOf(properties: Properties): Record<string, unknown> | undefined {
  const given = properties['EndpointConfiguration'];
  if (given === undefined) return undefined;
  const { Types, VpcEndpointIds, IpAddressType } = asObject(given);
  return input({ types: Types, vpcEndpointIds: VpcEndpointIds, ipAddressType: IpAddressType });
}

/** What the template says beside the body goes over what the body says. */
function patches(properties: Properties, previous: Properties): PatchOp[] {
  const names: readonly [string, string][] = [
    ['Name', '/name'],
    ['Description', '/description'],
    ['ApiKeySourceType', '/apiKeySource'],
    ['MinimumCompressionSize', '/minimumCompressionSize'],
    ['Policy', '/policy'],
    ['DisableExecuteApiEndpoint', '/disableExecuteApiEndpoint'],
  ];
  const ops = names.flatMap(([name, path]) => patchScalar(path, properties[name], previous[name]));
  const [wanted, had] = [asList(properties['BinaryMediaTypes']).map(String), asList(previous['BinaryMediaTypes']).map(String)];
  for (const type of had) if (!wanted.includes(type)) ops.push({ op: 'remove', path: `/binaryMediaTypes/${escapePath(type)}` });
  for (const type of wanted) if (!had.includes(type)) ops.push({ op: 'add', path: `/binaryMediaTypes/${escapePath(type)}` });
  const [type, before] = [asList(asObject(properties['EndpointConfiguration'])['Types'])[0], asList(asObject(previous['EndpointConfiguration'])['Types'])[0]];
  if (type !== undefined && type !== before) ops.push({ op: 'replace', path: `/endpointConfiguration/types/${String(before ?? 'EDGE')}`, value: String(type) });
  return ops;
}

async function applyTags(ctx: Ctx, id: string, tags: Record<string, string> | undefined): Promise<void> {
  const resourceArn = `arn:aws:apigateway:${ctx.region}::/restapis/${id}`;
  const had = asObject((await call(ctx, 'GetTags', { resourceArn }))['tags']);
  const gone = Object.keys(had).filter((key) => !(key in (tags ?? {})));
  if (gone.length > 0) await call(ctx, 'UntagResource', { resourceArn, tagKeys: gone });
  if (tags) await call(ctx, 'TagResource', { resourceArn, tags });
}

async function createPlain(ctx: Ctx, request: ResourceRequest): Promise<Record<string, unknown>> {
  const { properties } = request;
  const policy = properties['Policy'];
  const members = input({
    name: asText(properties['Name']) ?? request.generatedName(255),
    description: asText(properties['Description']),
    cloneFrom: properties['CloneFrom'],
    binaryMediaTypes: properties['BinaryMediaTypes'],
    minimumCompressionSize: asNumber(properties['MinimumCompressionSize']),
    apiKeySource: properties['ApiKeySourceType'],
    endpointConfiguration: endpointOf(properties),
    policy: policy === undefined || typeof policy === 'string' ? policy : JSON.stringify(policy),
    disableExecuteApiEndpoint: asBool(properties['DisableExecuteApiEndpoint']),
    tags: tagsOf(properties, request.tags),
  });
  return { ...(await createRestApiOnce(ctx, members as unknown as Parameters<typeof createRestApiOnce>[1], idsFrom(request.token))) };
}

/** "AWS::ApiGateway::RestApi". */
export const restApi: ResourceType = {
  type: 'AWS::ApiGateway::RestApi',
  replaceOn: ['CloneFrom'],
  properties: [
    'ApiKeySourceType',
    'BinaryMediaTypes',
    'Body',
    'BodyS3Location',
    'CloneFrom',
    'Description',
    'DisableExecuteApiEndpoint',
    'EndpointConfiguration',
    'FailOnWarnings',
    'MinimumCompressionSize',
    'Mode',
    'Name',
    'Parameters',
    'Policy',
    'Tags',
  ],
  recorded: ['Policy', 'MinimumCompressionSize', 'EndpointConfiguration', 'DisableExecuteApiEndpoint', 'FailOnWarnings'],
  async create(ctx, request) {
    const { properties } = request;
    const body = await bodyOf(ctx, properties);
    if (body === undefined) return result(await createPlain(ctx, request));
    const created = { ...(await importRestApiOnce(ctx, { body, parameters: textMap(properties['Parameters']) }, idsFrom(request.token))) };
    const id = String(created['id']);
    const patchOperations = patches(properties, {});
    if (patchOperations.length > 0) await call(ctx, 'UpdateRestApi', { restApiId: id, patchOperations });
    await applyTags(ctx, id, tagsOf(properties, request.tags));
    return result(created);
  },
  async update(ctx, request) {
    const { properties, previous, physicalId: restApiId } = request;
    const body = await bodyOf(ctx, properties);
    if (body !== undefined) {
      await call(ctx, 'PutRestApi', { restApiId, body, mode: asText(properties['Mode']) ?? 'overwrite', parameters: textMap(properties['Parameters']) });
    }
    // An overwritten API has lost what stood beside its body: all of it is applied again.
    const patchOperations = patches(properties, body === undefined ? previous : {});
    if (patchOperations.length > 0) await call(ctx, 'UpdateRestApi', { restApiId, patchOperations });
    await applyTags(ctx, restApiId, tagsOf(properties, request.tags));
    return result(await call(ctx, 'GetRestApi', { restApiId }));
  },
  delete: (ctx, request) => deleteQuietly(ctx, 'DeleteRestApi', { restApiId: request.physicalId }),
};
