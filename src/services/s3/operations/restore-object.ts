import type { RestoreObjectRequest } from '@aws-sdk/client-s3';
import type { Attempt, Outcome } from '../../../bus/bus.ts';
import { AwsError, notImplemented } from '../../../kit/errors.ts';
import type { WireResponse } from '../../../protocol/wire.ts';
import type { Ctx, Platform } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { midnightAfter } from '../domain/lifecycle.ts';
import { checkKey } from '../domain/names.ts';
import { invalidArgument, malformedXml } from '../errors.ts';
import { announce, happening, ownHappening, S3_SERVICE } from '../notify.ts';
import { checkVersionId, findObject, isArchived, requireTarget } from '../objects.ts';
import { inObject, readBucket } from '../store.ts';

/** The bus target that ends restores. There is no slow medium here: it is due at once. */
export const RESTORE_TARGET = 's3:restore';

interface Payload {
  readonly bucket: string;
  readonly bucketId: string;
  readonly key: string;
  readonly stamp: string;
  readonly days: number;
}

const TIERS: readonly unknown[] = ['Standard', 'Bulk', 'Expedited'];

/** "Restoring an archived object": 202 begins it, 200 moves the end of one that is there. */
export async function restoreObject(ctx: Ctx, input: RestoreObjectRequest): Promise<{ status: number }> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  checkVersionId(input.VersionId);
  const request = input.RestoreRequest;
  if (request?.Type !== undefined || request?.SelectParameters !== undefined) throw notImplemented('RestoreObject of type SELECT');
  const record = await findObject(ctx, bucket, key, input.VersionId, 'POST');
  if (!isArchived(record)) {
    throw new AwsError('InvalidObjectState', "Restore is not allowed for the object's current storage class", {
      status: 403,
      members: { StorageClass: record.storageClass },
    });
  }
  const days = request?.Days;
  if (days === undefined) throw malformedXml();
  if (!Number.isInteger(days) || days < 1) throw invalidArgument('Restoration days should be at least 1', 'Days', String(days));
  const tier = request?.GlacierJobParameters?.Tier ?? request?.Tier ?? 'Standard';
  if (!TIERS.includes(tier)) throw malformedXml();
  if (tier === 'Expedited' && record.storageClass === 'DEEP_ARCHIVE') {
    throw invalidArgument('Retrieval option is not supported by this storage class', 'Tier', tier);
  }
  const nowMs = ctx.platform.clock.virtual();
  const what = happening(ctx, 'ObjectRestore:Post');
  return inObject(ctx, bucket, key, {}, (object, tx) => {
    const now = requireTarget(object.find(input.VersionId), key, input.VersionId, 'POST');
    const { restore } = now;
    if (restore && restore.untilMs === undefined) throw new AwsError('RestoreAlreadyInProgress', 'Object restore is already in progress', { status: 409 });
    if (restore?.untilMs !== undefined && restore.untilMs > nowMs) {
      object.replace({ ...now, restore: { untilMs: midnightAfter(nowMs, days) } });
      return { status: 200 };
    }
    object.replace({ ...now, restore: {} });
    announce(ctx, tx, object.bucket, key, what, now);
    const payload: Payload = { bucket: bucket.name, bucketId: bucket.id, key, stamp: now.stamp, days };
    ctx.platform.bus.enqueue(tx, { target: RESTORE_TARGET, account: bucket.account, region: bucket.region, payload, trace: ctx.trace });
    return { status: 202 };
  });
}

/** The model knows one status; S3 has two. */
export function respondRestore(_ctx: Ctx, output: Record<string, unknown>, response: WireResponse): WireResponse {
  return { ...response, status: Number(output['status']) };
}

/** The end of a restore: the object can be read, until its days are over. */
export async function endRestore(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const { bucket: name, bucketId, key, stamp, days } = attempt.payload as Payload;
  const { account, region, trace } = attempt;
  const principal = { account, accessKeyId: '', arn: S3_SERVICE, userId: S3_SERVICE, type: 'service' } as const;
  const ctx = platform.contextFor({ account, region, principal, trace, service: 's3' });
  const bucket = await readBucket(platform.store, name);
  if (bucket?.id !== bucketId) return { done: true };
  const untilMs = midnightAfter(platform.clock.virtual(), days);
  const what = ownHappening(ctx, 'ObjectRestore:Completed', account);
  await inObject(ctx, bucket, key, {}, (object, tx) => {
    attempt.settle(tx);
    const record = [object.current, ...(object.bucket.versioning ? object.older() : [])].find((one) => one?.stamp === stamp);
    if (!record || record.deleteMarker || !record.restore || record.restore.untilMs !== undefined) return;
    object.replace({ ...record, restore: { untilMs } });
    announce(ctx, tx, object.bucket, key, what, record, { restoredUntilMs: untilMs });
  });
  return { done: true };
}
