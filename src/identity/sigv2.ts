import { createHmac } from 'node:crypto';
import type { AuthFailure } from './authorization.ts';
import { SKEW_MS_MAX } from './limits.ts';
import { queryParameter } from './scope.ts';
import { sameSignature } from './sigv4.ts';

/** What a Signature Version 2 request of S3 says of its signature. boto3 presigns so unless told otherwise. */
export interface LegacyAuthorization {
  readonly accessKeyId: string;
  readonly signature: string;
  readonly sessionToken: string | undefined;
  /** Seconds since the epoch, of a presigned URL. */
  readonly expires: string | undefined;
}

/** What the signature covers. */
export interface LegacyRequest {
  readonly method: string;
  /** Percent-encoded, the bucket in it. */
  readonly path: string;
  readonly query: string;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Query parameters that are part of the resource ("Signing and authenticating REST requests (AWS signature version 2)"). */
const SUBRESOURCES: ReadonlySet<string> = new Set(
  (
    'accelerate acl analytics cors defaultObjectAcl delete inventory lifecycle location logging metrics notification object-lock partNumber policy replication ' +
    'requestPayment response-cache-control response-content-disposition response-content-encoding response-content-language response-content-type ' +
    'response-expires restore select select-type storageClass tagging torrent uploadId uploads versionId versioning versions website'
  ).split(' '),
);

/** Reads `Authorization: AWS key:signature` or `?AWSAccessKeyId=…&Signature=…&Expires=…`; undefined where it is neither. */
export function readLegacyAuthorization(headers: LegacyRequest['headers'], query: string): LegacyAuthorization | undefined {
  const header = /^AWS ([^:\s]{1,128}):([A-Za-z0-9+/=]{1,128})$/.exec(headers['authorization'] ?? '');
  if (header?.[1] && header[2]) return { accessKeyId: header[1], signature: header[2], sessionToken: headers['x-amz-security-token'], expires: undefined };
  if (headers['authorization'] !== undefined) return undefined;
  const accessKeyId = queryParameter(query, 'AWSAccessKeyId');
  const signature = queryParameter(query, 'Signature');
  const expires = queryParameter(query, 'Expires');
  if (!accessKeyId || !signature || expires === undefined) return undefined;
  return { accessKeyId, signature, sessionToken: queryParameter(query, 'x-amz-security-token') ?? headers['x-amz-security-token'], expires };
}

/** Time first: a presigned URL has an end, a signed header a date within 15 minutes. */
export function checkLegacyTime({ expires }: LegacyAuthorization, headers: LegacyRequest['headers'], nowMs: number): AuthFailure | undefined {
  if (expires !== undefined) {
    if (!/^\d{1,12}$/.test(expires)) return { kind: 'bad-date', date: expires };
    return nowMs > Number(expires) * 1000 ? { kind: 'ended', endMs: Number(expires) * 1000, nowMs } : undefined;
  }
  const date = headers['x-amz-date'] ?? headers['date'] ?? '';
  const timeMs = Date.parse(date);
  if (Number.isNaN(timeMs)) return { kind: 'bad-date', date };
  return Math.abs(nowMs - timeMs) > SKEW_MS_MAX ? { kind: 'skewed', timestamp: date, timeMs, nowMs } : undefined;
}

/** Compares the signature: HMAC-SHA1 over method, a few headers, and the resource. */
export function checkLegacySignature(request: LegacyRequest, authorization: LegacyAuthorization, secret: string): AuthFailure | undefined {
  const text = legacyStringToSign(request, authorization.expires);
  const expected = createHmac('sha1', secret).update(text, 'utf8').digest('base64');
  if (sameSignature(expected, authorization.signature)) return undefined;
  return { kind: 'mismatch', accessKeyId: authorization.accessKeyId, signature: authorization.signature, stringToSign: text, canonicalRequest: undefined };
}

function legacyStringToSign({ method, path, query, headers }: LegacyRequest, expires: string | undefined): string {
  const presigned = expires !== undefined;
  const amz = new Map(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-')));
  const resource: string[] = [];
  for (const text of query.split('&')) {
    const equals = text.indexOf('=');
    const name = equals < 0 ? text : text.slice(0, equals);
    // A presigned URL carries in its query what would be headers.
    if (presigned && name.toLowerCase().startsWith('x-amz-')) amz.set(name.toLowerCase(), queryParameter(text, name) ?? '');
    if (SUBRESOURCES.has(name)) resource.push(equals < 0 ? name : `${name}=${queryParameter(text, name) ?? ''}`);
  }
  const header = (name: string) => (presigned ? queryParameter(query, name) : undefined) ?? headers[name] ?? '';
  const date = expires ?? (headers['x-amz-date'] === undefined ? (headers['date'] ?? '') : '');
  const lines = [...amz].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value.trim()}\n`);
  resource.sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
  return `${method}\n${header('content-md5')}\n${header('content-type')}\n${date}\n${lines.join('')}${path}${resource.length > 0 ? `?${resource.join('&')}` : ''}`;
}

function nameOf(parameter: string): string {
  return parameter.split('=', 1)[0] ?? '';
}
