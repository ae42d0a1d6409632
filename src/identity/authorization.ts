import { SIGNED_HEADERS_MAX } from './limits.ts';
import { queryParameter } from './scope.ts';

/** What a request says of its signature, all parts there. */
export interface Authorization {
  readonly source: 'header' | 'query';
  readonly accessKeyId: string;
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** Lower-case, as listed. */
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ`. */
  readonly timestamp: string;
  /** `timestamp` since the epoch. */
  readonly timeMs: number;
  /** Presigned requests of S3 have it; others may. */
  readonly expiresSeconds: number | undefined;
  readonly sessionToken: string | undefined;
}

/** Why a signature is no use. `failureError` words it for each kind of service. */
export type AuthFailure =
  | { readonly kind: 'missing' }
  | { readonly kind: 'both' }
  | { readonly kind: 'unsupported'; readonly algorithm: string }
  /** Parts of the Authorization header, or query parameters, that are not there. */
  | { readonly kind: 'incomplete'; readonly source: 'header' | 'query'; readonly missing: readonly string[]; readonly header: string }
  | { readonly kind: 'bad-date'; readonly date: string }
  | { readonly kind: 'bad-credential'; readonly source: 'header' | 'query'; readonly credential: string }
  | { readonly kind: 'bad-expires'; readonly reason: 'number' | 'negative' | 'week' }
  | { readonly kind: 'skewed'; readonly timestamp: string; readonly timeMs: number; readonly nowMs: number }
  | { readonly kind: 'expired'; readonly authorization: Authorization; readonly nowMs: number }
  /** A presigned URL of Signature Version 2, which names its end. */
  | { readonly kind: 'ended'; readonly endMs: number; readonly nowMs: number }
  | { readonly kind: 'not-yet'; readonly authorization: Authorization; readonly nowMs: number }
  | { readonly kind: 'host-unsigned' }
  | { readonly kind: 'unsigned-headers'; readonly names: readonly string[] }
  | { readonly kind: 'wrong-scope'; readonly authorization: Authorization; readonly service: string }
  | { readonly kind: 'unknown-key'; readonly accessKeyId: string }
  | { readonly kind: 'bad-token'; readonly token: string | undefined }
  | { readonly kind: 'expired-token'; readonly token: string | undefined }
  | { readonly kind: 'payload-hash-missing' }
  | { readonly kind: 'payload-hash-invalid' }
  | { readonly kind: 'payload-mismatch'; readonly claimed: string; readonly computed: string }
  | {
      readonly kind: 'mismatch';
      readonly accessKeyId: string;
      readonly signature: string;
      readonly stringToSign: string;
      /** Absent for Signature Version 2, which has none. */
      readonly canonicalRequest: string | undefined;
    };

type Headers = Readonly<Record<string, string | undefined>>;

const ALGORITHM = 'AWS4-HMAC-SHA256';
const QUERY_PARAMETERS = ['X-Amz-Algorithm', 'X-Amz-Credential', 'X-Amz-Signature', 'X-Amz-SignedHeaders', 'X-Amz-Date'] as const;

/** Reads the Authorization header or the presigned query: "Signature Version 4 request elements". In the order that AWS checks. */
export function readAuthorization(headers: Headers, query: string, isS3: boolean): Authorization | AuthFailure {
  const header = headers['authorization'];
  const algorithm = queryParameter(query, 'X-Amz-Algorithm');
  if (header !== undefined && algorithm !== undefined) return { kind: 'both' };
  if (header !== undefined) return fromHeader(header, headers);
  if (algorithm !== undefined || queryParameter(query, 'X-Amz-Credential') !== undefined) return fromQuery(query, isS3);
  if (queryParameter(query, 'AWSAccessKeyId') !== undefined && queryParameter(query, 'Signature') !== undefined)
    return { kind: 'unsupported', algorithm: 'AWS' };
  return { kind: 'missing' };
}

function fromHeader(header: string, headers: Headers): Authorization | AuthFailure {
  const space = header.indexOf(' ');
  const algorithm = space < 0 ? header : header.slice(0, space);
  if (!algorithm.startsWith('AWS')) return { kind: 'missing' };
  if (algorithm !== ALGORITHM) return { kind: 'unsupported', algorithm };
  const parts = new Map<string, string>();
  for (const text of header.slice(algorithm.length).split(',')) {
    const equals = text.indexOf('=');
    if (equals > 0) parts.set(text.slice(0, equals).trim(), text.slice(equals + 1).trim());
  }
  const timestamp = headers['x-amz-date'] ?? headers['date'];
  const missing = ['Credential', 'Signature', 'SignedHeaders'].filter((name) => !parts.get(name));
  if (timestamp === undefined) missing.push('X-Amz-Date');
  if (missing.length > 0) return { kind: 'incomplete', source: 'header', missing, header };
  return complete('header', {
    credential: parts.get('Credential') ?? '',
    signedHeaders: parts.get('SignedHeaders') ?? '',
    signature: parts.get('Signature') ?? '',
    timestamp: timestamp ?? '',
    sessionToken: headers['x-amz-security-token'],
    expiresSeconds: undefined,
  });
}

function fromQuery(query: string, isS3: boolean): Authorization | AuthFailure {
  const value = (name: string) => queryParameter(query, name);
  const missing: string[] = QUERY_PARAMETERS.filter((name) => !value(name));
  const expires = value('X-Amz-Expires');
  if (isS3 && expires === undefined) missing.push('X-Amz-Expires');
  if (missing.length > 0) return { kind: 'incomplete', source: 'query', missing, header: '' };
  const algorithm = value('X-Amz-Algorithm') ?? '';
  if (algorithm !== ALGORITHM) return { kind: 'unsupported', algorithm };
  if (expires !== undefined) {
    if (!/^-?\d{1,18}$/.test(expires)) return { kind: 'bad-expires', reason: 'number' };
    if (expires.startsWith('-')) return { kind: 'bad-expires', reason: 'negative' };
    if (Number(expires) > 604_800) return { kind: 'bad-expires', reason: 'week' };
  }
  return complete('query', {
    credential: value('X-Amz-Credential') ?? '',
    signedHeaders: value('X-Amz-SignedHeaders') ?? '',
    signature: value('X-Amz-Signature') ?? '',
    timestamp: value('X-Amz-Date') ?? '',
    sessionToken: value('X-Amz-Security-Token'),
    expiresSeconds: expires === undefined ? undefined : Number(expires),
  });
}

interface Parts {
  readonly credential: string;
  readonly signedHeaders: string;
  readonly signature: string;
  readonly timestamp: string;
  readonly sessionToken: string | undefined;
  readonly expiresSeconds: number | undefined;
}

function complete(source: 'header' | 'query', parts: Parts): Authorization | AuthFailure {
  const time = parseTime(parts.timestamp);
  if (!time) return { kind: 'bad-date', date: parts.timestamp };
  const elements = parts.credential.split('/');
  const signedHeaders = parts.signedHeaders.toLowerCase().split(';');
  if (elements.length !== 5 || elements[4] !== 'aws4_request' || signedHeaders.length > SIGNED_HEADERS_MAX) {
    return { kind: 'bad-credential', source, credential: parts.credential };
  }
  const [accessKeyId = '', date = '', region = '', service = ''] = elements;
  return {
    source,
    accessKeyId,
    date,
    region,
    service,
    signedHeaders,
    signature: parts.signature,
    ...time,
    expiresSeconds: parts.expiresSeconds,
    sessionToken: parts.sessionToken,
  };
}

/** ISO 8601 basic format, or the HTTP date of a `Date` header. */
function parseTime(text: string): { timestamp: string; timeMs: number } | undefined {
  const basic = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text);
  const timeMs = basic
    ? Date.parse(`${basic[1]}-${basic[2]}-${basic[3]}T${basic[4]}:${basic[5]}:${basic[6]}Z`)
    : /GMT$/.test(text)
      ? Date.parse(text)
      : Number.NaN;
  return Number.isNaN(timeMs) ? undefined : { timestamp: formatTime(timeMs), timeMs };
}

/** `YYYYMMDDTHHMMSSZ`. */
export function formatTime(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19).replaceAll('-', '').replaceAll(':', '')}Z`;
}
