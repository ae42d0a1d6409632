import type {
  GetObjectLegalHoldOutput,
  GetObjectLegalHoldRequest,
  GetObjectLockConfigurationOutput,
  GetObjectLockConfigurationRequest,
  GetObjectRetentionOutput,
  GetObjectRetentionRequest,
  PutObjectLegalHoldRequest,
  PutObjectLockConfigurationRequest,
  PutObjectRetentionRequest,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { checkLoosening, defaultRetentionOf, retentionOf } from '../domain/lock.ts';
import { checkKey } from '../domain/names.ts';
import type { BucketRecord, ObjectRecord } from '../domain/records.ts';
import { invalidBucketState, invalidRequest, malformedXml, notFoundConfiguration } from '../errors.ts';
import { checkVersionId, findObject, requireTarget } from '../objects.ts';
import { inObject } from '../store.ts';
import { changeBucket } from './configuration.ts';

/** Object Lock can be switched on in a bucket that keeps versions, and never off again. */
export async function putObjectLockConfiguration(ctx: Ctx, input: PutObjectLockConfigurationRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const noVersions = () => invalidBucketState("Versioning must be 'Enabled' on the bucket to apply a Object Lock configuration");
  if (bucket.versioning !== 'Enabled') throw noVersions();
  const retention = defaultRetentionOf(input.ObjectLockConfiguration);
  await changeBucket(ctx, bucket, (now) => {
    if (now.versioning !== 'Enabled') throw noVersions();
    return { ...now, objectLock: retention ? { retention } : {} };
  });
  return {};
}

export async function getObjectLockConfiguration(ctx: Ctx, input: GetObjectLockConfigurationRequest): Promise<GetObjectLockConfigurationOutput> {
  const { objectLock, name } = await openBucket(ctx, input);
  if (!objectLock) throw notFoundConfiguration('ObjectLockConfigurationNotFoundError', 'Object Lock configuration does not exist for this bucket', name);
  const { retention } = objectLock;
  if (!retention) return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled' } };
  const { mode, days, years } = retention;
  const DefaultRetention = { Mode: mode, ...(days === undefined ? {} : { Days: days }), ...(years === undefined ? {} : { Years: years }) };
  return { ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention } } };
}

interface Addressed {
  readonly Bucket?: string | undefined;
  readonly Key?: string | undefined;
  readonly VersionId?: string | undefined;
  readonly ExpectedBucketOwner?: string | undefined;
}

async function openLockable(ctx: Ctx, input: Addressed): Promise<{ bucket: BucketRecord; key: string }> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  if (!bucket.objectLock) throw invalidRequest('Bucket is missing Object Lock Configuration');
  checkVersionId(input.VersionId);
  return { bucket, key };
}

/** Changes a version's lock in a transaction, so that two changes are judged one after the other. */
function change(ctx: Ctx, input: Addressed, bucket: BucketRecord, key: string, by: (record: ObjectRecord) => ObjectRecord): Promise<void> {
  return inObject(ctx, bucket, key, {}, (object) => {
    object.replace(by(requireTarget(object.find(input.VersionId), key, input.VersionId, 'PUT')));
  });
}

const noLock = () => new AwsError('NoSuchObjectLockConfiguration', 'The specified object does not have a ObjectLock configuration', { status: 404 });

export async function putObjectRetention(ctx: Ctx, input: PutObjectRetentionRequest): Promise<Record<string, never>> {
  const { bucket, key } = await openLockable(ctx, input);
  await findObject(ctx, bucket, key, input.VersionId, 'PUT');
  const nowMs = ctx.platform.clock.virtual();
  const next = retentionOf(input.Retention, nowMs);
  await change(ctx, input, bucket, key, ({ lock, ...record }) => {
    checkLoosening(lock, next, nowMs, input.BypassGovernanceRetention === true);
    return next ? { ...record, lock: next } : record;
  });
  return {};
}

export async function getObjectRetention(ctx: Ctx, input: GetObjectRetentionRequest): Promise<GetObjectRetentionOutput> {
  const { bucket, key } = await openLockable(ctx, input);
  const { lock } = await findObject(ctx, bucket, key, input.VersionId, 'GET');
  if (!lock) throw noLock();
  return { Retention: { Mode: lock.mode, RetainUntilDate: new Date(lock.untilMs) } };
}

export async function putObjectLegalHold(ctx: Ctx, input: PutObjectLegalHoldRequest): Promise<Record<string, never>> {
  if (!input.LegalHold) {
    await openBucket(ctx, input);
    throw malformedXml();
  }
  const { bucket, key } = await openLockable(ctx, input);
  await findObject(ctx, bucket, key, input.VersionId, 'PUT');
  const status = input.LegalHold.Status;
  if (status !== 'ON' && status !== 'OFF') throw malformedXml();
  await change(ctx, input, bucket, key, (record) => ({ ...record, legalHold: status }));
  return {};
}

export async function getObjectLegalHold(ctx: Ctx, input: GetObjectLegalHoldRequest): Promise<GetObjectLegalHoldOutput> {
  const { bucket, key } = await openLockable(ctx, input);
  const { legalHold } = await findObject(ctx, bucket, key, input.VersionId, 'GET');
  if (!legalHold) throw noLock();
  return { LegalHold: { Status: legalHold } };
}
