import type {
  DeleteResourcePolicyRequest,
  GetResourcePolicyRequest,
  GetResourcePolicyResponse,
  PutResourcePolicyRequest,
  PutResourcePolicyResponse,
} from '@aws-sdk/client-lambda';
import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { Ctx, Operation } from '../../service.ts';
import { type FunctionReference, readReference } from '../domain/names.ts';
import { invalidParameter, noSuchResource, revisionMismatch } from '../errors.ts';
import { POLICY_BYTES_MAX } from '../limits.ts';
import { getPolicyRowAt, keys, type PolicyRow, read, write } from '../store.ts';
import { requirePolicyTarget } from './permissions.ts';

/** "PutResourcePolicy": the whole policy of a function, version or alias, in the place of the one before. */
export const putResourcePolicy: Operation<PutResourcePolicyRequest, PutResourcePolicyResponse> = async (ctx, input) => {
  const reference = referenceOf(ctx, input.ResourceArn ?? '');
  const revisionId = ctx.platform.ids.uuid();
  const row: PolicyRow = { revisionId, ...readPolicy(input.Policy ?? '') };
  const key = keyFor(ctx, reference);
  await ctx.platform.store.transact({ keys: [key], reads: [keys.fn(ctx, reference.name)] }, (tx) => {
    const target = requirePolicyTarget(tx, ctx, reference);
    const before = read<PolicyRow>(tx, key);
    if (input.RevisionId !== undefined && input.RevisionId !== (before ?? target).revisionId) throw revisionMismatch('GetPolicy');
    write(tx, key, row);
  });
  return { Policy: documentOf(row), RevisionId: revisionId };
};

/** "GetResourcePolicy". */
export const getResourcePolicy: Operation<GetResourcePolicyRequest, GetResourcePolicyResponse> = async (ctx, input) => {
  const row = await getPolicyRowAt(ctx.platform.store, keyFor(ctx, referenceOf(ctx, input.ResourceArn ?? '')));
  if (!row) throw noSuchResource();
  return { Policy: documentOf(row), RevisionId: row.revisionId };
};

/** "DeleteResourcePolicy". */
export const deleteResourcePolicy: Operation<DeleteResourcePolicyRequest, Record<string, never>> = async (ctx, input) => {
  const key = keyFor(ctx, referenceOf(ctx, input.ResourceArn ?? ''));
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    const row = read<PolicyRow>(tx, key);
    if (!row) throw noSuchResource();
    if (input.RevisionId !== undefined && input.RevisionId !== row.revisionId) throw revisionMismatch('GetPolicy');
    tx.delete(key);
  });
  return {};
};

/** A policy as `GetPolicy` and `GetResourcePolicy` show it. */
export function documentOf(row: PolicyRow): string {
  return JSON.stringify({ ...(row.document ?? { Version: '2012-10-17', Id: 'default' }), Statement: row.statements });
}

const keyFor = (ctx: Ctx, { name, qualifier }: FunctionReference) => keys.policy(ctx, name, qualifier ?? '');

function referenceOf(ctx: Ctx, arn: string): FunctionReference {
  if (arn.includes(':runtime/')) throw notImplemented('Resource policies of runtimes');
  const reference = readReference(ctx, arn);
  if (reference.qualifier === '$LATEST') throw invalidParameter('We currently do not support adding policies for $LATEST.');
  return reference;
}

function readPolicy(text: string): Omit<PolicyRow, 'revisionId'> {
  if (text.length > POLICY_BYTES_MAX) {
    throw new AwsError('PolicyLengthExceededException', `The final policy size (${text.length}) is bigger than the limit (${POLICY_BYTES_MAX}).`, {
      members: { Type: 'User' },
    });
  }
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw invalidParameter('The policy is not valid JSON.');
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document)) throw invalidParameter('The policy must be a JSON object.');
  const { Statement: given, ...rest } = document as Record<string, unknown>;
  const statements = Array.isArray(given) ? (given as unknown[]) : given === undefined ? [] : [given];
  if (statements.length === 0) throw invalidParameter('The policy must have at least one statement.');
  for (const statement of statements) checkStatement(statement);
  return { document: rest, statements: statements as Record<string, unknown>[] };
}

function checkStatement(statement: unknown): void {
  const { Effect: effect, Principal: principal, Action: action, NotAction: notAction } = (statement ?? {}) as Record<string, unknown>;
  if (effect !== 'Allow' && effect !== 'Deny') throw invalidParameter('A statement of the policy has no Effect, or one that is neither Allow nor Deny.');
  if (principal === undefined) throw invalidParameter('A statement of the policy has no Principal.');
  if (action === undefined && notAction === undefined) throw invalidParameter('A statement of the policy has no Action.');
}
