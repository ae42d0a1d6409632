import { createHash } from 'node:crypto';
import { Transform } from 'node:stream';
import { type AuthFailure, type Authorization, readAuthorization } from '../identity/authorization.ts';
import type { SignedRequest } from '../identity/canonical.ts';
import { chunkSigner } from '../identity/chunks.ts';
import { failureError, type ServiceStyle } from '../identity/failures.ts';
import { sha256Hex } from '../identity/hmac.ts';
import type { Credential, Principal } from '../identity/principal.ts';
import { queryParameter } from '../identity/scope.ts';
import { checkLegacySignature, checkLegacyTime, readLegacyAuthorization } from '../identity/sigv2.ts';
import { checkClaims, checkSignature, sameSignature } from '../identity/sigv4.ts';
import type { AwsError } from '../kit/errors.ts';
import type { Exchange } from './exchange.ts';
import type { GatewayParts } from './parts.ts';

/**
 * `--auth verify`: the caller, once the signature is found good. Throws what AWS answers. Unsigned requests pass as nobody to function
 * endpoints, which have authorization of their own, and to the operations that need none (`AssumeRoleWithWebIdentity` …).
 */
export async function verify(parts: GatewayParts, exchange: Exchange): Promise<Principal> {
  const refuse: Refuse = (failure) => failureError(failure, styleOf(exchange));
  const isS3 = exchange.service?.index.service === 's3';
  if (isS3 && exchange.credential?.algorithm === 'AWS2') return verifyLegacy(parts, exchange, refuse);
  const authorization = readAuthorization(exchange.headers, exchange.query, isS3);
  if ('kind' in authorization) {
    // A user's endpoint may have its own idea of this header: what is no Signature Version 4 is the endpoint's to judge.
    const unsigned = authorization.kind === 'missing' || (authorization.kind === 'unsupported' && exchange.endpoint !== undefined);
    if (unsigned && allowsNobody(exchange)) return parts.callers.anonymous;
    throw refuse(authorization);
  }
  const nowMs = parts.platform.clock.real();
  const claims = checkClaims(authorization, exchange.headers, signingNamesOf(exchange), nowMs);
  if (claims) throw refuse(claims);
  const payload = payloadHashOf(exchange, authorization, isS3);
  if (typeof payload !== 'string') throw refuse(payload);
  const credential = await findCredential(parts, authorization, refuse);
  const mismatch = checkSignature(signedRequestOf(exchange), authorization, credential.secretAccessKey, payload, isS3 ? 'single' : 'double');
  if (mismatch) throw refuse(mismatch);
  if (payload.startsWith('STREAMING-AWS4-HMAC-SHA256-PAYLOAD')) exchange.chunkSigner = chunkSigner(authorization, credential.secretAccessKey);
  else if (isS3 && HEX_HASH.test(payload)) checkPayload(exchange, payload, refuse);
  return credential.principal;
}

type Refuse = (failure: AuthFailure) => AwsError;

/** S3 still takes Signature Version 2, and boto3 still presigns with it. */
async function verifyLegacy(parts: GatewayParts, exchange: Exchange, refuse: Refuse): Promise<Principal> {
  const authorization = readLegacyAuthorization(exchange.headers, exchange.query);
  if (!authorization) throw refuse({ kind: 'missing' });
  const late = checkLegacyTime(authorization, exchange.headers, parts.platform.clock.real());
  if (late) throw refuse(late);
  const credential = await findCredential(parts, authorization, refuse);
  const { method, query, headers, path, api } = exchange;
  const mismatch = checkLegacySignature({ method, path: api?.path ?? path, query, headers }, authorization, credential.secretAccessKey);
  if (mismatch) throw refuse(mismatch);
  return credential.principal;
}

async function findCredential(
  parts: GatewayParts,
  { accessKeyId, sessionToken }: { accessKeyId: string; sessionToken: string | undefined },
  refuse: Refuse,
): Promise<Credential> {
  const credential = await parts.callers.find(accessKeyId, sessionToken);
  if (!credential) throw refuse({ kind: 'unknown-key', accessKeyId });
  if ((credential.sessionToken ?? '') !== (sessionToken ?? '')) throw refuse({ kind: 'bad-token', token: sessionToken });
  if (credential.expiresMs !== undefined && credential.expiresMs <= parts.platform.clock.real()) throw refuse({ kind: 'expired-token', token: sessionToken });
  return credential;
}

const HEX_HASH = /^[0-9a-f]{64}$/i;
const HASH_WORDS: ReadonlySet<string> = new Set([
  'UNSIGNED-PAYLOAD',
  'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD',
  'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER',
]);

function styleOf(exchange: Exchange): ServiceStyle {
  if (exchange.service?.index.service === 's3') return 's3';
  if (exchange.codec === 'awsQuery' || exchange.codec === 'ec2Query') return 'query';
  return exchange.codec === 'restJson' || exchange.codec === 'restXml' || exchange.codec === undefined ? 'rest-json' : 'json';
}

function allowsNobody(exchange: Exchange): boolean {
  if (exchange.endpoint) return true;
  const model = exchange.operation?.model;
  return model?.authtype === 'none' || model?.auth?.includes('smithy.api#noAuth') === true;
}

function signingNamesOf(exchange: Exchange): readonly string[] {
  if (exchange.endpoint) return [exchange.endpoint.endpoint === 'lambda-url' ? 'lambda' : 'execute-api'];
  const name = exchange.service?.index.signingName ?? '';
  return name === 's3' ? ['s3', 's3express', 's3-object-lambda'] : [name];
}

/** S3 says what it signed in a header; for the others it is the hash of the body. */
function payloadHashOf(exchange: Exchange, { source }: Authorization, isS3: boolean): string | AuthFailure {
  const claimed = exchange.headers['x-amz-content-sha256'];
  if (!isS3) return unsignedAllowed(exchange, claimed) ? 'UNSIGNED-PAYLOAD' : sha256Hex(exchange.body);
  const hash = claimed ?? (source === 'query' ? (queryParameter(exchange.query, 'X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD') : undefined);
  if (hash === undefined) return { kind: 'payload-hash-missing' };
  return HASH_WORDS.has(hash) || HEX_HASH.test(hash) ? hash : { kind: 'payload-hash-invalid' };
}

function unsignedAllowed(exchange: Exchange, claimed: string | undefined): boolean {
  return claimed === 'UNSIGNED-PAYLOAD' && (exchange.endpoint !== undefined || exchange.operation?.model.unsignedPayload === true);
}

function signedRequestOf(exchange: Exchange): SignedRequest {
  const { rawHeaders } = exchange.request;
  const headers: [string, string][] = [];
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) headers.push([rawHeaders[i] ?? '', rawHeaders[i + 1] ?? '']);
  return { method: exchange.method, path: asUtf8(exchange.path), query: asUtf8(exchange.query), headers };
}

/** node:http reads the request line as Latin-1; a client that sent raw UTF-8 signed it as UTF-8. */
function asUtf8(text: string): string {
  return /[\x80-\xff]/.test(text) ? Buffer.from(text, 'latin1').toString('utf8') : text;
}

/** The body must be the one whose hash was signed: at once where it is here, else while it streams. */
function checkPayload(exchange: Exchange, claimed: string, refuse: Refuse): void {
  if (!exchange.streamed) {
    const computed = sha256Hex(exchange.body);
    if (!sameSignature(computed, claimed.toLowerCase())) throw refuse({ kind: 'payload-mismatch', claimed, computed });
    return;
  }
  const hash = createHash('sha256');
  exchange.bodyCheck = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      const computed = hash.digest('hex');
      done(sameSignature(computed, claimed.toLowerCase()) ? null : refuse({ kind: 'payload-mismatch', claimed, computed }));
    },
  });
}
