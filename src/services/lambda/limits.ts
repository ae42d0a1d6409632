/** "Lambda quotas" in the AWS Lambda Developer Guide. */

/** A zip that is uploaded with the request. */
export const ZIP_BYTES_MAX = 52_428_800;
export const TOTAL_CODE_BYTES_MAX = 80_530_636_800;
export const UNZIPPED_BYTES_MAX = 262_144_000;
export const FUNCTION_NAME_LENGTH_MAX = 64;
export const MEMORY_MB_MAX = 10_240;
export const MEMORY_MB_DEFAULT = 128;
export const TIMEOUT_SECONDS_MAX = 900;
export const TIMEOUT_SECONDS_DEFAULT = 3;
export const EPHEMERAL_STORAGE_MB_DEFAULT = 512;
/** Names and values of all environment variables, as JSON. */
export const ENVIRONMENT_BYTES_MAX = 4096;
export const TAGS_MAX = 50;
export const SYNC_PAYLOAD_BYTES_MAX = 6_291_456;
export const ASYNC_PAYLOAD_BYTES_MAX = 1_048_576;
/** The deprecated InvokeAsync. */
export const INVOKE_ASYNC_BYTES_MAX = 262_144;
export const CONCURRENT_EXECUTIONS = 1000;
export const UNRESERVED_CONCURRENCY_MIN = 100;
/** "Understanding function scaling": new execution environments of a function in ten seconds. */
export const SCALING_ENVIRONMENTS_MAX = 1000;
export const SCALING_SECONDS = 10;
/** "Lambda quotas": requests per second for each unit of a function's, or the account's, concurrency. */
export const REQUESTS_PER_CONCURRENCY = 10;
/** Functions whose rates are remembered; past it all begin anew. */
export const RATES_MAX = 10_000;
/** What a throttled caller is told to wait where nothing better is known. */
export const RETRY_AFTER_SECONDS = 1;
/** Provisioning begins this long after it was asked: who looks at once meets AWS's IN_PROGRESS here too. */
export const PROVISION_DELAY_MS = 150;
/** How long the environments of a version that an alias left stay for those of its new one. */
export const PROVISION_MOVE_MS_MAX = 60_000;
export const PROVISION_LOOK_MS = 50;
/** Versions with SnapStart that are being initialised at once; and how many inits run beside each other. */
export const SNAPSHOTS_MAX = 100;
export const SNAPSHOT_CONCURRENCY = 4;
/** Uploads between two sums of an account's code; and the part of the limit from which each is summed. */
export const CODE_CHECKS_MAX = 1000;
export const CODE_SURE_SHARE = 0.5;
export const LIST_ITEMS_MAX = 50;
export const POLICY_BYTES_MAX = 20_480;
export const LAYERS_MAX = 5;
/** Layer versions in one page of a layer's list, and layers in one page of theirs. */
export const LAYER_ITEMS_MAX = 50;

/** LocalStack's convention: the key is the absolute path of a directory, which is the code as long as it stands. */
export const HOT_RELOAD_BUCKET = 'hot-reload';
export const HOT_RELOAD_SHA256 = 'hot-reloading-hash-not-available';
/** Files of such a directory that are looked at before each invocation, and how long a look is good for. */
export const HOT_FILES_MAX = 5000;
export const HOT_FRESH_MS = 5;
/** Directories that are watched, so that what is saved is started before it is called. */
export const HOT_WATCHERS_MAX = 64;

/** An update is in progress for at least this long: who sends the next one without waiting meets AWS's conflict here too. */
export const UPDATE_MS_MIN = 100;

/** Asynchronous invocations: two retries, one and two minutes later; throttles go on for six hours. */
export const ASYNC_RETRY_DELAYS_MS = [60_000, 120_000] as const;
export const ASYNC_AGE_MS_MAX = 6 * 3_600_000;
export const ASYNC_BACKOFF_MS_MAX = 5 * 60_000;
/** Asynchronous invocations of this process under way at once. */
export const ASYNC_CONCURRENCY = 64;
/** "Adding a dead-letter queue": so much of an error's message goes along. */
export const DEAD_LETTER_MESSAGE_BYTES_MAX = 1024;
/** Records on their way to destinations and dead-letter queues at once. */
export const DESTINATION_CONCURRENCY = 32;
/** Events above this size are kept as a blob, the delivery names it. */
export const ASYNC_INLINE_BYTES_MAX = 131_072;

/** Records for destinations and dead-letter queues above this size are kept as a blob, the delivery names it. */
export const DESTINATION_INLINE_BYTES_MAX = 131_072;
/** "Use Lambda recursive loop detection": runs of one function in one trace, after which it is not invoked again. */
export const RECURSION_HOPS_MAX = 16;
/** Functions that one trace remembers. */
export const RECURSION_LINEAGE_MAX = 32;

/** Payloads up to this are parsed at once; longer ones in slices, so that the event loop is never held. */
export const PARSE_AT_ONCE_BYTES_MAX = 131_072;
/** How long an invocation waits for a function that is still being created. */
export const PENDING_WAIT_MS_MAX = 15_000;
export const PENDING_LOOK_MS = 50;

/** Log events reach CloudWatch Logs within this time. */
export const LOG_FLUSH_MS = 100;
/** "PutLogEvents": bytes (with 26 an event) and events of one batch. */
export const LOG_BATCH_BYTES_MAX = 1_048_576;
export const LOG_BATCH_EVENTS_MAX = 10_000;
export const LOG_EVENT_OVERHEAD_BYTES = 26;
/** Times that one batch is tried before it is given up, and said so. */
export const LOG_ATTEMPTS_MAX = 5;
export const LOG_RETRY_MS = 500;

/** Role credentials are renewed this long before they end. */
export const CREDENTIALS_MARGIN_MS = 15 * 60_000;
/** Roles whose credentials are kept. */
export const CREDENTIALS_MAX = 10_000;
/** "AssumeRole": a session is named after its function, whose name may be shorter. */
export const SESSION_NAME_LENGTH_MIN = 2;
/** GetFunction's download link is valid this long. */
export const CODE_LINK_MS = 600_000;
