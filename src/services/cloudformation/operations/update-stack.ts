import type {
  CancelUpdateStackInput,
  ContinueUpdateRollbackInput,
  ContinueUpdateRollbackOutput,
  SetStackPolicyInput,
  UpdateStackInput,
  UpdateStackOutput,
  UpdateTerminationProtectionInput,
  UpdateTerminationProtectionOutput,
} from '@aws-sdk/client-cloudformation';
import { notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { Stack } from '../domain/records.ts';
import type { ResourceTypes } from '../engine/run.ts';
import { stackMissing, stackWithIdMissing, validationError } from '../errors.ts';
import { findStack, getStackTx, putEventTx, putStackTx, putTemplateTx, stackKey } from '../store.ts';
import { checkCapabilities, compare, prepare } from './prepare.ts';
import { newStart, stackEvent, startOperation } from './start.ts';

/** Statuses from which an update may begin. */
const UPDATABLE = new Set([
  'CREATE_COMPLETE',
  'UPDATE_COMPLETE',
  'UPDATE_ROLLBACK_COMPLETE',
  'CREATE_FAILED',
  'UPDATE_FAILED',
  'IMPORT_COMPLETE',
  'IMPORT_ROLLBACK_COMPLETE',
]);

export function checkUpdatable(stack: Stack): void {
  if (UPDATABLE.has(stack.status)) return;
  throw validationError(`Stack:${stack.id} is in ${stack.status} state and can not be updated.`);
}

/** The live stack of a name or id. */
export async function liveStack(ctx: Ctx, nameOrId: string, missing = stackMissing): Promise<Stack> {
  const stack = await findStack(ctx.platform.store, ctx, nameOrId);
  if (!stack || stack.status === 'DELETE_COMPLETE') throw missing(nameOrId);
  return stack;
}

/** "UpdateStack" in the CloudFormation API Reference. */
export const updateStack =
  (types: ResourceTypes): Operation<UpdateStackInput, UpdateStackOutput> =>
  async (ctx, input) => {
    const stack = await liveStack(ctx, input.StackName ?? '');
    if (input.ClientRequestToken !== undefined && stack.clientToken === input.ClientRequestToken) return { StackId: stack.id };
    if (input.StackPolicyDuringUpdateBody !== undefined || input.StackPolicyDuringUpdateURL !== undefined)
      throw notImplemented('A stack policy during an update');
    checkUpdatable(stack);
    const prepared = await prepare(ctx, input, stack, stack.id);
    checkCapabilities(prepared);
    // Whatever a transform makes of the same template counts as new, as recorded.
    if (prepared.transforms.length === 0 && !(await compare(ctx, stack, prepared, types())).any) throw validationError('No updates are to be performed.');
    const start = newStart(ctx, input.ClientRequestToken);
    await ctx.platform.store.transact({ keys: [stackKey(ctx, stack.id)] }, (tx) => {
      const present = getStackTx(tx, ctx, stack.id);
      if (!present) throw stackMissing(stack.name);
      checkUpdatable(present);
      for (const text of prepared.texts) putTemplateTx(tx, ctx, stack.id, text);
      const next: Stack = {
        ...present,
        updatedMs: start.atMs,
        disableRollback: input.DisableRollback ?? false,
        ...(input.StackPolicyBody ? { policy: input.StackPolicyBody } : {}),
      };
      const onFailure = input.DisableRollback ? 'DO_NOTHING' : 'ROLLBACK';
      startOperation(tx, ctx, start, next, 'UPDATE_IN_PROGRESS', { kind: 'update', phase: 'apply', target: prepared.target, onFailure });
    });
    return { StackId: stack.id };
  };

/** Changes a stack's record in one commit. */
async function changeStack(ctx: Ctx, stack: Stack, apply: (stack: Stack) => Stack): Promise<void> {
  await ctx.platform.store.transact({ keys: [stackKey(ctx, stack.id)] }, (tx) => {
    const present = getStackTx(tx, ctx, stack.id);
    if (!present) throw stackMissing(stack.name);
    putStackTx(tx, ctx, apply(present));
  });
}

/** "CancelUpdateStack" in the CloudFormation API Reference: no further resource is begun, then the update is rolled back. */
export const cancelUpdateStack: Operation<CancelUpdateStackInput> = async (ctx, input) => {
  const stack = await liveStack(ctx, input.StackName ?? '');
  await changeStack(ctx, stack, (present) => {
    if (present.status !== 'UPDATE_IN_PROGRESS' || !present.operation) throw validationError('CancelUpdateStack cannot be called from current stack status');
    return { ...present, operation: { ...present.operation, cancelled: true } };
  });
  return {};
};

/** "ContinueUpdateRollback" in the CloudFormation API Reference. */
export const continueUpdateRollback: Operation<ContinueUpdateRollbackInput, ContinueUpdateRollbackOutput> = async (ctx, input) => {
  if (input.ResourcesToSkip?.length) throw notImplemented('ResourcesToSkip');
  const stack = await liveStack(ctx, input.StackName ?? '');
  const start = newStart(ctx, input.ClientRequestToken);
  await ctx.platform.store.transact({ keys: [stackKey(ctx, stack.id)] }, (tx) => {
    const present = getStackTx(tx, ctx, stack.id);
    if (present?.status !== 'UPDATE_ROLLBACK_FAILED' || !present.rollback) {
      throw validationError(`Stack:${stack.id} is in ${present?.status ?? ''} state and can not continue a rollback.`);
    }
    const { id: _id, startedMs: _startedMs, clientToken: _clientToken, ...operation } = present.rollback;
    startOperation(tx, ctx, { ...start, operationId: present.rollback.id }, present, 'UPDATE_ROLLBACK_IN_PROGRESS', operation);
  });
  return {};
};

/** "SetStackPolicy" in the CloudFormation API Reference: kept and given back, not enforced. */
export const setStackPolicy: Operation<SetStackPolicyInput> = async (ctx, input) => {
  if (input.StackPolicyURL !== undefined) throw notImplemented('StackPolicyURL');
  const policy = input.StackPolicyBody ?? '';
  try {
    JSON.parse(policy);
  } catch (cause) {
    throw Object.assign(validationError(`Error validating stack policy: Invalid stack policy`), { cause });
  }
  await changeStack(ctx, await liveStack(ctx, input.StackName ?? ''), (stack) => ({ ...stack, policy }));
  return {};
};

/** "GetStackPolicy" in the CloudFormation API Reference. */
export const getStackPolicy: Operation<{ StackName?: string }, { StackPolicyBody?: string }> = async (ctx, input) => {
  const { policy } = await liveStack(ctx, input.StackName ?? '');
  return policy === undefined ? {} : { StackPolicyBody: policy };
};

/** "UpdateTerminationProtection" in the CloudFormation API Reference. */
export const updateTerminationProtection: Operation<UpdateTerminationProtectionInput, UpdateTerminationProtectionOutput> = async (ctx, input) => {
  const stack = await liveStack(ctx, input.StackName ?? '', stackWithIdMissing);
  await changeStack(ctx, stack, (present) => ({ ...present, terminationProtection: input.EnableTerminationProtection ?? false }));
  return { StackId: stack.id };
};

/** Writes an event that changes nothing, e.g. why a deletion was called off. */
export async function note(ctx: Ctx, stack: Stack, reason: string): Promise<void> {
  const start = newStart(ctx, undefined);
  await ctx.platform.store.transact({ keys: [stackKey(ctx, stack.id)] }, (tx) => {
    const present = getStackTx(tx, ctx, stack.id);
    if (!present) return;
    putStackTx(tx, ctx, { ...present, statusReason: reason });
    putEventTx(tx, ctx, stack.id, stackEvent(start, present, present.status, reason));
  });
}
