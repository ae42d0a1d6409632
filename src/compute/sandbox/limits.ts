/** Of one execution environment: "Lambda quotas". */
export const PROCESSES_MAX = 1024;
/** AWS gives one vCPU for this much memory: "Configure Lambda function memory". */
export const MEMORY_MB_PER_CPU = 1769;
/** Of CFS bandwidth, where CPU is limited: short, so that a small function's share comes in small pauses. */
export const CPU_PERIOD_US = 20_000;
/** The kernel takes no smaller quota. */
export const CPU_QUOTA_US_MIN = 1_000;
/** Weight of one vCPU. */
export const CPU_SHARES = 1024;
/** An environment that has been idle for this long gets no CPU any more. */
export const FREEZE_AFTER_MS = 75;
/** How long the helper may take to start, and to answer. */
export const HELPER_MS_MAX = 10_000;
/** `/tmp` of an environment that is not a function's yet. */
export const TMP_MB_DEFAULT = 512;
/** User ids of environments, where Croft is root: far above those of people and services, and not those that containers are given. */
export const USER_ID_BASE = 1_000_000_000;
/** User ids of one Croft. */
export const USER_IDS = 65_536;
/** Of how many such ranges one is chosen at random. */
export const USER_ID_RANGES = 15_000;
/** The user inside a user namespace: AWS's `sbx_user1051`. */
export const USER_ID_INSIDE = 993;
/** Where functions find the Runtime API, as on AWS. */
export const RUNTIME_API_PORT = 9001;
/** Sandboxes in which a runtime waits for a function, for each runtime in use. */
export const POOL_SIZE_DEFAULT = 2;
/** As many where they were missed. */
export const POOL_SIZE_MAX = 4;
/** Of all runtimes together: some 10 MB of memory each for Python, 40 MB for Node.js. */
export const POOLED_MAX = 12;
/** How long after a cold start the pool is filled again. */
export const POOL_REFILL_MS = 30;
/** A runtime that no function has started with for this long has no pool any more. */
export const POOL_IDLE_MS = 15 * 60_000;
