import { invalidArgument, invalidRequest, malformedXml } from '../errors.ts';
import { LIFECYCLE_RULES_MAX } from '../limits.ts';
import { pacific } from './lock.ts';
import type { Tags } from './tags.ts';

const DAY_MS = 24 * 3600 * 1000;

interface Tag {
  readonly Key?: string;
  readonly Value?: string;
}

interface Conditions {
  readonly Prefix?: string;
  readonly ObjectSizeGreaterThan?: number;
  readonly ObjectSizeLessThan?: number;
}

/** A rule as it is stored: the API's own form, dates as text. */
export interface LifecycleRule {
  readonly ID: string;
  readonly Status: 'Enabled' | 'Disabled';
  readonly Prefix?: string;
  readonly Filter?: Conditions & { readonly Tag?: Tag; readonly And?: Conditions & { readonly Tags?: readonly Tag[] } };
  readonly Expiration?: { readonly Days?: number; readonly Date?: string; readonly ExpiredObjectDeleteMarker?: boolean };
  readonly NoncurrentVersionExpiration?: { readonly NoncurrentDays?: number; readonly NewerNoncurrentVersions?: number };
  readonly AbortIncompleteMultipartUpload?: { readonly DaysAfterInitiation?: number };
}

export interface Lifecycle {
  readonly Rules: readonly LifecycleRule[];
  readonly minimumSize: string;
  /** Of the chain of deliveries that carries these rules out; the same over changes of the rules. */
  readonly chain: string;
}

type Given = Readonly<Record<string, unknown>>;

const object = (value: unknown): Given | undefined => (typeof value === 'object' && value !== null && !(value instanceof Date) ? (value as Given) : undefined);
const list = (value: unknown): readonly Given[] => (Array.isArray(value) ? (value as Given[]) : []);
const ACTIONS = [
  'Expiration',
  'Transitions',
  'Transition',
  'NoncurrentVersionExpiration',
  'NoncurrentVersionTransitions',
  'AbortIncompleteMultipartUpload',
] as const;

/** The rules that PutBucketLifecycleConfiguration was given. Throws `MalformedXML`, `InvalidArgument`, `InvalidRequest`. */
export function parseLifecycle(given: unknown, newId: () => string): LifecycleRule[] {
  const rules = list(object(given)?.['Rules']);
  if (rules.length === 0 || rules.length > LIFECYCLE_RULES_MAX) throw malformedXml();
  const ids = new Set<string>();
  return rules.map((rule) => {
    const ID = (rule['ID'] as string | undefined) || newId();
    if (ID.length > 255) throw invalidArgument('ID length should not exceed allowed limit of 255', 'ID', ID);
    checkRule(rule);
    if (ids.has(ID)) throw invalidArgument('Rule ID must be unique. Found same ID for more than one rule', 'ID', ID);
    ids.add(ID);
    return JSON.parse(JSON.stringify({ ...rule, ID })) as LifecycleRule;
  });
}

function checkRule(rule: Given): void {
  if (rule['Status'] !== 'Enabled' && rule['Status'] !== 'Disabled') throw malformedXml();
  if ((rule['Filter'] === undefined) === (rule['Prefix'] === undefined)) throw malformedXml();
  const filter = object(rule['Filter']) ?? {};
  if (Object.keys(filter).length > 1) throw malformedXml();
  const tags = list(object(filter['And'])?.['Tags']);
  if (new Set(tags.map(({ Key }) => Key)).size < tags.length) throw invalidRequest('Duplicate Tag Keys are not allowed.');
  const noncurrent = object(rule['NoncurrentVersionExpiration']);
  if (noncurrent && noncurrent['NoncurrentDays'] === undefined && noncurrent['NewerNoncurrentVersions'] === undefined) throw malformedXml();
  positive(noncurrent?.['NoncurrentDays'], 'NoncurrentDays', 'NoncurrentVersionExpiration');
  const expiration = object(rule['Expiration']);
  if (expiration) checkExpiration(expiration);
  const abort = object(rule['AbortIncompleteMultipartUpload']);
  if (abort && abort['DaysAfterInitiation'] === undefined) throw malformedXml();
  positive(abort?.['DaysAfterInitiation'], 'DaysAfterInitiation', 'AbortIncompleteMultipartUpload');
  if (!ACTIONS.some((action) => rule[action] !== undefined)) throw invalidRequest('At least one action needs to be specified in a rule');
}

function checkExpiration(expiration: Given): void {
  const members = ['Days', 'Date', 'ExpiredObjectDeleteMarker'].filter((name) => expiration[name] !== undefined);
  if (members.length !== 1) throw malformedXml();
  positive(expiration['Days'], 'Days', 'Expiration');
  const date = expiration['Date'];
  if (date instanceof Date && date.getTime() % DAY_MS !== 0) throw invalidArgument("'Date' must be at midnight GMT", 'Date', pacific(date));
}

function positive(days: unknown, name: string, action: string): void {
  if (days !== undefined && (!Number.isInteger(days) || (days as number) <= 0)) {
    throw invalidArgument(`'${name}' for ${action} action must be a positive integer`, name, String(days));
  }
}

export interface Subject {
  readonly key: string;
  readonly size: number;
  readonly tags: Tags;
}

/** "Lifecycle configuration elements": which objects a rule is about. */
export function covers(rule: LifecycleRule, { key, size, tags }: Subject): boolean {
  const { Filter: filter } = rule;
  const conditions: Conditions = { ...filter?.And, ...(filter?.And ? {} : filter) };
  const wanted = filter?.And?.Tags ?? (filter?.Tag ? [filter.Tag] : []);
  return (
    key.startsWith(rule.Prefix ?? conditions.Prefix ?? '') &&
    (conditions.ObjectSizeGreaterThan === undefined || size > conditions.ObjectSizeGreaterThan) &&
    (conditions.ObjectSizeLessThan === undefined || size < conditions.ObjectSizeLessThan) &&
    wanted.every(({ Key = '', Value = '' }) => Object.hasOwn(tags, Key) && tags[Key] === Value)
  );
}

/** `days` after `fromMs`, at the next midnight UTC: S3 rounds so. */
export function midnightAfter(fromMs: number, days: number): number {
  return Math.ceil((fromMs + days * DAY_MS) / DAY_MS) * DAY_MS;
}

/** The first midnight after `nowMs`, when rules are carried out. */
export function nextMidnight(nowMs: number): number {
  return (Math.floor(nowMs / DAY_MS) + 1) * DAY_MS;
}

/** When the rules let a current object expire, and by which rule; the earliest counts. */
export function expiryOf(rules: readonly LifecycleRule[], subject: Subject, modifiedMs: number): { atMs: number; ruleId: string } | undefined {
  let first: { atMs: number; ruleId: string } | undefined;
  for (const rule of rules) {
    const { Days: days, Date: date } = rule.Expiration ?? {};
    if (rule.Status !== 'Enabled' || (days === undefined && date === undefined) || !covers(rule, subject)) continue;
    const atMs = date === undefined ? midnightAfter(modifiedMs, days ?? 0) : Date.parse(date);
    if (!first || atMs < first.atMs) first = { atMs, ruleId: rule.ID };
  }
  return first;
}

/** The header `x-amz-expiration`. */
export function expirationHeader({ atMs, ruleId }: { atMs: number; ruleId: string }): string {
  return `expiry-date="${new Date(atMs).toUTCString()}", rule-id="${encodeURIComponent(ruleId)}"`;
}

/** Whether a noncurrent version goes: `newer` counts the noncurrent versions above it, `sinceMs` is when it stopped to be current. */
export function isNoncurrentExpired(rules: readonly LifecycleRule[], subject: Subject, at: { newer: number; sinceMs: number }, nowMs: number): boolean {
  return rules.some((rule) => {
    const action = rule.NoncurrentVersionExpiration;
    if (rule.Status !== 'Enabled' || !action || !covers(rule, subject)) return false;
    return at.newer >= (action.NewerNoncurrentVersions ?? 0) && midnightAfter(at.sinceMs, action.NoncurrentDays ?? 0) <= nowMs;
  });
}

/** Whether a delete marker that is all that is left of its key goes: by a rule for such markers, or by age. */
export function isMarkerExpired(rules: readonly LifecycleRule[], key: string, modifiedMs: number, nowMs: number): boolean {
  const subject = { key, size: 0, tags: {} };
  return rules.some((rule) => {
    if (rule.Status !== 'Enabled' || !rule.Expiration || !covers(rule, subject)) return false;
    const { ExpiredObjectDeleteMarker: marker, Days: days } = rule.Expiration;
    return marker === true || (days !== undefined && midnightAfter(modifiedMs, days) <= nowMs);
  });
}

/** Whether an upload was left lying for too long; "Aborting incomplete multipart uploads". */
export function isUploadExpired(rules: readonly LifecycleRule[], key: string, initiatedMs: number, nowMs: number): boolean {
  return rules.some((rule) => {
    const days = rule.AbortIncompleteMultipartUpload?.DaysAfterInitiation;
    const prefix = rule.Prefix ?? rule.Filter?.Prefix ?? rule.Filter?.And?.Prefix ?? '';
    return rule.Status === 'Enabled' && days !== undefined && key.startsWith(prefix) && midnightAfter(initiatedMs, days) <= nowMs;
  });
}
