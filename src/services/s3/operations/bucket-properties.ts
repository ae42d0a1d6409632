import type {
  GetBucketAclOutput,
  GetBucketAclRequest,
  GetBucketEncryptionOutput,
  GetBucketEncryptionRequest,
  GetBucketOwnershipControlsOutput,
  GetBucketOwnershipControlsRequest,
  GetObjectAclOutput,
  GetObjectAclRequest,
  Grant,
  PutBucketAclRequest,
  PutBucketEncryptionRequest,
  PutBucketOwnershipControlsRequest,
  PutObjectAclRequest,
} from '@aws-sdk/client-s3';
import { AwsError } from '../../../kit/errors.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { canonicalUserId, checkKey } from '../domain/names.ts';
import type { BucketRecord, Encryption, ObjectOwnership } from '../domain/records.ts';
import { aclNotSupported, invalidArgument, malformedXml, notFoundConfiguration, notImplemented } from '../errors.ts';
import { announce, happening } from '../notify.ts';
import { checkVersionId, findObject, requireTarget } from '../objects.ts';
import { inObject } from '../store.ts';
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

const ALL_USERS = 'http://acs.amazonaws.com/groups/global/AllUsers';
const AUTHENTICATED_USERS = 'http://acs.amazonaws.com/groups/global/AuthenticatedUsers';
const LOG_DELIVERY = 'http://acs.amazonaws.com/groups/s3/LogDelivery';
type Permission = NonNullable<Grant['Permission']>;

/** What each canned ACL grants beside the owner's full control; "Canned ACL". */
const CANNED: Readonly<Record<string, readonly (readonly [group: string, permission: Permission])[]>> = {
  private: [],
  'bucket-owner-full-control': [],
  'bucket-owner-read': [],
  'public-read': [[ALL_USERS, 'READ']],
  'public-read-write': [
    [ALL_USERS, 'READ'],
    [ALL_USERS, 'WRITE'],
  ],
  'authenticated-read': [[AUTHENTICATED_USERS, 'READ']],
  'log-delivery-write': [
    [LOG_DELIVERY, 'WRITE'],
    [LOG_DELIVERY, 'READ_ACP'],
  ],
};
const OBJECT_ONLY = new Set(['bucket-owner-full-control', 'bucket-owner-read']);

function aclOutput(account: string, acl: string | undefined): { Owner: { ID: string }; Grants: Grant[] } {
  const id = canonicalUserId(account);
  const groups = CANNED[acl ?? 'private'] ?? [];
  return {
    Owner: { ID: id },
    Grants: [
      { Grantee: { ID: id, Type: 'CanonicalUser' }, Permission: 'FULL_CONTROL' },
      ...groups.map(([URI, Permission]): Grant => ({ Grantee: { Type: 'Group', URI }, Permission })),
    ],
  };
}

/** The canned ACL of a request. Throws what S3 throws for it, and 501 for grants one by one. */
function cannedAcl(bucket: BucketRecord, input: PutBucketAclRequest | PutObjectAclRequest, of: 'bucket' | 'object'): string {
  const grants = [input.GrantFullControl, input.GrantRead, input.GrantReadACP, input.GrantWrite, input.GrantWriteACP];
  if (input.AccessControlPolicy !== undefined || grants.some((grant) => grant !== undefined)) throw notImplemented('ACLs other than canned ones');
  const { ACL } = input;
  if (ACL === undefined) {
    throw new AwsError('MissingSecurityHeader', 'Your request was missing a required header', { members: { MissingHeaderName: 'x-amz-acl' } });
  }
  if (!Object.hasOwn(CANNED, ACL) || (of === 'bucket' && OBJECT_ONLY.has(ACL))) throw invalidArgument('', 'x-amz-acl', ACL);
  if (bucket.ownership === 'BucketOwnerEnforced' && ACL !== 'private' && ACL !== 'bucket-owner-full-control') throw aclNotSupported();
  return ACL;
}

export async function putBucketAcl(ctx: Ctx, input: PutBucketAclRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  const acl = cannedAcl(bucket, input, 'bucket');
  await changeBucket(ctx, bucket, (now) => ({ ...now, acl }));
  return {};
}

export async function getBucketAcl(ctx: Ctx, input: GetBucketAclRequest): Promise<GetBucketAclOutput> {
  const bucket = await openBucket(ctx, input);
  return aclOutput(bucket.account, bucket.acl);
}

export async function putObjectAcl(ctx: Ctx, input: PutObjectAclRequest): Promise<Record<string, never>> {
  const key = input.Key ?? '';
  checkKey(key);
  const bucket = await openBucket(ctx, input);
  checkVersionId(input.VersionId);
  const acl = cannedAcl(bucket, input, 'object');
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
  return aclOutput(record.account, record.acl);
}
