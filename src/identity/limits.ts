/** How far a request's time may be from the server's ("Signature Version 4 request elements"; S3: `MaxAllowedSkewMilliseconds`). */
export const SKEW_MS_MAX = 15 * 60_000;
/** A presigned request is valid for at most a week. */
export const EXPIRES_SECONDS_MAX = 604_800;
/** Headers that one signature may cover. */
export const SIGNED_HEADERS_MAX = 200;
/** Signing keys kept; one a key pair, day, region and service. */
export const SIGNING_KEYS_MAX = 1000;
