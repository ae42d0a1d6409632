import type { Attempt, Outcome } from '../../bus/bus.ts';
import { decodeJson } from '../../kit/json.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import {
  expirationHeader,
  expiryOf,
  isMarkerExpired,
  isNoncurrentExpired,
  isUploadExpired,
  type Lifecycle,
  type LifecycleRule,
  nextMidnight,
} from './domain/lifecycle.ts';
import { newStamp } from './domain/names.ts';
import type { BucketRecord, ObjectRecord, UploadRecord, VersionRecord } from './domain/records.ts';
import { LIFECYCLE_KEYS_AT_ONCE, LIST_MAX } from './limits.ts';
import { announce, ownHappening, S3_SERVICE } from './notify.ts';
import { nowSeconds } from './objects.ts';
import { endUpload, inBucket, inObject, keys, type ObjectTx, rangeOf, readBucket, readConfig, uploadKeys } from './store.ts';

/** The bus target that carries out the rules of a bucket, at each midnight. */
export const LIFECYCLE_TARGET = 's3:lifecycle';

interface Payload {
  readonly bucket: string;
  readonly bucketId: string;
  readonly chain: string;
}

/** Begins the chain of deliveries, one for each day, in the commit of a bucket's first rules. */
export function startLifecycle(ctx: Ctx, tx: Tx, bucket: BucketRecord, chain: string): void {
  const payload: Payload = { bucket: bucket.name, bucketId: bucket.id, chain };
  const dueMs = nextMidnight(ctx.platform.clock.virtual());
  ctx.platform.bus.enqueue(tx, { target: LIFECYCLE_TARGET, account: bucket.account, region: bucket.region, payload, dueMs, trace: ctx.trace });
}

/** The header that tells when a current object goes; undefined where no rule says so. */
export async function expirationOf(ctx: Ctx, bucket: BucketRecord, key: string, record: ObjectRecord): Promise<string | undefined> {
  if (!bucket.hasLifecycle) return undefined;
  const lifecycle = await readConfig<Lifecycle>(ctx.platform.store, bucket.id, 'lifecycle');
  const expiry = lifecycle && expiryOf(lifecycle.Rules, { key, size: record.size, tags: record.tags }, record.modifiedMs);
  return expiry && expirationHeader(expiry);
}

/** One day's work on one bucket. Each step can be repeated; the delivery then waits for the next midnight, until the bucket has no rules. */
export async function carryOut(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const payload = attempt.payload as Payload;
  const { account, region, trace } = attempt;
  const principal = { account, accessKeyId: '', arn: S3_SERVICE, userId: S3_SERVICE, type: 'service' } as const;
  const ctx = platform.contextFor({ account, region, principal, trace, service: 's3' });
  const bucket = await readBucket(platform.store, payload.bucket);
  if (bucket?.id !== payload.bucketId) return { done: true };
  const lifecycle = await readConfig<Lifecycle>(platform.store, bucket.id, 'lifecycle');
  if (lifecycle?.chain !== payload.chain) return { done: true };
  const nowMs = platform.clock.virtual();
  const rules = lifecycle.Rules.filter(({ Status }) => Status === 'Enabled');
  if (rules.length > 0) {
    await eachObject(ctx, bucket, rules, nowMs);
    await eachUpload(ctx, bucket, rules, nowMs);
  }
  return { retry: { atMs: nextMidnight(nowMs) } };
}

async function eachObject(ctx: Ctx, bucket: BucketRecord, rules: readonly LifecycleRule[], nowMs: number): Promise<void> {
  const base = keys.object(bucket.id, '');
  const range = rangeOf(base);
  for (let from = range.from; ; ) {
    const page = await ctx.platform.store.range({ from, to: range.to, limit: LIST_MAX });
    const due: string[] = [];
    for (const [row, value] of page.entries) {
      const key = Buffer.from(row.slice(base.length), 'latin1').toString('utf8');
      // In a bucket with versions the older ones are looked at too.
      if (bucket.versioning || isDue(rules, key, decodeJson<VersionRecord>(value), nowMs)) due.push(key);
    }
    for (let i = 0; i < due.length; i += LIFECYCLE_KEYS_AT_ONCE) {
      await Promise.all(due.slice(i, i + LIFECYCLE_KEYS_AT_ONCE).map((key) => expireKey(ctx, bucket, key, rules, nowMs)));
    }
    const last = page.entries.at(-1);
    if (!page.more || !last) return;
    from = `${last[0]}\x00`;
  }
}

function isDue(rules: readonly LifecycleRule[], key: string, current: VersionRecord, nowMs: number): boolean {
  if (current.deleteMarker) return isMarkerExpired(rules, key, current.modifiedMs, nowMs);
  const expiry = expiryOf(rules, { key, size: current.size, tags: current.tags }, current.modifiedMs);
  return expiry !== undefined && expiry.atMs <= nowMs;
}

/** Judged again inside the transaction: what has changed meanwhile counts as it is. */
function expireKey(ctx: Ctx, bucket: BucketRecord, key: string, rules: readonly LifecycleRule[], nowMs: number): Promise<void> {
  const stamp = newStamp(ctx.platform.ids);
  const modifiedMs = nowSeconds(ctx);
  const removal = ownHappening(ctx, 'LifecycleExpiration:Delete');
  const marking = ownHappening(ctx, 'LifecycleExpiration:DeleteMarkerCreated');
  return inObject(ctx, bucket, key, {}, (object, tx) => {
    const remove = (version: VersionRecord) => {
      if (!version.deleteMarker && isLocked(version, nowMs)) return;
      object.remove(version.versionId);
      announce(ctx, tx, object.bucket, key, removal, version);
    };
    expireOlder(object, key, rules, nowMs, remove);
    const { current } = object;
    if (!current) return;
    if (current.deleteMarker) {
      if (object.older().length === 0 && isMarkerExpired(rules, key, current.modifiedMs, nowMs)) remove(current);
      return;
    }
    if (!isDue(rules, key, current, nowMs)) return;
    if (object.bucket.versioning === undefined) {
      remove(current);
      return;
    }
    const marker = object.write({ deleteMarker: true, modifiedMs, account: object.bucket.account }, stamp);
    announce(ctx, tx, object.bucket, key, marking, marker);
  });
}

const isLocked = ({ lock, legalHold }: ObjectRecord, nowMs: number) => legalHold === 'ON' || (lock !== undefined && lock.untilMs > nowMs);

/** Noncurrent versions, newest first: each stopped to be current when the one above it was written. */
function expireOlder(object: ObjectTx, key: string, rules: readonly LifecycleRule[], nowMs: number, remove: (version: VersionRecord) => void): void {
  if (object.bucket.versioning === undefined || !object.current) return;
  let sinceMs = object.current.modifiedMs;
  for (const [newer, version] of object.older().entries()) {
    const subject = version.deleteMarker ? { key, size: 0, tags: {} } : { key, size: version.size, tags: version.tags };
    if (isNoncurrentExpired(rules, subject, { newer, sinceMs }, nowMs)) remove(version);
    sinceMs = version.modifiedMs;
  }
}

async function eachUpload(ctx: Ctx, bucket: BucketRecord, rules: readonly LifecycleRule[], nowMs: number): Promise<void> {
  const range = rangeOf(keys.uploadsOf(bucket.id));
  for (let from = range.from; ; ) {
    const page = await ctx.platform.store.range({ from, to: range.to, limit: LIST_MAX });
    for (const [, value] of page.entries) {
      const upload = decodeJson<UploadRecord>(value);
      if (!isUploadExpired(rules, upload.key, upload.initiatedMs, nowMs)) continue;
      await inBucket(ctx, bucket, { keys: uploadKeys(bucket, upload) }, (tx) => endUpload(ctx, tx, bucket, upload, {}));
    }
    const last = page.entries.at(-1);
    if (!page.more || !last) return;
    from = `${last[0]}\x00`;
  }
}
