import { AwsError } from '../../../kit/errors.ts';
import { accessDenied, entityTooLargeFor, entityTooSmallFor, invalidArgument } from '../errors.ts';

type Fields = ReadonlyMap<string, string>;

/** What a policy allows of the file's size, inclusive. */
export interface SizeRange {
  readonly min: number;
  readonly max: number;
}

export interface PostPolicy {
  readonly expiration: string;
  readonly conditions: readonly unknown[];
}

const V4_FIELDS = ['X-Amz-Signature', 'X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Date'] as const;
const V2_FIELDS = ['Signature', 'AWSAccessKeyId'] as const;

/** How a form is signed. `anonymous`: it has no policy. */
export type PostSignature =
  | { readonly kind: 'anonymous' }
  | { readonly kind: 'v2' | 'v4'; readonly policy: string; readonly accessKeyId: string; readonly signature: string; readonly scope: readonly string[] };

/** Throws `InvalidArgument` for a field of the signature that is missing, `AccessDenied` where there is a policy and no signature. */
export function signatureOf(fields: Fields): PostSignature {
  const policy = fields.get('policy');
  if (!policy) return { kind: 'anonymous' };
  const hasAny = (names: readonly string[]) => names.some((name) => fields.has(name.toLowerCase()));
  const need = (names: readonly string[]) => {
    const missing = names.find((name) => !fields.has(name.toLowerCase()));
    if (missing !== undefined) {
      throw invalidArgument(`Bucket POST must contain a field named '${missing}'.  If it is specified, please check the order of the fields.`, missing, '');
    }
  };
  if (hasAny(V4_FIELDS)) {
    need(V4_FIELDS);
    const [accessKeyId = '', ...scope] = (fields.get('x-amz-credential') ?? '').split('/');
    return { kind: 'v4', policy, accessKeyId, signature: fields.get('x-amz-signature') ?? '', scope };
  }
  if (hasAny(V2_FIELDS)) {
    need(V2_FIELDS);
    return { kind: 'v2', policy, accessKeyId: fields.get('awsaccesskeyid') ?? '', signature: fields.get('signature') ?? '', scope: [] };
  }
  throw accessDenied();
}

const invalidPolicy = (message: string) => new AwsError('InvalidPolicyDocument', `Invalid Policy: ${message}`);

/** The document behind the field; undefined where it is no JSON. Throws `InvalidPolicyDocument`. */
export function parsePolicy(text: string): PostPolicy | undefined {
  let document: unknown;
  try {
    document = JSON.parse(Buffer.from(text, 'base64').toString('utf8'));
  } catch {
    return undefined;
  }
  if (typeof document !== 'object' || document === null) throw invalidPolicy('Invalid JSON.');
  const { expiration, conditions } = document as Record<string, unknown>;
  if (typeof expiration !== 'string') throw invalidPolicy('Policy missing expiration.');
  if (!Array.isArray(conditions)) throw invalidPolicy('Policy missing conditions.');
  return { expiration, conditions };
}

/** Fields that no condition has to name. */
const FREE: ReadonlySet<string> = new Set(['awsaccesskeyid', 'signature', 'x-amz-signature', 'policy', 'file', 'bucket']);

const failed = (condition: readonly unknown[]) =>
  new AwsError('AccessDenied', `Invalid according to Policy: Policy Condition failed: ${spaced(condition)}`, { status: 403 });

const spaced = (condition: readonly unknown[]) => `[${condition.map((part) => JSON.stringify(part)).join(', ')}]`;

/**
 * Judges a form by its policy: "POST policy" in the Amazon S3 API Reference. Returns what the file's size must be. Throws `AccessDenied` with the
 * condition that fails, or the fields that none names.
 */
export function checkPolicy(policy: PostPolicy, fields: Fields, bucket: string, nowMs: number): SizeRange | undefined {
  const until = Date.parse(policy.expiration);
  if (Number.isNaN(until)) throw invalidPolicy(`Invalid 'expiration' value: '${policy.expiration}'`);
  if (until <= nowMs) throw new AwsError('AccessDenied', 'Invalid according to Policy: Policy expired.', { status: 403 });
  const named = new Set<string>();
  let size: SizeRange | undefined;
  for (const given of policy.conditions) {
    const condition = asList(given);
    const [operator, field, value] = condition;
    if (String(operator).toLowerCase() === 'content-length-range') {
      const [min, max] = [Number(field), Number(value)];
      if (!Number.isInteger(min) || !Number.isInteger(max)) throw failed(condition);
      size = { min, max };
      continue;
    }
    const name = String(field).toLowerCase();
    if (!name.startsWith('$')) throw failed(condition);
    named.add(name.slice(1));
    const actual = name === '$bucket' ? bucket : (fields.get(name.slice(1)) ?? '');
    if (!holds(String(operator).toLowerCase(), actual, String(value))) throw failed(condition);
  }
  const extra = [...fields.keys()].filter((name) => !FREE.has(name) && !named.has(name) && !name.startsWith('x-ignore-'));
  if (extra.length > 0) throw new AwsError('AccessDenied', `Invalid according to Policy: Extra input fields: ${extra.join(', ')}`, { status: 403 });
  return size;
}

/** `{"acl": "private"}` is short for `["eq", "$acl", "private"]`. */
function asList(condition: unknown): readonly unknown[] {
  if (Array.isArray(condition)) {
    if (condition.length !== 3) throw invalidPolicy('Invalid Condition: wrong number of arguments.');
    return condition;
  }
  const entries = typeof condition === 'object' && condition !== null ? Object.entries(condition) : [];
  const [entry] = entries;
  if (entries.length !== 1 || !entry) throw invalidPolicy('Invalid Simple-Condition: Simple-Conditions must have exactly one property specified.');
  return ['eq', `$${entry[0]}`, entry[1]];
}

function holds(operator: string, actual: string, value: string): boolean {
  if (operator === 'eq') return actual === value;
  return operator === 'starts-with' && actual.startsWith(value);
}

/** The file's bytes, held to what the policy says of their number; what is too much is only counted. Throws `EntityTooLarge`, `EntityTooSmall`. */
export async function* withinSize(chunks: AsyncIterable<Uint8Array>, range: SizeRange | undefined): AsyncGenerator<Uint8Array> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (range === undefined || size <= range.max) yield chunk;
  }
  if (range && size > range.max) throw entityTooLargeFor(size, range.max);
  if (range && size < range.min) throw entityTooSmallFor(size, range.min);
}
