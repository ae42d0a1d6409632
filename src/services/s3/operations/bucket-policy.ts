import type {
  DeleteBucketPolicyRequest,
  GetBucketPolicyOutput,
  GetBucketPolicyRequest,
  GetBucketPolicyStatusOutput,
  GetBucketPolicyStatusRequest,
  PutBucketPolicyRequest,
} from '@aws-sdk/client-s3';
import { encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { malformedPolicy, notFoundConfiguration } from '../errors.ts';
import { POLICY_BYTES_MAX } from '../limits.ts';
import { inBucket, keys, readConfig } from '../store.ts';

/** Recorded until the policy evaluator judges by it. The text is kept as it came. */
export async function putBucketPolicy(ctx: Ctx, input: PutBucketPolicyRequest): Promise<Record<string, never>> {
  const text = input.Policy ?? '';
  const bucket = await openBucket(ctx, input);
  checkPolicy(text, bucket.name);
  const row = keys.config(bucket.id, 'policy');
  await inBucket(ctx, bucket, { keys: [row] }, (tx) => tx.put(row, encodeJson(text)));
  return {};
}

function checkPolicy(text: string, bucket: string): void {
  if (Buffer.byteLength(text) > POLICY_BYTES_MAX) throw malformedPolicy('Policy exceeds the maximum allowed document size.');
  const policy = parse(text);
  const statements = [policy['Statement'] ?? []].flat() as unknown[];
  if (statements.length === 0) throw malformedPolicy('Missing required field Statement');
  for (const statement of statements) {
    if (typeof statement !== 'object' || statement === null) throw malformedPolicy('Missing required field Statement');
    checkStatement(statement as Record<string, unknown>, bucket);
  }
}

function parse(text: string): Record<string, unknown> {
  try {
    if (text.startsWith('{')) return JSON.parse(text) as Record<string, unknown>;
  } catch {
    // Said below.
  }
  throw malformedPolicy("Policies must be valid JSON and the first byte must be '{'");
}

function checkStatement(statement: Record<string, unknown>, bucket: string): void {
  if (statement['Effect'] !== 'Allow' && statement['Effect'] !== 'Deny') throw malformedPolicy(`Invalid effect: ${String(statement['Effect'])}`);
  if (statement['Principal'] === undefined && statement['NotPrincipal'] === undefined) throw malformedPolicy('Missing required field Principal');
  if (statement['Action'] === undefined && statement['NotAction'] === undefined) throw malformedPolicy('Missing required field Action');
  const resources = [statement['Resource'] ?? statement['NotResource'] ?? []].flat() as unknown[];
  if (resources.length === 0) throw malformedPolicy('Missing required field Resource');
  const arn = new RegExp(`^arn:aws[a-z-]*:s3:::${bucket.replaceAll('.', '\\.')}(/|$)`);
  if (!resources.every((resource) => typeof resource === 'string' && arn.test(resource))) throw malformedPolicy('Policy has invalid resource');
}

export async function getBucketPolicy(ctx: Ctx, input: GetBucketPolicyRequest): Promise<GetBucketPolicyOutput> {
  const bucket = await openBucket(ctx, input);
  const text = await readConfig<string>(ctx.platform.store, bucket.id, 'policy');
  if (text === undefined) throw notFoundConfiguration('NoSuchBucketPolicy', 'The bucket policy does not exist', bucket.name);
  return { Policy: text };
}

/** "The meaning of 'public'": somebody unnamed may do something, and no condition says where from. */
function isPublic(text: string): boolean {
  const statements = [parse(text)['Statement'] ?? []].flat() as Record<string, unknown>[];
  const anybody = (principal: unknown): boolean =>
    principal === '*' || (typeof principal === 'object' && principal !== null && Object.values(principal).flat().includes('*'));
  return statements.some(({ Effect, Principal, Condition }) => Effect === 'Allow' && anybody(Principal) && !isNarrow(Condition));
}

const NARROW =
  /^(aws:(sourceip|sourcearn|sourceaccount|sourcevpc|sourcevpce|principalorgid|principalarn|userid)|s3:(dataaccesspoint|accesspointnetworkorigin).*)$/i;

function isNarrow(condition: unknown): boolean {
  if (typeof condition !== 'object' || condition === null) return false;
  return Object.values(condition).some((keys) => typeof keys === 'object' && keys !== null && Object.keys(keys).some((key) => NARROW.test(key)));
}

export async function getBucketPolicyStatus(ctx: Ctx, input: GetBucketPolicyStatusRequest): Promise<GetBucketPolicyStatusOutput> {
  const bucket = await openBucket(ctx, input);
  const text = await readConfig<string>(ctx.platform.store, bucket.id, 'policy');
  if (text === undefined) throw notFoundConfiguration('NoSuchBucketPolicy', 'The bucket policy does not exist', bucket.name);
  return { PolicyStatus: { IsPublic: isPublic(text) } };
}

export async function deleteBucketPolicy(ctx: Ctx, input: DeleteBucketPolicyRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const row = keys.config(bucket.id, 'policy');
  await inBucket(ctx, bucket, { keys: [row] }, (tx) => tx.delete(row));
  return {};
}
