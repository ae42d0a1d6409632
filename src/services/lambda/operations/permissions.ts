import type { AddPermissionRequest, AddPermissionResponse, GetPolicyRequest, GetPolicyResponse, RemovePermissionRequest } from '@aws-sdk/client-lambda';
import { partitionOf } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import type { Tx } from '../../../store/store.ts';
import type { Ctx, Operation } from '../../service.ts';
import { type FunctionReference, functionArn, isVersion, readReference } from '../domain/names.ts';
import { conflict, functionNotFound, invalidParameter, noSuchResource, notFound, revisionMismatch } from '../errors.ts';
import { POLICY_BYTES_MAX } from '../limits.ts';
import { type AliasRow, type FunctionRow, getPolicyRowAt, keys, type PolicyRow, read, type VersionRow, write } from '../store.ts';
import { documentOf } from './resource-policies.ts';

const NO_POLICY = 'No policy is associated with the given resource.';

/** "AddPermission": a statement of the function's resource policy. Kept and shown; not evaluated yet. */
export const addPermission: Operation<AddPermissionRequest, AddPermissionResponse> = async (ctx, input) => {
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const { name, qualifier } = reference;
  if (qualifier === '$LATEST') throw invalidParameter('We currently do not support adding policies for $LATEST.');
  const statement = statementOf(ctx, reference, input);
  const revisionId = ctx.platform.ids.uuid();
  const key = keys.policy(ctx, name, qualifier ?? '');
  await ctx.platform.store.transact({ keys: [key], reads: [keys.fn(ctx, name)] }, (tx) => {
    const target = requirePolicyTarget(tx, ctx, reference);
    const before = read<PolicyRow>(tx, key);
    // Before its first policy, a resource's own revision stands for the policy's.
    if (input.RevisionId !== undefined && input.RevisionId !== (before ?? target).revisionId) throw revisionMismatch('GetPolicy');
    if (before?.statements.some((one) => one['Sid'] === input.StatementId)) {
      throw conflict(`The statement id (${input.StatementId}) provided already exists. Please provide a new statement id, or remove the existing statement.`);
    }
    const after: PolicyRow = { ...before, revisionId, statements: [...(before?.statements ?? []), statement] };
    const size = JSON.stringify(after.statements).length;
    if (size > POLICY_BYTES_MAX)
      throw new AwsError('PolicyLengthExceededException', `The final policy size (${size}) is bigger than the limit (${POLICY_BYTES_MAX}).`, {
        members: { Type: 'User' },
      });
    write(tx, key, after);
  });
  return { Statement: JSON.stringify(statement) };
};

/** "GetPolicy". */
export const getPolicy: Operation<GetPolicyRequest, GetPolicyResponse> = async (ctx, input) => {
  const { name, qualifier } = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const row = await getPolicyRowAt(ctx.platform.store, keys.policy(ctx, name, qualifier ?? ''));
  if (!row) throw noSuchResource();
  return { Policy: documentOf(row), RevisionId: row.revisionId };
};

/** "RemovePermission". */
export const removePermission: Operation<RemovePermissionRequest, Record<string, never>> = async (ctx, input) => {
  const reference = readReference(ctx, input.FunctionName ?? '', input.Qualifier);
  const { name, qualifier } = reference;
  const revisionId = ctx.platform.ids.uuid();
  const key = keys.policy(ctx, name, qualifier ?? '');
  await ctx.platform.store.transact({ keys: [key], reads: [keys.fn(ctx, name)] }, (tx) => {
    if (!read(tx, keys.fn(ctx, name))) throw notFound(`No policy found for: ${functionArn(ctx, name, qualifier)}`);
    requirePolicyTarget(tx, ctx, reference);
    const before = read<PolicyRow>(tx, key);
    if (!before) throw notFound(NO_POLICY);
    const statements = before.statements.filter((one) => one['Sid'] !== input.StatementId);
    if (statements.length === before.statements.length) throw notFound(`Statement ${input.StatementId} is not found in resource policy.`);
    if (input.RevisionId !== undefined && input.RevisionId !== before.revisionId) throw revisionMismatch('GetPolicy');
    if (statements.length === 0) tx.delete(key);
    else write(tx, key, { ...before, revisionId, statements });
  });
  return {};
};

/** The function, version or alias that a policy is for. */
export function requirePolicyTarget(tx: Tx, ctx: Ctx, { name, qualifier }: FunctionReference): { readonly revisionId: string } {
  const fn = read<FunctionRow>(tx, keys.fn(ctx, name));
  if (!fn) throw functionNotFound(functionArn(ctx, name));
  if (qualifier === undefined) return fn.latest;
  // No alias has a `$` in its name.
  const versioned = isVersion(qualifier) || qualifier.includes('$');
  const target = versioned ? read<VersionRow>(tx, keys.version(ctx, name, qualifier)) : read<AliasRow>(tx, keys.alias(ctx, name, qualifier));
  if (target) return target;
  const arn = functionArn(ctx, name, qualifier);
  throw versioned ? functionNotFound(arn) : notFound(`Cannot find alias arn: ${arn}`);
}

function statementOf(ctx: Ctx, reference: FunctionReference, input: AddPermissionRequest): Record<string, unknown> {
  const equals: Record<string, string> = {
    ...(input.SourceAccount ? { 'AWS:SourceAccount': input.SourceAccount } : {}),
    ...(input.EventSourceToken ? { 'lambda:EventSourceToken': input.EventSourceToken } : {}),
    ...(input.FunctionUrlAuthType ? { 'lambda:FunctionUrlAuthType': input.FunctionUrlAuthType } : {}),
    ...(input.PrincipalOrgID ? { 'aws:PrincipalOrgID': input.PrincipalOrgID } : {}),
  };
  const conditions = {
    ...(Object.keys(equals).length > 0 ? { StringEquals: equals } : {}),
    ...(input.SourceArn ? { ArnLike: { 'AWS:SourceArn': input.SourceArn } } : {}),
    ...(input.InvokedViaFunctionUrl === undefined ? {} : { Bool: { 'lambda:InvokedViaFunctionUrl': String(input.InvokedViaFunctionUrl) } }),
  };
  return {
    Sid: input.StatementId,
    Effect: 'Allow',
    Principal: principalOf(ctx, input.Principal ?? ''),
    Action: input.Action,
    Resource: functionArn(ctx, reference.name, reference.qualifier),
    ...(Object.keys(conditions).length > 0 ? { Condition: conditions } : {}),
  };
}

export function principalOf(ctx: Ctx, principal: string): string | Record<string, string> {
  if (principal === '*') return '*';
  if (/^[a-zA-Z0-9.-]+\.amazonaws\.com(\.cn)?$/.test(principal) || principal === 'edgelambda.amazonaws.com') return { Service: principal };
  if (/^\d{12}$/.test(principal)) return { AWS: `arn:${partitionOf(ctx.region)}:iam::${principal}:root` };
  if (/^arn:aws[a-z-]*:(iam|sts)::\d{12}:.+$/.test(principal)) return { AWS: principal };
  throw invalidParameter('The provided principal was invalid. Please check the principal and try again.');
}
