import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { storedName } from './domain/names.ts';
import { claim, unclaim } from './store.ts';

const PUT = ['Type', 'Value', 'Description', 'AllowedPattern', 'DataType', 'Policies', 'Tier'] as const;

/** A name as CloudFormation makes them for parameters: `CFN-LogicalId-XXXXXXXXXXXX`. */
const nameOf = (request: ResourceRequest): string =>
  request.properties['Name'] === undefined ? `CFN-${request.logicalId}-${request.generatedName().split('-').at(-1) ?? ''}` : String(request.properties['Name']);

const textOf = (value: unknown): string => (Array.isArray(value) ? value.map(String).join(',') : String(value));

function inputOf(properties: Properties): Record<string, string> {
  const input: Record<string, string> = {};
  for (const name of PUT) if (properties[name] !== undefined) input[name] = textOf(properties[name]);
  return input;
}

function tagsOf(request: Pick<ResourceRequest, 'properties' | 'tags'>): Record<string, string> {
  const own = request.properties['Tags'];
  return {
    ...request.tags,
    ...(typeof own === 'object' && own !== null ? Object.fromEntries(Object.entries(own).map(([key, value]) => [key, String(value)])) : {}),
  };
}

const result = (name: string, properties: Properties): ResourceResult => ({
  physicalId: name,
  attributes: { Type: String(properties['Type']), Value: textOf(properties['Value']) },
});

const resource = (name: string) => ({ ResourceType: 'Parameter', ResourceId: name });

async function updateTags(ctx: Ctx, name: string, tags: Readonly<Record<string, string>>): Promise<void> {
  const { TagList = [] } = (await ctx.call('ssm', 'ListTagsForResource', resource(name))) as { TagList?: { Key: string }[] };
  const gone = TagList.map(({ Key }) => Key).filter((key) => !(key in tags));
  if (gone.length > 0) await ctx.call('ssm', 'RemoveTagsFromResource', { ...resource(name), TagKeys: gone });
  const list = Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));
  if (list.length > 0) await ctx.call('ssm', 'AddTagsToResource', { ...resource(name), Tags: list });
}

/** "AWS::SSM::Parameter": no SecureStrings, as on AWS. */
const parameter: ResourceType = {
  type: 'AWS::SSM::Parameter',
  replaceOn: ['Name'],
  properties: ['Name', 'Tags', ...PUT],
  async create(ctx, request) {
    const name = nameOf(request);
    const stored = storedName(name);
    if (!(await claim(ctx.platform.store, ctx, stored, request.token))) throw new AwsError('AlreadyExists', `${name} already exists`);
    const { properties } = request;
    if (properties['Type'] === 'SecureString') throw new AwsError('ValidationException', 'SecureString is not supported by AWS::SSM::Parameter');
    // A creation that was cut off is put again.
    await ctx.call('ssm', 'PutParameter', { Name: name, ...inputOf(properties), Overwrite: true });
    await updateTags(ctx, name, tagsOf(request));
    return result(name, properties);
  },
  async update(ctx, request) {
    const { physicalId: name, properties, previous } = request;
    const [wanted, had] = [inputOf(properties), inputOf(previous)];
    if (JSON.stringify(wanted) !== JSON.stringify(had)) await ctx.call('ssm', 'PutParameter', { Name: name, ...wanted, Overwrite: true });
    await updateTags(ctx, name, tagsOf(request));
    return result(name, properties);
  },
  async delete(ctx, request) {
    try {
      await ctx.call('ssm', 'DeleteParameter', { Name: request.physicalId });
    } catch (error) {
      if (!(error instanceof AwsError) || error.code !== 'ParameterNotFound') throw error;
    }
    await unclaim(ctx.platform.store, ctx, storedName(request.physicalId));
  },
};

export const resources: readonly ResourceType[] = [parameter];
