import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { logGroupArn } from './domain/names.ts';

/** Names of generated groups and streams stay within 512 characters. */
const NAME_MAX = 512;

const isCode = (error: unknown, code: string) => error instanceof AwsError && error.code === code;

function tagsOf(request: Pick<ResourceRequest, 'properties' | 'tags'>): Record<string, string> {
  const own = Array.isArray(request.properties['Tags']) ? (request.properties['Tags'] as { Key: string; Value: string }[]) : [];
  return { ...request.tags, ...Object.fromEntries(own.map(({ Key, Value }) => [Key, Value])) };
}

async function applyRetention(ctx: Ctx, logGroupName: string, properties: Properties): Promise<void> {
  const days = properties['RetentionInDays'];
  if (days === undefined) await ctx.call('logs', 'DeleteRetentionPolicy', { logGroupName });
  else await ctx.call('logs', 'PutRetentionPolicy', { logGroupName, retentionInDays: Number(days) });
}

const groupResult = (ctx: Ctx, name: string): ResourceResult => ({ physicalId: name, attributes: { Arn: `${logGroupArn(ctx, name)}:*` } });

/** Deleting what is gone already is a success. */
async function deleteQuietly(ctx: Ctx, operation: string, input: Record<string, unknown>): Promise<void> {
  try {
    await ctx.call('logs', operation, input);
  } catch (error) {
    if (!isCode(error, 'ResourceNotFoundException')) throw error;
  }
}

/** "AWS::Logs::LogGroup". */
const logGroup: ResourceType = {
  type: 'AWS::Logs::LogGroup',
  replaceOn: ['LogGroupName'],
  properties: ['LogGroupName', 'RetentionInDays', 'KmsKeyId', 'LogGroupClass', 'Tags', 'DeletionProtectionEnabled'],
  recorded: ['KmsKeyId', 'LogGroupClass'],
  async create(ctx, request) {
    const { properties } = request;
    const name = String(properties['LogGroupName'] ?? request.generatedName(NAME_MAX));
    const tags = tagsOf(request);
    await ctx.call('logs', 'CreateLogGroup', {
      logGroupName: name,
      ...(properties['KmsKeyId'] === undefined ? {} : { kmsKeyId: properties['KmsKeyId'] }),
      ...(properties['LogGroupClass'] === undefined ? {} : { logGroupClass: properties['LogGroupClass'] }),
      ...(properties['DeletionProtectionEnabled'] === undefined
        ? {}
        : { deletionProtectionEnabled: String(properties['DeletionProtectionEnabled']) === 'true' }),
      ...(Object.keys(tags).length > 0 ? { tags } : {}),
    });
    if (properties['RetentionInDays'] !== undefined) await applyRetention(ctx, name, properties);
    return groupResult(ctx, name);
  },
  async update(ctx, request) {
    const name = request.physicalId;
    await applyRetention(ctx, name, request.properties);
    await ctx.call('logs', 'PutLogGroupDeletionProtection', {
      logGroupIdentifier: name,
      deletionProtectionEnabled: String(request.properties['DeletionProtectionEnabled'] ?? false) === 'true',
    });
    const { tags: had } = (await ctx.call('logs', 'ListTagsLogGroup', { logGroupName: name })) as { tags: Record<string, string> };
    const tags = tagsOf(request);
    const gone = Object.keys(had).filter((key) => !(key in tags));
    if (gone.length > 0) await ctx.call('logs', 'UntagLogGroup', { logGroupName: name, tags: gone });
    if (Object.keys(tags).length > 0) await ctx.call('logs', 'TagLogGroup', { logGroupName: name, tags });
    return groupResult(ctx, name);
  },
  delete: (ctx, request) => deleteQuietly(ctx, 'DeleteLogGroup', { logGroupName: request.physicalId }),
};

/** "AWS::Logs::LogStream". */
const logStream: ResourceType = {
  type: 'AWS::Logs::LogStream',
  replaceOn: ['LogGroupName', 'LogStreamName'],
  properties: ['LogGroupName', 'LogStreamName'],
  async create(ctx, request) {
    const name = String(request.properties['LogStreamName'] ?? request.generatedName(NAME_MAX));
    await ctx.call('logs', 'CreateLogStream', { logGroupName: String(request.properties['LogGroupName']), logStreamName: name });
    return { physicalId: name, attributes: {} };
  },
  update: (_ctx, request) => Promise.resolve({ physicalId: request.physicalId, attributes: {} }),
  delete: (ctx, request) =>
    deleteQuietly(ctx, 'DeleteLogStream', { logGroupName: String(request.properties['LogGroupName']), logStreamName: request.physicalId }),
};

export const resources: readonly ResourceType[] = [logGroup, logStream];
