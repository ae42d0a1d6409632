import type { GetBucketVersioningOutput, GetBucketVersioningRequest, PutBucketVersioningRequest } from '@aws-sdk/client-s3';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { invalidBucketState, malformedXml, notImplemented } from '../errors.ts';
import { changeBucket } from './configuration.ts';

export async function putBucketVersioning(ctx: Ctx, input: PutBucketVersioningRequest): Promise<Record<string, never>> {
  const configuration = input.VersioningConfiguration;
  if (!configuration) throw malformedXml();
  if (configuration.MFADelete !== undefined || input.MFA !== undefined) throw notImplemented('MFA delete');
  const status = configuration.Status;
  const bucket = await openBucket(ctx, input);
  if (status === undefined) throw new AwsError('IllegalVersioningConfigurationException', 'The Versioning element must be specified');
  if (status !== 'Enabled' && status !== 'Suspended') throw malformedXml();
  await changeBucket(ctx, bucket, (now) => {
    if (now.objectLock && status === 'Suspended') {
      throw invalidBucketState('An Object Lock configuration is present on this bucket, so the versioning state cannot be changed.');
    }
    return { ...now, versioning: status };
  });
  return {};
}

export async function getBucketVersioning(ctx: Ctx, input: GetBucketVersioningRequest): Promise<GetBucketVersioningOutput> {
  const { versioning } = await openBucket(ctx, input);
  return versioning === undefined ? {} : { Status: versioning };
}
