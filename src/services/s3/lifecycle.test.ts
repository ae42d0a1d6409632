import {
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  GetBucketLifecycleConfigurationCommand,
  HeadObjectCommand,
  type LifecycleRule,
  ListMultipartUploadsCommand,
  ListObjectVersionsCommand,
  PutBucketLifecycleConfigurationCommand,
  PutBucketNotificationConfigurationCommand,
  PutBucketVersioningCommand,
  PutObjectCommand,
  PutObjectLegalHoldCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { CreateQueueCommand, ReceiveMessageCommand, SQSClient } from '@aws-sdk/client-sqs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import { covers, expiryOf, isNoncurrentExpired, type LifecycleRule as Rule } from './domain/lifecycle.ts';

const DAY_MS = 24 * 3600 * 1000;

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

let made = 0;
async function bucketWith(rules: LifecycleRule[], options: { versioned?: boolean; locked?: boolean } = {}) {
  const Bucket = `expiring-${++made}`;
  await s3.send(new CreateBucketCommand({ Bucket, ...(options.locked ? { ObjectLockEnabledForBucket: true } : {}) }));
  if (options.versioned) await s3.send(new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: 'Enabled' } }));
  await s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket, LifecycleConfiguration: { Rules: rules } }));
  return Bucket;
}

async function advance(days: number) {
  await fetch(`${croft.endpoint}/_croft/clock/advance`, { method: 'POST', body: JSON.stringify({ byMs: days * DAY_MS }) }).then(async (answer) => {
    if (!answer.ok) throw new Error(await answer.text());
  });
}

async function versions(Bucket: string) {
  const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
  return { versions: Versions.map(({ Key }) => Key), markers: DeleteMarkers.map(({ Key }) => Key) };
}

const rule = (more: Partial<LifecycleRule>): LifecycleRule => ({ ID: 'r', Status: 'Enabled', Filter: {}, ...more });

describe('rules on the virtual clock', () => {
  test('an object tells when it goes, goes, and is told of', async () => {
    const Bucket = await bucketWith([rule({ ID: 'logs rule', Filter: { Prefix: 'logs/' }, Expiration: { Days: 1 } })]);
    const sqs = new SQSClient(croft.sdk);
    const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'expired' }));
    const QueueArn = 'arn:aws:sqs:us-east-1:000000000000:expired';
    const NotificationConfiguration = { QueueConfigurations: [{ QueueArn, Events: ['s3:LifecycleExpiration:*' as const] }] };
    await s3.send(new PutBucketNotificationConfigurationCommand({ Bucket, NotificationConfiguration, SkipDestinationValidation: true }));
    const { Expiration } = await s3.send(new PutObjectCommand({ Bucket, Key: 'logs/a', Body: 'x' }));
    expect(Expiration).toMatch(/^expiry-date="\w{3}, \d\d \w{3} \d{4} 00:00:00 GMT", rule-id="logs%20rule"$/);
    await s3.send(new PutObjectCommand({ Bucket, Key: 'kept', Body: 'x' }));
    expect((await s3.send(new HeadObjectCommand({ Bucket, Key: 'kept' }))).Expiration).toBeUndefined();
    await advance(3);
    expect(await versions(Bucket)).toEqual({ versions: ['kept'], markers: [] });
    const { Messages } = await sqs.send(new ReceiveMessageCommand({ QueueUrl, WaitTimeSeconds: 5 }));
    const [record] = JSON.parse(Messages?.[0]?.Body ?? '{}').Records;
    expect(record).toMatchObject({
      eventVersion: '2.3',
      eventName: 'LifecycleExpiration:Delete',
      userIdentity: { principalId: 's3.amazonaws.com' },
      requestParameters: { sourceIPAddress: 's3.amazonaws.com' },
      s3: { object: { key: 'logs/a' } },
    });
    // The rules go on day after day.
    await s3.send(new PutObjectCommand({ Bucket, Key: 'logs/b', Body: 'x' }));
    await advance(3);
    expect(await versions(Bucket)).toEqual({ versions: ['kept'], markers: [] });
    sqs.destroy();
  });

  test('in a versioned bucket a marker first, then old versions, then the marker that is left', async () => {
    const Bucket = await bucketWith(
      [
        rule({ ID: 'now', Expiration: { Days: 1 }, NoncurrentVersionExpiration: { NoncurrentDays: 2 } }),
        rule({ ID: 'markers', Filter: { Prefix: '' }, Expiration: { ExpiredObjectDeleteMarker: true } }),
      ],
      { versioned: true },
    );
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '1' }));
    await s3.send(new PutObjectCommand({ Bucket, Key: 'k', Body: '2' }));
    await advance(2);
    const then = await versions(Bucket);
    expect(then.markers).toEqual(['k']);
    expect(then.versions.length).toBeGreaterThan(0);
    await advance(5);
    expect(await versions(Bucket)).toEqual({ versions: [], markers: [] });
  });

  test('what is locked stays', async () => {
    const Bucket = await bucketWith([rule({ NoncurrentVersionExpiration: { NoncurrentDays: 1 } })], { locked: true });
    const { VersionId } = await s3.send(new PutObjectCommand({ Bucket, Key: 'held', Body: '1' }));
    await s3.send(new PutObjectLegalHoldCommand({ Bucket, Key: 'held', VersionId, LegalHold: { Status: 'ON' } }));
    await s3.send(new DeleteObjectCommand({ Bucket, Key: 'held' }));
    await advance(4);
    expect((await versions(Bucket)).versions).toEqual(['held']);
    await s3.send(new PutObjectLegalHoldCommand({ Bucket, Key: 'held', VersionId, LegalHold: { Status: 'OFF' } }));
    await advance(1);
    expect((await versions(Bucket)).versions).toEqual([]);
  });

  test('uploads that nobody completes are aborted', async () => {
    const Bucket = await bucketWith([rule({ Filter: { Prefix: 'up/' }, AbortIncompleteMultipartUpload: { DaysAfterInitiation: 1 } })]);
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'up/a' }));
    await s3.send(new CreateMultipartUploadCommand({ Bucket, Key: 'other' }));
    await advance(3);
    expect((await s3.send(new ListMultipartUploadsCommand({ Bucket }))).Uploads?.map(({ Key }) => Key)).toEqual(['other']);
  });
});

describe('what is refused', () => {
  const cases: [string, LifecycleRule, string, string][] = [
    ['no action', rule({}), 'InvalidRequest', 'At least one action needs to be specified in a rule'],
    ['zero days', rule({ Expiration: { Days: 0 } }), 'InvalidArgument', "'Days' for Expiration action must be a positive integer"],
    ['noon', rule({ Expiration: { Date: new Date('2030-01-01T12:00:00Z') } }), 'InvalidArgument', "'Date' must be at midnight GMT"],
    ['two filters', rule({ Filter: { Prefix: 'a', ObjectSizeLessThan: 5 }, Expiration: { Days: 1 } }), 'MalformedXML', ''],
    ['marker and days', rule({ Expiration: { Days: 1, ExpiredObjectDeleteMarker: true } }), 'MalformedXML', ''],
  ];
  beforeAll(() => s3.send(new CreateBucketCommand({ Bucket: 'no-rules' })));
  test.each(cases)('%s', async (_name, one, name, message) => {
    const put = s3.send(new PutBucketLifecycleConfigurationCommand({ Bucket: 'no-rules', LifecycleConfiguration: { Rules: [one] } }));
    await expect(put).rejects.toMatchObject({ name, ...(message ? { message } : {}) });
    await expect(s3.send(new GetBucketLifecycleConfigurationCommand({ Bucket: 'no-rules' }))).rejects.toMatchObject({ name: 'NoSuchLifecycleConfiguration' });
  });
});

describe('domain', () => {
  const base = { ID: 'r', Status: 'Enabled' } as const;
  const at = Date.parse('2026-01-10T15:00:00Z');
  test.each<[string, Rule['Filter'], boolean]>([
    ['anything', {}, true],
    ['a prefix', { Prefix: 'a/' }, true],
    ['another prefix', { Prefix: 'b/' }, false],
    ['a tag', { Tag: { Key: 't', Value: '1' } }, true],
    ['larger', { ObjectSizeGreaterThan: 10 }, false],
    ['all of it', { And: { Prefix: 'a/', ObjectSizeLessThan: 11, Tags: [{ Key: 't', Value: '1' }] } }, true],
    ['all but one', { And: { Prefix: 'a/', Tags: [{ Key: 't', Value: '2' }] } }, false],
  ])('covers %s', (_name, Filter, expected) => {
    expect(covers({ ...base, ...(Filter ? { Filter } : {}) }, { key: 'a/b', size: 10, tags: { t: '1' } })).toBe(expected);
  });
  test('expiry is the first midnight after the days, of the earliest rule', () => {
    const rules: Rule[] = [
      { ...base, ID: 'slow', Filter: {}, Expiration: { Days: 5 } },
      { ...base, ID: 'fast', Filter: {}, Expiration: { Days: 1 } },
      { ...base, ID: 'off', Status: 'Disabled', Filter: {}, Expiration: { Days: 1 } },
    ];
    expect(expiryOf(rules, { key: 'k', size: 1, tags: {} }, at)).toEqual({ atMs: Date.parse('2026-01-12T00:00:00Z'), ruleId: 'fast' });
  });
  test('newer noncurrent versions are kept by their number', () => {
    const rules: Rule[] = [{ ...base, Filter: {}, NoncurrentVersionExpiration: { NoncurrentDays: 1, NewerNoncurrentVersions: 2 } }];
    const subject = { key: 'k', size: 1, tags: {} };
    const later = at + 10 * DAY_MS;
    expect([0, 1, 2, 3].map((newer) => isNoncurrentExpired(rules, subject, { newer, sinceMs: at }, later))).toEqual([false, false, true, true]);
  });
});
