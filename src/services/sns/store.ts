import { createHash } from 'node:crypto';
import { decodeJson } from '../../kit/json.ts';
import { type Key, keyOf, prefixEnd, uint64 } from '../../kit/key.ts';
import type { KeyRange, Page, Store, Tx } from '../../store/store.ts';
import { claimKey, load as find, rangeOf, read, unclaimKey, write } from '../rows.ts';
import type { Scope, TopicAddress } from './domain/arn.ts';
import type { Message } from './domain/message.ts';
import type { SubscriptionAttributes } from './domain/subscription-attributes.ts';
import type { TopicAttributes } from './domain/topic-attributes.ts';

/** A topic, at its name. */
export interface TopicRow {
  readonly name: string;
  /** Never used again: what belongs to a topic that was deleted does not show in one of the same name. */
  readonly id: string;
  readonly attributes: TopicAttributes;
  /** As set; absent: the default one. */
  readonly policy?: string;
  readonly dataProtectionPolicy?: string;
  /** When its archive began. */
  readonly archivedSinceMs?: number;
  readonly tags: Readonly<Record<string, string>>;
}

export interface SubscriptionRow {
  readonly id: string;
  readonly topicName: string;
  readonly protocol: string;
  readonly endpoint: string;
  /** Account that subscribed. */
  readonly owner: string;
  readonly principal: string;
  readonly attributes: SubscriptionAttributes;
  readonly pending: boolean;
  readonly createdMs: number;
  /** Confirmed by a caller with an account's credentials. */
  readonly authenticated: boolean;
  readonly unsubscribeNeedsAuth: boolean;
  /** Of the replay that its policy started last. */
  readonly replayId?: string;
  readonly replayStatus?: 'In progress' | 'Completed';
}

/** A token of a confirmation, of any account and region. */
export interface TokenRow extends TopicAddress {
  readonly subscriptionId: string;
  readonly untilMs: number;
  /** What confirming restores after an unauthenticated Unsubscribe. */
  readonly restores?: SubscriptionRow;
}

/** An earlier message under a deduplication id. */
export interface DuplicateRow {
  readonly untilMs: number;
  readonly messageId: string;
  readonly sequenceNumber: string;
}

export interface PlatformApplicationRow {
  readonly platform: string;
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

export interface EndpointRow {
  readonly id: string;
  readonly platform: string;
  readonly application: string;
  readonly attributes: Readonly<Record<string, string>>;
}

/** What would have been sent: an email, an SMS, a push notification, a Firehose record. */
export interface RecordedRow {
  readonly kind: RecordedKind;
  readonly target: string;
  readonly topicArn?: string;
  readonly subscriptionArn?: string;
  readonly messageId: string;
  readonly timeMs: number;
  readonly message: string;
  readonly subject?: string;
  readonly messageStructure?: string;
  readonly attributes: Message['attributes'];
  readonly token?: string;
}
export type RecordedKind = 'email' | 'sms' | 'application' | 'firehose';

export interface SandboxRow {
  readonly phoneNumber: string;
  readonly status: 'Pending' | 'Verified';
  readonly code: string;
}

const base = (scope: Scope): Key => keyOf('sns', scope.account, scope.region);
const hash = (text: string): string => createHash('sha256').update(text).digest('base64url');

export const keys = {
  topics: (scope: Scope): Key => base(scope) + keyOf('topic'),
  topic: (scope: Scope, name: string): Key => base(scope) + keyOf('topic', name),
  /** The stack operation that made a topic. */
  claim: (scope: Scope, name: string): Key => base(scope) + keyOf('claim', name),
  subscriptions: (scope: Scope, topicId?: string): Key => base(scope) + (topicId === undefined ? keyOf('sub') : keyOf('sub', topicId)),
  subscription: (scope: Scope, topicId: string, id: string): Key => base(scope) + keyOf('sub', topicId, id),
  /** The subscription that an endpoint has. */
  endpointOf: (scope: Scope, topicId: string, protocol: string, endpoint: string): Key => base(scope) + keyOf('of', topicId, protocol, hash(endpoint)),
  endpointsOf: (scope: Scope, topicId: string): Key => base(scope) + keyOf('of', topicId),
  count: (scope: Scope, topicId: string, what: 'confirmed' | 'pending' | 'deleted'): Key => base(scope) + keyOf('n', topicId, what),
  counts: (scope: Scope, topicId: string): Key => base(scope) + keyOf('n', topicId),
  /** Order of a FIFO topic's messages. */
  sequence: (scope: Scope, topicId: string): Key => base(scope) + keyOf('seq', topicId),
  /** A FIFO group's messages that are not fanned out yet. */
  group: (scope: Scope, topicId: string, group: string): Key => base(scope) + keyOf('fifo', topicId, group),
  groups: (scope: Scope, topicId: string): Key => base(scope) + keyOf('fifo', topicId),
  /** Archived messages, by time. */
  archive: (scope: Scope, topicId: string): Key => base(scope) + keyOf('log', topicId),
  duplicate: (scope: Scope, topicId: string, group: string, id: string): Key => base(scope) + keyOf('dup', topicId, group, id),
  duplicates: (scope: Scope, topicId: string): Key => base(scope) + keyOf('dup', topicId),
  forgets: (scope: Scope, topicId: string): Key => base(scope) + keyOf('old', topicId),
  token: (token: string): Key => keyOf('sns', 'token', token),
  /** The newest token of a subscription. */
  tokenOf: (scope: Scope, subscriptionId: string): Key => base(scope) + keyOf('token', subscriptionId),
  signing: keyOf('sns', 'signing'),
  applications: (scope: Scope): Key => base(scope) + keyOf('app'),
  application: (scope: Scope, platform: string, name: string): Key => base(scope) + keyOf('app', platform, name),
  endpoints: (scope: Scope, platform: string, application: string): Key => base(scope) + keyOf('end', platform, application),
  endpoint: (scope: Scope, platform: string, application: string, id: string): Key => base(scope) + keyOf('end', platform, application, id),
  devices: (scope: Scope, platform: string, application: string): Key => base(scope) + keyOf('device', platform, application),
  deviceToken: (scope: Scope, platform: string, application: string, token: string): Key => base(scope) + keyOf('device', platform, application, hash(token)),
  sms: (scope: Scope): Key => base(scope) + keyOf('sms'),
  optOuts: (scope: Scope): Key => base(scope) + keyOf('out'),
  optOut: (scope: Scope, phoneNumber: string): Key => base(scope) + keyOf('out', phoneNumber),
  sandboxes: (scope: Scope): Key => base(scope) + keyOf('box'),
  sandbox: (scope: Scope, phoneNumber: string): Key => base(scope) + keyOf('box', phoneNumber),
  recorded: (scope: Scope, kind: RecordedKind): Key => base(scope) + keyOf('rec', kind),
};

export { find, rangeOf, read, write };
export const fromKey = (prefix: Key, after: Key | undefined): KeyRange => ({ from: after === undefined ? prefix : `${after}\x00`, to: prefixEnd(prefix) });

export const rowsOf = <T>(page: Page): T[] => page.entries.map(([, value]) => decodeJson<T>(value));

/** A counter's value. */
export function counted(value: Uint8Array | undefined): number {
  return value ? Number(Buffer.from(value.buffer, value.byteOffset, value.byteLength).readBigInt64BE()) : 0;
}

/** FIFO: a message waits in its group's order. */
export const groupKey = (scope: Scope, topicId: string, group: string, sequence: bigint): Key => keys.group(scope, topicId, group) + uint64(sequence);

/** Keeps an id of a message for a while; `forget` takes it away. */
export function remember(tx: Tx, scope: Scope, topicId: string, key: Key, row: DuplicateRow): void {
  write(tx, key, row);
  tx.put(keys.forgets(scope, topicId) + uint64(row.untilMs) + key, Buffer.from(key, 'latin1'));
}

/** Takes away what is out of date, a few at a time: more than a publish adds, so that they never pile up. */
export function forget(tx: Tx, scope: Scope, topicId: string, nowMs: number, limit: number): void {
  const prefix = keys.forgets(scope, topicId);
  for (const [place, value] of tx.range({ from: prefix, to: prefix + uint64(nowMs + 1), limit }).entries) {
    const key = Buffer.from(value).toString('latin1');
    tx.delete(place);
    const row = read<DuplicateRow>(tx, key);
    if (row && row.untilMs <= nowMs) tx.delete(key);
  }
}

/** Keeps what would have been sent, and of each kind no more than `most`. */
export function record(tx: Tx, scope: Scope, row: RecordedRow, most: number): void {
  const prefix = keys.recorded(scope, row.kind);
  const sequence = tx.sequence(prefix);
  write(tx, prefix + uint64(sequence), row);
  if (sequence > BigInt(most))
    for (const [key] of tx.range({ from: prefix, to: prefix + uint64(sequence - BigInt(most) + 1n), limit: 100 }).entries) tx.delete(key);
}

/** See {@link claimKey}: for the topic of that name. */
export function claim(store: Store, scope: Scope, name: string, token: string): Promise<boolean> {
  const row = keys.topic(scope, name);
  return claimKey(store, keys.claim(scope, name), token, (tx) => tx.get(row) !== undefined, [row]);
}

export const unclaim = (store: Store, scope: Scope, name: string): Promise<void> => unclaimKey(store, keys.claim(scope, name));
