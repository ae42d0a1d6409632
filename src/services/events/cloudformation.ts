import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { resources as destinations } from './cloudformation-destinations.ts';
import { archiveArn, busArn, busOf, DEFAULT_BUS, ruleArn } from './domain/names.ts';
import { claim, keys, unclaim } from './store.ts';

const RULE_NAME_CHARS_MAX = 64;
const BUS_NAME_CHARS_MAX = 256;
const ARCHIVE_NAME_CHARS_MAX = 48;

const isCode = (error: unknown, code: string) => error instanceof AwsError && error.code === code;
const exists = (name: string) => new AwsError('AlreadyExists', `${name} already exists`);

/** The properties of these names that the template states. */
const given = (properties: Properties, ...names: string[]): Record<string, unknown> =>
  Object.fromEntries(names.filter((name) => properties[name] !== undefined).map((name) => [name, properties[name]]));

/** Documents may be written as objects. */
const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));
const text = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));

/** Templates write numbers as text as often as not. */
function numbers(value: unknown, names: ReadonlySet<string>): unknown {
  if (Array.isArray(value)) return value.map((item) => numbers(item, names));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, names.has(name) ? Number(inner) : numbers(inner, names)]));
}

const TARGET_NUMBERS = new Set(['MaximumRetryAttempts', 'MaximumEventAgeInSeconds']);

function tagsOf(request: Pick<ResourceRequest, 'properties' | 'tags'>): { Key: string; Value: string }[] {
  const own = Array.isArray(request.properties['Tags']) ? (request.properties['Tags'] as { Key: string; Value: unknown }[]) : [];
  const merged = { ...request.tags, ...Object.fromEntries(own.map(({ Key, Value }) => [Key, String(Value)])) };
  return Object.entries(merged).map(([Key, Value]) => ({ Key, Value }));
}

async function updateTags(ctx: Ctx, ResourceARN: string, tags: readonly { Key: string; Value: string }[]): Promise<void> {
  const { Tags: had = [] } = (await ctx.call('events', 'ListTagsForResource', { ResourceARN })) as { Tags?: { Key: string }[] };
  const gone = had.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key));
  if (gone.length > 0) await ctx.call('events', 'UntagResource', { ResourceARN, TagKeys: gone });
  if (tags.length > 0) await ctx.call('events', 'TagResource', { ResourceARN, Tags: tags });
}

/** Deleting what is gone already is a success. */
async function quietly(work: Promise<unknown>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!isCode(error, 'ResourceNotFoundException')) throw error;
  }
}

const busName = (ctx: Ctx, properties: Properties): string => busOf(ctx, text(properties['EventBusName'])).name;
/** Rules of the default bus are named by themselves. */
const ruleId = (bus: string, name: string): string => (bus === DEFAULT_BUS ? name : `${bus}|${name}`);
const nameOfId = (id: string): string => id.split('|').at(-1) ?? '';

function ruleResult(ctx: Ctx, bus: string, name: string): ResourceResult {
  return { physicalId: ruleId(bus, name), attributes: { Arn: ruleArn(ctx, bus, name) } };
}

function putRule(ctx: Ctx, properties: Properties, name: string, more: Record<string, unknown> = {}) {
  const pattern = properties['EventPattern'];
  return ctx.call('events', 'PutRule', {
    Name: name,
    EventBusName: busName(ctx, properties),
    ...(pattern === undefined ? {} : { EventPattern: textOf(pattern) }),
    ...given(properties, 'ScheduleExpression', 'State', 'Description', 'RoleArn'),
    ...more,
  });
}

const targetsOf = (properties: Properties): Record<string, unknown>[] =>
  Array.isArray(properties['Targets']) ? (numbers(properties['Targets'], TARGET_NUMBERS) as Record<string, unknown>[]) : [];

async function putTargets(ctx: Ctx, properties: Properties, name: string, previous: readonly Record<string, unknown>[] = []): Promise<void> {
  const EventBusName = busName(ctx, properties);
  const targets = targetsOf(properties);
  const gone = previous.map(({ Id }) => String(Id)).filter((id) => !targets.some(({ Id }) => String(Id) === id));
  if (gone.length > 0) await ctx.call('events', 'RemoveTargets', { Rule: name, EventBusName, Ids: gone });
  if (targets.length > 0) await ctx.call('events', 'PutTargets', { Rule: name, EventBusName, Targets: targets });
}

/** "AWS::Events::Rule". */
const rule: ResourceType = {
  type: 'AWS::Events::Rule',
  replaceOn: ['Name', 'EventBusName'],
  properties: ['Name', 'EventBusName', 'EventPattern', 'ScheduleExpression', 'State', 'Description', 'RoleArn', 'Targets', 'Tags'],
  recorded: ['RoleArn'],
  async create(ctx, request) {
    const name = String(request.properties['Name'] ?? request.generatedName(RULE_NAME_CHARS_MAX));
    const bus = busOf(ctx, text(request.properties['EventBusName']));
    const ours = await claim(ctx.platform.store, ctx, `rule ${bus.name} ${name}`, request.token, (tx) => tx.get(keys.rule(bus, name)) !== undefined);
    if (!ours) throw exists(name);
    const tags = tagsOf(request);
    await putRule(ctx, request.properties, name, tags.length > 0 ? { Tags: tags } : {});
    await putTargets(ctx, request.properties, name);
    return ruleResult(ctx, bus.name, name);
  },
  async update(ctx, request) {
    const name = nameOfId(request.physicalId);
    const bus = busName(ctx, request.properties);
    await putRule(ctx, request.properties, name);
    await putTargets(ctx, request.properties, name, targetsOf(request.previous));
    await updateTags(ctx, ruleArn(ctx, bus, name), tagsOf(request));
    return ruleResult(ctx, bus, name);
  },
  async delete(ctx, { physicalId, properties }) {
    const name = nameOfId(physicalId);
    const EventBusName = busName(ctx, properties);
    const listed = ctx.call('events', 'ListTargetsByRule', { Rule: name, EventBusName }) as Promise<{ Targets?: { Id?: string }[] }>;
    await quietly(
      listed.then(async ({ Targets = [] }) => {
        if (Targets.length > 0) await ctx.call('events', 'RemoveTargets', { Rule: name, EventBusName, Ids: Targets.map(({ Id }) => Id) });
        await ctx.call('events', 'DeleteRule', { Name: name, EventBusName });
      }),
    );
    await unclaim(ctx.platform.store, ctx, `rule ${EventBusName} ${name}`);
  },
};

const BUS_SETTINGS = ['Description', 'KmsKeyIdentifier', 'DeadLetterConfig', 'LogConfig'] as const;

function busResult(ctx: Ctx, name: string, policy: unknown): ResourceResult {
  const attributes = { Arn: busArn({ account: ctx.account, region: ctx.region, name }), Name: name };
  return { physicalId: name, attributes: policy === undefined ? attributes : { ...attributes, Policy: textOf(policy) } };
}

/** "AWS::Events::EventBus". */
const eventBus: ResourceType = {
  type: 'AWS::Events::EventBus',
  replaceOn: ['Name', 'EventSourceName'],
  properties: ['Name', 'EventSourceName', 'Policy', 'Tags', ...BUS_SETTINGS],
  recorded: ['KmsKeyIdentifier', 'DeadLetterConfig', 'LogConfig', 'Policy'],
  async create(ctx, request) {
    const { properties } = request;
    const name = String(properties['Name'] ?? request.generatedName(BUS_NAME_CHARS_MAX));
    const ours = await claim(ctx.platform.store, ctx, `bus ${name}`, request.token, (tx) => tx.get(keys.bus(ctx, name)) !== undefined);
    if (!ours) throw exists(name);
    const tags = tagsOf(request);
    try {
      await ctx.call('events', 'CreateEventBus', {
        Name: name,
        ...given(properties, 'EventSourceName', ...BUS_SETTINGS),
        ...(tags.length > 0 ? { Tags: tags } : {}),
      });
    } catch (error) {
      // Made by this very operation before a crash.
      if (!isCode(error, 'ResourceAlreadyExistsException')) throw error;
    }
    if (properties['Policy'] !== undefined) await ctx.call('events', 'PutPermission', { EventBusName: name, Policy: textOf(properties['Policy']) });
    return busResult(ctx, name, properties['Policy']);
  },
  async update(ctx, request) {
    const { properties, previous, physicalId: name } = request;
    await ctx.call('events', 'UpdateEventBus', { Name: name, Description: '', ...given(properties, ...BUS_SETTINGS) });
    if (properties['Policy'] !== undefined) await ctx.call('events', 'PutPermission', { EventBusName: name, Policy: textOf(properties['Policy']) });
    else if (previous['Policy'] !== undefined) await ctx.call('events', 'RemovePermission', { EventBusName: name, RemoveAllPermissions: true });
    await updateTags(ctx, busArn({ account: ctx.account, region: ctx.region, name }), tagsOf(request));
    return busResult(ctx, name, properties['Policy']);
  },
  async delete(ctx, { physicalId }) {
    await ctx.call('events', 'DeleteEventBus', { Name: physicalId });
    await unclaim(ctx.platform.store, ctx, `bus ${physicalId}`);
  },
};

/** One statement of a bus's policy, given whole or by its parts. */
async function putStatement(ctx: Ctx, properties: Properties): Promise<ResourceResult> {
  const EventBusName = busName(ctx, properties);
  const StatementId = String(properties['StatementId']);
  const statement = properties['Statement'];
  if (statement === undefined) {
    await ctx.call('events', 'PutPermission', { EventBusName, StatementId, ...given(properties, 'Action', 'Principal', 'Condition') });
  } else {
    const { Policy } = (await ctx.call('events', 'DescribeEventBus', { Name: EventBusName })) as { Policy?: string };
    const had = Policy === undefined ? [] : (JSON.parse(Policy) as { Statement: { Sid?: string }[] }).Statement;
    const own = typeof statement === 'string' ? (JSON.parse(statement) as object) : (statement as object);
    const Statement = [...had.filter(({ Sid }) => Sid !== StatementId), { Sid: StatementId, ...own }];
    await ctx.call('events', 'PutPermission', { EventBusName, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) });
  }
  return { physicalId: EventBusName === DEFAULT_BUS ? StatementId : `${EventBusName}|${StatementId}`, attributes: {} };
}

/** "AWS::Events::EventBusPolicy". */
const busPolicy: ResourceType = {
  type: 'AWS::Events::EventBusPolicy',
  replaceOn: ['EventBusName', 'StatementId'],
  properties: ['EventBusName', 'StatementId', 'Statement', 'Action', 'Principal', 'Condition'],
  recorded: ['Statement', 'Principal', 'Condition'],
  create: (ctx, request) => putStatement(ctx, request.properties),
  update: (ctx, request) => putStatement(ctx, request.properties),
  delete: (ctx, { properties }) =>
    quietly(ctx.call('events', 'RemovePermission', { EventBusName: busName(ctx, properties), StatementId: String(properties['StatementId']) })),
};

const archiveInput = (properties: Properties): Record<string, unknown> => ({
  ...given(properties, 'Description', 'KmsKeyIdentifier'),
  ...(properties['EventPattern'] === undefined ? {} : { EventPattern: textOf(properties['EventPattern']) }),
  ...(properties['RetentionDays'] === undefined ? {} : { RetentionDays: Number(properties['RetentionDays']) }),
});

const archiveResult = (ctx: Ctx, name: string): ResourceResult => ({ physicalId: name, attributes: { Arn: archiveArn(ctx, name), ArchiveName: name } });

/** "AWS::Events::Archive". */
const archive: ResourceType = {
  type: 'AWS::Events::Archive',
  replaceOn: ['ArchiveName', 'SourceArn'],
  properties: ['ArchiveName', 'SourceArn', 'Description', 'EventPattern', 'RetentionDays', 'KmsKeyIdentifier'],
  recorded: ['KmsKeyIdentifier'],
  async create(ctx, request) {
    const name = String(request.properties['ArchiveName'] ?? request.generatedName(ARCHIVE_NAME_CHARS_MAX));
    const ours = await claim(ctx.platform.store, ctx, `archive ${name}`, request.token, (tx) => tx.get(keys.archive(ctx, name)) !== undefined);
    if (!ours) throw exists(name);
    try {
      await ctx.call('events', 'CreateArchive', { ArchiveName: name, EventSourceArn: request.properties['SourceArn'], ...archiveInput(request.properties) });
    } catch (error) {
      if (!isCode(error, 'ResourceAlreadyExistsException')) throw error;
    }
    return archiveResult(ctx, name);
  },
  async update(ctx, { properties, physicalId }) {
    await ctx.call('events', 'UpdateArchive', { ArchiveName: physicalId, Description: '', RetentionDays: 0, ...archiveInput(properties) });
    return archiveResult(ctx, physicalId);
  },
  async delete(ctx, { physicalId }) {
    await quietly(ctx.call('events', 'DeleteArchive', { ArchiveName: physicalId }));
    await unclaim(ctx.platform.store, ctx, `archive ${physicalId}`);
  },
};

export const resources: readonly ResourceType[] = [rule, eventBus, busPolicy, archive, ...destinations];
