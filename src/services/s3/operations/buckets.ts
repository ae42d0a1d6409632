import type {
  CreateBucketOutput,
  CreateBucketRequest,
  DeleteBucketRequest,
  GetBucketLocationOutput,
  GetBucketLocationRequest,
  HeadBucketOutput,
  HeadBucketRequest,
  ListBucketsOutput,
  ListBucketsRequest,
} from '@aws-sdk/client-s3';
import { partitionOf } from '../../../kit/arn.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import { keyOf, partsOf, prefixEnd } from '../../../kit/key.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { grantsOfHeaders } from '../domain/acl.ts';
import { decodeToken, encodeToken } from '../domain/listing.ts';
import { canonicalUserId, checkBucketName } from '../domain/names.ts';
import type { BucketRecord, ObjectOwnership } from '../domain/records.ts';
import { isRegion } from '../domain/regions.ts';
import { type Tags, tagsFromSet } from '../domain/tags.ts';
import * as errors from '../errors.ts';
import { LIST_BUCKETS_MAX } from '../limits.ts';
import { nowSeconds } from '../objects.ts';
import { enqueueCleanup, inBucket, keys, rangeOf } from '../store.ts';
import { DEFAULT_PUBLIC_ACCESS_BLOCK } from './configuration.ts';

const BUCKET_ACLS: ReadonlySet<string> = new Set(['private', 'public-read', 'public-read-write', 'authenticated-read', 'log-delivery-write']);
const OWNERSHIPS: readonly string[] = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'];
const HOME_REGION = 'us-east-1';
/** What `EU` meant before there were two regions in Europe. */
const EU_REGION = 'eu-west-1';

export function bucketArn(ctx: { readonly region: string }, name: string): string {
  return `arn:${partitionOf(ctx.region)}:s3:::${name}`;
}

export function createBucket(ctx: Ctx, input: CreateBucketRequest): Promise<CreateBucketOutput> {
  return createBucketOnce(ctx, input);
}

/** {@link createBucket}; again with the same `token` it is answered by the bucket made before, and without one only as S3 does. */
export async function createBucketOnce(ctx: Ctx, input: CreateBucketRequest, token?: string): Promise<CreateBucketOutput> {
  const name = input.Bucket ?? '';
  checkBucketName(name);
  const region = regionOf(ctx, input.CreateBucketConfiguration?.LocationConstraint);
  const grants = grantsOfHeaders(input);
  if (input.CreateBucketConfiguration?.Bucket || input.CreateBucketConfiguration?.Location) throw errors.notImplemented('Directory buckets');
  const ownership = ownershipOf(input);
  const tags = input.CreateBucketConfiguration?.Tags ? tagsOfNewBucket(input.CreateBucketConfiguration.Tags) : undefined;
  const record: BucketRecord = {
    name,
    id: ctx.platform.ids.text(12),
    account: ctx.account,
    region,
    createdMs: nowSeconds(ctx),
    ownership,
    ...(input.CreateBucketConfiguration?.LocationConstraint === 'EU' ? { location: 'EU' } : {}),
    ...(token === undefined ? {} : { token }),
    ...(input.ObjectLockEnabledForBucket ? { versioning: 'Enabled' as const, objectLock: {} } : {}),
    ...((input.ACL ?? grants) === undefined ? {} : { acl: input.ACL ?? grants ?? [] }),
  };
  const bucketKey = keys.bucket(name);
  const owned = keys.owned(ctx.account, name);
  const tagKey = keys.config(record.id, 'tagging');
  const blockKey = keys.config(record.id, 'publicAccessBlock');
  await ctx.platform.store.transact({ keys: [bucketKey, owned, tagKey, blockKey] }, (tx) => {
    const value = tx.get(bucketKey);
    if (value) {
      const taken = decodeJson<BucketRecord>(value);
      throwTaken(ctx, taken, token);
      // With tags it is no plain repetition any more, whatever they are.
      if (tags && Object.keys(tags).length > 0 && token === undefined) throw errors.bucketAlreadyOwnedByYou(taken.name);
    } else {
      tx.put(bucketKey, encodeJson(record));
      tx.put(owned, encodeJson(null));
      tx.put(blockKey, encodeJson(DEFAULT_PUBLIC_ACCESS_BLOCK));
      if (tags && Object.keys(tags).length > 0) tx.put(tagKey, encodeJson(tags));
    }
  });
  return { Location: region === HOME_REGION ? `/${name}` : `http://${name}.s3.amazonaws.com/`, BucketArn: bucketArn(ctx, name) };
}

function tagsOfNewBucket(set: Parameters<typeof tagsFromSet>[0]): Tags {
  if (set?.some(({ Key }) => Key?.startsWith('aws:'))) {
    throw errors.invalidTag(
      'User-defined tag keys can\'t start with "aws:". This prefix is reserved for system tags. Remove "aws:" from your tag keys and try again.',
    );
  }
  return tagsFromSet(set, 'bucket');
}

/** In us-east-1 creating one's own bucket again is a success, as it was before the error existed. */
function throwTaken(ctx: Ctx, taken: BucketRecord, token: string | undefined): void {
  if (taken.account !== ctx.account) throw errors.bucketAlreadyExists(taken.name);
  if (token !== undefined) {
    if (taken.token === token) return;
    throw errors.bucketAlreadyOwnedByYou(taken.name);
  }
  if (ctx.region !== HOME_REGION || taken.region !== HOME_REGION) throw errors.bucketAlreadyOwnedByYou(taken.name);
}

/** The region of a new bucket: the endpoint's, which a location constraint must name everywhere but in us-east-1. */
function regionOf(ctx: Ctx, constraint: string | undefined): string {
  if (constraint === undefined || constraint === '') {
    if (ctx.region !== HOME_REGION) throw errors.illegalLocationConstraint('unspecified');
    return ctx.region;
  }
  if (ctx.region === HOME_REGION) {
    const region = constraint === 'EU' ? EU_REGION : constraint;
    if (region === HOME_REGION || !isRegion(region)) throw errors.invalidLocationConstraint(constraint);
    return region;
  }
  if (constraint === 'EU' && ctx.region === EU_REGION) return ctx.region;
  if (constraint !== ctx.region) throw errors.illegalLocationConstraint(constraint);
  return ctx.region;
}

function ownershipOf(input: CreateBucketRequest): ObjectOwnership {
  const ownership = input.ObjectOwnership ?? 'BucketOwnerEnforced';
  if (!OWNERSHIPS.includes(ownership)) throw errors.invalidArgument(`Invalid x-amz-object-ownership header: ${ownership}`, 'x-amz-object-ownership');
  if (input.ACL !== undefined && !BUCKET_ACLS.has(input.ACL)) throw errors.invalidArgument('', 'x-amz-acl', input.ACL);
  if (((input.ACL ?? 'private') !== 'private' || grantsOfHeaders(input)) && ownership === 'BucketOwnerEnforced') {
    throw errors.invalidBucketAclWithOwnership();
  }
  return ownership;
}

export async function headBucket(ctx: Ctx, input: HeadBucketRequest): Promise<HeadBucketOutput> {
  const bucket = await openBucket(ctx, input);
  return { BucketArn: bucketArn(ctx, bucket.name), BucketRegion: bucket.region, AccessPointAlias: false };
}

export async function deleteBucket(ctx: Ctx, input: DeleteBucketRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const objects = rangeOf(keys.object(bucket.id, ''));
  const configs = rangeOf(keyOf('s3', 'config', bucket.id));
  await inBucket(ctx, bucket, { keys: [keys.bucket(bucket.name), keys.owned(bucket.account, bucket.name)], ranges: [objects, configs] }, (tx, now) => {
    // A key with versions has a current one, if only a delete marker: objects are all there is to look for.
    if (tx.range({ ...objects, limit: 1 }).entries.length > 0) throw errors.bucketNotEmpty(bucket.name, now.versioning !== undefined);
    for (let page = tx.range(configs); page.entries.length > 0; page = tx.range(configs)) for (const [row] of page.entries) tx.delete(row);
    tx.delete(keys.bucket(bucket.name));
    tx.delete(keys.owned(bucket.account, bucket.name));
    enqueueCleanup(ctx, tx, { kind: 'bucket', bucketId: bucket.id });
  });
  return {};
}

export async function getBucketLocation(ctx: Ctx, input: GetBucketLocationRequest): Promise<GetBucketLocationOutput> {
  const bucket = await openBucket(ctx, input);
  return bucket.region === HOME_REGION
    ? {}
    : { LocationConstraint: (bucket.location ?? bucket.region) as NonNullable<GetBucketLocationOutput['LocationConstraint']> };
}

export async function listBuckets(ctx: Ctx, input: ListBucketsRequest): Promise<ListBucketsOutput> {
  const max = input.MaxBuckets ?? LIST_BUCKETS_MAX;
  if (!Number.isInteger(max) || max < 1 || max > LIST_BUCKETS_MAX) {
    throw errors.invalidArgument('Argument max-buckets must be an integer between 1 and 10000.', 'max-buckets', String(max));
  }
  if (input.BucketRegion !== undefined && !isRegion(input.BucketRegion)) {
    throw errors.invalidArgument(`Argument value ${input.BucketRegion} is not a valid AWS Region`, 'bucket-region');
  }
  const base = keyOf('s3', 'owned', ctx.account);
  const prefix = input.Prefix ?? '';
  const start = base + prefix;
  // Tokens come from answers to the same prefix; one of another prefix must not leave it.
  const after = input.ContinuationToken ? `${base}${decodeToken(input.ContinuationToken)}\x00\xff` : start;
  const paged = input.MaxBuckets !== undefined || input.Prefix !== undefined || input.BucketRegion !== undefined || input.ContinuationToken !== undefined;
  const found: BucketRecord[] = [];
  let more = true;
  for (let from = [after, start].sort().at(-1) ?? start; more && found.length <= max; ) {
    const page = await ctx.platform.store.range({ from, to: prefixEnd(start), limit: max + 1 });
    const names = page.entries.map(([row]) => partsOf(row).at(-1) ?? '');
    const values = await ctx.platform.store.getMany(names.map(keys.bucket));
    for (const value of values) {
      const bucket = value && decodeJson<BucketRecord>(value);
      if (bucket && (input.BucketRegion === undefined || bucket.region === input.BucketRegion)) found.push(bucket);
    }
    more = page.more;
    from = `${page.entries.at(-1)?.[0] ?? from}\x00`;
  }
  const shown = found.slice(0, max);
  const last = shown.at(-1);
  return {
    Buckets: shown.map((bucket) => ({
      Name: bucket.name,
      CreationDate: new Date(bucket.createdMs),
      ...(paged ? { BucketRegion: bucket.region } : {}),
      BucketArn: bucketArn(ctx, bucket.name),
    })),
    Owner: { ID: canonicalUserId(ctx.account) },
    ...(found.length > max && last ? { ContinuationToken: encodeToken(last.name) } : {}),
    ...(input.Prefix === undefined ? {} : { Prefix: prefix }),
  };
}
