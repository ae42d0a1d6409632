import { timingSafeEqual } from 'node:crypto';
import type { AuthFailure, Authorization } from './authorization.ts';
import { canonicalRequest, type PathRule, type SignedRequest, stringToSign } from './canonical.ts';
import { type HmacKey, hmacKey } from './hmac.ts';
import { SIGNING_KEYS_MAX, SKEW_MS_MAX } from './limits.ts';

const keys = new Map<string, HmacKey>();

/** The key of one secret for one day, region and service; derived once ("Create a signed AWS API request", step 3). */
export function signingKey(secret: string, date: string, region: string, service: string): HmacKey {
  const name = `${secret}\n${date}\n${region}\n${service}`;
  let key = keys.get(name);
  if (!key) {
    let derived = hmacKey(Buffer.from(`AWS4${secret}`, 'utf8'));
    for (const part of [date, region, service, 'aws4_request']) derived = hmacKey(Buffer.from(derived.raw(part)));
    key = derived;
    if (keys.size >= SIGNING_KEYS_MAX) keys.clear();
    keys.set(name, key);
  }
  return key;
}

/** Whether two hex signatures are the same, in constant time. */
export function sameSignature(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a, 'latin1'), Buffer.from(b, 'latin1'));
}

/** What can be checked without the secret: time, scope, what is signed. In AWS's order. */
export function checkClaims(
  authorization: Authorization,
  headers: Readonly<Record<string, string | undefined>>,
  signingNames: readonly string[],
  nowMs: number,
): AuthFailure | undefined {
  const { timeMs, expiresSeconds, source } = authorization;
  if (source === 'query' && expiresSeconds !== undefined) {
    if (timeMs > nowMs + SKEW_MS_MAX) return { kind: 'not-yet', authorization, nowMs };
    if (nowMs > timeMs + expiresSeconds * 1000) return { kind: 'expired', authorization, nowMs };
  } else if (Math.abs(nowMs - timeMs) > SKEW_MS_MAX) return { kind: 'skewed', timestamp: authorization.timestamp, timeMs, nowMs };
  if (!authorization.signedHeaders.includes('host')) return { kind: 'host-unsigned' };
  if (!signingNames.includes(authorization.service) || !authorization.timestamp.startsWith(authorization.date) || authorization.date.length !== 8) {
    return { kind: 'wrong-scope', authorization, service: signingNames[0] ?? '' };
  }
  if (!signingNames.includes('s3')) return undefined;
  // S3 acts on x-amz- headers, so none may be added to a signed request. The payload's hash is part of the signature anyway.
  const names = Object.keys(headers).filter(
    (name) => name.startsWith('x-amz-') && name !== 'x-amz-content-sha256' && !authorization.signedHeaders.includes(name),
  );
  return names.length > 0 ? { kind: 'unsigned-headers', names } : undefined;
}

/** Compares the signature. `payloadHash` is hex, or one of the words that S3 allows in its place. */
export function checkSignature(
  request: SignedRequest,
  authorization: Authorization,
  secret: string,
  payloadHash: string,
  rule: PathRule,
): AuthFailure | undefined {
  const canonical = canonicalRequest(request, authorization.signedHeaders, payloadHash, rule);
  const text = stringToSign(authorization.timestamp, scopeOf(authorization), canonical);
  const expected = signingKey(secret, authorization.date, authorization.region, authorization.service).hex(text);
  if (sameSignature(expected, authorization.signature)) return undefined;
  return { kind: 'mismatch', accessKeyId: authorization.accessKeyId, signature: authorization.signature, stringToSign: text, canonicalRequest: canonical };
}

/** `date/region/service/aws4_request`. */
export function scopeOf(authorization: Pick<Authorization, 'date' | 'region' | 'service'>): string {
  return `${authorization.date}/${authorization.region}/${authorization.service}/aws4_request`;
}
