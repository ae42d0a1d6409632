import type { Attempt, Outcome } from '../../bus/bus.ts';
import type { Principal } from '../../identity/principal.ts';
import { parseArn, partitionOf } from '../../kit/arn.ts';
import { AwsError } from '../../kit/errors.ts';
import { decodeJson } from '../../kit/json.ts';
import { hostId } from '../../protocol/restXml.ts';
import type { Tx } from '../../store/store.ts';
import type { Ctx, Platform } from '../service.ts';
import { publishToTopic, sendToQueue } from './destinations.ts';
import { busEventOf, customerId, type EventName, notificationOf, type ObjectEvent } from './domain/event.ts';
import { type Notifications, wants } from './domain/notification.ts';
import { type BucketRecord, NULL_VERSION, type VersionRecord } from './domain/records.ts';
import { NOTIFY_MS_MAX } from './limits.ts';
import { keys } from './store.ts';

/** The bus target that delivers notifications. */
export const NOTIFY_TARGET = 's3:notify';

/** The door of the events room for what services tell of themselves. */
const EVENTS_DOOR = 'events:publish';
/** The lambda room's asynchronous invocations. */
const LAMBDA_DOOR = 'lambda:invoke';

/** A delivery of {@link NOTIFY_TARGET}: one event for one destination. */
export interface Notice {
  readonly kind: 'queue' | 'topic';
  readonly arn: string;
  readonly configurationId: string;
  /** Absent: the test event of a new configuration. */
  readonly event?: ObjectEvent;
  readonly test?: Readonly<Record<string, unknown>>;
  /** The trace header as the client sent it. */
  readonly traceHeader?: string;
}

/** What an event tells of: a version, or that none was there. */
type Told = VersionRecord | { readonly deleteMarker: true; readonly versionId: string };

/** Of an empty body: what S3 gives for delete markers. */
const EMPTY_ETAG = 'd41d8cd98f00b204e9800998ecf8427e';

/** What a request has to say about the event it causes; made before the transaction, since that may run again. */
export interface Happening {
  readonly name: EventName;
  readonly atMs: number;
  readonly requestId: string;
  readonly principalId: string;
  readonly requester: string;
  readonly sourceIp: string;
  readonly traceHeader?: string;
}

/** What S3 does by itself (lifecycle, restores) is done by this name. */
export const S3_SERVICE = 's3.amazonaws.com';

/** `name` happened by the request of `ctx`. */
export function happening(ctx: Ctx, name: EventName, principal: Principal = ctx.principal): Happening {
  const { http } = ctx;
  const traceHeader = http?.headers['x-amzn-trace-id'];
  const isService = principal.type === 'service';
  return {
    name,
    atMs: ctx.platform.clock.virtual(),
    requestId: ctx.requestId,
    principalId: isService ? principal.arn : principal.type === 'anonymous' ? 'Anonymous' : `AWS:${principal.userId}`,
    requester: isService ? principal.arn : principal.account,
    sourceIp: http?.sourceIp ?? (isService ? principal.arn : 'AWS Internal'),
    ...(traceHeader === undefined ? {} : { traceHeader }),
  };
}

/** `name` happened by S3 itself. */
export function ownHappening(ctx: Ctx, name: EventName, account?: string): Happening {
  const principalId = account === undefined ? S3_SERVICE : `AmazonCustomer:${customerId(account)}`;
  return { name, atMs: ctx.platform.clock.virtual(), requestId: ctx.requestId, principalId, requester: S3_SERVICE, sourceIp: S3_SERVICE };
}

/**
 * Writes, in the commit of the change itself, a delivery for each destination that wants to hear of it. `more`: what the event says
 * beside the version.
 */
export function announce(
  ctx: Ctx,
  tx: Tx,
  bucket: BucketRecord,
  key: string,
  what: Happening,
  version: Told,
  more: Pick<ObjectEvent, 'restoredUntilMs'> = {},
): void {
  if (!bucket.notifies) return;
  const value = tx.get(keys.config(bucket.id, 'notification'));
  const notifications = value && decodeJson<Notifications>(value);
  if (!notifications) return;
  const rules = notifications.rules.filter((rule) => wants(rule, `s3:${what.name}`, key));
  if (rules.length === 0 && !notifications.eventBridge) return;
  const event = { ...eventOf(bucket, key, what, version, sequencer(tx, bucket)), ...more };
  const trace = what.traceHeader === undefined ? {} : { traceHeader: what.traceHeader };
  for (const { kind, arn, id } of rules) {
    if (kind === 'function') invokeLater(ctx, tx, arn, notificationOf(event, id));
    else enqueue(ctx, tx, bucket, { kind, arn, configurationId: id, event, ...trace });
  }
  if (notifications.eventBridge) {
    const payload = { notice: { source: 'aws.s3', ...busEventOf(event), timeMs: event.atMs } };
    ctx.platform.bus.enqueue(tx, { target: EVENTS_DOOR, account: bucket.account, region: bucket.region, payload, trace: ctx.trace });
  }
}

/** The function's asynchronous invocation is in the very commit: neither lost nor doubled. */
function invokeLater(ctx: Ctx, tx: Tx, arn: string, notification: object): void {
  const { account = '', region = '', resource = '' } = parseArn(arn) ?? {};
  const [functionName = '', qualifier] = resource.slice('function:'.length).split(':');
  const payload = {
    functionName,
    ...(qualifier === undefined ? {} : { qualifier }),
    requestId: ctx.platform.ids.uuid(),
    event: JSON.stringify(notification),
  };
  ctx.platform.bus.enqueue(tx, { target: LAMBDA_DOOR, account, region, payload, trace: ctx.trace });
}

/** Grows with each event of the bucket, in the order of their commits; looks like AWS's. */
function sequencer(tx: Tx, bucket: BucketRecord): string {
  const base = BigInt(Math.floor(bucket.createdMs / 1000)) << 32n;
  return (base + tx.sequence(keys.sequence(bucket.id))).toString(16).toUpperCase().padStart(18, '0');
}

export function enqueue(ctx: Ctx, tx: Tx, bucket: BucketRecord, payload: Notice): void {
  ctx.platform.bus.enqueue(tx, { target: NOTIFY_TARGET, account: bucket.account, region: bucket.region, payload, trace: ctx.trace });
}

function eventOf(bucket: BucketRecord, key: string, what: Happening, version: Told, sequence: string): ObjectEvent {
  const { name } = what;
  const family = name.slice(0, name.indexOf(':'));
  const isMarked = name.endsWith(':DeleteMarkerCreated');
  const isWritten = family === 'ObjectCreated' || family === 'ObjectRestore';
  const hasEtag = isWritten || family === 'ObjectTagging' || family === 'ObjectAcl';
  return {
    name,
    atMs: what.atMs,
    bucket: bucket.name,
    owner: bucket.account,
    region: bucket.region,
    partition: partitionOf(bucket.region),
    key,
    ...(isWritten && !version.deleteMarker ? { size: version.size, storageClass: version.storageClass } : {}),
    ...(isMarked ? { etag: EMPTY_ETAG } : hasEtag && !version.deleteMarker ? { etag: version.etag } : {}),
    ...(version.versionId === NULL_VERSION ? {} : { versionId: version.versionId }),
    ...(family === 'ObjectTagging' || family === 'ObjectAcl' ? {} : { sequencer: sequence }),
    requestId: what.requestId,
    hostId: hostId(what.requestId),
    sourceIp: what.sourceIp,
    principalId: what.principalId,
    requester: what.requester,
  };
}

/** Hands one notice to its destination. What the destination refuses for good is dropped, and Croft's log says why. */
export async function deliver(platform: Platform, attempt: Attempt): Promise<Outcome> {
  const notice = attempt.payload as Notice;
  const { account, region, trace } = attempt;
  const principal = { account, accessKeyId: '', arn: S3_SERVICE, userId: S3_SERVICE, type: 'service' } as const;
  const ctx = platform.contextFor({ account, region, principal, trace, service: 's3' });
  try {
    await send(ctx, notice);
  } catch (error) {
    const age = platform.clock.virtual() - attempt.enqueuedMs;
    if (age <= NOTIFY_MS_MAX && !isRefusal(error)) throw error;
    const subject = notice.event ? { event: notice.event.name, bucket: notice.event.bucket, key: notice.event.key } : { event: 's3:TestEvent' };
    platform.log.warn({ err: error, destination: notice.arn || 'event bus', trace: trace.root, ...subject }, 'a notification of S3 was dropped');
  }
  return { done: true };
}

/** A destination that is gone, or does not take the message: trying again changes nothing. */
function isRefusal(error: unknown): boolean {
  return error instanceof AwsError && error.status < 500 && error.status !== 429 && !/Throttl|TooManyRequests|OverLimit/.test(error.code);
}

function send(ctx: Ctx, notice: Notice): Promise<void> {
  return notice.kind === 'queue' ? sendToQueue(ctx, notice) : publishToTopic(ctx, notice);
}
