import type {
  DeleteBucketLifecycleRequest,
  GetBucketLifecycleConfigurationOutput,
  GetBucketLifecycleConfigurationRequest,
  LifecycleRule as LifecycleRuleOutput,
  PutBucketLifecycleConfigurationOutput,
  PutBucketLifecycleConfigurationRequest,
} from '@aws-sdk/client-s3';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { type Lifecycle, parseLifecycle } from '../domain/lifecycle.ts';
import { invalidRequest, notFoundConfiguration } from '../errors.ts';
import { startLifecycle } from '../lifecycle.ts';
import { inBucket, keys, readConfig } from '../store.ts';

const DEFAULT_MINIMUM = 'all_storage_classes_128K';

/** "Setting an S3 Lifecycle configuration on a bucket". Transitions are recorded: there is one kind of storage here. */
export async function putBucketLifecycleConfiguration(ctx: Ctx, input: PutBucketLifecycleConfigurationRequest): Promise<PutBucketLifecycleConfigurationOutput> {
  const bucket = await openBucket(ctx, input);
  const minimumSize = input.TransitionDefaultMinimumObjectSize ?? DEFAULT_MINIMUM;
  if (minimumSize !== DEFAULT_MINIMUM && minimumSize !== 'varies_by_storage_class') {
    throw invalidRequest(`Invalid TransitionDefaultMinimumObjectSize found: ${String(minimumSize)}`);
  }
  const Rules = parseLifecycle(input.LifecycleConfiguration, () => Buffer.from(ctx.platform.ids.uuid()).toString('base64'));
  const newChain = ctx.platform.ids.text(16);
  const row = keys.config(bucket.id, 'lifecycle');
  const bucketRow = keys.bucket(bucket.name);
  await inBucket(ctx, bucket, { keys: [row, bucketRow] }, (tx, now) => {
    const before = tx.get(row);
    const chain = before ? decodeJson<Lifecycle>(before).chain : newChain;
    const kept: Lifecycle = { Rules, minimumSize, chain };
    tx.put(row, encodeJson(kept));
    if (!now.hasLifecycle) tx.put(bucketRow, encodeJson({ ...now, hasLifecycle: true }));
    if (!before) startLifecycle(ctx, tx, bucket, chain);
  });
  return { TransitionDefaultMinimumObjectSize: minimumSize };
}

/** Dates came back from the store as text. */
function withDates(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withDates);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, k === 'Date' && typeof v === 'string' ? new Date(v) : withDates(v)]));
}

export async function getBucketLifecycleConfiguration(ctx: Ctx, input: GetBucketLifecycleConfigurationRequest): Promise<GetBucketLifecycleConfigurationOutput> {
  const bucket = await openBucket(ctx, input);
  const kept = await readConfig<Lifecycle>(ctx.platform.store, bucket.id, 'lifecycle');
  if (!kept) throw notFoundConfiguration('NoSuchLifecycleConfiguration', 'The lifecycle configuration does not exist', bucket.name);
  return {
    Rules: withDates(kept.Rules) as LifecycleRuleOutput[],
    TransitionDefaultMinimumObjectSize: kept.minimumSize as NonNullable<GetBucketLifecycleConfigurationOutput['TransitionDefaultMinimumObjectSize']>,
  };
}

export async function deleteBucketLifecycle(ctx: Ctx, input: DeleteBucketLifecycleRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const row = keys.config(bucket.id, 'lifecycle');
  const bucketRow = keys.bucket(bucket.name);
  await inBucket(ctx, bucket, { keys: [row, bucketRow] }, (tx, { hasLifecycle: _, ...now }) => {
    tx.delete(row);
    tx.put(bucketRow, encodeJson(now));
  });
  return {};
}
