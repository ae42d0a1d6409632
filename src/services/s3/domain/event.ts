import { createHash } from 'node:crypto';
import { urlEncode } from './listing.ts';

/** What happened to an object, as event names say it (without `s3:`). */
export type EventName =
  | `ObjectCreated:${'Put' | 'Post' | 'Copy' | 'CompleteMultipartUpload'}`
  | `ObjectRemoved:${'Delete' | 'DeleteMarkerCreated'}`
  | `LifecycleExpiration:${'Delete' | 'DeleteMarkerCreated'}`
  | `ObjectTagging:${'Put' | 'Delete'}`
  | `ObjectRestore:${'Post' | 'Completed'}`
  | 'ObjectAcl:Put';

/** An event with all that its record will say; plain data, since it travels in the outbox. */
export interface ObjectEvent {
  readonly name: EventName;
  /** Virtual time. */
  readonly atMs: number;
  readonly bucket: string;
  readonly owner: string;
  readonly region: string;
  readonly partition: string;
  readonly key: string;
  readonly size?: number;
  readonly etag?: string;
  /** Absent where the version is `null`. */
  readonly versionId?: string;
  readonly sequencer?: string;
  readonly requestId: string;
  readonly hostId: string;
  readonly sourceIp: string;
  /** Who caused it, as `userIdentity` names them. */
  readonly principalId: string;
  /** Who caused it, as EventBridge's events name them: an account or a service. */
  readonly requester: string;
  /** Of an object in an archive, and until when it can be read. */
  readonly storageClass?: string;
  readonly restoredUntilMs?: number;
}

/** The identifier of an account as a customer, in `ownerIdentity` and `userIdentity`. */
export function customerId(account: string): string {
  const digest = createHash('sha256').update(`customer:${account}`).digest();
  return `A${BigInt(`0x${digest.toString('hex')}`)
    .toString(36)
    .toUpperCase()
    .slice(0, 13)}`;
}

const iso = (ms: number) => new Date(ms).toISOString();

/** "Event message structure": what queues, topics and functions get. */
export function notificationOf(event: ObjectEvent, configurationId: string): { Records: readonly Record<string, unknown>[] } {
  const { name } = event;
  const record = {
    eventVersion: /^Object(Tagging|Acl)|^Lifecycle/.test(name) ? '2.3' : '2.1',
    eventSource: 'aws:s3',
    awsRegion: event.region,
    eventTime: iso(event.atMs),
    eventName: name,
    userIdentity: { principalId: event.principalId },
    requestParameters: { sourceIPAddress: event.sourceIp },
    responseElements: { 'x-amz-request-id': event.requestId, 'x-amz-id-2': event.hostId },
    s3: {
      s3SchemaVersion: '1.0',
      configurationId,
      bucket: {
        name: event.bucket,
        ownerIdentity: { principalId: customerId(event.owner) },
        arn: `arn:${event.partition}:s3:::${event.bucket}`,
      },
      object: {
        key: urlEncode(event.key),
        ...(event.size === undefined ? {} : { size: event.size }),
        ...(event.etag === undefined ? {} : { eTag: event.etag }),
        ...(event.versionId === undefined ? {} : { versionId: event.versionId }),
        ...(event.sequencer === undefined ? {} : { sequencer: event.sequencer }),
      },
    },
    ...(event.restoredUntilMs === undefined
      ? {}
      : {
          glacierEventData: {
            restoreEventData: { lifecycleRestorationExpiryTime: iso(event.restoredUntilMs), lifecycleRestoreStorageClass: event.storageClass },
          },
        }),
  };
  return { Records: [record] };
}

const DETAIL_TYPE: Readonly<Record<EventName, string>> = {
  'ObjectCreated:Put': 'Object Created',
  'ObjectCreated:Post': 'Object Created',
  'ObjectCreated:Copy': 'Object Created',
  'ObjectCreated:CompleteMultipartUpload': 'Object Created',
  'ObjectRemoved:Delete': 'Object Deleted',
  'ObjectRemoved:DeleteMarkerCreated': 'Object Deleted',
  'LifecycleExpiration:Delete': 'Object Deleted',
  'LifecycleExpiration:DeleteMarkerCreated': 'Object Deleted',
  'ObjectTagging:Put': 'Object Tags Added',
  'ObjectTagging:Delete': 'Object Tags Deleted',
  'ObjectRestore:Post': 'Object Restore Initiated',
  'ObjectRestore:Completed': 'Object Restore Completed',
  'ObjectAcl:Put': 'Object ACL Updated',
};

const REASON: Readonly<Partial<Record<EventName, string>>> = {
  'ObjectCreated:Put': 'PutObject',
  'ObjectCreated:Post': 'POST Object',
  'ObjectCreated:Copy': 'CopyObject',
  'ObjectCreated:CompleteMultipartUpload': 'CompleteMultipartUpload',
  'ObjectRemoved:Delete': 'DeleteObject',
  'ObjectRemoved:DeleteMarkerCreated': 'DeleteObject',
  'LifecycleExpiration:Delete': 'Lifecycle Expiration',
  'LifecycleExpiration:DeleteMarkerCreated': 'Lifecycle Expiration',
};

export interface BusEvent {
  readonly detailType: string;
  readonly detail: Readonly<Record<string, unknown>>;
  readonly resources: readonly string[];
}

/** "EventBridge event message structure" of Amazon S3: keys are not encoded there. */
export function busEventOf(event: ObjectEvent): BusEvent {
  const { name } = event;
  const isRemoval = name.startsWith('ObjectRemoved:') || name.startsWith('LifecycleExpiration:');
  const byRequest = !name.startsWith('LifecycleExpiration:') && name !== 'ObjectRestore:Completed';
  const isRestore = name.startsWith('ObjectRestore:');
  const detail = {
    version: '0',
    bucket: { name: event.bucket },
    object: {
      key: event.key,
      ...(event.size === undefined ? {} : { size: event.size }),
      ...(event.etag === undefined ? {} : { etag: event.etag }),
      ...(event.versionId === undefined ? {} : { 'version-id': event.versionId }),
      ...(event.sequencer === undefined || isRestore ? {} : { sequencer: event.sequencer }),
    },
    'request-id': event.requestId,
    requester: event.requester,
    ...(byRequest ? { 'source-ip-address': event.sourceIp } : {}),
    ...(REASON[name] === undefined ? {} : { reason: REASON[name] }),
    ...(isRemoval ? { 'deletion-type': name.endsWith(':Delete') ? 'Permanently Deleted' : 'Delete Marker Created' } : {}),
    ...(event.restoredUntilMs === undefined ? {} : { 'restore-expiry-time': new Date(event.restoredUntilMs).toISOString().replace(/\.\d{3}Z$/, 'Z') }),
    ...(isRestore && event.storageClass !== undefined ? { 'source-storage-class': event.storageClass } : {}),
  };
  return { detailType: DETAIL_TYPE[name], detail, resources: [`arn:${event.partition}:s3:::${event.bucket}`] };
}
