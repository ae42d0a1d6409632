import type { Ctx, Properties, ResourceRequest, ResourceResult, ResourceType } from '../../service.ts';
import { given, isCode, text, whole } from '../cloudformation-helpers.ts';

/** How often, and how long, a mapping is looked at until its transition is over. */
const STABLE_POLL_MS = 20;
const STABLE_POLLS_MAX = 3000;

const MEMBERS = [
  'FunctionName',
  'FilterCriteria',
  'DestinationConfig',
  'FunctionResponseTypes',
  'SourceAccessConfigurations',
  'ScalingConfig',
  'MetricsConfig',
  'LoggingConfig',
  'ProvisionedPollerConfig',
  'AmazonManagedKafkaEventSourceConfig',
  'SelfManagedKafkaEventSourceConfig',
  'DocumentDBEventSourceConfig',
] as const;
const NUMBERS = [
  'BatchSize',
  'MaximumBatchingWindowInSeconds',
  'MaximumRecordAgeInSeconds',
  'MaximumRetryAttempts',
  'ParallelizationFactor',
  'TumblingWindowInSeconds',
] as const;
const SWITCHES = ['Enabled', 'BisectBatchOnFunctionError'] as const;
const CREATE_ONLY = ['EventSourceArn', 'StartingPosition', 'SelfManagedEventSource', 'Topics', 'Queues'] as const;

/** Templates carry numbers and switches as texts too. */
function settingsOf(properties: Properties): Record<string, unknown> {
  const on = (value: unknown) => (value === undefined ? undefined : String(value) === 'true');
  const scaling = properties['ScalingConfig'] as Properties | undefined;
  return given({
    ...Object.fromEntries(MEMBERS.map((name) => [name, properties[name]])),
    ...Object.fromEntries(NUMBERS.map((name) => [name, whole(properties[name])])),
    ...Object.fromEntries(SWITCHES.map((name) => [name, on(properties[name])])),
    ScalingConfig: scaling && given({ MaximumConcurrency: whole(scaling['MaximumConcurrency']) }),
    KMSKeyArn: properties['KmsKeyArn'],
  });
}

/** What a template no longer says goes back to its default. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  Enabled: true,
  FilterCriteria: { Filters: [] },
  FunctionResponseTypes: [],
  MaximumBatchingWindowInSeconds: 0,
};
const STREAM_DEFAULTS: Readonly<Record<string, unknown>> = {
  BatchSize: 100,
  BisectBatchOnFunctionError: false,
  DestinationConfig: { OnFailure: {} },
  MaximumRecordAgeInSeconds: -1,
  MaximumRetryAttempts: -1,
  ParallelizationFactor: 1,
  TumblingWindowInSeconds: 0,
};
const QUEUE_DEFAULTS: Readonly<Record<string, unknown>> = { BatchSize: 10, ScalingConfig: {} };

async function stable(ctx: Ctx, UUID: string): Promise<ResourceResult> {
  for (let poll = 0; poll < STABLE_POLLS_MAX; poll++) {
    const now = await ctx.call('lambda', 'GetEventSourceMapping', { UUID });
    if (now['State'] === 'Enabled' || now['State'] === 'Disabled') {
      return { physicalId: UUID, attributes: { Id: UUID, EventSourceMappingArn: now['EventSourceMappingArn'] } };
    }
    await new Promise((resolve) => setTimeout(resolve, STABLE_POLL_MS));
  }
  throw new Error(`the event source mapping ${UUID} did not settle`);
}

function tagsOf(request: ResourceRequest): Record<string, string> {
  const own = Array.isArray(request.properties['Tags']) ? (request.properties['Tags'] as { Key: string; Value: string }[]) : [];
  return {
    ...request.tags,
    ...Object.fromEntries(own.map(({ Key, Value }) => [Key, String(Value)])),
    'aws:cloudformation:stack-name': request.stackName,
    'aws:cloudformation:logical-id': request.logicalId,
    'aws:cloudformation:stack-id': request.stackId,
  };
}

/** The mapping that an earlier try of this operation made. */
async function madeBefore(ctx: Ctx, error: unknown, { properties, stackId, logicalId }: ResourceRequest): Promise<string | undefined> {
  const uuid = isCode(error, 'ResourceConflictException') ? /UUID ([0-9a-f-]{36})/.exec(String((error as Error).message))?.[1] : undefined;
  if (uuid === undefined || properties['EventSourceArn'] === undefined) return undefined;
  const mapping = await ctx.call('lambda', 'GetEventSourceMapping', { UUID: uuid });
  const { Tags = {} } = (await ctx.call('lambda', 'ListTags', { Resource: mapping['EventSourceMappingArn'] })) as { Tags?: Record<string, string> };
  const ours = Tags['aws:cloudformation:stack-id'] === stackId && Tags['aws:cloudformation:logical-id'] === logicalId;
  return ours ? uuid : undefined;
}

/** "AWS::Lambda::EventSourceMapping": `Ref` is its UUID. */
export const eventSourceMapping: ResourceType = {
  type: 'AWS::Lambda::EventSourceMapping',
  replaceOn: [...CREATE_ONLY, 'StartingPositionTimestamp'],
  properties: [...MEMBERS, ...NUMBERS, ...SWITCHES, ...CREATE_ONLY, 'StartingPositionTimestamp', 'KmsKeyArn', 'Tags'],
  async create(ctx, request) {
    const { properties } = request;
    const seconds = properties['StartingPositionTimestamp'];
    const input = {
      ...settingsOf(properties),
      ...given(Object.fromEntries(CREATE_ONLY.map((name) => [name, properties[name]]))),
      ...(seconds === undefined ? {} : { StartingPositionTimestamp: new Date(Number(seconds) * 1000) }),
      Tags: tagsOf(request),
    };
    let uuid: string | undefined;
    try {
      uuid = text((await ctx.call('lambda', 'CreateEventSourceMapping', input))['UUID']);
    } catch (error) {
      uuid = await madeBefore(ctx, error, request);
      if (uuid === undefined) throw error;
    }
    return stable(ctx, uuid);
  },
  async update(ctx, request) {
    const { properties, physicalId } = request;
    const kind = text(properties['EventSourceArn']).includes(':sqs:') ? QUEUE_DEFAULTS : STREAM_DEFAULTS;
    await stable(ctx, physicalId);
    const updated = await ctx.call('lambda', 'UpdateEventSourceMapping', { UUID: physicalId, ...DEFAULTS, ...kind, ...settingsOf(properties) });
    await ctx.call('lambda', 'TagResource', { Resource: updated['EventSourceMappingArn'], Tags: tagsOf(request) });
    return stable(ctx, physicalId);
  },
  async delete(ctx, { physicalId: UUID }) {
    for (let poll = 0; poll < STABLE_POLLS_MAX; poll++) {
      try {
        if (poll === 0) await ctx.call('lambda', 'DeleteEventSourceMapping', { UUID });
        else await ctx.call('lambda', 'GetEventSourceMapping', { UUID });
      } catch (error) {
        if (isCode(error, 'ResourceNotFoundException')) return;
        if (!isCode(error, 'ResourceInUseException')) throw error;
        poll = -1;
      }
      await new Promise((resolve) => setTimeout(resolve, STABLE_POLL_MS));
    }
  },
};
