import type { WireRequest } from '../wire.ts';

/**
 * What a signer puts into the query of a presigned S3 URL in place of a header. Checksums are left out: SDKs write that of an
 * empty body there, before they know what will be uploaded.
 */
const LIFTED =
  /^(?:x-amz-(?:meta-.+|acl|storage-class|tagging|website-redirect-location|server-side-encryption.*|copy-source.*|metadata-directive|expected-bucket-owner|checksum-mode|request-payer)|if-(?:none-)?match|if-(?:un)?modified-since)$/;

/** A presigned request with such parameters as the headers that they stand for; headers that were sent win. "Authenticating requests: using query parameters". */
export function liftPresigned(request: WireRequest): WireRequest {
  if (!/(?:^|&)(?:X-Amz-Signature|Signature)=/i.test(request.query)) return request;
  let headers: Record<string, string> | undefined;
  for (const [name, value] of new URLSearchParams(request.query)) {
    const header = name.toLowerCase();
    if (!LIFTED.test(header) || request.headers[header] !== undefined) continue;
    headers ??= { ...request.headers };
    headers[header] = value;
  }
  return headers ? { ...request, headers } : request;
}
