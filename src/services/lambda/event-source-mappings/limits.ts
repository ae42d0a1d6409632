/** "Lambda quotas", "CreateEventSourceMapping", "Using Lambda with Amazon SQS" and "… with Amazon DynamoDB". */

export const LIST_MAPPINGS_MAX = 100;
export const FILTERS_MAX = 5;
export const FILTER_PATTERN_CHARS_MAX = 4096;
export const SQS_BATCH_DEFAULT = 10;
/** Without a batching window, and for FIFO queues in any case. */
export const SQS_BATCH_PLAIN_MAX = 10;
export const STREAM_BATCH_DEFAULT = 100;
/** Provisioned mode: pollers, each with so many invocations at once. */
export const POLLERS_MIN = 2;
export const MINIMUM_POLLERS_MAX = 200;
export const MAXIMUM_POLLERS_MAX = 2000;
export const MAXIMUM_POLLERS_DEFAULT = 200;
export const POLLER_BATCHES = 10;
export const SQS_CONCURRENCY_MIN = 2;
export const SQS_CONCURRENCY_MAX = 1000;
/** A batch's events, as JSON: an invocation's payload. */
export const BATCH_BYTES_MAX = 6_291_456;
/** What surrounds the records of a batch. */
export const BATCH_OVERHEAD_BYTES = 512;

/** Messages of one ReceiveMessage or DeleteMessageBatch. */
export const SQS_MESSAGES_MAX = 10;
export const SQS_WAIT_SECONDS = 20;
/** Batches of a standard queue's mapping at once: at first, and how many come to them a second while there is more to do, up to. */
export const SQS_BATCHES_FIRST = 5;
export const SQS_BATCHES_PER_SECOND = 5;
export const PROVISIONED_BATCHES_PER_SECOND = 16;
export const SQS_BATCHES_MAX = 1250;
/** What one mapping's batches under way may hold in memory. */
export const SQS_IN_FLIGHT_BYTES_MAX = 64 * 1024 * 1024;

/** After a start, mappings wait for the port to open: looked at so often, and no longer than this. */
export const LISTENING_LOOK_MS = 20;
export const LISTENING_MS_MAX = 10_000;
/** How long a poller that ends for good, or with the process, is waited for; and one that is replaced: a batch under way must end before another begins. */
export const STOP_MS_MAX = 2_000;
export const REPLACE_MS_MAX = 16 * 60_000;

/** Records of one GetRecords, and those read ahead of what is done in one shard. */
export const STREAM_READ_MAX = 1000;
export const STREAM_AHEAD_MAX = 2000;
export const STREAM_AHEAD_BYTES_MAX = 16 * 1024 * 1024;
/** A disabled stream's end, or a reader whose stream cannot be read, is looked at again after this. */
export const STREAM_RETRY_MS = 1_000;
/** A LATEST position is kept as the iterator itself for this long; "GetShardIterator": one is good for 15 minutes. */
export const ITERATOR_MS_MAX = 14 * 60_000;

/** Between tries of a batch that failed; virtual time, doubling. */
export const RETRY_MS_MIN = 500;
export const RETRY_MS_MAX = 30_000;
/** Between tries of an invocation that was throttled, or whose function cannot run; real time, doubling. */
export const THROTTLE_MS_MIN = 100;
export const THROTTLE_MS_MAX = 10_000;
