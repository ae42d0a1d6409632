/** "Amazon SQS quotas" (queues, messages, policies) in the Amazon SQS Developer Guide. */

export const QUEUE_NAME_CHARS_MAX = 80;
/** A body with its attributes, one message or a whole batch: 1 MiB since August 2025. */
export const MESSAGE_BYTES_MAX = 1_048_576;
export const BATCH_ENTRIES_MAX = 10;
export const BATCH_ENTRY_ID_CHARS_MAX = 80;
export const RECEIVED_MESSAGES_MAX = 10;
export const WAIT_SECONDS_MAX = 20;
export const DELAY_SECONDS_MAX = 900;
export const VISIBILITY_SECONDS_MAX = 43_200;
export const RETENTION_SECONDS_MIN = 60;
export const RETENTION_SECONDS_MAX = 1_209_600;
/** Standard queues answer `OverLimit`; FIFO queues return nothing more (raised from 20,000 in November 2024). */
export const IN_FLIGHT_MAX = 120_000;
export const MESSAGE_ATTRIBUTES_MAX = 10;
export const ATTRIBUTE_NAME_CHARS_MAX = 256;
export const ATTRIBUTE_TYPE_CHARS_MAX = 256;
export const DEDUPLICATION_MS = 300_000;
/** "SetQueueAttributes": a change takes up to a minute to spread; recorded of DeduplicationScope, the only one that takes it here. */
export const SCOPE_CHANGE_MS = 60_000;
/** Between deleting a queue and making one of the same name. */
export const DELETED_QUEUE_MS = 60_000;
/** Between two purges of a queue. */
export const PURGE_INTERVAL_MS = 60_000;
export const LIST_RESULTS_MAX = 1_000;
export const TAGS_MAX = 50;
export const TAG_KEY_CHARS_MAX = 128;
export const TAG_VALUE_CHARS_MAX = 256;
/** A policy's, and here any attribute's. */
export const POLICY_BYTES_MAX = 8_192;
/** Actions in one statement that AddPermission makes. */
export const PERMISSION_ACTIONS_MAX = 7;
export const MAX_RECEIVE_COUNT_MAX = 1_000;
export const SOURCE_QUEUE_ARNS_MAX = 10;
export const MOVE_RATE_MAX = 500;
export const MOVE_TASKS_LISTED_MAX = 10;
/** A trace header is some 100 characters; what is longer is no trace header. */
export const TRACE_HEADER_BYTES_MAX = 4_096;

/** Messages handled in one commit of a sweep, a purge or a move. */
export const SWEEP_MESSAGES_PER_COMMIT = 100;
/** A move's commit ends after this many characters of bodies. */
export const MOVED_CHARS_PER_COMMIT = 4 * 1024 * 1024;
export const SWEEP_COMMITS_PER_DELIVERY = 20;
/** Expired messages are never seen; sweeping only frees room, so it does not run more often than this. */
export const SWEEP_INTERVAL_MS = 60_000;
/** Groups and messages that a FIFO receive looks at beyond what it was asked for: expired or over-received ones are set aside on the way. */
export const LOOK_AHEAD = 4;
/** Long polls of one queue that try at once when something arrives. */
export const WAITERS_AT_ONCE = 8;
/** Messages that the peek endpoint shows. */
export const PEEK_MESSAGES_MAX = 1_000;
/** What a count of delayed or in-flight messages reads at most; beyond it the figure is approximate, as its name says. */
export const COUNTED_ROWS_MAX = 200_000;
/** Queues whose heads are remembered. */
export const HEADS_MAX = 10_000;
