import type * as Cfn from '@aws-sdk/client-cloudformation';
import type { Ctx, Operation } from '../../service.ts';
import type { Resource, Stack, StackEvent } from '../domain/records.ts';
import { stackMissing, stackWithIdMissing, validationError } from '../errors.ts';
import { PAGE_EVENTS, PAGE_RESOURCES, PAGE_STACKS } from '../limits.ts';
import { findStack, getEvents, getResources, readAll, stacksRange } from '../store.ts';
import { parameterView } from './parameter-view.ts';

/** One page of a list that is in memory; the token is a position. */
export function pageOf<T>(items: readonly T[], token: string | undefined, size: number): { items: T[]; NextToken?: string } {
  const start = token === undefined ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isSafeInteger(start) || start < 0) throw validationError('NextToken is invalid');
  const end = start + size;
  return { items: items.slice(start, end), ...(end < items.length ? { NextToken: Buffer.from(String(end)).toString('base64url') } : {}) };
}

/** The status that callers see. */
const date = (ms: number): Date => new Date(ms);

function describe(stack: Stack): Cfn.Stack {
  const target = stack.operation?.kind === 'update' && stack.operation.phase === 'apply' ? (stack.operation.target ?? stack.current) : stack.current;
  return {
    StackId: stack.id,
    StackName: stack.name,
    ...(stack.changeSetId && stack.status !== 'REVIEW_IN_PROGRESS' ? { ChangeSetId: stack.changeSetId } : {}),
    ...(target?.description ? { Description: target.description } : {}),
    ...(target && target.parameters.length > 0 ? { Parameters: target.parameters.map(parameterView) } : {}),
    CreationTime: date(stack.createdMs),
    ...(stack.deletedMs === undefined ? {} : { DeletionTime: date(stack.deletedMs) }),
    ...(stack.updatedMs === undefined ? {} : { LastUpdatedTime: date(stack.updatedMs) }),
    RollbackConfiguration: {},
    StackStatus: stack.status as Cfn.StackStatus,
    ...(stack.statusReason ? { StackStatusReason: stack.statusReason } : {}),
    DisableRollback: stack.disableRollback,
    NotificationARNs: [...(target?.notificationArns ?? [])],
    ...(stack.timeoutMinutes === undefined ? {} : { TimeoutInMinutes: stack.timeoutMinutes }),
    ...(target && target.capabilities.length > 0 ? { Capabilities: target.capabilities as Cfn.Capability[] } : {}),
    ...(stack.outputs.length > 0 && stack.status !== 'DELETE_COMPLETE'
      ? {
          Outputs: stack.outputs.map(({ key, value, description, exportName }) => ({
            OutputKey: key,
            OutputValue: value,
            ...(description ? { Description: description } : {}),
            ...(exportName ? { ExportName: exportName } : {}),
          })),
        }
      : {}),
    ...(target?.roleArn ? { RoleARN: target.roleArn } : {}),
    Tags: Object.entries(target?.tags ?? {}).map(([Key, Value]) => ({ Key, Value })),
    EnableTerminationProtection: stack.terminationProtection,
    DriftInformation: { StackDriftStatus: 'NOT_CHECKED' },
    ...(stack.nesting ? { ParentId: stack.nesting.parentId, RootId: stack.nesting.rootId } : {}),
  };
}

/** "DescribeStacks" in the CloudFormation API Reference: deleted stacks by id only. */
export const describeStacks: Operation<Cfn.DescribeStacksInput, Cfn.DescribeStacksOutput> = async (ctx, input) => {
  if (input.StackName !== undefined) {
    const stack = await findStack(ctx.platform.store, ctx, input.StackName);
    if (!stack) throw stackWithIdMissing(input.StackName);
    return { Stacks: [describe(stack)] };
  }
  const stacks = (await byCreation(ctx)).filter(({ status }) => status !== 'DELETE_COMPLETE');
  const { items, NextToken } = pageOf(stacks, input.NextToken, PAGE_STACKS);
  return { Stacks: items.map(describe), ...(NextToken ? { NextToken } : {}) };
};

/** Every stack, the newest first. */
async function byCreation(ctx: Ctx): Promise<Stack[]> {
  const stacks = await readAll<Stack>(ctx.platform.store, stacksRange(ctx));
  return stacks.sort((a, b) => b.createdMs - a.createdMs || (a.id < b.id ? -1 : 1));
}

/** "ListStacks" in the CloudFormation API Reference: deleted ones included. */
export const listStacks: Operation<Cfn.ListStacksInput, Cfn.ListStacksOutput> = async (ctx, input) => {
  const wanted = new Set<string>(input.StackStatusFilter ?? []);
  const stacks = (await byCreation(ctx)).filter(({ status }) => wanted.size === 0 || wanted.has(status));
  const { items, NextToken } = pageOf(stacks, input.NextToken, PAGE_STACKS);
  const summaries = items.map((stack): Cfn.StackSummary => {
    const { StackId, StackName, CreationTime, LastUpdatedTime, DeletionTime, StackStatus, StackStatusReason, DriftInformation, ParentId, RootId } =
      describe(stack);
    return {
      StackId,
      StackName,
      ...(stack.current?.description ? { TemplateDescription: stack.current.description } : {}),
      CreationTime,
      ...(LastUpdatedTime ? { LastUpdatedTime } : {}),
      ...(DeletionTime ? { DeletionTime } : {}),
      StackStatus,
      ...(StackStatusReason ? { StackStatusReason } : {}),
      DriftInformation: { StackDriftStatus: DriftInformation?.StackDriftStatus },
      ...(ParentId ? { ParentId } : {}),
      ...(RootId ? { RootId } : {}),
    };
  });
  return { StackSummaries: summaries, ...(NextToken ? { NextToken } : {}) };
};

async function anyStack(ctx: Ctx, nameOrId: string | undefined, missing: (name: string) => Error): Promise<Stack> {
  const stack = await findStack(ctx.platform.store, ctx, nameOrId ?? '');
  if (!stack) throw missing(nameOrId ?? '');
  return stack;
}

const describeEvent = (stack: Stack, event: StackEvent): Cfn.StackEvent => ({
  StackId: stack.id,
  EventId: event.eventId,
  StackName: stack.name,
  LogicalResourceId: event.logicalId,
  PhysicalResourceId: event.physicalId,
  ResourceType: event.type,
  Timestamp: date(event.atMs),
  ResourceStatus: event.status as Cfn.ResourceStatus,
  ...(event.reason ? { ResourceStatusReason: event.reason } : {}),
  ...(event.properties ? { ResourceProperties: event.properties } : {}),
  ...(event.clientToken ? { ClientRequestToken: event.clientToken } : {}),
});

/** "DescribeStackEvents" in the CloudFormation API Reference: newest first. */
export const describeStackEvents: Operation<Cfn.DescribeStackEventsInput, Cfn.DescribeStackEventsOutput> = async (ctx, input) => {
  const stack = await anyStack(ctx, input.StackName, stackMissing);
  const before = input.NextToken === undefined ? undefined : Buffer.from(input.NextToken, 'base64url').toString('latin1');
  const page = await getEvents(ctx.platform.store, ctx, stack.id, PAGE_EVENTS, before);
  return {
    StackEvents: page.events.map((event) => describeEvent(stack, event)),
    ...(page.more && page.last !== undefined ? { NextToken: Buffer.from(page.last, 'latin1').toString('base64url') } : {}),
  };
};

const resourceFacts = (resource: Resource) => ({
  LogicalResourceId: resource.logicalId,
  ...(resource.physicalId === undefined ? {} : { PhysicalResourceId: resource.physicalId }),
  ResourceType: resource.type,
  ResourceStatus: resource.status as Cfn.ResourceStatus,
  ...(resource.statusReason ? { ResourceStatusReason: resource.statusReason } : {}),
  DriftInformation: { StackResourceDriftStatus: 'NOT_CHECKED' as const },
});

/** "DescribeStackResource" in the CloudFormation API Reference. */
export const describeStackResource: Operation<Cfn.DescribeStackResourceInput, Cfn.DescribeStackResourceOutput> = async (ctx, input) => {
  const stack = await anyStack(ctx, input.StackName, (name) => validationError(`Stack '${name}' does not exist`));
  const resource = (await getResources(ctx.platform.store, ctx, stack.id)).get(input.LogicalResourceId ?? '');
  if (!resource) throw validationError(`Resource ${input.LogicalResourceId ?? ''} does not exist for stack ${input.StackName ?? ''}`);
  return {
    StackResourceDetail: {
      StackName: stack.name,
      StackId: stack.id,
      ...resourceFacts(resource),
      LastUpdatedTimestamp: date(resource.updatedMs),
      Metadata: JSON.stringify(resource.metadata ?? {}),
    },
  };
};

/** "DescribeStackResources" in the CloudFormation API Reference: by stack, or by a physical id in whichever stack. */
export const describeStackResources: Operation<Cfn.DescribeStackResourcesInput, Cfn.DescribeStackResourcesOutput> = async (ctx, input) => {
  if (input.StackName === undefined && input.PhysicalResourceId === undefined)
    throw validationError('Either PhysicalResourceId or StackName must be specified');
  const stack = input.StackName === undefined ? await owner(ctx, input.PhysicalResourceId ?? '') : await anyStack(ctx, input.StackName, stackWithIdMissing);
  const resources = [...(await getResources(ctx.platform.store, ctx, stack.id)).values()].filter(
    ({ logicalId }) => input.LogicalResourceId === undefined || logicalId === input.LogicalResourceId,
  );
  if (input.LogicalResourceId !== undefined && resources.length === 0) {
    throw validationError(`Resource ${input.LogicalResourceId} does not exist for stack ${stack.name}`);
  }
  return {
    StackResources: resources.map((resource) => ({
      StackName: stack.name,
      StackId: stack.id,
      ...resourceFacts(resource),
      Timestamp: date(resource.updatedMs),
    })),
  };
};

async function owner(ctx: Ctx, physicalId: string): Promise<Stack> {
  for (const stack of await byCreation(ctx)) {
    if (stack.status === 'DELETE_COMPLETE') continue;
    const resources = await getResources(ctx.platform.store, ctx, stack.id);
    if ([...resources.values()].some((resource) => resource.physicalId === physicalId)) return stack;
  }
  throw validationError(`Stack for ${physicalId} does not exist`);
}

/** "ListStackResources" in the CloudFormation API Reference. */
export const listStackResources: Operation<Cfn.ListStackResourcesInput, Cfn.ListStackResourcesOutput> = async (ctx, input) => {
  const stack = await anyStack(ctx, input.StackName, stackWithIdMissing);
  const resources = [...(await getResources(ctx.platform.store, ctx, stack.id)).values()];
  const { items, NextToken } = pageOf(resources, input.NextToken, PAGE_RESOURCES);
  return {
    StackResourceSummaries: items.map((resource) => ({ ...resourceFacts(resource), LastUpdatedTimestamp: date(resource.updatedMs) })),
    ...(NextToken ? { NextToken } : {}),
  };
};
