/** A request body that is held in memory is at most this long; a room may have smaller limits of its own. */
export const BODY_BYTES_MAX = 128 * 1024 * 1024;
/** All bodies held in memory at one time. */
export const BODIES_BYTES_MAX = 512 * 1024 * 1024;
/** Bodies that AWS limits by service ("Amazon DynamoDB API reference", "Lambda quotas"): the request as a whole. */
export const BODY_BYTES_MAX_OF_SERVICE: Readonly<Record<string, number>> = {
  dynamodb: 16 * 1024 * 1024,
  lambda: 70_167_211,
};

/** Requests under way at once. */
export const IN_FLIGHT_MAX = 1000;
/** Requests that wait for one of those to end … */
export const WAITING_MAX = 1000;
/** … for at most this long; then they are throttled. */
export const WAITING_MS_MAX = 2000;
/** Open connections. */
export const CONNECTIONS_MAX = 10_000;

/** The request line and all headers. S3 allows 8 KB of headers and 2 KB of user metadata; IAM query strings are longer. */
export const HEADER_BYTES_MAX = 32 * 1024;
export const HEADERS_MAX = 200;
/** From the first byte of a request to the end of its headers. */
export const HEADERS_TIMEOUT_MS = 20_000;
/** A connection that says nothing. */
export const KEEP_ALIVE_TIMEOUT_MS = 65_000;
/** With TLS: until the first byte, which tells HTTP from TLS. */
export const FIRST_BYTE_TIMEOUT_MS = 20_000;
/** A body of which nothing arrives. */
export const BODY_IDLE_TIMEOUT_MS = 60_000;
/** How often slow headers and idle bodies are looked for. */
export const CHECK_INTERVAL_MS = 5000;
/** What is read and thrown away of a body nobody wants, so that the client sees the answer; then the connection is cut. */
export const DISCARD_BYTES_MAX = 1024 * 1024;

/** Known callers that are remembered, and for how long when a room keeps the key. */
export const CALLERS_MAX = 1000;
export const CALLER_MS_MAX = 1000;

/** Calls of rooms by rooms, one inside the other. */
export const CALL_DEPTH_MAX = 16;
