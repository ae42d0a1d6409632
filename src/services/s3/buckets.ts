import type { Ctx } from '../service.ts';
import { isOpen } from './domain/acl.ts';
import type { BucketRecord } from './domain/records.ts';
import { accessDenied, invalidBucketOwner, noSuchBucket, notImplemented } from './errors.ts';
import { keys, readBucket } from './store.ts';

interface Addressed {
  readonly Bucket?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

/** Grants something to others; which operations, the authorize step judges. */
function hasOpenAcl({ account, acl, ownership }: BucketRecord): boolean {
  return ownership !== 'BucketOwnerEnforced' && isOpen(account, acl);
}

/** Nobody but its owner gets in, as far as can be told before policies are judged. */
export function grantsNothing(bucket: BucketRecord): boolean {
  return !hasOpenAcl(bucket);
}

/**
 * The bucket that a request names. Bucket names are global: another account's bucket is `AccessDenied` unless it has an open ACL or a policy, which
 * the authorize step judges. Throws `NoSuchBucket`, `AccessDenied`, `InvalidBucketOwnerAWSAccountID`.
 */
export async function openBucket(ctx: Ctx, input: Addressed): Promise<BucketRecord> {
  const name = input.Bucket ?? '';
  if (name.startsWith('arn:')) throw notImplemented('Access points in place of a bucket name');
  const expected = input.ExpectedBucketOwner;
  if (expected !== undefined && !/^\d{12}$/.test(expected)) throw invalidBucketOwner(expected);
  const bucket = await readBucket(ctx.platform.store, name);
  if (!bucket) throw noSuchBucket(name);
  if (expected !== undefined && expected !== bucket.account) throw accessDenied();
  if (bucket.account !== ctx.account && !hasOpenAcl(bucket) && !(await ctx.platform.store.get(keys.config(bucket.id, 'policy')))) throw accessDenied();
  return bucket;
}
