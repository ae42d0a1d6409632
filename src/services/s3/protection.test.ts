import { createHash } from 'node:crypto';
import {
  CopyObjectCommand,
  CreateBucketCommand,
  DeleteObjectCommand,
  GetBucketPolicyStatusCommand,
  GetObjectAclCommand,
  GetObjectCommand,
  GetObjectLegalHoldCommand,
  GetObjectRetentionCommand,
  HeadObjectCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutObjectAclCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  PutObjectLockConfigurationCommand,
  PutObjectRetentionCommand,
  RestoreObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';

let croft: TestCroft;
let s3: S3Client;
beforeAll(async () => {
  croft = await startCroft();
  s3 = new S3Client({ ...croft.sdk, forcePathStyle: true });
});
afterAll(async () => {
  s3.destroy();
  await croft.stop();
});

const soon = () => new Date(croft.server.platform.clock.virtual() + 24 * 3600 * 1000);
const locked = { name: 'AccessDenied', message: 'Access Denied because object protected by object lock.' };

describe('Object Lock', () => {
  const Bucket = 'locked';
  beforeAll(() => s3.send(new CreateBucketCommand({ Bucket, ObjectLockEnabledForBucket: true })));

  test('governance holds until it is bypassed, compliance for good', async () => {
    const put = async (Key: string, ObjectLockMode: 'GOVERNANCE' | 'COMPLIANCE') =>
      s3.send(new PutObjectCommand({ Bucket, Key, Body: 'x', ObjectLockMode, ObjectLockRetainUntilDate: soon() }));
    const governed = { Bucket, Key: 'g', VersionId: (await put('g', 'GOVERNANCE')).VersionId };
    await expect(s3.send(new DeleteObjectCommand(governed))).rejects.toMatchObject(locked);
    await s3.send(new DeleteObjectCommand({ ...governed, BypassGovernanceRetention: true }));
    const complied = { Bucket, Key: 'c', VersionId: (await put('c', 'COMPLIANCE')).VersionId };
    await expect(s3.send(new DeleteObjectCommand({ ...complied, BypassGovernanceRetention: true }))).rejects.toMatchObject(locked);
    const less = { Mode: 'GOVERNANCE', RetainUntilDate: soon() } as const;
    await expect(s3.send(new PutObjectRetentionCommand({ ...complied, Retention: less, BypassGovernanceRetention: true }))).rejects.toMatchObject(locked);
    // A marker hides it, and takes nothing away.
    expect((await s3.send(new DeleteObjectCommand({ Bucket, Key: 'c' }))).DeleteMarker).toBe(true);
    expect((await s3.send(new GetObjectRetentionCommand(complied))).Retention?.Mode).toBe('COMPLIANCE');
  });

  test('a legal hold holds whoever asks', async () => {
    const at = {
      Bucket,
      Key: 'h',
      VersionId: (await s3.send(new PutObjectCommand({ Bucket, Key: 'h', Body: 'x', ObjectLockLegalHoldStatus: 'ON' }))).VersionId,
    };
    expect((await s3.send(new HeadObjectCommand(at))).ObjectLockLegalHoldStatus).toBe('ON');
    await expect(s3.send(new DeleteObjectCommand({ ...at, BypassGovernanceRetention: true }))).rejects.toMatchObject(locked);
    await s3.send(new PutObjectLegalHoldCommand({ ...at, LegalHold: { Status: 'OFF' } }));
    expect((await s3.send(new GetObjectLegalHoldCommand(at))).LegalHold?.Status).toBe('OFF');
    await s3.send(new DeleteObjectCommand(at));
  });

  test('the default retention is every new version’s', async () => {
    const Rule = { DefaultRetention: { Mode: 'GOVERNANCE', Days: 2 } } as const;
    await s3.send(new PutObjectLockConfigurationCommand({ Bucket, ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule } }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'd', Body: 'x' }));
    const { LastModified, ObjectLockMode, ObjectLockRetainUntilDate } = await s3.send(new HeadObjectCommand({ Bucket, Key: 'd' }));
    expect(ObjectLockMode).toBe('GOVERNANCE');
    expect(Number(ObjectLockRetainUntilDate) - Number(LastModified)).toBe(2 * 24 * 3600 * 1000);
  });

  test('it needs a bucket for it, and keeps its versions on', async () => {
    await s3.send(new CreateBucketCommand({ Bucket: 'plain' }));
    const put = new PutObjectCommand({ Bucket: 'plain', Key: 'k', Body: 'x', ObjectLockLegalHoldStatus: 'ON' });
    await expect(s3.send(put)).rejects.toMatchObject({ name: 'InvalidRequest', message: 'Bucket is missing Object Lock Configuration' });
    await expect(s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Suspended' } }))).rejects.toMatchObject({
      name: 'InvalidBucketState',
    });
    const past = new PutObjectCommand({
      Bucket,
      Key: 'k',
      Body: 'x',
      ObjectLockMode: 'GOVERNANCE',
      ObjectLockRetainUntilDate: new Date('2020-01-01T00:00:00Z'),
    });
    await expect(s3.send(past)).rejects.toMatchObject({ name: 'InvalidArgument', ArgumentValue: 'Tue Dec 31 16:00:00 PST 2019' });
  });
});

describe('keys that clients bring (SSE-C)', () => {
  const Bucket = 'secret';
  const keyOf = (letter: string) => {
    const key = Buffer.alloc(32, letter);
    return { SSECustomerAlgorithm: 'AES256', SSECustomerKey: key.toString('base64'), SSECustomerKeyMD5: createHash('md5').update(key).digest('base64') };
  };
  const source = ({ SSECustomerAlgorithm, SSECustomerKey, SSECustomerKeyMD5 }: ReturnType<typeof keyOf>) => ({
    CopySourceSSECustomerAlgorithm: SSECustomerAlgorithm,
    CopySourceSSECustomerKey: SSECustomerKey,
    CopySourceSSECustomerKeyMD5: SSECustomerKeyMD5,
  });
  beforeAll(() => s3.send(new CreateBucketCommand({ Bucket })));

  test('only the same key reads and copies', async () => {
    const at = { Bucket, Key: 'k' };
    const put = await s3.send(new PutObjectCommand({ ...at, Body: 'x', ...keyOf('a') }));
    expect(put).toMatchObject({ SSECustomerAlgorithm: 'AES256', SSECustomerKeyMD5: keyOf('a').SSECustomerKeyMD5 });
    expect(put.ETag).not.toBe(`"${createHash('md5').update('x').digest('hex')}"`);
    expect(await (await s3.send(new GetObjectCommand({ ...at, ...keyOf('a') }))).Body?.transformToString()).toBe('x');
    await expect(s3.send(new GetObjectCommand(at))).rejects.toMatchObject({ name: 'InvalidRequest' });
    await expect(s3.send(new GetObjectCommand({ ...at, ...keyOf('b') }))).rejects.toMatchObject({ name: 'AccessDenied' });
    const copy = { Bucket, Key: 'open', CopySource: `${Bucket}/k` };
    await expect(s3.send(new CopyObjectCommand(copy))).rejects.toMatchObject({ name: 'InvalidRequest' });
    await s3.send(new CopyObjectCommand({ ...copy, ...source(keyOf('a')) }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'open' }))).ServerSideEncryption).toBe('AES256');
  });
});

describe('grants', () => {
  const Bucket = 'granting';
  beforeAll(() => s3.send(new CreateBucketCommand({ Bucket, ObjectOwnership: 'ObjectWriter' })));

  test('one by one, by header and by document', async () => {
    const group = 'http://acs.amazonaws.com/groups/s3/LogDelivery';
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: 'x', GrantRead: `uri="${group}"` }));
    const { Grants, Owner } = await s3.send(new GetObjectAclCommand({ Bucket, Key: 'k' }));
    expect(Grants).toEqual([{ Grantee: { Type: 'Group', URI: group }, Permission: 'READ' }]);
    const both = [
      { Grantee: { Type: 'CanonicalUser' as const, ID: Owner?.ID ?? '' }, Permission: 'FULL_CONTROL' as const },
      { Grantee: { Type: 'Group' as const, URI: group }, Permission: 'WRITE' as const },
    ];
    await s3.send(new PutObjectAclCommand({ Bucket, Key: 'k', AccessControlPolicy: { Owner, Grants: both } }));
    expect((await s3.send(new GetObjectAclCommand({ Bucket, Key: 'k' }))).Grants).toEqual(both);
    await expect(s3.send(new PutObjectAclCommand({ Bucket, Key: 'k', ACL: 'private', GrantRead: 'id="x"' }))).rejects.toMatchObject({ message: 'Invalid id' });
  });
});

test('an archived object is read once it is restored', async () => {
  const Bucket = 'archive';
  await s3.send(new CreateBucketCommand({ Bucket }));
  const at = { Bucket, Key: 'k' };
  await s3.send(new PutObjectCommand({ ...at, Body: 'x', StorageClass: 'GLACIER' }));
  await expect(s3.send(new GetObjectCommand(at))).rejects.toMatchObject({ name: 'InvalidObjectState', StorageClass: 'GLACIER' });
  const restore = new RestoreObjectCommand({ ...at, RestoreRequest: { Days: 1, GlacierJobParameters: { Tier: 'Expedited' } } });
  expect((await s3.send(restore)).$metadata.httpStatusCode).toBe(202);
  expect(await croft.server.platform.bus.quiet(5000)).toBe(true);
  expect((await s3.send(new HeadObjectCommand(at))).Restore).toMatch(/^ongoing-request="false", expiry-date="\w{3}, .* 00:00:00 GMT"$/);
  expect(await (await s3.send(new GetObjectCommand(at))).Body?.transformToString()).toBe('x');
  expect((await s3.send(restore)).$metadata.httpStatusCode).toBe(200);
  await s3.send(new PutObjectCommand({ Bucket, Key: 'plain', Body: 'x' }));
  await expect(s3.send(new RestoreObjectCommand({ Bucket, Key: 'plain', RestoreRequest: { Days: 1 } }))).rejects.toMatchObject({ name: 'InvalidObjectState' });
});

test('a policy is public where anybody may, from anywhere', async () => {
  const Bucket = 'policied';
  await s3.send(new CreateBucketCommand({ Bucket }));
  const isPublic = async (more: object) => {
    const Statement = [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: `arn:aws:s3:::${Bucket}/*`, ...more }];
    await s3.send(new PutBucketPolicyCommand({ Bucket, Policy: JSON.stringify({ Version: '2012-10-17', Statement }) }));
    return (await s3.send(new GetBucketPolicyStatusCommand({ Bucket }))).PolicyStatus?.IsPublic;
  };
  await expect(s3.send(new GetBucketPolicyStatusCommand({ Bucket }))).rejects.toMatchObject({ name: 'NoSuchBucketPolicy' });
  expect(await isPublic({})).toBe(true);
  expect(await isPublic({ Principal: { AWS: ['*'] } })).toBe(true);
  expect(await isPublic({ Principal: { AWS: '123456789012' } })).toBe(false);
  expect(await isPublic({ Condition: { IpAddress: { 'aws:SourceIp': '10.0.0.0/8' } } })).toBe(false);
  expect(await isPublic({ Effect: 'Deny' })).toBe(false);
});
