import { createHash } from 'node:crypto';
import type { AssumeRoleRequest, AssumeRoleResponse } from '@aws-sdk/client-sts';
import { ALPHABET_BASE32 } from '../../../identity/access-key.ts';
import { partitionOf } from '../../../kit/arn.ts';
import type { Ctx, Operation } from '../../service.ts';
import { parseRoleArn } from '../domain.ts';
import { accessDenied, validationError } from '../errors.ts';
import { ASSUME_ROLE_SECONDS_DEFAULT, CHAINED_SECONDS_MAX } from '../limits.ts';
import { issue, packedPolicySize } from './issue.ts';
import { transitiveTags } from './tags.ts';

/** "AssumeRole" in the AWS STS API Reference. The trust policy is not evaluated (README.md). */
export const assumeRole: Operation<AssumeRoleRequest, AssumeRoleResponse> = async (ctx, input) => {
  const arn = input.RoleArn ?? '';
  const parsed = parseRoleArn(arn);
  if (!parsed) throw validationError(`${arn} is invalid`);
  const handedOn = transitiveTags(ctx.principal, input);
  const role = await findRole(ctx, parsed, arn);
  const seconds = input.DurationSeconds ?? ASSUME_ROLE_SECONDS_DEFAULT;
  if (ctx.principal.type === 'assumed-role' && seconds > CHAINED_SECONDS_MAX) {
    throw validationError('The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining');
  }
  if (seconds > role.maxSessionSeconds) throw validationError('The requested DurationSeconds exceeds the MaxSessionDuration set for this role.');
  const packed = packedPolicySize(input);
  const session = input.RoleSessionName ?? '';
  const user = { AssumedRoleId: `${role.id}:${session}`, Arn: `arn:${partitionOf(ctx.region)}:sts::${parsed.account}:assumed-role/${parsed.name}/${session}` };
  const principal = {
    account: parsed.account,
    arn: user.Arn,
    userId: user.AssumedRoleId,
    type: 'assumed-role' as const,
    ...(handedOn ? { transitiveTags: handedOn } : {}),
  };
  return {
    Credentials: await issue(ctx, principal, seconds),
    AssumedRoleUser: user,
    ...(packed === undefined ? {} : { PackedPolicySize: packed }),
    ...(input.SourceIdentity ? { SourceIdentity: input.SourceIdentity } : {}),
  };
};

interface GetRoleAnswer {
  readonly Role: { readonly Arn: string; readonly RoleId: string; readonly MaxSessionDuration?: number };
}

async function findRole(ctx: Ctx, { account, name }: { account: string; name: string }, arn: string): Promise<{ id: string; maxSessionSeconds: number }> {
  const principal = { account, accessKeyId: '', arn: 'sts.amazonaws.com', userId: 'sts.amazonaws.com', type: 'service' as const };
  const lookup = ctx.platform.contextFor({ account, region: ctx.region, principal, trace: ctx.trace });
  try {
    const { Role } = (await lookup.call('iam', 'GetRole', { RoleName: name })) as unknown as GetRoleAnswer;
    if (Role.Arn === arn) return { id: Role.RoleId, maxSessionSeconds: Role.MaxSessionDuration ?? ASSUME_ROLE_SECONDS_DEFAULT };
  } catch (error) {
    if (!(error instanceof Error && error.name === 'NoSuchEntity')) throw error;
  }
  // A function may name a role that nobody created: its execution environment still gets credentials of that name.
  if (ctx.principal.type === 'service') return { id: unknownRoleId(arn), maxSessionSeconds: 43_200 };
  throw accessDenied(`User: ${ctx.principal.arn} is not authorized to perform: sts:AssumeRole on resource: ${arn}`);
}

/** The same for each session of the same missing role. */
const unknownRoleId = (arn: string): string =>
  `AROA${Array.from(createHash('sha256').update(arn).digest().subarray(0, 17), (byte) => ALPHABET_BASE32[byte % 32]).join('')}`;
