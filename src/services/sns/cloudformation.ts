import { parseArn } from '../../kit/arn.ts';
import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { topicArn } from './domain/arn.ts';
import { TOPIC_NAME_CHARS_MAX } from './limits.ts';
import { claim, unclaim } from './store.ts';

type Call = (operation: string, input: Record<string, unknown>) => Promise<Record<string, unknown>>;

/** Properties that are attributes of the same name; "AWS::SNS::Topic". */
const ATTRIBUTES = [
  'ArchivePolicy',
  'ContentBasedDeduplication',
  'DisplayName',
  'FifoThroughputScope',
  'KmsMasterKeyId',
  'SignatureVersion',
  'TracingConfig',
] as const;
/** What an attribute goes back to when its property is taken out of the template. */
const RESETS: Readonly<Record<string, string>> = {
  ArchivePolicy: '',
  ContentBasedDeduplication: 'false',
  DisplayName: '',
  KmsMasterKeyId: '',
  SignatureVersion: '1',
  TracingConfig: 'PassThrough',
};
const PROTOCOLS: Readonly<Record<string, string>> = {
  application: 'Application',
  firehose: 'Firehose',
  http: 'HTTP',
  'http/s': 'HTTP',
  lambda: 'Lambda',
  sqs: 'SQS',
};

const isCode = (error: unknown, ...codes: readonly string[]) => error instanceof AwsError && codes.includes(error.code);
const isTrue = (value: unknown) => String(value).toLowerCase() === 'true';
/** Template values become text; policies may be written as objects. */
const textOf = (value: unknown): string => (typeof value === 'object' && value !== null ? JSON.stringify(value) : String(value));
const listOf = (value: unknown): readonly Record<string, unknown>[] => (Array.isArray(value) ? (value as Record<string, unknown>[]) : []);

/** CloudFormation hands its numbers on as texts. */
const archivePolicy = (value: unknown): string => textOf(value).replace(/:(\d+)\b/g, ':"$1"');

function attributesOf(properties: Properties): Record<string, string> {
  const attributes: Record<string, string> = {};
  for (const name of ATTRIBUTES)
    if (properties[name] !== undefined) attributes[name] = name === 'ArchivePolicy' ? archivePolicy(properties[name]) : textOf(properties[name]);
  for (const logging of listOf(properties['DeliveryStatusLogging'])) {
    const prefix = PROTOCOLS[String(logging['Protocol']).toLowerCase()];
    if (prefix === undefined) throw new AwsError('InvalidRequest', `DeliveryStatusLogging: ${String(logging['Protocol'])} is not a protocol`);
    for (const name of ['SuccessFeedbackRoleArn', 'SuccessFeedbackSampleRate', 'FailureFeedbackRoleArn'])
      if (logging[name] !== undefined) attributes[`${prefix}${name}`] = textOf(logging[name]);
  }
  return attributes;
}

function tagsOf(request: Pick<ResourceRequest, 'properties' | 'tags'>): Record<string, string> {
  return { ...request.tags, ...Object.fromEntries(listOf(request.properties['Tags']).map(({ Key, Value }) => [String(Key), String(Value)])) };
}
const tagList = (tags: Readonly<Record<string, string>>) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value }));

const nameOfArn = (arn: string): string => arn.split(':')[5] ?? '';
/** Beside the attributes of its schema, a topic answers with the properties it has, as recorded. */
const topicResult = (arn: string, properties: Properties): ResourceResult => {
  const shown = ['DisplayName', 'KmsMasterKeyId', 'SignatureVersion', 'TracingConfig'].flatMap((name) =>
    properties[name] === undefined ? [] : [[name, textOf(properties[name])]],
  );
  return { physicalId: arn, attributes: { ...Object.fromEntries(shown), TopicArn: arn, TopicName: nameOfArn(arn) } };
};

/** A FIFO topic's generated name ends as its type asks. */
function topicName(request: ResourceRequest): string {
  const { TopicName: given, FifoTopic: fifo } = request.properties;
  if (given !== undefined) return String(given);
  return isTrue(fifo) ? `${request.generatedName(TOPIC_NAME_CHARS_MAX - 5)}.fifo` : request.generatedName(TOPIC_NAME_CHARS_MAX);
}

const keyOfInline = ({ Protocol, Endpoint }: Record<string, unknown>) => `${String(Protocol)} ${String(Endpoint)}`;

/** Subscriptions written within the topic: those added are subscribed, those taken out are unsubscribed. */
async function applyInline(call: Call, TopicArn: string, wanted: Properties, previous: Properties): Promise<void> {
  const next = listOf(wanted['Subscription']);
  for (const { Protocol, Endpoint } of next) await call('Subscribe', { TopicArn, Protocol, Endpoint: textOf(Endpoint) });
  const kept = new Set(next.map(keyOfInline));
  const gone = new Set(
    listOf(previous['Subscription'])
      .map(keyOfInline)
      .filter((key) => !kept.has(key)),
  );
  if (gone.size === 0) return;
  for (let NextToken: unknown; ; ) {
    const page = await call('ListSubscriptionsByTopic', { TopicArn, ...(NextToken === undefined ? {} : { NextToken }) });
    for (const one of listOf(page['Subscriptions'])) {
      if (gone.has(keyOfInline(one)) && String(one['SubscriptionArn']).startsWith('arn:'))
        await call('Unsubscribe', { SubscriptionArn: one['SubscriptionArn'] });
    }
    NextToken = page['NextToken'];
    if (NextToken === undefined) return;
  }
}

async function updateTags(call: Call, ResourceArn: string, tags: Readonly<Record<string, string>>): Promise<void> {
  const had = listOf((await call('ListTagsForResource', { ResourceArn }))['Tags']).map(({ Key }) => String(Key));
  const gone = had.filter((key) => !(key in tags));
  if (gone.length > 0) await call('UntagResource', { ResourceArn, TagKeys: gone });
  if (Object.keys(tags).length > 0) await call('TagResource', { ResourceArn, Tags: tagList(tags) });
}

const topic: ResourceType = {
  type: 'AWS::SNS::Topic',
  replaceOn: ['TopicName', 'FifoTopic'],
  properties: ['TopicName', 'FifoTopic', 'Subscription', 'Tags', 'DataProtectionPolicy', 'DeliveryStatusLogging', ...ATTRIBUTES],
  recorded: ['KmsMasterKeyId', 'DataProtectionPolicy', 'DeliveryStatusLogging'],
  async create(ctx, request) {
    const name = topicName(request);
    const { account, region } = ctx;
    const arn = topicArn({ account, region, name });
    if (!(await claim(ctx.platform.store, ctx, name, request.token))) throw new AwsError('AlreadyExists', `${arn} already exists`);
    const { properties } = request;
    const call: Call = (operation, input) => ctx.call('sns', operation, input);
    await call('CreateTopic', {
      Name: name,
      Attributes: { ...(isTrue(properties['FifoTopic']) ? { FifoTopic: 'true' } : {}), ...attributesOf(properties) },
      Tags: tagList(tagsOf(request)),
      ...(properties['DataProtectionPolicy'] === undefined ? {} : { DataProtectionPolicy: textOf(properties['DataProtectionPolicy']) }),
    });
    await applyInline(call, arn, properties, {});
    return topicResult(arn, properties);
  },
  async update(ctx, request) {
    const { physicalId: TopicArn, properties, previous } = request;
    const call: Call = (operation, input) => ctx.call('sns', operation, input);
    const [wanted, had] = [attributesOf(properties), attributesOf(previous)];
    for (const name of Object.keys(had)) wanted[name] ??= RESETS[name] ?? '';
    for (const [AttributeName, AttributeValue] of Object.entries(wanted))
      if (AttributeValue !== had[AttributeName]) await call('SetTopicAttributes', { TopicArn, AttributeName, AttributeValue });
    if (properties['DataProtectionPolicy'] !== undefined || previous['DataProtectionPolicy'] !== undefined)
      await call('PutDataProtectionPolicy', { ResourceArn: TopicArn, DataProtectionPolicy: textOf(properties['DataProtectionPolicy'] ?? '') });
    await updateTags(call, TopicArn, tagsOf(request));
    await applyInline(call, TopicArn, properties, previous);
    return topicResult(TopicArn, properties);
  },
  async delete(ctx, request) {
    const TopicArn = request.physicalId;
    if (request.properties['ArchivePolicy'] !== undefined) {
      // A topic with an archive is not deleted.
      try {
        await ctx.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'ArchivePolicy', AttributeValue: '{}' });
      } catch (error) {
        if (!isCode(error, 'NotFound')) throw error;
      }
    }
    await ctx.call('sns', 'DeleteTopic', { TopicArn });
    await unclaim(ctx.platform.store, ctx, nameOfArn(request.physicalId));
  },
};

const SUBSCRIPTION_ATTRIBUTES = [
  'DeliveryPolicy',
  'FilterPolicy',
  'FilterPolicyScope',
  'RawMessageDelivery',
  'RedrivePolicy',
  'ReplayPolicy',
  'SubscriptionRoleArn',
] as const;
const SUBSCRIPTION_RESETS: Readonly<Record<string, string>> = { RawMessageDelivery: 'false', FilterPolicyScope: 'MessageAttributes' };

const subscriptionAttributes = (properties: Properties): Record<string, string> =>
  Object.fromEntries(SUBSCRIPTION_ATTRIBUTES.filter((name) => properties[name] !== undefined).map((name) => [name, textOf(properties[name])]));

/** A subscription is where its topic is: `Region` says where that is not the stack's. */
function callIn(ctx: Ctx, region: string | undefined): Call {
  const { account, principal, trace, platform } = ctx;
  const there = region === undefined || region === ctx.region ? ctx : platform.contextFor({ account, region, principal, trace, service: 'sns' });
  return (operation, input) => there.call('sns', operation, input);
}

const subscription: ResourceType = {
  type: 'AWS::SNS::Subscription',
  replaceOn: ['Endpoint', 'Protocol', 'TopicArn'],
  properties: ['Endpoint', 'Protocol', 'TopicArn', 'Region', ...SUBSCRIPTION_ATTRIBUTES],
  recorded: ['SubscriptionRoleArn'],
  async create(ctx, { properties }) {
    const { TopicArn, Protocol, Endpoint, Region } = properties;
    const attributes = subscriptionAttributes(properties);
    const { SubscriptionArn } = await callIn(ctx, Region === undefined ? undefined : String(Region))('Subscribe', {
      TopicArn,
      Protocol,
      ...(Endpoint === undefined ? {} : { Endpoint: textOf(Endpoint) }),
      ReturnSubscriptionArn: true,
      ...(Object.keys(attributes).length > 0 ? { Attributes: attributes } : {}),
    });
    return { physicalId: String(SubscriptionArn), attributes: { Arn: SubscriptionArn } };
  },
  async update(ctx, { physicalId, properties, previous }) {
    const call = callIn(ctx, parseArn(physicalId)?.region);
    const [wanted, had] = [subscriptionAttributes(properties), subscriptionAttributes(previous)];
    for (const name of Object.keys(had)) wanted[name] ??= SUBSCRIPTION_RESETS[name] ?? '';
    // The scope decides whether a policy may be nested: it is widened before the policy comes, and narrowed after it went.
    const first = wanted['FilterPolicyScope'] === 'MessageBody' ? 'FilterPolicyScope' : 'FilterPolicy';
    const names = Object.keys(wanted).sort((one, other) => Number(other === first) - Number(one === first));
    for (const name of names)
      if (wanted[name] !== had[name])
        await call('SetSubscriptionAttributes', { SubscriptionArn: physicalId, AttributeName: name, AttributeValue: wanted[name] });
    return { physicalId, attributes: { Arn: physicalId } };
  },
  async delete(ctx, { physicalId }) {
    try {
      await callIn(ctx, parseArn(physicalId)?.region)('Unsubscribe', { SubscriptionArn: physicalId });
    } catch (error) {
      if (!isCode(error, 'NotFound', 'InvalidParameter')) throw error;
    }
  },
};

const arnsOf = (properties: Properties): string[] => (Array.isArray(properties['Topics']) ? properties['Topics'].map(String) : []);

async function setPolicy(ctx: Ctx, arns: readonly string[], AttributeValue: string): Promise<void> {
  for (const TopicArn of arns) await ctx.call('sns', 'SetTopicAttributes', { TopicArn, AttributeName: 'Policy', AttributeValue });
}

/** The default policy is what is left. */
async function resetPolicy(ctx: Ctx, arns: readonly string[]): Promise<void> {
  for (const arn of arns) {
    try {
      await setPolicy(ctx, [arn], '');
    } catch (error) {
      if (!isCode(error, 'NotFound')) throw error;
    }
  }
}

/** "AWS::SNS::TopicPolicy": the policy of each of its topics. */
const topicPolicy: ResourceType = {
  type: 'AWS::SNS::TopicPolicy',
  replaceOn: [],
  properties: ['Topics', 'PolicyDocument'],
  recorded: ['PolicyDocument'],
  async create(ctx, request) {
    await setPolicy(ctx, arnsOf(request.properties), textOf(request.properties['PolicyDocument']));
    const id = request.generatedName();
    return { physicalId: id, attributes: { Id: id } };
  },
  async update(ctx, request) {
    const arns = arnsOf(request.properties);
    await resetPolicy(
      ctx,
      arnsOf(request.previous).filter((arn) => !arns.includes(arn)),
    );
    await setPolicy(ctx, arns, textOf(request.properties['PolicyDocument']));
    return { physicalId: request.physicalId, attributes: { Id: request.physicalId } };
  },
  delete: (ctx, request) => resetPolicy(ctx, arnsOf(request.properties)),
};

/** "AWS::SNS::TopicInlinePolicy": the policy of one topic, which names it. */
const topicInlinePolicy: ResourceType = {
  type: 'AWS::SNS::TopicInlinePolicy',
  replaceOn: ['TopicArn'],
  properties: ['TopicArn', 'PolicyDocument'],
  recorded: ['PolicyDocument'],
  async create(ctx, request) {
    const arn = String(request.properties['TopicArn']);
    await setPolicy(ctx, [arn], textOf(request.properties['PolicyDocument']));
    return { physicalId: arn, attributes: {} };
  },
  async update(ctx, request) {
    await setPolicy(ctx, [request.physicalId], textOf(request.properties['PolicyDocument']));
    return { physicalId: request.physicalId, attributes: {} };
  },
  delete: (ctx, request) => resetPolicy(ctx, [request.physicalId]),
};

export const resources: readonly ResourceType[] = [topic, subscription, topicPolicy, topicInlinePolicy];
