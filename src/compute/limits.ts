/** "Lambda quotas" and "Understanding the Lambda execution environment lifecycle". */

/** The init phase; past it, init runs again under the function's own timeout. */
export const INIT_TIMEOUT_MS = 10_000;
/** A synchronous answer: 6 MB plus the envelope that AWS allows for. */
export const RESPONSE_BYTES_MAX = 6_291_556;
/** One event of CloudWatch Logs. */
export const LOG_EVENT_BYTES_MAX = 262_118;
/** What `LogType=Tail` returns. */
export const LOG_TAIL_BYTES_MAX = 4096;
/** The unpacked code of a function, layers included. */
export const UNZIPPED_BYTES_MAX = 262_144_000;
/** Entries of one zip: far above any package, so that a hostile directory stays bounded. */
export const ZIP_ENTRIES_MAX = 200_000;

/** Zips up to this are unpacked on the main thread: it takes less than starting another. */
export const UNPACK_HERE_BYTES_MAX = 131_072;

/** Execution environments of this process. */
export const ENVIRONMENTS_MAX = 500;
/** Runtimes being started at once: more would only slow each other down. */
export const STARTING_MAX = 8;
/** Invocations waiting for an environment. */
export const WAITING_MAX = 1000;
/** How long one waits before it is throttled. */
export const WAITING_MS_MAX = 10_000;
/** An idle environment ends after this: longer than the five minutes between keep-warm pings. */
export const IDLE_MS_DEFAULT = 7 * 60_000;
/** How often idle environments are looked for, at most and at least. */
export const REAP_EVERY_MS_MAX = 15_000;
export const REAP_EVERY_MS_MIN = 50;
/** Memory of all execution environments together, where nothing else is configured. */
export const MEMORY_BUDGET_MB_DEFAULT = 4096;
/** Log bytes that a sink may hold before its function is made to wait. */
export const LOG_BACKLOG_BYTES_MAX = 4 * 1024 * 1024;
/** Turns of the event loop that the end of an invocation waits for log output that is already in the pipe. */
export const LOG_DRAIN_TURNS_MAX = 64;
/** How long an invocation waits for an environment that has answered and not yet asked for another event. */
export const FINISHING_MS_MAX = 100;

/** Extensions of one environment, external and internal; "Lambda Extensions API". */
export const EXTENSIONS_MAX = 10;
/** The shutdown phase with external extensions, and with internal ones only. */
export const SHUTDOWN_EXTERNAL_MS = 2000;
export const SHUTDOWN_INTERNAL_MS = 500;
/** Of that, what the runtime has to end after SIGTERM. */
export const SHUTDOWN_RUNTIME_SHARE = 0.3;
/** Bodies of requests to the Extensions and Telemetry APIs. */
export const PLATFORM_REQUEST_BYTES_MAX = 65_536;
/** "Lambda Telemetry API": the buffer of one subscription. */
export const TELEMETRY_BUFFER = {
  timeoutMs: { least: 25, most: 30_000, usual: 1000 },
  maxBytes: { least: 262_144, most: 1_048_576, usual: 262_144 },
  maxItems: { least: 1000, most: 10_000, usual: 10_000 },
} as const;
/** Events kept for extensions that subscribe later in the init phase. */
export const TELEMETRY_EARLY_EVENTS_MAX = 1000;
/** Batches that wait for a subscriber; past that, events are dropped and said to be. */
export const TELEMETRY_BATCHES_MAX = 2;
/** How often and how long a batch is tried, and the first pause between (doubled each time). */
export const TELEMETRY_ATTEMPTS_MAX = 6;
export const TELEMETRY_RETRY_MS = 50;
export const TELEMETRY_SEND_MS_MAX = 5000;
/** Of the memory budget and of {@link ENVIRONMENTS_MAX}, what provisioned environments may take: the rest is for calls on demand. */
export const PROVISIONED_SHARE_MAX = 0.75;
/** "Configuring provisioned concurrency": times that an init is tried before the allocation is FAILED, as AWS's logs show. */
export const PROVISIONED_ATTEMPTS_MAX = 6;
export const PROVISIONED_RETRY_MS = 250;
/** Provisioned environments with old credentials are replaced in so many parts. */
export const PROVISIONED_RENEWED_PARTS = 8;
/** "Lambda quotas": an image unpacked; and how many files one may have here. */
export const IMAGE_BYTES_MAX = 10 * 1024 * 1024 * 1024;
export const IMAGE_ENTRIES_MAX = 1_000_000;

/** While a debugger has stopped the program, its timeout is looked at this often. */
export const DEBUG_LOOK_MS = 50;
