/** "Quotas for Amazon EventBridge Scheduler" and its API reference. */

export const LIST_DEFAULT = 100;
export const TAGS_MAX = 50;
/** A schedule's start may lie this far back. */
export const START_BEFORE_MS_MAX = 300_000;
/** A one-time schedule of the minute that has just begun is still run. */
export const AT_LATE_MS_MAX = 60_000;
/** What EventBridge Scheduler hands to a target at most. */
export const INPUT_CHARS_MAX = 262_144;

/** A target's RetryPolicy where it states none. */
export const RETRY_ATTEMPTS_DEFAULT = 185;
export const EVENT_AGE_SECONDS_DEFAULT = 86_400;
export const BACKOFF_MS_MIN = 1_000;
export const BACKOFF_MS_MAX = 600_000;

/** Deliveries under way at once. */
export const FIRE_CONCURRENCY = 32;
export const INVOKE_CONCURRENCY = 64;
/** Schedules of a deleted group that one commit removes. */
export const PURGE_PAGE = 100;
/** An event for a function is part of the delivery's own commit up to this size. */
export const LAMBDA_INLINE_BYTES_MAX = 131_072;
/** How deep the input of a universal target nests. */
export const INPUT_DEPTH_MAX = 64;
