import type {
  DeleteResourcePolicyCommandInput,
  DescribeResourcePoliciesCommandInput,
  DescribeResourcePoliciesCommandOutput,
  PutResourcePolicyCommandInput,
  PutResourcePolicyCommandOutput,
  ResourcePolicy,
} from '@aws-sdk/client-cloudwatch-logs';
import { notImplemented } from '../../../kit/errors.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Operation } from '../../service.ts';
import { invalidParameter, policyNotFound, tooManyPolicies } from '../errors.ts';
import { DESCRIBE_LIMIT, RESOURCE_POLICIES_MAX } from '../limits.ts';
import { keys, type PolicyRow, rangeOf } from '../store.ts';

const view = ({ name, document, updatedMs }: PolicyRow): ResourcePolicy => ({ policyName: name, policyDocument: document, lastUpdatedTime: updatedMs });

/** "PutResourcePolicy" of the account: who may write here, e.g. EventBridge. Kept and described; not enforced yet. */
export const putResourcePolicy: Operation<PutResourcePolicyCommandInput, Pick<PutResourcePolicyCommandOutput, 'resourcePolicy'>> = async (ctx, input) => {
  if (input.resourceArn !== undefined) throw notImplemented('PutResourcePolicy of a single resource (resourceArn)');
  const { policyName: name, policyDocument: document } = input;
  if (!name) throw invalidParameter('PolicyName must be specified.');
  if (!document) throw invalidParameter('PolicyDocument must be specified.');
  checkDocument(document);
  const row: PolicyRow = { name, document, updatedMs: ctx.platform.clock.virtual() };
  const key = keys.policy(ctx, name);
  await ctx.platform.store.transact({ keys: [key], ranges: [rangeOf(keys.policies(ctx))] }, (tx) => {
    const others = tx.range(rangeOf(keys.policies(ctx))).entries.filter(([other]) => other !== key);
    if (others.length >= RESOURCE_POLICIES_MAX) throw tooManyPolicies();
    tx.put(key, encodeJson(row));
  });
  return { resourcePolicy: view(row) };
};

function checkDocument(document: string): void {
  try {
    const parsed: unknown = JSON.parse(document);
    if (typeof parsed === 'object' && parsed !== null && 'Statement' in parsed) return;
  } catch {
    // Said below, as for documents without a statement.
  }
  throw invalidParameter('The policy document is malformed or invalid.');
}

/** "DescribeResourcePolicies": by name. */
export const describeResourcePolicies: Operation<
  DescribeResourcePoliciesCommandInput,
  Pick<DescribeResourcePoliciesCommandOutput, 'resourcePolicies'>
> = async (ctx, input) => {
  if (input.resourceArn !== undefined || input.policyScope === 'RESOURCE') throw notImplemented('DescribeResourcePolicies of a single resource');
  const page = await ctx.platform.store.range({ ...rangeOf(keys.policies(ctx)), limit: input.limit ?? DESCRIBE_LIMIT });
  return { resourcePolicies: page.entries.map(([, value]) => view(decodeJson<PolicyRow>(value))) };
};

/** "DeleteResourcePolicy". */
export const deleteResourcePolicy: Operation<DeleteResourcePolicyCommandInput, Record<string, never>> = async (ctx, input) => {
  if (input.resourceArn !== undefined) throw notImplemented('DeleteResourcePolicy of a single resource (resourceArn)');
  const name = input.policyName ?? '';
  const key = keys.policy(ctx, name);
  await ctx.platform.store.transact({ keys: [key] }, (tx) => {
    if (tx.get(key) === undefined) throw policyNotFound(name);
    tx.delete(key);
  });
  return {};
};
