import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx, Operation, OperationEntry } from '../../service.ts';
import { accessDenied, invalidParameter } from '../errors.ts';
import { lambdaContext } from '../principal.ts';

const SERVICE = 'lambda.amazonaws.com';

/** The operation, for functions whose role Lambda can assume. "Lambda execution role". */
export function withRole(entry: OperationEntry): OperationEntry {
  const run: Operation<{ readonly Role?: string }, Record<string, unknown>> = async (ctx, input) => {
    if (input.Role !== undefined) await checkRole(ctx, input.Role);
    return (await entry.run(ctx, input)) as Record<string, unknown>;
  };
  return { ...entry, run };
}

async function checkRole(ctx: Ctx, arn: string): Promise<void> {
  const parsed = parseArn(arn);
  // What is no role's ARN at all is the operation's to refuse.
  if (!parsed?.resource.startsWith('role/')) return;
  if (parsed.account !== ctx.account) throw accessDenied('Cross-account pass role is not allowed.');
  const trust = await trustOf(ctx, parsed.resource.slice(parsed.resource.lastIndexOf('/') + 1), arn);
  if (trust === undefined || !trusts(trust)) throw invalidParameter('The role defined for the function cannot be assumed by Lambda.');
}

/** The trust policy of a role; undefined where there is no such role. */
async function trustOf(ctx: Ctx, name: string, arn: string): Promise<unknown> {
  try {
    const { Role: role } = (await lambdaContext(ctx.platform, ctx, ctx.trace).call('iam', 'GetRole', { RoleName: name })) as {
      Role?: { Arn?: string; AssumeRolePolicyDocument?: string };
    };
    return role?.Arn === arn ? (JSON.parse(decodeURIComponent(role.AssumeRolePolicyDocument ?? '{}')) as unknown) : undefined;
  } catch (error) {
    if (error instanceof AwsError && error.status < 500) return undefined;
    throw error;
  }
}

/** Whether a statement lets Lambda assume the role. Conditions are left to STS. */
function trusts(policy: unknown): boolean {
  return listOf((policy as { Statement?: unknown } | null)?.Statement).some((one) => {
    const { Effect: effect, Principal: principal, Action: action } = (one ?? {}) as Record<string, unknown>;
    const services = typeof principal === 'object' && principal !== null ? listOf((principal as Record<string, unknown>)['Service']) : [];
    const named = principal === '*' || services.some((service) => service === SERVICE || service === '*');
    return effect === 'Allow' && named && listOf(action).some((text) => text === 'sts:AssumeRole' || text === 'sts:*' || text === '*');
  });
}

function listOf(value: unknown): readonly unknown[] {
  if (value === undefined) return [];
  return Array.isArray(value) ? (value as unknown[]) : [value];
}
