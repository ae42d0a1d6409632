import { AwsError } from '../kit/errors.ts';
import { type AuthFailure, formatTime } from './authorization.ts';
import { EXPIRES_SECONDS_MAX, SKEW_MS_MAX } from './limits.ts';

/** Families of services that word the same failure differently. */
export type ServiceStyle = 's3' | 'query' | 'json' | 'rest-json';

const MISMATCH = 'The request signature we calculated does not match the signature you provided.';

/** The error that AWS answers with. Each style has its own codes, and S3 its own sentences. */
export function failureError(failure: AuthFailure, style: ServiceStyle): AwsError {
  return style === 's3' ? s3Error(failure) : commonError(failure, style);
}

/** Codes and statuses where they are not JSON's: ("Common Errors" of each API reference). */
function commonError(failure: AuthFailure, style: Exclude<ServiceStyle, 's3'>): AwsError {
  const query = style === 'query';
  const status = style === 'json' ? 400 : 403;
  const invalid = (message: string) => new AwsError(query ? 'SignatureDoesNotMatch' : 'InvalidSignatureException', message, { status });
  const incomplete = (message: string) =>
    new AwsError(query ? 'IncompleteSignature' : 'IncompleteSignatureException', message, { status: style === 'rest-json' ? 403 : 400 });
  const unknown = () =>
    new AwsError(query ? 'InvalidClientTokenId' : 'UnrecognizedClientException', 'The security token included in the request is invalid.', { status });
  switch (failure.kind) {
    case 'missing':
      return new AwsError(
        query ? 'MissingAuthenticationToken' : 'MissingAuthenticationTokenException',
        style === 'rest-json' ? 'Missing Authentication Token' : 'Request is missing Authentication Token',
        { status },
      );
    case 'both':
      return invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.");
    case 'unsupported':
      return incomplete(`Unsupported AWS 'algorithm': '${failure.algorithm}' (only AWS4-HMAC-SHA256 for now). `);
    case 'incomplete':
      return incomplete(failure.source === 'header' ? incompleteHeader(failure.missing, failure.header) : incompleteQuery(failure.missing));
    case 'bad-date':
      return incomplete(`Date must be in ISO-8601 'basic format'. Got '${failure.date}'. See http://en.wikipedia.org/wiki/ISO_8601`);
    case 'bad-credential':
      return incomplete(`Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got '${failure.credential}'`);
    case 'bad-expires':
      return invalid('X-Amz-Expires must be a number of seconds between 0 and 604800');
    case 'skewed':
      return invalid(skewText(failure.timestamp, failure.timeMs, failure.nowMs));
    case 'expired':
      return invalid(
        `Signature expired: ${failure.authorization.timestamp} is now earlier than ${formatTime(failure.nowMs - (failure.authorization.expiresSeconds ?? 0) * 1000)} (${formatTime(failure.nowMs)} - ${failure.authorization.expiresSeconds ?? 0} sec.)`,
      );
    case 'not-yet':
      return invalid(skewText(failure.authorization.timestamp, failure.authorization.timeMs, failure.nowMs));
    case 'host-unsigned':
      return invalid("'Host' must be a 'SignedHeader' in the AWS Authorization.");
    case 'wrong-scope':
      return invalid(scopeText(failure));
    case 'expired-token':
      return new AwsError(query ? 'ExpiredToken' : 'ExpiredTokenException', 'The security token included in the request is expired', { status });
    case 'mismatch':
      return invalid(`${MISMATCH} Check your AWS Secret Access Key and signing method. Consult the service documentation for details.`);
    case 'unknown-key':
    case 'bad-token':
      return unknown();
    default:
      return invalid(`${MISMATCH} Check your AWS Secret Access Key and signing method. Consult the service documentation for details.`);
  }
}

function incompleteHeader(missing: readonly string[], header: string): string {
  const parts = missing.map((name) =>
    name === 'X-Amz-Date'
      ? "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. "
      : `Authorization header requires '${name}' parameter. `,
  );
  return `${parts.join('')}Authorization=${header}`;
}

function incompleteQuery(missing: readonly string[]): string {
  return `${missing.map((name) => `AWS query-string parameters must include '${name}'. `).join('')}Re-examine the query-string parameters.`;
}

function skewText(timestamp: string, timeMs: number, nowMs: number): string {
  const minutes = SKEW_MS_MAX / 60_000;
  if (timeMs < nowMs) return `Signature expired: ${timestamp} is now earlier than ${formatTime(nowMs - SKEW_MS_MAX)} (${formatTime(nowMs)} - ${minutes} min.)`;
  return `Signature not yet current: ${timestamp} is still later than ${formatTime(nowMs + SKEW_MS_MAX)} (${formatTime(nowMs)} + ${minutes} min.)`;
}

function scopeText({ authorization, service }: Extract<AuthFailure, { kind: 'wrong-scope' }>): string {
  const day = authorization.timestamp.slice(0, 8);
  const wrongService = authorization.service === service ? '' : `Credential should be scoped to correct service: '${service}'. `;
  const wrongDate =
    authorization.date === day
      ? ''
      : `Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '${authorization.date}' != '${day}', from '${authorization.timestamp}'.`;
  return `${wrongService}${wrongDate}`;
}

/** "Error responses", list of error codes, of the Amazon S3 API reference. */
function s3Error(failure: AuthFailure): AwsError {
  const denied = (message: string, members: Record<string, unknown> = {}) => new AwsError('AccessDenied', message, { status: 403, members });
  switch (failure.kind) {
    case 'missing':
      return denied('Access Denied');
    case 'both':
      return new AwsError(
        'InvalidArgument',
        'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter, Signature query string parameter or the Authorization header should be specified',
      );
    case 'unsupported':
      return new AwsError('InvalidRequest', 'The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.');
    case 'incomplete':
      return failure.source === 'query'
        ? queryError(
            'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
          )
        : s3Incomplete(failure.missing);
    case 'bad-date':
      return denied('AWS authentication requires a valid Date or x-amz-date header');
    case 'bad-credential': {
      const text = 'the Credential is mal-formed; expecting "<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request".';
      return failure.source === 'query' ? queryError(`Error parsing the X-Amz-Credential parameter; ${text}`) : headerError(text);
    }
    case 'bad-expires':
      return queryError(EXPIRES_TEXT[failure.reason]);
    case 'skewed':
      return new AwsError('RequestTimeTooSkewed', 'The difference between the request time and the current time is too large.', {
        status: 403,
        members: { RequestTime: failure.timestamp, ServerTime: iso(failure.nowMs), MaxAllowedSkewMilliseconds: String(SKEW_MS_MAX) },
      });
    case 'expired': {
      const seconds = failure.authorization.expiresSeconds ?? 0;
      return denied('Request has expired', {
        'X-Amz-Expires': String(seconds),
        Expires: iso(failure.authorization.timeMs + seconds * 1000),
        ServerTime: iso(failure.nowMs),
      });
    }
    case 'ended':
      return denied('Request has expired', { Expires: iso(failure.endMs), ServerTime: iso(failure.nowMs) });
    case 'not-yet':
      return denied('Request is not yet valid', { ServerTime: iso(failure.nowMs) });
    case 'host-unsigned':
      return denied('There were headers present in the request which were not signed', { HeadersNotSigned: 'host' });
    case 'unsigned-headers':
      return denied('There were headers present in the request which were not signed', { HeadersNotSigned: failure.names.join(', ') });
    case 'wrong-scope':
      return s3Scope(failure);
    default:
      return s3KeyError(failure);
  }
}

function s3KeyError(failure: AuthFailure): AwsError {
  switch (failure.kind) {
    case 'unknown-key':
      return new AwsError('InvalidAccessKeyId', 'The AWS Access Key Id you provided does not exist in our records.', {
        status: 403,
        members: { AWSAccessKeyId: failure.accessKeyId },
      });
    case 'bad-token':
      return new AwsError('InvalidToken', 'The provided token is malformed or otherwise invalid.', {
        status: 400,
        members: { 'Token-0': failure.token ?? '' },
      });
    case 'expired-token':
      return new AwsError('ExpiredToken', 'The provided token has expired.', { status: 400, members: { 'Token-0': failure.token ?? '' } });
    case 'payload-hash-missing':
      return new AwsError('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256');
    case 'payload-hash-invalid':
      return new AwsError(
        'InvalidArgument',
        'x-amz-content-sha256 must be UNSIGNED-PAYLOAD, STREAMING-UNSIGNED-PAYLOAD-TRAILER, STREAMING-AWS4-HMAC-SHA256-PAYLOAD, STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD, STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD-TRAILER or a valid sha256 value.',
        {
          members: { ArgumentName: 'x-amz-content-sha256' },
        },
      );
    case 'payload-mismatch':
      return new AwsError('XAmzContentSHA256Mismatch', "The provided 'x-amz-content-sha256' header does not match what was computed.", {
        members: { ClientComputedContentSHA256: failure.claimed, S3ComputedContentSHA256: failure.computed },
      });
    case 'mismatch':
      return new AwsError('SignatureDoesNotMatch', `${MISMATCH} Check your key and signing method.`, {
        status: 403,
        members: {
          AWSAccessKeyId: failure.accessKeyId,
          StringToSign: failure.stringToSign,
          SignatureProvided: failure.signature,
          StringToSignBytes: hexBytes(failure.stringToSign),
          ...(failure.canonicalRequest === undefined
            ? {}
            : { CanonicalRequest: failure.canonicalRequest, CanonicalRequestBytes: hexBytes(failure.canonicalRequest) }),
        },
      });
    default:
      return new AwsError('AccessDenied', 'Access Denied', { status: 403 });
  }
}

const EXPIRES_TEXT = {
  number: 'X-Amz-Expires should be a number',
  negative: 'X-Amz-Expires must be non-negative',
  week: `X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than ${EXPIRES_SECONDS_MAX} seconds`,
} as const;

function s3Incomplete(missing: readonly string[]): AwsError {
  if (missing.length === 1 && missing[0] === 'X-Amz-Date')
    return new AwsError('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header', { status: 403 });
  const parts = missing.filter((name) => name !== 'X-Amz-Date');
  return headerError(
    parts.length === 1 ? `missing ${parts[0]}.` : 'the authorization header requires three components: Credential, SignedHeaders, and Signature.',
  );
}

function s3Scope({ authorization, service }: Extract<AuthFailure, { kind: 'wrong-scope' }>): AwsError {
  const { source } = authorization;
  if (authorization.service !== service) {
    const text = `incorrect service "${authorization.service}". This endpoint belongs to "s3".`;
    return source === 'query' ? queryError(`Error parsing the X-Amz-Credential parameter; ${text}`) : headerError(text);
  }
  if (!/^\d{8}$/.test(authorization.date)) {
    const text = `incorrect date format "${authorization.date}". This date in the credential must be in the format "yyyyMMdd".`;
    return source === 'query' ? queryError(`Error parsing the X-Amz-Credential parameter; ${text}`) : headerError(text);
  }
  if (source === 'query')
    return queryError(`Invalid credential date "${authorization.date}". This date is not the same as X-Amz-Date: "${authorization.timestamp.slice(0, 8)}".`);
  return headerError('Invalid credential date. Date is not the same as X-Amz-Date.');
}

function headerError(text: string): AwsError {
  return new AwsError('AuthorizationHeaderMalformed', `The authorization header is malformed; ${text}`);
}

function queryError(message: string): AwsError {
  return new AwsError('AuthorizationQueryParametersError', message);
}

function iso(timeMs: number): string {
  return `${new Date(timeMs).toISOString().slice(0, 19)}Z`;
}

/** `41 57 53 34 …`, as S3 shows what it signed. */
function hexBytes(text: string): string {
  return (Buffer.from(text, 'utf8').toString('hex').match(/../g) ?? []).join(' ');
}
