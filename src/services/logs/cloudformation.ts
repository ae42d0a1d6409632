import { AwsError } from '../../kit/errors.ts';
import { decodeJson } from '../../kit/json.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { logGroupArn } from './domain/names.ts';
import { claim, type GroupRow, keys, unclaim } from './store.ts';

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

/** Creates; that it is there already is a success where this very operation made it before a crash. */
async function createUnlessOurs(ctx: Ctx, ours: boolean, operation: string, input: Record<string, unknown>): Promise<void> {
  try {
    await ctx.call('logs', operation, input);
  } catch (error) {
    if (!ours || !isCode(error, 'ResourceAlreadyExistsException')) throw error;
  }
}

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
    const ours = await claim(ctx.platform.store, ctx, `group ${name}`, request.token, (tx) => tx.get(keys.group(ctx, name)) !== undefined);
    await createUnlessOurs(ctx, ours, 'CreateLogGroup', {
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
  async delete(ctx, request) {
    await deleteQuietly(ctx, 'DeleteLogGroup', { logGroupName: request.physicalId });
    await unclaim(ctx.platform.store, ctx, `group ${request.physicalId}`);
  },
};

/** "AWS::Logs::LogStream". */
const logStream: ResourceType = {
  type: 'AWS::Logs::LogStream',
  replaceOn: ['LogGroupName', 'LogStreamName'],
  properties: ['LogGroupName', 'LogStreamName'],
  async create(ctx, request) {
    const name = String(request.properties['LogStreamName'] ?? request.generatedName(NAME_MAX));
    const logGroupName = String(request.properties['LogGroupName']);
    const exists = (tx: Tx) => {
      const group = tx.get(keys.group(ctx, logGroupName));
      return group !== undefined && tx.get(keys.stream(ctx, decodeJson<GroupRow>(group).id, name)) !== undefined;
    };
    const ours = await claim(ctx.platform.store, ctx, `stream ${logGroupName} ${name}`, request.token, exists);
    await createUnlessOurs(ctx, ours, 'CreateLogStream', { logGroupName, logStreamName: name });
    return { physicalId: name, attributes: {} };
  },
  update: (_ctx, request) => Promise.resolve({ physicalId: request.physicalId, attributes: {} }),
  async delete(ctx, request) {
    const logGroupName = String(request.properties['LogGroupName']);
    await deleteQuietly(ctx, 'DeleteLogStream', { logGroupName, logStreamName: request.physicalId });
    await unclaim(ctx.platform.store, ctx, `stream ${logGroupName} ${request.physicalId}`);
  },
};

const putPolicy = (ctx: Ctx, policyName: string, { PolicyDocument: document }: Properties) =>
  ctx.call('logs', 'PutResourcePolicy', { policyName, policyDocument: typeof document === 'string' ? document : JSON.stringify(document) });

/** "AWS::Logs::ResourcePolicy". */
const resourcePolicy: ResourceType = {
  type: 'AWS::Logs::ResourcePolicy',
  replaceOn: ['PolicyName'],
  properties: ['PolicyName', 'PolicyDocument'],
  recorded: ['PolicyDocument'],
  async create(ctx, request) {
    const name = String(request.properties['PolicyName']);
    await putPolicy(ctx, name, request.properties);
    return { physicalId: name, attributes: {} };
  },
  async update(ctx, { physicalId, properties }) {
    await putPolicy(ctx, physicalId, properties);
    return { physicalId, attributes: {} };
  },
  delete: (ctx, { physicalId }) => deleteQuietly(ctx, 'DeleteResourcePolicy', { policyName: physicalId }),
};

export const resources: readonly ResourceType[] = [logGroup, logStream, resourcePolicy];
