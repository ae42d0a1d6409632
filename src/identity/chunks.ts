import { AwsError } from '../kit/errors.ts';
import type { Authorization } from './authorization.ts';
import { sha256Hex } from './hmac.ts';
import { sameSignature, scopeOf, signingKey } from './sigv4.ts';

/** Checks a signed stream chunk after chunk; the shape of `ChunkHooks` in `protocol/awsChunked.ts`. */
export interface ChunkSigner {
  /** The chunk's signature and the hex SHA-256 of its data. Throws `SignatureDoesNotMatch`. */
  verifyChunk(signature: string | undefined, sha256: string): void;
  /** The trailers' signature and the hex SHA-256 of the canonical trailers. */
  verifyTrailers(signature: string | undefined, sha256: string): void;
}

const EMPTY_HASH = sha256Hex('');

/**
 * "Signature calculations for the Authorization header: transferring payload in multiple chunks": each signature covers the one
 * before it, beginning with the request's own.
 */
export function chunkSigner(authorization: Authorization, secret: string): ChunkSigner {
  const key = signingKey(secret, authorization.date, authorization.region, authorization.service);
  const head = `${authorization.timestamp}\n${scopeOf(authorization)}\n`;
  let previous = authorization.signature;
  const check = (text: string, signature: string | undefined) => {
    const expected = key.hex(text);
    if (signature === undefined || !sameSignature(expected, signature)) {
      throw new AwsError(
        'SignatureDoesNotMatch',
        'The request signature we calculated does not match the signature you provided. Check your key and signing method.',
        {
          status: 403,
          members: { AWSAccessKeyId: authorization.accessKeyId, StringToSign: text, SignatureProvided: signature ?? '' },
        },
      );
    }
    previous = signature;
  };
  return {
    verifyChunk(signature, sha256) {
      check(`AWS4-HMAC-SHA256-PAYLOAD\n${head}${previous}\n${EMPTY_HASH}\n${sha256}`, signature);
    },
    verifyTrailers(signature, sha256) {
      check(`AWS4-HMAC-SHA256-TRAILER\n${head}${previous}\n${sha256}`, signature);
    },
  };
}
