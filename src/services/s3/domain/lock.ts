import type { ObjectLockConfiguration } from '@aws-sdk/client-s3';
import { invalidArgument, invalidRequest, malformedXml, objectLocked } from '../errors.ts';
import type { BucketRecord, LockMode, ObjectLock, ObjectRecord, Retention } from './records.ts';

const DAY_MS = 24 * 3600 * 1000;
const RETENTION_DAYS_MAX = 36_500;
const RETENTION_YEARS_MAX = 100;

const isMode = (mode: unknown): mode is LockMode => mode === 'GOVERNANCE' || mode === 'COMPLIANCE';

interface LockInput {
  readonly ObjectLockMode?: string | undefined;
  readonly ObjectLockRetainUntilDate?: Date | undefined;
  readonly ObjectLockLegalHoldStatus?: string | undefined;
}

/** The lock that a writer asks for by headers. Throws `InvalidArgument`, and `InvalidRequest` in a bucket without Object Lock. */
export function lockOfHeaders(bucket: BucketRecord, input: LockInput, nowMs: number): { lock?: ObjectLock; legalHold?: 'ON' | 'OFF' } {
  const { ObjectLockMode: mode, ObjectLockRetainUntilDate: until, ObjectLockLegalHoldStatus: hold } = input;
  if (mode === undefined && until === undefined && hold === undefined) return {};
  const together = 'x-amz-object-lock-retain-until-date and x-amz-object-lock-mode must both be supplied';
  if (mode !== undefined && until === undefined) throw invalidArgument(together, 'x-amz-object-lock-retain-until-date');
  if (mode === undefined && until !== undefined) throw invalidArgument(together, 'x-amz-object-lock-mode');
  if (mode !== undefined && !isMode(mode)) throw invalidArgument('Unknown wormMode directive.', 'x-amz-object-lock-mode', mode);
  if (hold !== undefined && hold !== 'ON' && hold !== 'OFF')
    throw invalidArgument("Legal Hold must be either of 'ON' or 'OFF'", 'x-amz-object-lock-legal-hold', hold);
  if (until !== undefined && until.getTime() <= nowMs)
    throw invalidArgument('The retain until date must be in the future!', 'x-amz-object-lock-retain-until-date', pacific(until));
  if (!bucket.objectLock) throw invalidRequest('Bucket is missing Object Lock Configuration');
  return {
    ...(isMode(mode) && until ? { lock: { mode, untilMs: until.getTime() } } : {}),
    ...(hold === undefined ? {} : { legalHold: hold as 'ON' | 'OFF' }),
  };
}

/** What a new version gets that names no retention of its own: "Default retention settings". */
export function defaultLock(bucket: BucketRecord, nowMs: number): { lock?: ObjectLock } {
  const retention = bucket.objectLock?.retention;
  if (!retention) return {};
  const until = new Date(nowMs);
  if (retention.years === undefined) until.setTime(nowMs + (retention.days ?? 0) * DAY_MS);
  else until.setUTCFullYear(until.getUTCFullYear() + retention.years);
  return { lock: { mode: retention.mode, untilMs: until.getTime() } };
}

/** Throws `AccessDenied` for a version that must not go; "Bypassing governance mode". */
export function checkRemoval(version: Pick<ObjectRecord, 'lock' | 'legalHold'>, nowMs: number, bypass: boolean): void {
  if (version.legalHold === 'ON') throw objectLocked();
  const { lock } = version;
  if (!lock || lock.untilMs <= nowMs) return;
  if (lock.mode === 'COMPLIANCE' || !bypass) throw objectLocked();
}

/** The retention that PutObjectRetention sets; undefined takes it away. Throws `MalformedXML`, `InvalidArgument`. */
export function retentionOf(
  given: { readonly Mode?: string | undefined; readonly RetainUntilDate?: Date | undefined } | undefined,
  nowMs: number,
): ObjectLock | undefined {
  if (!given || (given.Mode === undefined && given.RetainUntilDate === undefined)) return undefined;
  const { Mode: mode, RetainUntilDate: until } = given;
  if (!isMode(mode) || until === undefined) throw malformedXml();
  if (until.getTime() <= nowMs) throw invalidArgument('The retain until date must be in the future!', 'RetainUntilDate', pacific(until));
  return { mode, untilMs: until.getTime() };
}

/** Throws `AccessDenied` where `next` would loosen what holds. */
export function checkLoosening(current: ObjectLock | undefined, next: ObjectLock | undefined, nowMs: number, bypass: boolean): void {
  if (!current || current.untilMs <= nowMs) return;
  const loosens = !next || next.untilMs < current.untilMs || (current.mode === 'COMPLIANCE' && next.mode === 'GOVERNANCE');
  if (loosens && (current.mode === 'COMPLIANCE' || !bypass)) throw objectLocked();
}

/** A bucket's default retention as PutObjectLockConfiguration gives it. Throws `MalformedXML` and `InvalidArgument`. */
export function defaultRetentionOf(given: ObjectLockConfiguration | undefined): Retention | undefined {
  if (given?.ObjectLockEnabled !== 'Enabled') throw malformedXml();
  if (given.Rule === undefined) return undefined;
  const { Mode: mode, Days: days, Years: years } = given.Rule.DefaultRetention ?? {};
  if (!isMode(mode) || (days === undefined) === (years === undefined)) throw malformedXml();
  const [amount, most] = days === undefined ? [years ?? 0, RETENTION_YEARS_MAX] : [days, RETENTION_DAYS_MAX];
  if (amount <= 0) throw invalidArgument('Default retention period must be a positive integer value.', 'DefaultRetention');
  if (amount > most) throw invalidArgument('Default retention period too large', 'DefaultRetention');
  return { mode, ...(days === undefined ? { years: amount } : { days: amount }) };
}

/** As S3 repeats such dates, wherever the bucket is: `Tue Dec 31 16:00:00 PST 2019`. */
export function pacific(date: Date): string {
  const parts = new Intl.DateTimeFormat('en-US', {
    timeZone: 'America/Los_Angeles',
    weekday: 'short',
    month: 'short',
    day: '2-digit',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    hourCycle: 'h23',
    timeZoneName: 'short',
    year: 'numeric',
  }).formatToParts(date);
  const of = (type: string) => parts.find((part) => part.type === type)?.value ?? '';
  return `${of('weekday')} ${of('month')} ${of('day')} ${of('hour')}:${of('minute')}:${of('second')} ${of('timeZoneName')} ${of('year')}`;
}
