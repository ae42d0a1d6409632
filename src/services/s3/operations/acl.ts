import type {
  GetBucketAclOutput,
  GetBucketAclRequest,
  GetObjectAclOutput,
  GetObjectAclRequest,
  PutBucketAclRequest,
  PutObjectAclRequest,
} from '@aws-sdk/client-s3';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { aclOf, describeAcl } from '../domain/acl.ts';
import { checkKey } from '../domain/names.ts';
import { announce, happening } from '../notify.ts';
import { checkVersionId, findObject, requireTarget } from '../objects.ts';
import { inObject } from '../store.ts';
import { changeBucket } from './configuration.ts';

export async function putBucketAcl(ctx: Ctx, input: PutBucketAclRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const acl = aclOf(bucket, input, 'bucket');
  await changeBucket(ctx, bucket, (now) => ({ ...now, acl }));
  return {};
}

export async function getBucketAcl(ctx: Ctx, input: GetBucketAclRequest): Promise<GetBucketAclOutput> {
  const bucket = await openBucket(ctx, input);
  return describeAcl(bucket.account, bucket.acl);
}

export async function putObjectAcl(ctx: Ctx, input: PutObjectAclRequest): Promise<Record<string, never>> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  checkVersionId(input.VersionId);
  const acl = aclOf(bucket, input, 'object');
  const what = happening(ctx, 'ObjectAcl:Put');
  await inObject(ctx, bucket, key, {}, (object, tx) => {
    const record = requireTarget(object.find(input.VersionId), key, input.VersionId, 'PUT');
    object.replace({ ...record, acl });
    announce(ctx, tx, object.bucket, key, what, record);
  });
  return {};
}

export async function getObjectAcl(ctx: Ctx, input: GetObjectAclRequest): Promise<GetObjectAclOutput> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  const record = await findObject(ctx, bucket, key, input.VersionId, 'GET');
  return describeAcl(record.account, record.acl);
}
