import { DETAIL_DEPTH_MAX, ESCAPED_CHARS_MAX } from '../limits.ts';
import { isObject, minify } from './json.ts';
import type { Scope } from './names.ts';

/** What makes an event: of PutEvents, or of a service that tells of itself. */
export interface EventParts extends Scope {
  readonly id: string;
  readonly detailType: string;
  readonly source: string;
  readonly timeMs: number;
  readonly resources: readonly string[];
  /** JSON text. */
  readonly detail: string;
  readonly replayName?: string;
}

/** To the second, as events state times. */
export const eventTime = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** The event as targets get it: members in AWS's order, the detail as it was but for white space. "AWS service event metadata". */
export function eventText({ id, detailType, source, account, timeMs, region, resources, detail, replayName }: EventParts): string {
  const head = { version: '0', id, 'detail-type': detailType, source, account, time: eventTime(timeMs), region };
  const rest = { ...(replayName === undefined ? {} : { 'replay-name': replayName }), resources };
  return `${JSON.stringify({ ...head, ...rest }).slice(0, -1)},"detail":${detail}}`;
}

/** The same event under another id. */
export const withId = (text: string, id: string): string => text.replace(/^(\{"version":"0","id":)"[^"]*"/, (_all, head: string) => head + JSON.stringify(id));

/** The detail without white space; undefined where it is no JSON object, or nests too deep. */
export function readDetail(text: string): string | undefined {
  try {
    if (!isObject(JSON.parse(text))) return undefined;
  } catch {
    return undefined;
  }
  const { text: short, depth } = minify(text);
  return depth > DETAIL_DEPTH_MAX ? undefined : short;
}

export interface EntrySize {
  readonly Time?: Date | undefined;
  readonly Source?: string | undefined;
  readonly DetailType?: string | undefined;
  readonly Detail?: string | undefined;
  readonly Resources?: readonly string[] | undefined;
}

/** "Calculating PutEvents event entry size". */
export function entryBytes({ Time, Source = '', DetailType = '', Detail = '', Resources = [] }: EntrySize): number {
  const bytes = (text: string) => Buffer.byteLength(text, 'utf8');
  return (Time === undefined ? 0 : 14) + bytes(Source) + bytes(DetailType) + bytes(Detail) + Resources.reduce((sum, one) => sum + bytes(one), 0);
}

/** An event's text in a row of JSON: escaping must not carry it past the store's limit. */
export type PackedText = string | { readonly base64: string };

export function packText(text: string): PackedText {
  // Most texts are far from the limit: only long ones are measured.
  if (text.length * 2 <= ESCAPED_CHARS_MAX || JSON.stringify(text).length <= ESCAPED_CHARS_MAX) return text;
  return { base64: Buffer.from(text, 'utf8').toString('base64') };
}

export const unpackText = (packed: PackedText): string => (typeof packed === 'string' ? packed : Buffer.from(packed.base64, 'base64').toString('utf8'));
