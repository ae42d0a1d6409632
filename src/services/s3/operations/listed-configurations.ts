import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import { decodeJson, encodeJson } from '../../../kit/json.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { decodeToken, encodeToken } from '../domain/listing.ts';
import { malformedXml } from '../errors.ts';
import { CONFIGURATIONS_LISTED_MAX, CONFIGURATIONS_MAX } from '../limits.ts';
import { inBucket, keys, rangeOf } from '../store.ts';
import { type BucketInput, listOf } from './configuration.ts';

type Value = Readonly<Record<string, unknown>>;
type Run = (ctx: Ctx, input: BucketInput) => Promise<Record<string, unknown>>;

interface Listed {
  /** Names its rows. */
  readonly kind: string;
  /** The member that holds one; `<member>List` holds a page. */
  readonly member: string;
  /** Throws where S3 would refuse it. */
  readonly check: (value: Value, id: string) => void;
}

const object = (value: unknown): Value => (typeof value === 'object' && value !== null ? (value as Value) : {});
const noSuch = () => new AwsError('NoSuchConfiguration', 'The specified configuration does not exist.', { status: 404 });

/** Configurations of which a bucket has many, told apart by their ids. Recorded: none has an effect. */
function listedConfiguration({ kind, member, check }: Listed): { put: Run; get: Run; delete: Run; list: Run } {
  const idOf = (input: BucketInput): string => {
    const id = String(input['Id'] ?? '');
    if (!/^[\w.-]{1,64}$/.test(id)) throw new AwsError('InvalidConfigurationId', 'The specified configuration id is invalid.');
    return id;
  };
  return {
    async put(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const value = input[member];
      if (typeof value !== 'object' || value === null) throw malformedXml();
      const id = idOf(input);
      check(value as Value, id);
      const row = keys.listed(bucket.id, kind, id);
      const all = rangeOf(keys.listedOf(bucket.id, kind));
      await inBucket(ctx, bucket, { keys: [row], ranges: [all] }, (tx) => {
        if (!tx.get(row) && tx.range({ ...all, limit: CONFIGURATIONS_MAX }).entries.length >= CONFIGURATIONS_MAX) {
          throw new AwsError(
            'TooManyConfigurations',
            'You are attempting to create a new configuration but have already reached the 1,000-configuration limit.',
          );
        }
        tx.put(row, encodeJson(value));
      });
      return {};
    },
    async get(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const value = await ctx.platform.store.get(keys.listed(bucket.id, kind, idOf(input)));
      if (!value) throw noSuch();
      return { [member]: decodeJson<Value>(value) };
    },
    async delete(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const row = keys.listed(bucket.id, kind, idOf(input));
      await inBucket(ctx, bucket, { keys: [row] }, (tx) => {
        if (!tx.get(row)) throw noSuch();
        tx.delete(row);
      });
      return {};
    },
    async list(ctx, input) {
      const bucket = await openBucket(ctx, input);
      const token = input['ContinuationToken'] as string | undefined;
      const { from, to } = rangeOf(keys.listedOf(bucket.id, kind));
      const start = token ? `${keys.listed(bucket.id, kind, decodeToken(token))}\x00` : from;
      const page = await ctx.platform.store.range({ from: start, to, limit: CONFIGURATIONS_LISTED_MAX });
      const values = page.entries.map(([, value]) => decodeJson<Value>(value));
      return {
        IsTruncated: page.more,
        ...(token ? { ContinuationToken: token } : {}),
        ...(page.more ? { NextContinuationToken: encodeToken(String(values.at(-1)?.['Id'])) } : {}),
        ...(values.length > 0 ? { [`${member}List`]: values } : {}),
      };
    },
  };
}

const oneOf = (value: unknown, ...allowed: readonly unknown[]): void => {
  if (!allowed.includes(value)) throw malformedXml();
};

/** "Amazon S3 Analytics – Storage Class Analysis". */
export const analytics = listedConfiguration({
  kind: 'analytics',
  member: 'AnalyticsConfiguration',
  check(value, id) {
    if (value['Id'] !== id || value['StorageClassAnalysis'] === undefined) throw malformedXml();
  },
});

/** "Managing storage costs with Amazon S3 Intelligent-Tiering". */
export const intelligentTiering = listedConfiguration({
  kind: 'intelligentTiering',
  member: 'IntelligentTieringConfiguration',
  check(value, id) {
    const tierings = listOf(value['Tierings']);
    if (value['Id'] !== id || tierings.length === 0) throw malformedXml();
    oneOf(value['Status'], 'Enabled', 'Disabled');
    for (const { AccessTier, Days } of tierings) {
      oneOf(AccessTier, 'ARCHIVE_ACCESS', 'DEEP_ARCHIVE_ACCESS');
      if (typeof Days !== 'number') throw malformedXml();
    }
  },
});

/** "Metrics configurations for buckets". */
export const metrics = listedConfiguration({
  kind: 'metrics',
  member: 'MetricsConfiguration',
  check(value, id) {
    if (value['Id'] !== id) throw malformedXml();
  },
});

const INVENTORY_FIELDS: readonly unknown[] = [
  'Size',
  'LastModifiedDate',
  'StorageClass',
  'ETag',
  'IsMultipartUploaded',
  'ReplicationStatus',
  'EncryptionStatus',
  'ObjectLockRetainUntilDate',
  'ObjectLockMode',
  'ObjectLockLegalHoldStatus',
  'IntelligentTieringAccessTier',
  'BucketKeyStatus',
  'ChecksumAlgorithm',
  'ObjectAccessControlList',
  'ObjectOwner',
  'LifecycleExpirationDate',
];

/** "Cataloging and analyzing your data with S3 Inventory". */
export const inventory = listedConfiguration({
  kind: 'inventory',
  member: 'InventoryConfiguration',
  check(value, id) {
    const destination = object(object(value['Destination'])['S3BucketDestination']);
    if (typeof value['Id'] !== 'string' || typeof value['IsEnabled'] !== 'boolean' || typeof destination['Bucket'] !== 'string') throw malformedXml();
    oneOf(destination['Format'], 'CSV', 'ORC', 'Parquet');
    oneOf(object(value['Schedule'])['Frequency'], 'Daily', 'Weekly');
    oneOf(value['IncludedObjectVersions'], 'All', 'Current');
    for (const field of listOf(value['OptionalFields']) as readonly unknown[]) oneOf(field, ...INVENTORY_FIELDS);
    if (value['Id'] !== id) throw new AwsError('IdMismatch', 'Document ID does not match the specified configuration ID.');
    if (parseArn(destination['Bucket'])?.service !== 's3') throw new AwsError('InvalidS3DestinationBucket', 'Invalid bucket ARN.');
  },
});
