import { parseArn } from '../../../kit/arn.ts';
import { AwsError } from '../../../kit/errors.ts';
import { checkWebsite } from '../domain/website.ts';
import { invalidRequest, malformedXml } from '../errors.ts';
import { readBucket } from '../store.ts';
import { listOf, recordedConfiguration } from './configuration.ts';

const object = (value: unknown): Record<string, unknown> => (typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {});

/** "Hosting a static website using Amazon S3": what the website endpoint goes by. */
export const website = recordedConfiguration({
  kind: 'website',
  member: 'WebsiteConfiguration',
  missing: ['NoSuchWebsiteConfiguration', 'The specified bucket does not have a website configuration'],
  check(value) {
    checkWebsite(value);
  },
  output: (value) => value,
});

/** Recorded: there is one network here, and nothing to accelerate. */
export const accelerate = recordedConfiguration({
  kind: 'accelerate',
  member: 'AccelerateConfiguration',
  missing: {},
  check(value, bucket) {
    if (bucket.name.includes('.')) throw invalidRequest('S3 Transfer Acceleration is not supported for buckets with periods (.) in their names');
    if (value['Status'] !== 'Enabled' && value['Status'] !== 'Suspended') throw malformedXml();
  },
  output: (value) => value,
});

/** Recorded: nobody pays here. */
export const requestPayment = recordedConfiguration({
  kind: 'requestPayment',
  member: 'RequestPaymentConfiguration',
  missing: { Payer: 'BucketOwner' },
  check(value) {
    if (value['Payer'] !== 'Requester' && value['Payer'] !== 'BucketOwner') throw malformedXml();
  },
  output: (value) => value,
});

/** Recorded: no access log is written. "Enabling Amazon S3 server access logging". */
export const logging = recordedConfiguration({
  kind: 'logging',
  member: 'BucketLoggingStatus',
  missing: {},
  async check(value, bucket, ctx) {
    if (value['LoggingEnabled'] === undefined) return null;
    const enabled = object(value['LoggingEnabled']);
    if (typeof enabled['TargetBucket'] !== 'string' || enabled['TargetBucket'] === '') throw malformedXml();
    const target = await readBucket(ctx.platform.store, enabled['TargetBucket']);
    if (!target || target.account !== bucket.account) {
      throw new AwsError('InvalidTargetBucketForLogging', 'The target bucket for logging does not exist', {
        members: { TargetBucket: enabled['TargetBucket'] },
      });
    }
    if (target.region !== bucket.region) {
      const source = bucket.region === 'us-east-1' ? {} : { SourceBucketLocation: bucket.region };
      throw new AwsError('CrossLocationLoggingProhibitted', 'Cross S3 location logging not allowed. ', {
        status: 403,
        members: { ...source, TargetBucketLocation: target.region },
      });
    }
    return { LoggingEnabled: { ...enabled, TargetPrefix: enabled['TargetPrefix'] ?? '' } };
  },
  output: (value) => value,
});

/** Recorded: nothing is replicated. "Replication configuration". */
export const replication = recordedConfiguration({
  kind: 'replication',
  member: 'ReplicationConfiguration',
  missing: ['ReplicationConfigurationNotFoundError', 'The replication configuration was not found'],
  async check(value, bucket, ctx) {
    if (bucket.versioning !== 'Enabled') throw invalidRequest("Versioning must be 'Enabled' on the bucket to apply a replication configuration");
    const rules = listOf(value['Rules']);
    if (rules.length === 0 || rules.length > 1000) throw malformedXml();
    const Rules = [];
    for (const rule of rules) {
      if (rule['Status'] !== 'Enabled' && rule['Status'] !== 'Disabled') throw malformedXml();
      const arn = object(rule['Destination'])['Bucket'];
      if (typeof arn !== 'string') throw malformedXml();
      const target = await readBucket(ctx.platform.store, parseArn(arn)?.resource ?? arn);
      if (target?.versioning !== 'Enabled') throw invalidRequest('Destination bucket must have versioning enabled.');
      Rules.push({ ...rule, ID: rule['ID'] ?? ctx.platform.ids.uuid() });
    }
    return { ...value, Rules };
  },
  output: (value) => ({ ReplicationConfiguration: value }),
});
