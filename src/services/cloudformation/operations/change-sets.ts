import type * as Cfn from '@aws-sdk/client-cloudformation';
import { formatArn } from '../../../kit/arn.ts';
import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { contextsOf, targetValues } from '../domain/change-values.ts';
import type { ChangeSet, ResourceChange, Stack } from '../domain/records.ts';
import type { ResourceTypes } from '../engine/run.ts';
import { withStatus } from '../engine/run.ts';
import { alreadyExists, changeSetNotFound, invalidChangeSetStatus, stackMissing, validationError } from '../errors.ts';
import { PAGE_STACKS } from '../limits.ts';
import {
  changeSetKey,
  changeSetsRange,
  deleteChangeSetTx,
  findChangeSet,
  findStack,
  getChangeSetTx,
  getNameTx,
  getStackTx,
  nameKey,
  putChangeSetTx,
  putEventTx,
  putNameTx,
  putStackTx,
  putTemplateTx,
  readAll,
  stackKey,
} from '../store.ts';
import { emptyStack, newStackId } from './create-stack.ts';
import { pageOf } from './describe.ts';
import { parameterView } from './parameter-view.ts';
import { capabilitiesMissing, compare, type Prepared, prepare, unprepared } from './prepare.ts';
import { checkStackName, newStart, stackEvent, startOperation } from './start.ts';
import { checkUpdatable } from './update-stack.ts';

const NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set.";

/** "CreateChangeSet" in the CloudFormation API Reference. The changes are computed before the answer. */
export const createChangeSet =
  (types: ResourceTypes): Operation<Cfn.CreateChangeSetInput, Cfn.CreateChangeSetOutput> =>
  async (ctx, input) => {
    if (input.ChangeSetType === 'IMPORT' || input.ResourcesToImport?.length) throw notImplemented('A change set of type IMPORT');
    if (input.IncludeNestedStacks) throw notImplemented('IncludeNestedStacks');
    const type = input.ChangeSetType === 'CREATE' ? 'CREATE' : 'UPDATE';
    const name = input.ChangeSetName ?? '';
    const existing = await stackFor(ctx, input.StackName ?? '', type, name);
    if (existing) {
      const same = await findChangeSet(ctx.platform.store, ctx, existing.id, name);
      if (same && input.ClientToken !== undefined && same.clientToken === input.ClientToken) return { Id: same.id, StackId: existing.id };
      if (same && !isSpent(same)) throw alreadyExists(`ChangeSet [${name}] already exists`);
    }
    const stackId = existing?.id ?? newStackId(ctx, checkStackName(input.StackName ?? ''));
    const stack = existing ?? emptyStack(stackId, input.StackName ?? '', ctx.platform.clock.virtual());
    const { prepared, found } = await readTemplate(ctx, input, existing, stack, types, type);
    const start = newStart(ctx, input.ClientToken);
    const changeSet: ChangeSet = {
      id: formatArn({ service: 'cloudformation', region: ctx.region, account: ctx.account, resource: `changeSet/${name}/${ctx.platform.ids.uuid()}` }),
      name,
      stackId,
      stackName: stack.name,
      type,
      ...(input.Description === undefined ? {} : { description: input.Description }),
      createdMs: start.atMs,
      ...found,
      target: prepared.target,
      ...(input.OnStackFailure === undefined ? {} : { onStackFailure: input.OnStackFailure }),
      ...(input.ClientToken === undefined ? {} : { clientToken: input.ClientToken }),
    };
    await ctx.platform.store.transact({ keys: [nameKey(ctx, stack.name), stackKey(ctx, stackId), changeSetKey(ctx, stackId, name)] }, (tx) => {
      if (!existing) {
        if (getNameTx(tx, ctx, stack.name) !== undefined) throw alreadyExists(`Stack [${stack.name}] already exists`);
        putNameTx(tx, ctx, stack.name, stackId);
        putStackTx(tx, ctx, { ...withStatus(stack, 'REVIEW_IN_PROGRESS', 'User Initiated'), changeSetId: changeSet.id });
        putEventTx(tx, ctx, stackId, stackEvent(start, stack, 'REVIEW_IN_PROGRESS', 'User Initiated'));
      }
      const same = getChangeSetTx(tx, ctx, stackId, name);
      if (same && !isSpent(same)) throw alreadyExists(`ChangeSet [${name}] already exists`);
      for (const text of prepared.texts) putTemplateTx(tx, ctx, stackId, text);
      putChangeSetTx(tx, ctx, changeSet);
    });
    return { Id: changeSet.id, StackId: stackId };
  };

/** A change set that was executed gives its name free. */
const isSpent = ({ executionStatus }: ChangeSet): boolean => executionStatus === 'EXECUTE_COMPLETE';

/** The stack that the change set is for; undefined where it has yet to be begun. */
async function stackFor(ctx: Ctx, nameOrId: string, type: 'CREATE' | 'UPDATE', changeSet: string): Promise<Stack | undefined> {
  const stack = await findStack(ctx.platform.store, ctx, nameOrId);
  const live = stack?.status === 'DELETE_COMPLETE' ? undefined : stack;
  if (type === 'CREATE') {
    if (stack && !live) throw validationError(`Stack [${nameOrId}] already exists and cannot be created again with the changeSet [${changeSet}].`);
    if (live && live.status !== 'REVIEW_IN_PROGRESS')
      throw validationError(`Stack [${live.name}] already exists and cannot be created again with the changeSet [${changeSet}].`);
    return live;
  }
  if (!live) throw stackMissing(nameOrId);
  checkUpdatable(live);
  return live;
}

const failed = (statusReason: string): Outcome => ({ status: 'FAILED', executionStatus: 'UNAVAILABLE', changes: [], statusReason });

/** A transform that fails makes a change set that failed; any other mistake in the template refuses the request. */
async function readTemplate(
  ctx: Ctx,
  input: Cfn.CreateChangeSetInput,
  existing: Stack | undefined,
  stack: Stack,
  types: ResourceTypes,
  type: 'CREATE' | 'UPDATE',
): Promise<{ prepared: Pick<Prepared, 'target' | 'texts'>; found: Outcome }> {
  try {
    const prepared = await prepare(ctx, input, existing, stack.id);
    return { prepared, found: await outcomeOf(ctx, stack, prepared, types, type) };
  } catch (error) {
    if (!(error instanceof AwsError) || !/^Transform \S+ failed with: /.test(error.message)) throw error;
    return { prepared: await unprepared(ctx, input, existing, stack.id), found: failed(error.message) };
  }
}

type Outcome = Pick<ChangeSet, 'status' | 'executionStatus' | 'changes' | 'statusReason'>;

/** What the change set holds, or why it failed. A template without macros fails the request itself. */
async function outcomeOf(ctx: Ctx, stack: Stack, prepared: Prepared, types: ResourceTypes, type: 'CREATE' | 'UPDATE'): Promise<Outcome> {
  const missing = capabilitiesMissing(prepared, false);
  if (missing.length > 0) {
    const reason = `Requires capabilities : [${missing.join(', ')}]`;
    if (prepared.transforms.length === 0) throw new AwsError('InsufficientCapabilitiesException', reason, { status: 400 });
    return failed(reason);
  }
  const { changes, any } = await compare(ctx, stack, prepared, types());
  if (type === 'UPDATE' && !any) return failed(NO_CHANGES);
  return { status: 'CREATE_COMPLETE', executionStatus: 'AVAILABLE', changes };
}

async function needChangeSet(ctx: Ctx, stackName: string | undefined, name: string): Promise<ChangeSet> {
  const stack = stackName === undefined ? undefined : await findStack(ctx.platform.store, ctx, stackName);
  if (stackName === undefined && !name.startsWith('arn:')) throw validationError('StackName must be specified if ChangeSetName is not specified as an ARN.');
  if (stackName !== undefined && !stack) throw stackMissing(stackName);
  const changeSet = await findChangeSet(ctx.platform.store, ctx, stack?.id, name);
  if (!changeSet) throw changeSetNotFound(name);
  return changeSet;
}

const describeChange = (change: ResourceChange, values: boolean): Cfn.Change => ({
  Type: 'Resource',
  ResourceChange: {
    Action: change.action,
    LogicalResourceId: change.logicalId,
    ...(change.physicalId === undefined ? {} : { PhysicalResourceId: change.physicalId }),
    ResourceType: change.type,
    ...(change.replacement === undefined ? {} : { Replacement: change.replacement }),
    Scope: change.scope as Cfn.ResourceAttribute[],
    ...(values ? contextsOf(change) : {}),
    Details: change.details.map(({ attribute, name, recreation, evaluation, source, causing, change: how }) => ({
      Target: {
        Attribute: attribute as Cfn.ResourceAttribute,
        ...(name === undefined ? {} : { Name: name }),
        RequiresRecreation: recreation,
        ...(values ? (targetValues(change, name, how) as Partial<Cfn.ResourceTargetDefinition>) : {}),
      },
      Evaluation: evaluation,
      ChangeSource: source as Cfn.ChangeSource,
      ...(causing === undefined ? {} : { CausingEntity: causing }),
    })),
  },
});

function warningsOf(changes: readonly ResourceChange[]): { StatusReason?: string } {
  const found = changes.flatMap(({ logicalId, warning }) =>
    warning === undefined ? [] : [`ChangeSet creation failed for resource [${logicalId}] because: ${warning}`],
  );
  return found.length > 0 ? { StatusReason: `[WARN] --include-property-values option can return incomplete ChangeSet data because: ${found.join(', ')}` } : {};
}

/** "DescribeChangeSet" in the CloudFormation API Reference. */
export const describeChangeSet: Operation<Cfn.DescribeChangeSetInput, Cfn.DescribeChangeSetOutput> = async (ctx, input) => {
  const changeSet = await needChangeSet(ctx, input.StackName, input.ChangeSetName ?? '');
  const { target } = changeSet;
  const values = input.IncludePropertyValues === true;
  const shown = changeSet.changes.filter(({ indirect }) => !(values && indirect));
  const { items, NextToken } = pageOf(shown, input.NextToken, PAGE_STACKS);
  return {
    ...summary(changeSet),
    ...(values ? warningsOf(shown) : {}),
    ...(target.parameters.length > 0 ? { Parameters: target.parameters.map(parameterView) } : {}),
    NotificationARNs: [...target.notificationArns],
    RollbackConfiguration: {},
    Capabilities: target.capabilities as Cfn.Capability[],
    ...(Object.keys(target.tags).length > 0 ? { Tags: Object.entries(target.tags).map(([Key, Value]) => ({ Key, Value })) } : {}),
    Changes: items.map((change) => describeChange(change, values)),
    ...(changeSet.onStackFailure ? { OnStackFailure: changeSet.onStackFailure as Cfn.OnStackFailure } : {}),
    ...(NextToken ? { NextToken } : {}),
  };
};

const summary = (changeSet: ChangeSet): Cfn.ChangeSetSummary => ({
  StackId: changeSet.stackId,
  StackName: changeSet.stackName,
  ChangeSetId: changeSet.id,
  ChangeSetName: changeSet.name,
  ExecutionStatus: changeSet.executionStatus as Cfn.ExecutionStatus,
  Status: changeSet.status as Cfn.ChangeSetStatus,
  ...(changeSet.statusReason ? { StatusReason: changeSet.statusReason } : {}),
  CreationTime: new Date(changeSet.createdMs),
  ...(changeSet.description ? { Description: changeSet.description } : {}),
  IncludeNestedStacks: false,
});

/** "ListChangeSets" in the CloudFormation API Reference. */
export const listChangeSets: Operation<Cfn.ListChangeSetsInput, Cfn.ListChangeSetsOutput> = async (ctx, input) => {
  const stack = await findStack(ctx.platform.store, ctx, input.StackName ?? '');
  if (!stack || stack.status === 'DELETE_COMPLETE') throw stackMissing(input.StackName ?? '');
  const all = (await readAll<ChangeSet>(ctx.platform.store, changeSetsRange(ctx, stack.id))).filter((changeSet) => !isSpent(changeSet));
  const { items, NextToken } = pageOf(all, input.NextToken, PAGE_STACKS);
  return { Summaries: items.map(summary), ...(NextToken ? { NextToken } : {}) };
};

/** "DeleteChangeSet" in the CloudFormation API Reference: one that is not there is a success. */
export const deleteChangeSet: Operation<Cfn.DeleteChangeSetInput, Cfn.DeleteChangeSetOutput> = async (ctx, input) => {
  const name = input.ChangeSetName ?? '';
  const stack = input.StackName === undefined ? undefined : await findStack(ctx.platform.store, ctx, input.StackName);
  if (input.StackName !== undefined && !stack) throw stackMissing(input.StackName);
  if (input.StackName === undefined && !name.startsWith('arn:')) {
    throw validationError('StackName must be specified if ChangeSetName is not specified as an ARN.');
  }
  const changeSet = await findChangeSet(ctx.platform.store, ctx, stack?.id, name);
  if (!changeSet) return {};
  if (changeSet.executionStatus === 'EXECUTE_IN_PROGRESS') {
    throw invalidChangeSetStatus(`An operation on ChangeSet [${changeSet.id}] is currently in progress.`);
  }
  await ctx.platform.store.transact({ keys: [changeSetKey(ctx, changeSet.stackId, changeSet.name)] }, (tx) => deleteChangeSetTx(tx, ctx, changeSet));
  return {};
};

/** "ExecuteChangeSet" in the CloudFormation API Reference: the stack's other change sets go with it. */
export const executeChangeSet: Operation<Cfn.ExecuteChangeSetInput, Cfn.ExecuteChangeSetOutput> = async (ctx, input) => {
  const found = await needChangeSet(ctx, input.StackName, input.ChangeSetName ?? '');
  const others = (await readAll<ChangeSet>(ctx.platform.store, changeSetsRange(ctx, found.stackId))).filter(({ id }) => id !== found.id);
  const start = newStart(ctx, input.ClientRequestToken);
  await ctx.platform.store.transact({ keys: [stackKey(ctx, found.stackId), changeSetKey(ctx, found.stackId, found.name)] }, (tx) => {
    const changeSet = getChangeSetTx(tx, ctx, found.stackId, found.name);
    const stack = getStackTx(tx, ctx, found.stackId);
    if (changeSet?.id !== found.id || !changeSet || !stack) throw changeSetNotFound(found.name);
    if (input.ClientRequestToken !== undefined && stack.clientToken === input.ClientRequestToken) return;
    if (changeSet.status !== 'CREATE_COMPLETE' || changeSet.executionStatus !== 'AVAILABLE') {
      throw invalidChangeSetStatus(`ChangeSet [${changeSet.id}] cannot be executed in its current status of [${changeSet.status}]`);
    }
    if (changeSet.type === 'UPDATE') checkUpdatable(stack);
    putChangeSetTx(tx, ctx, { ...changeSet, executionStatus: 'EXECUTE_COMPLETE' });
    for (const other of others) deleteChangeSetTx(tx, ctx, other);
    const creating = changeSet.type === 'CREATE';
    const onFailure =
      input.DisableRollback || changeSet.onStackFailure === 'DO_NOTHING'
        ? 'DO_NOTHING'
        : creating && changeSet.onStackFailure === 'DELETE'
          ? 'DELETE'
          : 'ROLLBACK';
    const next: Stack = {
      ...stack,
      changeSetId: changeSet.id,
      disableRollback: onFailure === 'DO_NOTHING',
      updatedMs: start.atMs,
      ...(creating ? { current: changeSet.target } : {}),
    };
    const status = creating ? 'CREATE_IN_PROGRESS' : 'UPDATE_IN_PROGRESS';
    startOperation(tx, ctx, start, next, status, { kind: creating ? 'create' : 'update', phase: 'apply', target: changeSet.target, onFailure });
  });
  return {};
};
