import { AwsError } from '../../kit/errors.ts';
import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../service.ts';
import { DEFAULT_GROUP, scheduleArn } from './domain/names.ts';
import { claim, keys, unclaim } from './store.ts';

const NAME_CHARS_MAX = 64;
const TARGET_NUMBERS = new Set(['MaximumRetryAttempts', 'MaximumEventAgeInSeconds', 'MaximumWindowInMinutes']);
const PROPERTIES = [
  'ScheduleExpression',
  'ScheduleExpressionTimezone',
  'Description',
  'State',
  'KmsKeyArn',
  'Target',
  'FlexibleTimeWindow',
  'ActionAfterCompletion',
] as const;

const isCode = (error: unknown, code: string) => error instanceof AwsError && error.code === code;
const exists = (name: string) => new AwsError('AlreadyExists', `${name} already exists`);

/** Templates write numbers as text as often as not. */
function numbers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(numbers);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, TARGET_NUMBERS.has(name) ? Number(inner) : numbers(inner)]));
}

const groupOf = (properties: Properties): string => String(properties['GroupName'] ?? DEFAULT_GROUP);

function inputOf(name: string, properties: Properties): Record<string, unknown> {
  const date = (member: string) => (properties[member] === undefined ? {} : { [member]: new Date(String(properties[member])) });
  const stated = PROPERTIES.filter((member) => properties[member] !== undefined).map((member) => [member, numbers(properties[member])]);
  return { Name: name, GroupName: groupOf(properties), ...Object.fromEntries(stated), ...date('StartDate'), ...date('EndDate') };
}

const result = (ctx: Ctx, name: string, properties: Properties): ResourceResult => ({
  physicalId: name,
  attributes: { Arn: scheduleArn(ctx, groupOf(properties), name) },
});

/** "AWS::Scheduler::Schedule". */
const schedule: ResourceType = {
  type: 'AWS::Scheduler::Schedule',
  replaceOn: ['Name', 'GroupName'],
  properties: ['Name', 'GroupName', 'StartDate', 'EndDate', ...PROPERTIES],
  recorded: ['KmsKeyArn'],
  async create(ctx, request) {
    const { properties } = request;
    const name = String(properties['Name'] ?? request.generatedName(NAME_CHARS_MAX));
    const group = groupOf(properties);
    const ours = await claim(
      ctx.platform.store,
      ctx,
      `schedule ${group} ${name}`,
      request.token,
      (tx) => tx.get(keys.schedule(ctx, group, name)) !== undefined,
    );
    if (!ours) throw exists(name);
    try {
      await ctx.call('scheduler', 'CreateSchedule', inputOf(name, properties));
    } catch (error) {
      // Made by this very operation before a crash.
      if (!isCode(error, 'ConflictException')) throw error;
    }
    return result(ctx, name, properties);
  },
  async update(ctx, { physicalId, properties }) {
    await ctx.call('scheduler', 'UpdateSchedule', inputOf(physicalId, properties));
    return result(ctx, physicalId, properties);
  },
  async delete(ctx, { physicalId, properties }) {
    const GroupName = groupOf(properties);
    try {
      await ctx.call('scheduler', 'DeleteSchedule', { Name: physicalId, GroupName });
    } catch (error) {
      if (!isCode(error, 'ResourceNotFoundException')) throw error;
    }
    await unclaim(ctx.platform.store, ctx, `schedule ${GroupName} ${physicalId}`);
  },
};

function tagsOf(request: Pick<ResourceRequest, 'properties' | 'tags'>): { Key: string; Value: string }[] {
  const own = Array.isArray(request.properties['Tags']) ? (request.properties['Tags'] as { Key: string; Value: unknown }[]) : [];
  const merged = { ...request.tags, ...Object.fromEntries(own.map(({ Key, Value }) => [Key, String(Value)])) };
  return Object.entries(merged).map(([Key, Value]) => ({ Key, Value }));
}

async function groupResult(ctx: Ctx, name: string): Promise<ResourceResult & { arn: string }> {
  const { Arn, State, CreationDate, LastModificationDate } = await ctx.call('scheduler', 'GetScheduleGroup', { Name: name });
  const iso = (date: unknown) => (date instanceof Date ? date.toISOString() : '');
  const attributes = { Arn, State, CreationDate: iso(CreationDate), LastModificationDate: iso(LastModificationDate) };
  return { physicalId: name, attributes, arn: String(Arn) };
}

/** "AWS::Scheduler::ScheduleGroup". */
const scheduleGroup: ResourceType = {
  type: 'AWS::Scheduler::ScheduleGroup',
  replaceOn: ['Name'],
  properties: ['Name', 'Tags'],
  async create(ctx, request) {
    const name = String(request.properties['Name'] ?? request.generatedName(NAME_CHARS_MAX));
    const ours = await claim(ctx.platform.store, ctx, `group ${name}`, request.token, (tx) => tx.get(keys.group(ctx, name)) !== undefined);
    if (!ours) throw exists(name);
    try {
      await ctx.call('scheduler', 'CreateScheduleGroup', { Name: name, Tags: tagsOf(request) });
    } catch (error) {
      if (!isCode(error, 'ConflictException')) throw error;
    }
    const { physicalId, attributes } = await groupResult(ctx, name);
    return { physicalId, attributes };
  },
  async update(ctx, request) {
    const { arn, physicalId, attributes } = await groupResult(ctx, request.physicalId);
    const tags = tagsOf(request);
    const { Tags: had = [] } = (await ctx.call('scheduler', 'ListTagsForResource', { ResourceArn: arn })) as { Tags?: { Key: string }[] };
    const gone = had.map(({ Key }) => Key).filter((key) => !tags.some(({ Key }) => Key === key));
    if (gone.length > 0) await ctx.call('scheduler', 'UntagResource', { ResourceArn: arn, TagKeys: gone });
    if (tags.length > 0) await ctx.call('scheduler', 'TagResource', { ResourceArn: arn, Tags: tags });
    return { physicalId, attributes };
  },
  async delete(ctx, { physicalId }) {
    try {
      await ctx.call('scheduler', 'DeleteScheduleGroup', { Name: physicalId });
    } catch (error) {
      if (!isCode(error, 'ResourceNotFoundException') && !isCode(error, 'ConflictException')) throw error;
    }
    await unclaim(ctx.platform.store, ctx, `group ${physicalId}`);
  },
};

export const resources: readonly ResourceType[] = [schedule, scheduleGroup];
