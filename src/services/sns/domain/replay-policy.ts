import { ARCHIVE_DAYS_MAX } from '../limits.ts';
import { parseJson } from './json-source.ts';

function objectOf(text: string): Record<string, unknown> | string {
  const parsed = parseJson(text);
  if ('failure' in parsed) return `failed to parse JSON. ${parsed.failure}`;
  const { value } = parsed;
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Record<string, unknown>) : 'failed to parse JSON.';
}

/** "Amazon SNS message archiving for FIFO topic owners": the policy, `''` for an empty one, or why it is refused. */
export function checkArchivePolicy(text: string): { readonly kept: string } | { readonly reason: string } {
  if (text === '') return { kept: '' };
  const policy = objectOf(text);
  if (typeof policy === 'string') return { reason: policy };
  if (Object.keys(policy).length === 0) return { kept: '' };
  const { MessageRetentionPeriod: days, ...rest } = policy;
  const unknown = Object.keys(rest)[0];
  if (unknown !== undefined) return { reason: `Unrecognized member [${unknown}]` };
  if (!/^\d{1,3}$/.test(String(days)) || Number(days) < 1 || Number(days) > ARCHIVE_DAYS_MAX)
    return { reason: `MessageRetentionPeriod must be between 1 and ${ARCHIVE_DAYS_MAX}` };
  return { kept: text };
}

/** How long a topic's messages are kept; undefined where they are not. */
export const archiveDays = (text: string | undefined): number | undefined =>
  text === undefined ? undefined : Number((JSON.parse(text) as { MessageRetentionPeriod: unknown }).MessageRetentionPeriod);

export interface ReplayWindow {
  readonly fromMs: number;
  readonly toMs?: number;
}

/** A subscription's `ReplayPolicy`: the policy, `''` for an empty one, or why it is refused. */
export function checkReplayPolicy(text: string): { readonly kept: string } | { readonly reason: string } {
  if (text === '') return { kept: '' };
  const policy = objectOf(text);
  if (typeof policy === 'string') return { reason: policy };
  if (Object.keys(policy).length === 0) return { kept: '' };
  if (policy['PointType'] !== 'Timestamp') return { reason: 'PointType must be Timestamp' };
  const window = windowOf(policy);
  if (!window) return { reason: 'StartingPoint and EndingPoint must be ISO 8601 timestamps' };
  if (window.toMs !== undefined && window.toMs <= window.fromMs) return { reason: 'EndingPoint must be after StartingPoint' };
  return { kept: text };
}

function windowOf({ StartingPoint: start, EndingPoint: end }: Record<string, unknown>): ReplayWindow | undefined {
  const fromMs = typeof start === 'string' ? Date.parse(start) : Number.NaN;
  if (Number.isNaN(fromMs)) return undefined;
  if (end === undefined) return { fromMs };
  const toMs = typeof end === 'string' ? Date.parse(end) : Number.NaN;
  return Number.isNaN(toMs) ? undefined : { fromMs, toMs };
}

export const replayOf = (text: string | undefined): ReplayWindow | undefined =>
  text === undefined ? undefined : windowOf(JSON.parse(text) as Record<string, unknown>);
