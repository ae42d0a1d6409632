/** "Amazon EventBridge quotas" in the Amazon EventBridge User Guide, and the figures of its API reference. */

/** All entries of one PutEvents request: 1 MiB since January 2026 (256 KB before). */
export const ENTRIES_BYTES_MAX = 1_048_576;
/** "PutEvents": nested JSON is processed this deep. */
export const DETAIL_DEPTH_MAX = 1_000;
export const TARGETS_PER_RULE_MAX = 5;
/** What a list operation returns without a limit. */
export const LIST_DEFAULT = 100;
export const TAGS_MAX = 50;
export const EVENT_PATTERN_CHARS_MAX = 4_096;
export const TARGET_INPUT_CHARS_MAX = 8_192;
/** A bus's resource policy. */
export const POLICY_BYTES_MAX = 10_240;
export const ACTIVE_REPLAYS_MAX = 10;

/** A target's RetryPolicy where it states none. */
export const RETRY_ATTEMPTS_DEFAULT = 185;
export const EVENT_AGE_SECONDS_DEFAULT = 86_400;
export const BACKOFF_MS_MIN = 1_000;
export const BACKOFF_MS_MAX = 600_000;

/** "API destinations as targets": a request that is not answered by then has failed. */
export const HTTP_TIMEOUT_MS = 5_000;
/** Of an endpoint's answer nothing is used; so much of it is read, to keep the connection. */
export const HTTP_ANSWER_BYTES_MAX = 1_048_576;
/** Calls of a second to one API destination, where it states none. */
export const INVOCATION_RATE_DEFAULT = 300;
/** OAuth tokens kept in memory. */
export const TOKENS_MAX = 1_000;
/** A token is renewed this long before it ends. */
export const TOKEN_MARGIN_MS = 60_000;
export const TOKEN_MS_DEFAULT = 3_600_000;

/** Buses may forward to one another; an event that has passed through this many goes no further. */
export const BUS_HOPS_MAX = 6;

/** Deliveries under way at once. */
export const PUBLISH_CONCURRENCY = 32;
export const DELIVER_CONCURRENCY = 64;
/** What one commit of a fan-out writes at most; the rest follows in the next. */
export const FAN_OUT_BYTES_MAX = 1024 * 1024;
export const FAN_OUT_DELIVERIES_MAX = 200;
/** Rules read at once. */
export const RULES_PAGE = 200;
/** Compiled event patterns kept in memory. */
export const PATTERNS_KEPT_MAX = 2_000;
/** An event text whose JSON-escaped form is longer is kept as Base64: a row stays under the store's 2 MiB. */
export const ESCAPED_CHARS_MAX = 1_400_000;

/** Archived events that one commit replays or expires. */
export const ARCHIVE_PAGE = 100;
export const ARCHIVE_PAGE_BYTES_MAX = 2 * 1024 * 1024;
/** How often an archive with a retention is swept. */
export const ARCHIVE_SWEEP_MS = 86_400_000;
/** A replay is under way at least this long, as on AWS, where it takes minutes: it can be cancelled and counts against the ten. */
export const REPLAY_MS_MIN = 2_000;

/** JSON paths: steps of one, and values that `[*]` yields. */
export const PATH_STEPS_MAX = 64;
export const PATH_VALUES_MAX = 10_000;

/** An event for a function is part of the delivery's own commit up to this size; larger ones are handed over by a call of their own. */
export const LAMBDA_INLINE_BYTES_MAX = 131_072;
/** How long a connection is seen to be authorizing. */
export const AUTHORIZE_MS_MIN = 2_000;
