import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startCroft, type TestCroft } from '../../../test/harness.ts';
import type { Ctx, Properties } from '../service.ts';
import { s3Resources } from './cloudformation.ts';

let croft: TestCroft;
let ctx: Ctx;

beforeAll(async () => {
  croft = await startCroft();
  ctx = croft.server.platform.contextFor({ account: '000000000000', region: 'eu-west-1' });
});
afterAll(() => croft.stop());

const type = (name: string) => {
  const found = s3Resources.find((one) => one.type === name);
  if (!found) throw new Error(`no ${name}`);
  return found;
};
const request = (properties: Properties, token = 'token') => ({
  properties,
  logicalId: 'Bucket',
  stackId: 'stack-id',
  stackName: 'stack',
  generatedName: () => 'stack-Bucket-ABC123',
  token,
  tags: { 'stack-tag': 'yes' },
});

describe('AWS::S3::Bucket', () => {
  const bucket = type('AWS::S3::Bucket');

  it('is made with its properties, changed and deleted', async () => {
    const properties = {
      Tags: [{ Key: 'a', Value: 1 }],
      VersioningConfiguration: { Status: 'Enabled' },
      BucketEncryption: { ServerSideEncryptionConfiguration: [{ ServerSideEncryptionByDefault: { SSEAlgorithm: 'AES256' } }] },
      PublicAccessBlockConfiguration: { BlockPublicAcls: 'false' },
      CorsConfiguration: { CorsRules: [{ AllowedMethods: ['GET'], AllowedOrigins: ['*'], MaxAge: 5 }] },
    };
    const made = await bucket.create(ctx, request(properties));
    expect(made).toEqual({
      physicalId: 'stack-bucket-abc123',
      attributes: {
        Arn: 'arn:aws:s3:::stack-bucket-abc123',
        DomainName: 'stack-bucket-abc123.s3.amazonaws.com',
        RegionalDomainName: 'stack-bucket-abc123.s3.eu-west-1.amazonaws.com',
        DualStackDomainName: 'stack-bucket-abc123.s3.dualstack.eu-west-1.amazonaws.com',
        WebsiteURL: 'http://stack-bucket-abc123.s3-website-eu-west-1.amazonaws.com',
      },
    });
    const Bucket = made.physicalId;
    expect(await ctx.call('s3', 'GetBucketTagging', { Bucket })).toEqual({
      TagSet: [
        { Key: 'a', Value: '1' },
        { Key: 'stack-tag', Value: 'yes' },
      ],
    });
    expect(await ctx.call('s3', 'GetBucketVersioning', { Bucket })).toEqual({ Status: 'Enabled' });
    expect((await ctx.call('s3', 'GetBucketCors', { Bucket }))['CORSRules']).toMatchObject([{ MaxAgeSeconds: 5 }]);
    expect((await ctx.call('s3', 'GetBucketLocation', { Bucket }))['LocationConstraint']).toBe('eu-west-1');

    await bucket.update(ctx, { ...request({}), physicalId: Bucket, previous: properties });
    expect(await ctx.call('s3', 'GetBucketVersioning', { Bucket })).toEqual({ Status: 'Suspended' });
    await expect(ctx.call('s3', 'GetBucketCors', { Bucket })).rejects.toMatchObject({ code: 'NoSuchCORSConfiguration' });

    await ctx.call('s3', 'PutObject', { Bucket, Key: 'k', Body: 'x' });
    const deletion = { physicalId: Bucket, properties, stackId: 'stack-id', logicalId: 'Bucket' };
    await expect(bucket.delete(ctx, deletion)).rejects.toMatchObject({ code: 'BucketNotEmpty' });
    await ctx.call('s3', 'DeleteObject', { Bucket, Key: 'k', VersionId: 'null' });
    await bucket.delete(ctx, deletion);
    await bucket.delete(ctx, deletion);
  });

  it('tells a queue by its NotificationConfiguration, and names the bucket where that fails', async () => {
    await ctx.call('sqs', 'CreateQueue', { QueueName: 'told' });
    const Queue = 'arn:aws:sqs:eu-west-1:000000000000:told';
    const Filter = { S3Key: { Rules: [{ Name: 'suffix', Value: '.jpg' }] } };
    const NotificationConfiguration = {
      QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue, Filter }],
      EventBridgeConfiguration: { EventBridgeEnabled: 'true' },
    };
    const properties = { BucketName: 'telling', NotificationConfiguration };
    await bucket.create(ctx, request(properties, 'telling'));
    const kept = await ctx.call('s3', 'GetBucketNotificationConfiguration', { Bucket: 'telling' });
    expect(kept).toMatchObject({
      QueueConfigurations: [{ QueueArn: Queue, Events: ['s3:ObjectCreated:*'], Filter: { Key: { FilterRules: [{ Name: 'Suffix', Value: '.jpg' }] } } }],
      EventBridgeConfiguration: {},
    });
    await bucket.update(ctx, { ...request({ BucketName: 'telling' }), physicalId: 'telling', previous: properties });
    expect(await ctx.call('s3', 'GetBucketNotificationConfiguration', { Bucket: 'telling' })).toEqual({});

    const wrong = { BucketName: 'mute', NotificationConfiguration: { QueueConfigurations: [{ Event: 's3:ObjectCreated:*', Queue: `${Queue}-no` }] } };
    await expect(bucket.create(ctx, request(wrong, 'mute'))).rejects.toMatchObject({ physicalId: 'mute', code: 'InvalidArgument' });
  });

  it('applies lifecycle, website, lock and what is only kept', async () => {
    const properties = {
      BucketName: 'configured',
      ObjectLockEnabled: 'true',
      VersioningConfiguration: { Status: 'Enabled' },
      ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: '1' } } },
      LifecycleConfiguration: {
        Rules: [
          {
            Id: 'old',
            Status: 'Enabled',
            Prefix: 'logs/',
            TagFilters: [{ Key: 'a', Value: 'b' }],
            ExpirationInDays: '7',
            Transitions: [{ StorageClass: 'GLACIER', TransitionInDays: 1 }],
            NoncurrentVersionExpirationInDays: 3,
          },
        ],
      },
      WebsiteConfiguration: {
        IndexDocument: 'index.html',
        RoutingRules: [{ RoutingRuleCondition: { KeyPrefixEquals: 'a/' }, RedirectRule: { ReplaceKeyPrefixWith: 'b/', HttpRedirectCode: 302 } }],
      },
      LoggingConfiguration: { LogFilePrefix: 'access/' },
      MetricsConfigurations: [{ Id: 'all' }, { Id: 'some', Prefix: 'x/' }],
      InventoryConfigurations: [
        {
          Id: 'list',
          Enabled: true,
          Destination: { BucketArn: 'arn:aws:s3:::configured', Format: 'CSV' },
          IncludedObjectVersions: 'All',
          ScheduleFrequency: 'Daily',
        },
      ],
    };
    await bucket.create(ctx, request(properties, 'configured'));
    const Bucket = 'configured';
    const get = (operation: string) => ctx.call('s3', operation, { Bucket });
    expect((await get('GetBucketLifecycleConfiguration'))['Rules']).toEqual([
      {
        ID: 'old',
        Status: 'Enabled',
        Filter: { And: { Prefix: 'logs/', Tags: [{ Key: 'a', Value: 'b' }] } },
        Expiration: { Days: 7 },
        Transitions: [{ Days: 1, StorageClass: 'GLACIER' }],
        NoncurrentVersionExpiration: { NoncurrentDays: 3 },
      },
    ]);
    expect(await get('GetBucketWebsite')).toEqual({
      IndexDocument: { Suffix: 'index.html' },
      RoutingRules: [{ Condition: { KeyPrefixEquals: 'a/' }, Redirect: { ReplaceKeyPrefixWith: 'b/', HttpRedirectCode: '302' } }],
    });
    expect(await get('GetObjectLockConfiguration')).toMatchObject({ ObjectLockConfiguration: { Rule: { DefaultRetention: { Mode: 'GOVERNANCE', Days: 1 } } } });
    expect(await get('GetBucketLogging')).toEqual({ LoggingEnabled: { TargetBucket: Bucket, TargetPrefix: 'access/' } });
    expect((await get('ListBucketMetricsConfigurations'))['MetricsConfigurationList']).toHaveLength(2);
    expect((await get('ListBucketInventoryConfigurations'))['InventoryConfigurationList']).toHaveLength(1);

    const { LifecycleConfiguration: _, ...rest } = properties;
    const fewer = { ...rest, MetricsConfigurations: [{ Id: 'all' }] };
    await bucket.update(ctx, { ...request(fewer), physicalId: Bucket, previous: properties });
    await expect(get('GetBucketLifecycleConfiguration')).rejects.toMatchObject({ code: 'NoSuchLifecycleConfiguration' });
    expect((await get('ListBucketMetricsConfigurations'))['MetricsConfigurationList']).toEqual([{ Id: 'all' }]);
  });

  it('is the same at a retry, and a failure where it was there before', async () => {
    await bucket.create(ctx, request({ BucketName: 'once' }, 'first'));
    await bucket.create(ctx, request({ BucketName: 'once' }, 'first'));
    await expect(bucket.create(ctx, request({ BucketName: 'once' }, 'second'))).rejects.toMatchObject({ code: 'BucketAlreadyOwnedByYou' });
  });
});

describe('AWS::S3::BucketPolicy', () => {
  it('is kept and taken away', async () => {
    const policy = type('AWS::S3::BucketPolicy');
    await ctx.call('s3', 'CreateBucket', { Bucket: 'guarded', CreateBucketConfiguration: { LocationConstraint: 'eu-west-1' } });
    const PolicyDocument = { Statement: [{ Effect: 'Allow', Principal: '*', Action: 's3:GetObject', Resource: 'arn:aws:s3:::guarded/*' }] };
    const { physicalId } = await policy.create(ctx, request({ Bucket: 'guarded', PolicyDocument }));
    expect(JSON.parse(String((await ctx.call('s3', 'GetBucketPolicy', { Bucket: 'guarded' }))['Policy']))).toEqual(PolicyDocument);
    await policy.delete(ctx, { physicalId, properties: {}, stackId: '', logicalId: '' });
    await expect(ctx.call('s3', 'GetBucketPolicy', { Bucket: 'guarded' })).rejects.toMatchObject({ code: 'NoSuchBucketPolicy' });
  });
});
