import type { Properties } from '../service.ts';
import { type Call, isTrue, record, records } from './cloudformation-properties.ts';

type Value = Readonly<Record<string, unknown>>;

/** A template's numbers may come as text. */
const number = (value: unknown) => (typeof value === 'string' && value !== '' ? Number(value) : value);

/** Without what a template leaves out. */
const some = (value: Value): Record<string, unknown> => Object.fromEntries(Object.entries(value).filter(([, one]) => one !== undefined));

/** Prefix, tags and sizes as the API nests them: alone, or all under `And`. */
function filterOf(conditions: Value, tags: readonly Value[]): Record<string, unknown> {
  const given = some(conditions);
  if (tags.length === 0 && Object.keys(given).length <= 1) return given;
  const [tag] = tags;
  if (tags.length === 1 && Object.keys(given).length === 0 && tag) return { Tag: tag };
  return { And: { ...given, ...(tags.length > 0 ? { Tags: tags } : {}) } };
}

const date = (value: unknown) => (typeof value === 'string' ? new Date(value) : undefined);

/** "AWS::S3::Bucket Rule": flat where the API nests, and with the older single forms beside the lists. */
function lifecycleRule(rule: Value): Record<string, unknown> {
  const conditions = {
    Prefix: rule['Prefix'],
    ObjectSizeGreaterThan: number(rule['ObjectSizeGreaterThan']),
    ObjectSizeLessThan: number(rule['ObjectSizeLessThan']),
  };
  const expiration = some({
    Days: number(rule['ExpirationInDays']),
    Date: date(rule['ExpirationDate']),
    ExpiredObjectDeleteMarker: rule['ExpiredObjectDeleteMarker'] === undefined ? undefined : isTrue(rule['ExpiredObjectDeleteMarker']),
  });
  const noncurrent = record(rule['NoncurrentVersionExpiration']);
  const transitions = [...records(rule['Transitions']), ...(record(rule['Transition']) ? [record(rule['Transition']) ?? {}] : [])];
  const older = [
    ...records(rule['NoncurrentVersionTransitions']),
    ...(record(rule['NoncurrentVersionTransition']) ? [record(rule['NoncurrentVersionTransition']) ?? {}] : []),
  ];
  const abort = record(rule['AbortIncompleteMultipartUpload']);
  const noncurrentDays = number(noncurrent?.['NoncurrentDays'] ?? rule['NoncurrentVersionExpirationInDays']);
  return some({
    ID: rule['Id'],
    Status: rule['Status'],
    Filter: filterOf(conditions, records(rule['TagFilters'])),
    Expiration: Object.keys(expiration).length > 0 ? expiration : undefined,
    NoncurrentVersionExpiration:
      noncurrentDays === undefined
        ? undefined
        : some({ NoncurrentDays: noncurrentDays, NewerNoncurrentVersions: number(noncurrent?.['NewerNoncurrentVersions']) }),
    AbortIncompleteMultipartUpload: abort && { DaysAfterInitiation: number(abort['DaysAfterInitiation']) },
    Transitions:
      transitions.length === 0
        ? undefined
        : transitions.map((one) => some({ Days: number(one['TransitionInDays']), Date: date(one['TransitionDate']), StorageClass: one['StorageClass'] })),
    NoncurrentVersionTransitions:
      older.length === 0
        ? undefined
        : older.map((one) =>
            some({
              NoncurrentDays: number(one['TransitionInDays']),
              NewerNoncurrentVersions: number(one['NewerNoncurrentVersions']),
              StorageClass: one['StorageClass'],
            }),
          ),
  });
}

async function applyLifecycle(call: Call, given: Value | undefined): Promise<void> {
  if (!given) {
    await call('DeleteBucketLifecycle', {});
    return;
  }
  const minimum = given['TransitionDefaultMinimumObjectSize'];
  await call('PutBucketLifecycleConfiguration', {
    LifecycleConfiguration: { Rules: records(given['Rules']).map(lifecycleRule) },
    ...(minimum === undefined ? {} : { TransitionDefaultMinimumObjectSize: minimum }),
  });
}

async function applyWebsite(call: Call, given: Value | undefined): Promise<void> {
  if (!given) {
    await call('DeleteBucketWebsite', {});
    return;
  }
  const { IndexDocument, ErrorDocument, RedirectAllRequestsTo, RoutingRules } = given;
  const code = (redirect: Value) => (redirect['HttpRedirectCode'] === undefined ? {} : { HttpRedirectCode: String(redirect['HttpRedirectCode']) });
  const rules = records(RoutingRules).map((rule) => {
    const redirect = record(rule['RedirectRule']) ?? {};
    return some({ Condition: record(rule['RoutingRuleCondition']), Redirect: { ...redirect, ...code(redirect) } });
  });
  const WebsiteConfiguration = some({
    IndexDocument: IndexDocument === undefined ? undefined : { Suffix: IndexDocument },
    ErrorDocument: ErrorDocument === undefined ? undefined : { Key: ErrorDocument },
    RedirectAllRequestsTo: record(RedirectAllRequestsTo),
    RoutingRules: RoutingRules === undefined ? undefined : rules,
  });
  await call('PutBucketWebsite', { WebsiteConfiguration });
}

async function applyLock(call: Call, given: Value | undefined): Promise<void> {
  // Object Lock is never switched off again: without a configuration only the default retention goes.
  const retention = record(record(given?.['Rule'])?.['DefaultRetention']);
  const DefaultRetention = retention && some({ Mode: retention['Mode'], Days: number(retention['Days']), Years: number(retention['Years']) });
  await call('PutObjectLockConfiguration', {
    ObjectLockConfiguration: { ObjectLockEnabled: 'Enabled', ...(DefaultRetention ? { Rule: { DefaultRetention } } : {}) },
  });
}

async function applyLogging(call: Call, bucket: string, given: Value | undefined): Promise<void> {
  const LoggingEnabled =
    given &&
    some({
      TargetBucket: given['DestinationBucketName'] ?? bucket,
      TargetPrefix: given['LogFilePrefix'] ?? '',
      TargetObjectKeyFormat: given['TargetObjectKeyFormat'],
    });
  await call('PutBucketLogging', { BucketLoggingStatus: LoggingEnabled ? { LoggingEnabled } : {} });
}

async function applyReplication(call: Call, given: Value | undefined): Promise<void> {
  if (!given) {
    await call('DeleteBucketReplication', {});
    return;
  }
  const Rules = records(given['Rules']).map(({ Id, Filter, Priority, ...rule }) => {
    const filter = record(Filter);
    const and = record(filter?.['And']);
    const nested = filter && some({ Prefix: filter['Prefix'], Tag: filter['TagFilter'], And: and && some({ Prefix: and['Prefix'], Tags: and['TagFilters'] }) });
    return some({ ...rule, ID: Id, Priority: number(Priority), Filter: nested });
  });
  await call('PutBucketReplication', { ReplicationConfiguration: { Role: given['Role'], Rules } });
}

interface ListedType {
  /** In the names of the operations and of the input's member. */
  readonly name: string;
  readonly toApi: (value: Value) => Record<string, unknown>;
}

const LISTED: Readonly<Record<string, ListedType>> = {
  MetricsConfigurations: {
    name: 'Metrics',
    toApi: ({ Id, Prefix, TagFilters, AccessPointArn }) => {
      const Filter = filterOf({ Prefix, AccessPointArn }, records(TagFilters));
      return { Id, ...(Object.keys(Filter).length > 0 ? { Filter } : {}) };
    },
  },
  IntelligentTieringConfigurations: {
    name: 'IntelligentTiering',
    toApi: ({ Id, Prefix, TagFilters, Status, Tierings }) => {
      const Filter = filterOf({ Prefix }, records(TagFilters));
      const tierings = records(Tierings).map(({ AccessTier, Days }) => ({ AccessTier, Days: number(Days) }));
      return { Id, Status, Tierings: tierings, ...(Object.keys(Filter).length > 0 ? { Filter } : {}) };
    },
  },
  InventoryConfigurations: {
    name: 'Inventory',
    toApi: ({ Id, Enabled, Destination, IncludedObjectVersions, OptionalFields, Prefix, ScheduleFrequency }) => {
      const { BucketArn, BucketAccountId, Format, Prefix: under } = record(Destination) ?? {};
      return some({
        Id,
        IsEnabled: isTrue(Enabled),
        Destination: { S3BucketDestination: some({ Bucket: BucketArn, AccountId: BucketAccountId, Format, Prefix: under }) },
        IncludedObjectVersions,
        OptionalFields,
        Filter: Prefix === undefined ? undefined : { Prefix },
        Schedule: { Frequency: ScheduleFrequency },
      });
    },
  },
};

async function applyListed(call: Call, { name, toApi }: ListedType, given: unknown, before: unknown): Promise<void> {
  const values = records(given);
  const kept = new Set(values.map(({ Id }) => Id));
  for (const { Id } of records(before)) if (!kept.has(Id)) await call(`DeleteBucket${name}Configuration`, { Id });
  for (const value of values) await call(`PutBucket${name}Configuration`, { Id: value['Id'], [`${name}Configuration`]: toApi(value) });
}

/** Properties that this file applies, and those of them that are kept without effect. */
export const CONFIGURATIONS = [
  'LifecycleConfiguration',
  'WebsiteConfiguration',
  'ObjectLockConfiguration',
  'LoggingConfiguration',
  'AccelerateConfiguration',
  'ReplicationConfiguration',
  ...Object.keys(LISTED),
] as const;
export const RECORDED_CONFIGURATIONS = CONFIGURATIONS.filter(
  (name) => !['LifecycleConfiguration', 'WebsiteConfiguration', 'ObjectLockConfiguration'].includes(name),
);

/** "AWS::S3::Bucket": configurations that have operations of their own, where they changed. */
export async function applyConfigurations(call: Call, bucket: string, properties: Properties, previous: Properties): Promise<void> {
  const given = (name: string) => record(properties[name]);
  const changed = (name: string) => JSON.stringify(properties[name]) !== JSON.stringify(previous[name]);
  if (changed('LifecycleConfiguration')) await applyLifecycle(call, given('LifecycleConfiguration'));
  if (changed('WebsiteConfiguration')) await applyWebsite(call, given('WebsiteConfiguration'));
  if (changed('ObjectLockConfiguration')) await applyLock(call, given('ObjectLockConfiguration'));
  if (changed('LoggingConfiguration')) await applyLogging(call, bucket, given('LoggingConfiguration'));
  if (changed('AccelerateConfiguration')) {
    const status = given('AccelerateConfiguration')?.['AccelerationStatus'] ?? 'Suspended';
    await call('PutBucketAccelerateConfiguration', { AccelerateConfiguration: { Status: status } });
  }
  if (changed('ReplicationConfiguration')) await applyReplication(call, given('ReplicationConfiguration'));
  for (const [name, type] of Object.entries(LISTED)) if (changed(name)) await applyListed(call, type, properties[name], previous[name]);
}
