import type { GetBucketNotificationConfigurationRequest, NotificationConfiguration, PutBucketNotificationConfigurationRequest } from '@aws-sdk/client-s3';
import { AwsError } from '../../../kit/errors.ts';
import { encodeJson } from '../../../kit/json.ts';
import { hostId } from '../../../protocol/restXml.ts';
import type { Ctx } from '../../service.ts';
import { openBucket } from '../buckets.ts';
import { refusalOf } from '../destinations.ts';
import { describeNotifications, type Notifications, parseNotifications } from '../domain/notification.ts';
import { malformedXml } from '../errors.ts';
import { enqueue } from '../notify.ts';
import { inBucket, keys, readConfig } from '../store.ts';

/** Replaces the whole configuration. Queues and topics get a test event in the same commit. */
export async function putBucketNotificationConfiguration(ctx: Ctx, input: PutBucketNotificationConfigurationRequest): Promise<Record<string, never>> {
  const bucket = await openBucket(ctx, input);
  if (!input.NotificationConfiguration) throw malformedXml();
  const { ids, clock } = ctx.platform;
  const given = parseNotifications(input.NotificationConfiguration, bucket.region, () => Buffer.from(ids.uuid()).toString('base64'));
  if (input.SkipDestinationValidation !== true) await checkDestinations(ctx, given);
  const test = {
    Service: 'Amazon S3',
    Event: 's3:TestEvent',
    Time: new Date(clock.virtual()).toISOString(),
    Bucket: bucket.name,
    RequestId: ctx.requestId,
    HostId: hostId(ctx.requestId),
  };
  const row = keys.config(bucket.id, 'notification');
  const bucketRow = keys.bucket(bucket.name);
  const { rules, eventBridge } = given;
  await inBucket(ctx, bucket, { keys: [row, bucketRow] }, (tx, { notifies: _, ...now }) => {
    const isEmpty = rules.length === 0 && !eventBridge;
    if (isEmpty) tx.delete(row);
    else tx.put(row, encodeJson(given));
    tx.put(bucketRow, encodeJson(isEmpty ? now : { ...now, notifies: true }));
    if (input.SkipDestinationValidation === true) return;
    for (const { kind, arn, id } of rules) if (kind !== 'function') enqueue(ctx, tx, now, { kind, arn, configurationId: id, test });
  });
  return {};
}

/** Throws `InvalidArgument` with every destination that cannot be used. */
async function checkDestinations(ctx: Ctx, { rules }: Notifications): Promise<void> {
  const refusals = (await Promise.all(rules.map((rule) => refusalOf(ctx, rule)))).filter((one) => one !== undefined);
  if (refusals.length === 0) return;
  const members = refusals.flatMap(({ name, value }, index) => [
    [`ArgumentName${index + 1}`, name],
    [`ArgumentValue${index + 1}`, value],
  ]);
  throw new AwsError('InvalidArgument', 'Unable to validate the following destination configurations', { members: Object.fromEntries(members) });
}

export async function getBucketNotificationConfiguration(ctx: Ctx, input: GetBucketNotificationConfigurationRequest): Promise<NotificationConfiguration> {
  const bucket = await openBucket(ctx, input);
  const kept = await readConfig<Notifications>(ctx.platform.store, bucket.id, 'notification');
  return kept ? describeNotifications(kept) : {};
}
