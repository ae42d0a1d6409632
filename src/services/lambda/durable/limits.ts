/** "Lambda quotas" and "DurableConfig" in the AWS Lambda Developer Guide. */

/** Input, and result of a synchronous invocation. */
export const SYNC_RESULT_BYTES_MAX = 6_291_456;
/** Result of an asynchronous or chained execution, and payload of any operation. */
export const OPERATION_PAYLOAD_BYTES_MAX = 1_048_576;
/** Operations of one execution. */
export const OPERATIONS_MAX = 3000;
/** What one execution may write in all. */
export const STORAGE_BYTES_MAX = 104_857_600;
export const RETENTION_DAYS_DEFAULT = 14;
/** Longer executions cannot be invoked synchronously. */
export const SYNC_EXECUTION_SECONDS_MAX = 900;
/** A pause may stop the execution timeout, yet no execution lasts longer. */
export const EXECUTION_SECONDS_MAX = 31_622_400;

export const PAGE_ITEMS_DEFAULT = 100;
/** Bytes of operations in one page: of an invocation's payload, and of GetDurableExecutionState. */
export const PAGE_BYTES_MAX = 4_500_000;

/** Failed invocations in a row after which the execution fails, with the pause before the next (doubling). */
export const FAILED_INVOCATIONS_MAX = 5;
export const INVOCATION_RETRY_MS = 1000;
/** `PENDING` with nothing to wait for, in a row. */
export const INVALID_PENDING_MAX = 3;
/** While throttled: doubling up to this. */
export const THROTTLED_BACKOFF_MS_MAX = 60_000;
/** How long a client token is known. */
export const CLIENT_TOKEN_MS = 15 * 60_000;

/** Runs, timers and chained invocations of this process under way at once. */
export const RUN_CONCURRENCY = 256;
export const TIMER_CONCURRENCY = 64;
export const CHAINED_CONCURRENCY = 256;

/** Texts above this are kept apart from the row that names them, in pieces. */
export const INLINE_BYTES_MAX = 4096;
export const PIECE_BYTES = 1_000_000;
/** Rows deleted in one transaction. */
export const DELETE_ROWS = 500;
/** Synchronous callers look at the execution this often, beside being told. */
export const WAIT_LOOK_MS = 5000;
export const DAY_MS = 86_400_000;
