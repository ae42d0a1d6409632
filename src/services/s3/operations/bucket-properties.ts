import type {
  GetBucketEncryptionOutput,
  GetBucketEncryptionRequest,
  GetBucketOwnershipControlsOutput,
  GetBucketOwnershipControlsRequest,
  PutBucketEncryptionRequest,
  PutBucketOwnershipControlsRequest,
} from '@aws-sdk/client-s3';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import type { Encryption, ObjectOwnership } from '../domain/records.ts';
import { invalidArgument, malformedXml, notFoundConfiguration } from '../errors.ts';
import { changeBucket } from './configuration.ts';

/** "Setting default server-side encryption behavior for Amazon S3 buckets". Recorded: it shows in the headers of new objects. */
export async function putBucketEncryption(ctx: Ctx, input: PutBucketEncryptionRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const rule = input.ServerSideEncryptionConfiguration?.Rules?.[0];
  const byDefault = rule?.ApplyServerSideEncryptionByDefault;
  if (!byDefault || input.ServerSideEncryptionConfiguration?.Rules?.length !== 1) throw malformedXml();
  const algorithm = byDefault.SSEAlgorithm ?? '';
  if (!['AES256', 'aws:kms', 'aws:kms:dsse'].includes(algorithm)) throw malformedXml();
  if (algorithm === 'AES256' && byDefault.KMSMasterKeyID !== undefined) {
    throw invalidArgument(
      'a KMSMasterKeyID is not applicable if the default sse algorithm is not aws:kms or aws:kms:dsse',
      'ApplyServerSideEncryptionByDefault',
    );
  }
  const encryption: Encryption = {
    algorithm,
    ...(byDefault.KMSMasterKeyID === undefined ? {} : { kmsKeyId: byDefault.KMSMasterKeyID }),
    ...(rule?.BucketKeyEnabled ? { bucketKeyEnabled: true } : {}),
  };
  await changeBucket(ctx, bucket, (now) => ({ ...now, encryption }));
  return {};
}

export async function getBucketEncryption(ctx: Ctx, input: GetBucketEncryptionRequest): Promise<GetBucketEncryptionOutput> {
  const { encryption = { algorithm: 'AES256' } } = await openBucket(ctx, input);
  const byDefault = { SSEAlgorithm: encryption.algorithm as 'AES256', ...(encryption.kmsKeyId === undefined ? {} : { KMSMasterKeyID: encryption.kmsKeyId }) };
  return {
    ServerSideEncryptionConfiguration: {
      Rules: [{ ApplyServerSideEncryptionByDefault: byDefault, BucketKeyEnabled: encryption.bucketKeyEnabled ?? false }],
    },
  };
}

export async function deleteBucketEncryption(ctx: Ctx, input: GetBucketEncryptionRequest): Promise<Record<string, never>> {
  await changeBucket(ctx, await openBucket(ctx, input), ({ encryption: _, ...rest }) => rest);
  return {};
}

const OWNERSHIPS: readonly unknown[] = ['BucketOwnerEnforced', 'BucketOwnerPreferred', 'ObjectWriter'];

export async function putBucketOwnershipControls(ctx: Ctx, input: PutBucketOwnershipControlsRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const rules = input.OwnershipControls?.Rules;
  const ownership = rules?.[0]?.ObjectOwnership;
  if (rules?.length !== 1 || !OWNERSHIPS.includes(ownership)) throw malformedXml();
  await changeBucket(ctx, bucket, (now) => ({ ...now, ownership: ownership as ObjectOwnership }));
  return {};
}

export async function getBucketOwnershipControls(ctx: Ctx, input: GetBucketOwnershipControlsRequest): Promise<GetBucketOwnershipControlsOutput> {
  const bucket = await openBucket(ctx, input);
  if (!bucket.ownership) throw notFoundConfiguration('OwnershipControlsNotFoundError', 'The bucket ownership controls were not found', bucket.name);
  return { OwnershipControls: { Rules: [{ ObjectOwnership: bucket.ownership }] } };
}

export async function deleteBucketOwnershipControls(ctx: Ctx, input: GetBucketOwnershipControlsRequest): Promise<Record<string, never>> {
  await changeBucket(ctx, await openBucket(ctx, input), ({ ownership: _, ...rest }) => rest);
  return {};
}
