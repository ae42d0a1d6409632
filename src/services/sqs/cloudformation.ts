import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { queueArn } from './domain/address.ts';
import { QUEUE_NAME_CHARS_MAX } from './limits.ts';
import { claim, unclaim } from './store.ts';

/** Properties that are attributes of the same name; "AWS::SQS::Queue". */
const ATTRIBUTES = [
  'ContentBasedDeduplication',
  'DeduplicationScope',
  'DelaySeconds',
  'FifoThroughputLimit',
  'KmsDataKeyReusePeriodSeconds',
  'KmsMasterKeyId',
  'MaximumMessageSize',
  'MessageRetentionPeriod',
  'ReceiveMessageWaitTimeSeconds',
  'RedriveAllowPolicy',
  'RedrivePolicy',
  'SqsManagedSseEnabled',
  'VisibilityTimeout',
] as const;

/** What an attribute goes back to when its property is taken out of the template, as recorded; those not named stay as they are. */
const RESETS: Readonly<Record<string, string>> = {
  ContentBasedDeduplication: 'false',
  DelaySeconds: '0',
  KmsMasterKeyId: '',
  MaximumMessageSize: '262144',
  MessageRetentionPeriod: '345600',
  ReceiveMessageWaitTimeSeconds: '0',
  RedriveAllowPolicy: '',
  RedrivePolicy: '',
  VisibilityTimeout: '30',
};

const isCode = (error: unknown, code: string) => error instanceof AwsError && error.code === code;
const isTrue = (value: unknown) => String(value).toLowerCase() === 'true';

/** Template values become text; policies may be written as objects. */
const textOf = (value: unknown): string => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value));

function attributesOf(properties: Properties): Record<string, string> {
  const attributes: Record<string, string> = isTrue(properties['FifoQueue']) ? { FifoQueue: 'true' } : {};
  for (const name of ATTRIBUTES) if (properties[name] !== undefined) attributes[name] = textOf(properties[name]);
  return attributes;
}

function tagsOf(request: Pick<ResourceRequest, 'properties' | 'tags'>): Record<string, string> {
  const own = Array.isArray(request.properties['Tags']) ? (request.properties['Tags'] as { Key: string; Value: string }[]) : [];
  return { ...request.tags, ...Object.fromEntries(own.map(({ Key, Value }) => [Key, String(Value)])) };
}

const nameOfUrl = (url: string): string => url.split('/').at(-1) ?? '';

function result(ctx: Ctx, url: string): ResourceResult {
  const name = nameOfUrl(url);
  return { physicalId: url, attributes: { Arn: queueArn({ account: ctx.account, region: ctx.region, name }), QueueName: name, QueueUrl: url } };
}

/** A FIFO queue's generated name ends as its type asks. */
function queueName(request: ResourceRequest): string {
  const { QueueName: given, FifoQueue: fifo } = request.properties;
  if (given !== undefined) return String(given);
  return isTrue(fifo) ? `${request.generatedName(QUEUE_NAME_CHARS_MAX - 5)}.fifo` : request.generatedName(QUEUE_NAME_CHARS_MAX);
}

const exists = (name: string) => new AwsError('AlreadyExists', `${name} already exists`);

async function updateTags(ctx: Ctx, QueueUrl: string, tags: Readonly<Record<string, string>>): Promise<void> {
  const { Tags: had = {} } = (await ctx.call('sqs', 'ListQueueTags', { QueueUrl })) as { Tags?: Record<string, string> };
  const gone = Object.keys(had).filter((key) => !(key in tags));
  if (gone.length > 0) await ctx.call('sqs', 'UntagQueue', { QueueUrl, TagKeys: gone });
  if (Object.keys(tags).length > 0) await ctx.call('sqs', 'TagQueue', { QueueUrl, Tags: { ...tags } });
}

const queue: ResourceType = {
  type: 'AWS::SQS::Queue',
  replaceOn: ['QueueName', 'FifoQueue'],
  properties: ['QueueName', 'FifoQueue', 'Tags', ...ATTRIBUTES],
  recorded: ['KmsMasterKeyId', 'KmsDataKeyReusePeriodSeconds', 'SqsManagedSseEnabled', 'FifoThroughputLimit'],
  async create(ctx, request) {
    const name = queueName(request);
    if (!(await claim(ctx.platform.store, ctx, name, request.token))) throw exists(name);
    const tags = tagsOf(request);
    const { QueueUrl } = (await ctx.call('sqs', 'CreateQueue', {
      QueueName: name,
      Attributes: attributesOf(request.properties),
      ...(Object.keys(tags).length > 0 ? { tags } : {}),
    })) as { QueueUrl: string };
    return result(ctx, QueueUrl);
  },
  async update(ctx, request) {
    const { FifoQueue: _type, ...wanted } = attributesOf(request.properties);
    for (const [name, value] of Object.entries(RESETS)) if (request.previous[name] !== undefined) wanted[name] ??= value;
    if ((wanted['KmsMasterKeyId'] ?? '') !== '') delete wanted['SqsManagedSseEnabled'];
    if (Object.keys(wanted).length > 0) await ctx.call('sqs', 'SetQueueAttributes', { QueueUrl: request.physicalId, Attributes: wanted });
    await updateTags(ctx, request.physicalId, tagsOf(request));
    return result(ctx, request.physicalId);
  },
  async delete(ctx, request) {
    try {
      await ctx.call('sqs', 'DeleteQueue', { QueueUrl: request.physicalId });
    } catch (error) {
      if (!isCode(error, 'QueueDoesNotExist')) throw error;
    }
    await unclaim(ctx.platform.store, ctx, nameOfUrl(request.physicalId));
  },
};

const urlsOf = (properties: Properties): string[] => (Array.isArray(properties['Queues']) ? properties['Queues'].map(String) : []);

async function setPolicy(ctx: Ctx, urls: readonly string[], Policy: string): Promise<void> {
  for (const QueueUrl of urls) await ctx.call('sqs', 'SetQueueAttributes', { QueueUrl, Attributes: { Policy } });
}

async function removePolicy(ctx: Ctx, urls: readonly string[]): Promise<void> {
  for (const url of urls) {
    try {
      await setPolicy(ctx, [url], '');
    } catch (error) {
      if (!isCode(error, 'QueueDoesNotExist')) throw error;
    }
  }
}

/** "AWS::SQS::QueuePolicy": the policy of each of its queues. */
const queuePolicy: ResourceType = {
  type: 'AWS::SQS::QueuePolicy',
  replaceOn: [],
  properties: ['Queues', 'PolicyDocument'],
  recorded: ['PolicyDocument'],
  async create(ctx, request) {
    await setPolicy(ctx, urlsOf(request.properties), textOf(request.properties['PolicyDocument']));
    const id = request.generatedName();
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(ctx, request) {
    const urls = urlsOf(request.properties);
    await removePolicy(
      ctx,
      urlsOf(request.previous).filter((url) => !urls.includes(url)),
    );
    await setPolicy(ctx, urls, textOf(request.properties['PolicyDocument']));
    return { physicalId: request.physicalId, attributes: { Id: request.physicalId } };
  },
  delete: (ctx, request) => removePolicy(ctx, urlsOf(request.properties)),
};

/** "AWS::SQS::QueueInlinePolicy": the policy of one queue, which names it. */
const queueInlinePolicy: ResourceType = {
  type: 'AWS::SQS::QueueInlinePolicy',
  replaceOn: ['Queue'],
  properties: ['Queue', 'PolicyDocument'],
  recorded: ['PolicyDocument'],
  async create(ctx, request) {
    const url = String(request.properties['Queue']);
    await setPolicy(ctx, [url], textOf(request.properties['PolicyDocument']));
    return { physicalId: url, attributes: {} };
  },
  async update(ctx, request) {
    await setPolicy(ctx, [request.physicalId], textOf(request.properties['PolicyDocument']));
    return { physicalId: request.physicalId, attributes: {} };
  },
  delete: (ctx, request) => removePolicy(ctx, [request.physicalId]),
};

export const resources: readonly ResourceType[] = [queue, queuePolicy, queueInlinePolicy];
