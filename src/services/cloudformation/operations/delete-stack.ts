import type { DeleteStackInput } from '@aws-sdk/client-cloudformation';
import { notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { Stack } from '../domain/records.ts';
import { validationError } from '../errors.ts';
import { findStack, getStackTx, importsRange, readAll, stackKey } from '../store.ts';
import { newStart, startOperation } from './start.ts';
import { note } from './update-stack.ts';

/** A creation may be cut short by a deletion; anything else under way may not. */
const busy = (status: string): boolean =>
  status.endsWith('_IN_PROGRESS') && !['CREATE_IN_PROGRESS', 'DELETE_IN_PROGRESS', 'REVIEW_IN_PROGRESS'].includes(status);

/** "DeleteStack" in the CloudFormation API Reference: a stack that is not there is a success. */
export const deleteStack: Operation<DeleteStackInput> = async (ctx, input) => {
  if (input.DeletionMode === 'FORCE_DELETE_STACK') throw notImplemented('DeletionMode FORCE_DELETE_STACK');
  const stack = await findStack(ctx.platform.store, ctx, input.StackName ?? '');
  if (!stack || stack.status === 'DELETE_COMPLETE') return {};
  if (stack.terminationProtection) throw validationError(`Stack [${stack.name}] cannot be deleted while TerminationProtection is enabled`);
  const retain = input.RetainResources ?? [];
  if (retain.length > 0 && stack.status !== 'DELETE_FAILED') {
    throw validationError(
      `Invalid operation on stack [${stack.id}]. The specified RetainResources parameter is only valid for stacks in the DELETE_FAILED state.`,
    );
  }
  const inUse = await exportsInUse(ctx, stack);
  if (inUse !== undefined) {
    await note(ctx, stack, inUse);
    return {};
  }
  const start = newStart(ctx, input.ClientRequestToken);
  await ctx.platform.store.transact({ keys: [stackKey(ctx, stack.id)] }, (tx) => {
    const present = getStackTx(tx, ctx, stack.id);
    if (!present || present.status === 'DELETE_COMPLETE' || present.status === 'DELETE_IN_PROGRESS') return;
    if (busy(present.status)) throw validationError(`Stack [${present.name}] cannot be deleted while in status ${present.status}`);
    startOperation(tx, ctx, start, present, 'DELETE_IN_PROGRESS', { kind: 'delete', phase: 'delete', onFailure: 'DO_NOTHING', retain });
  });
  return {};
};

async function exportsInUse(ctx: Ctx, stack: Stack): Promise<string | undefined> {
  for (const { exportName } of stack.outputs) {
    if (exportName === undefined) continue;
    const users = await readAll<{ stackName: string }>(ctx.platform.store, importsRange(ctx, exportName));
    if (users.length > 0)
      return `Delete canceled. Cannot delete export ${exportName} as it is in use by ${users.map(({ stackName }) => stackName).join(', ')}.`;
  }
  return undefined;
}
