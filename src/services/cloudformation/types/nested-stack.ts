import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Properties, ResourceResult, ResourceType } from '../../service.ts';
import { isObject, isText, type Json, scalarText } from '../domain/json.ts';
import { isInProgress, type Nesting, type Stack } from '../domain/records.ts';
import { NESTING_MAX } from '../limits.ts';
import { beginStack } from '../operations/create-stack.ts';
import { findStack, getStack, stackKey } from '../store.ts';
import { type Look, waitUntil } from './answers.ts';
import { NESTED_STACK } from './table.ts';

/** "AWS::CloudFormation::Stack": a stack of its own that its parent makes, updates and deletes. */
export const nestedStack: ResourceType = {
  type: NESTED_STACK,
  properties: ['TemplateURL', 'Parameters', 'Tags', 'TimeoutInMinutes', 'NotificationARNs'],
  replaceOn: [],
  async create(ctx, request) {
    const { properties, tags, token, stackId, signal } = request;
    const parent = await getStack(ctx.platform.store, ctx, stackId);
    if (!parent) throw new Error('The parent stack does not exist');
    const nesting: Nesting = { parentId: stackId, rootId: parent.nesting?.rootId ?? stackId, depth: (parent.nesting?.depth ?? 0) + 1 };
    if (nesting.depth > NESTING_MAX) throw new Error(`Croft nests stacks at most ${NESTING_MAX} deep`);
    const StackName = request.generatedName(128);
    const input = {
      ...inputOf(properties, tags, parent),
      StackName,
      ClientRequestToken: token,
      // The parent's own rollback deletes it.
      OnFailure: 'DO_NOTHING' as const,
      ...(properties['TimeoutInMinutes'] === undefined ? {} : { TimeoutInMinutes: Number(scalarText(properties['TimeoutInMinutes'] as Json)) }),
    };
    const { StackId = '' } = await beginStack(ctx, input, nesting);
    const child = await settled(ctx, StackId, signal);
    if (child.status !== 'CREATE_COMPLETE') throw embeddedFailure(child, 'created');
    return resultOf(child);
  },
  async update(ctx, { properties, tags, token, stackId, physicalId, signal }) {
    const parent = await getStack(ctx.platform.store, ctx, stackId);
    const before = await settled(ctx, physicalId, signal);
    try {
      const input = { ...inputOf(properties, tags, parent), StackName: physicalId, ClientRequestToken: token };
      if (before.clientToken !== token) await ctx.call('cloudformation', 'UpdateStack', input);
    } catch (error) {
      if (!(error instanceof AwsError) || error.message !== 'No updates are to be performed.') throw error;
      return resultOf(before);
    }
    const child = await settled(ctx, physicalId, signal);
    if (child.status !== 'UPDATE_COMPLETE') throw embeddedFailure(child, 'updated');
    return resultOf(child);
  },
  async delete(ctx, { physicalId, signal }) {
    const before = await findStack(ctx.platform.store, ctx, physicalId);
    if (!before || before.status === 'DELETE_COMPLETE') return;
    await ctx.call('cloudformation', 'DeleteStack', { StackName: physicalId });
    const child = await settled(ctx, physicalId, signal);
    if (child.status !== 'DELETE_COMPLETE') throw embeddedFailure(child, 'deleted');
  },
  async abandoned(ctx, request) {
    const child = await findStack(ctx.platform.store, ctx, request.generatedName(128));
    return child ? { physicalId: child.id, attributes: {} } : undefined;
  },
};

/** What a nested stack has of its parent and of the resource. */
function inputOf(properties: Properties, tags: Readonly<Record<string, string>>, parent: Stack | undefined) {
  const { TemplateURL: url, Parameters: parameters, Tags: own, NotificationARNs: topics } = properties;
  if (!isText(url)) throw new Error('Property TemplateURL is required');
  const target = parent?.operation?.target ?? parent?.current;
  const given = isObject(parameters) ? Object.entries(parameters) : [];
  const list = Array.isArray(own) ? (own as { Key: string; Value: string }[]) : [];
  const merged = new Map([...Object.entries(tags), ...list.map(({ Key, Value }) => [Key, String(Value)] as const)]);
  return {
    TemplateURL: url,
    Parameters: given.map(([ParameterKey, value]) => ({
      ParameterKey,
      ParameterValue: Array.isArray(value) ? value.map((item) => scalarText(item) ?? '').join(',') : (scalarText(value) ?? ''),
    })),
    Tags: [...merged].map(([Key, Value]) => ({ Key, Value })),
    Capabilities: [...(target?.capabilities ?? [])] as ('CAPABILITY_IAM' | 'CAPABILITY_NAMED_IAM' | 'CAPABILITY_AUTO_EXPAND')[],
    ...(Array.isArray(topics) ? { NotificationARNs: topics.map(String) } : {}),
  };
}

/** The child once nothing is under way in it. */
async function settled(ctx: Ctx, stackId: string, signal: AbortSignal | undefined): Promise<Stack> {
  return waitUntil(ctx.platform, stackKey(ctx, stackId), signal, async (): Promise<Look<Stack>> => {
    const stack = await getStack(ctx.platform.store, ctx, stackId);
    if (!stack) throw new Error(`Stack ${stackId} does not exist`);
    return stack.operation || isInProgress(stack.status) ? {} : { found: stack };
  });
}

/** The failed child's id goes with the error, so that the parent's rollback deletes it. */
function embeddedFailure(child: Stack, verb: 'created' | 'updated' | 'deleted'): Error {
  const reason =
    verb === 'updated'
      ? `Currently in ${child.status}${child.statusReason ? ` with reason: ${child.statusReason}` : ''}`
      : (child.statusReason ?? `Currently in ${child.status}`);
  return Object.assign(new Error(`Embedded stack ${child.id} was not successfully ${verb}: ${reason.trimEnd()}`), { physicalId: child.id });
}

const resultOf = (child: Stack): ResourceResult => ({
  physicalId: child.id,
  attributes: Object.fromEntries(child.outputs.map(({ key, value }) => [`Outputs.${key}`, value])),
});
