import type { CreateStackInput, CreateStackOutput } from '@aws-sdk/client-cloudformation';
import { formatArn } from '../../../kit/arn.ts';
import { notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import type { Nesting, Stack } from '../domain/records.ts';
import { alreadyExists, validationError } from '../errors.ts';
import { findStack, getNameTx, nameKey, putNameTx, putTemplateTx, stackKey } from '../store.ts';
import { checkCapabilities, prepare } from './prepare.ts';
import { checkStackName, newStart, startOperation } from './start.ts';

export const newStackId = (ctx: Ctx, name: string): string =>
  formatArn({ service: 'cloudformation', region: ctx.region, account: ctx.account, resource: `stack/${name}/${ctx.platform.ids.uuid()}` });

/** A stack that has nothing yet. */
export const emptyStack = (id: string, name: string, createdMs: number): Stack => ({
  id,
  name,
  status: '',
  createdMs,
  outputs: [],
  disableRollback: false,
  terminationProtection: false,
});

/** "CreateStack" in the CloudFormation API Reference. */
export const createStack: Operation<CreateStackInput, CreateStackOutput> = (ctx, input) => beginStack(ctx, input, undefined);

/** Begins a stack, nested in another where `nesting` says so. Answers an earlier request with the same token again. */
export async function beginStack(ctx: Ctx, input: CreateStackInput, nesting: Nesting | undefined): Promise<CreateStackOutput> {
  const name = checkStackName(input.StackName ?? '');
  if (input.OnFailure !== undefined && input.DisableRollback !== undefined)
    throw validationError('You can specify either DisableRollback or OnFailure, but not both.');
  if (input.RollbackConfiguration?.RollbackTriggers?.length) throw notImplemented('RollbackConfiguration with triggers');
  const repeated = await sameRequest(ctx, name, input.ClientRequestToken);
  if (repeated) return repeated;
  const stackId = newStackId(ctx, name);
  const prepared = await prepare(ctx, input, undefined, stackId);
  checkCapabilities(prepared);
  const start = newStart(ctx, input.ClientRequestToken);
  const onFailure = input.DisableRollback ? 'DO_NOTHING' : (input.OnFailure ?? 'ROLLBACK');
  await ctx.platform.store.transact({ keys: [nameKey(ctx, name), stackKey(ctx, stackId)] }, (tx) => {
    if (getNameTx(tx, ctx, name) !== undefined) throw alreadyExists(`Stack [${name}] already exists`);
    for (const text of prepared.texts) putTemplateTx(tx, ctx, stackId, text);
    putNameTx(tx, ctx, name, stackId);
    const stack: Stack = {
      ...emptyStack(stackId, name, start.atMs),
      current: prepared.target,
      disableRollback: onFailure === 'DO_NOTHING',
      ...(input.TimeoutInMinutes === undefined ? {} : { timeoutMinutes: input.TimeoutInMinutes }),
      terminationProtection: input.EnableTerminationProtection ?? false,
      ...(input.StackPolicyBody ? { policy: input.StackPolicyBody } : {}),
      ...(nesting ? { nesting } : {}),
    };
    startOperation(tx, ctx, start, stack, 'CREATE_IN_PROGRESS', { kind: 'create', phase: 'apply', target: prepared.target, onFailure });
  });
  return { StackId: stackId };
}

/** The answer of an earlier request with the same token, or `AlreadyExistsException`. */
async function sameRequest(ctx: Ctx, name: string, token: string | undefined): Promise<CreateStackOutput | undefined> {
  const present = await findStack(ctx.platform.store, ctx, name);
  if (!present) return undefined;
  if (token !== undefined && present.clientToken === token) return { StackId: present.id };
  throw alreadyExists(`Stack [${name}] already exists`);
}
