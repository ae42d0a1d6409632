/** "CloudWatch Logs quotas" and "PutLogEvents" in the Amazon CloudWatch Logs documentation. */

/** Sum of the messages in UTF-8 plus {@link EVENT_OVERHEAD_BYTES} each. */
export const BATCH_BYTES_MAX = 1_048_576;
export const EVENT_OVERHEAD_BYTES = 26;
export const EVENT_FUTURE_MS_MAX = 2 * 3_600_000;
export const EVENT_AGE_MS_MAX = 14 * 86_400_000;
export const BATCH_SPAN_MS_MAX = 24 * 3_600_000;

export const DESCRIBE_LIMIT = 50;
/** Resource policies of an account in a region. */
export const RESOURCE_POLICIES_MAX = 10;
/** Events in one answer of GetLogEvents and FilterLogEvents. */
export const EVENTS_LIMIT = 10_000;
/** Bytes in one answer of GetLogEvents and FilterLogEvents. */
export const PAGE_BYTES_MAX = 1_048_576;
/** Bytes that one FilterLogEvents call looks through before it answers with what it has and a token. */
export const FILTER_SCAN_BYTES_MAX = 8 * 1_048_576;
/** Streams named in FilterLogEvents up to which each is read by itself; above, the group is read and the others are passed over. */
export const MERGED_STREAMS_MAX = 10;

export const TAGS_MAX = 50;
export const RETENTION_DAYS = [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653] as const;
/** Regular expressions in one filter pattern. */
export const FILTER_REGEX_MAX = 2;

/** A stored chunk holds events of one stream and at most this span: a reader that starts at T looks back no further than this. */
export const CHUNK_SPAN_MS = 1_000;
export const CHUNK_EVENTS_MAX = 128;
export const CHUNK_BYTES_MAX = 32 * 1024;

/** Chunks removed in one commit by deletion and retention. */
export const PURGE_CHUNKS_PER_COMMIT = 200;
/** Commits in one delivery, after which others get their turn. */
export const PURGE_COMMITS_PER_DELIVERY = 20;
/** Retention is swept at most this often; reads never show expired events in between. */
export const SWEEP_INTERVAL_MS = 6 * 3_600_000;
