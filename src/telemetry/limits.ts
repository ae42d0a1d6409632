/** How often aggregates are written to the store: what a crash can lose of them. */
export const FLUSH_INTERVAL_MS = 1000;
/** Distinct (account, region, service, dimension) sums held between two flushes; past it a flush starts at once. */
export const METER_SUMS_MAX = 10_000;
/** Sums written in one commit. */
export const METERS_PER_COMMIT = 500;
/** Meter quantities are kept as whole millionths, so that `add` can sum them: at most 9.2e12 units an hour. */
export const METER_SCALE = 1_000_000;
/** Meters are kept per hour. */
export const METER_HOUR_MS = 3_600_000;

/** Spans waiting for the next flush; past it new ones are dropped and counted. */
export const SPANS_PENDING_MAX = 20_000;
/** Spans written in one commit. */
export const SPANS_PER_COMMIT = 500;
/** Lineage older than this is deleted. */
export const LINEAGE_AGE_MS_MAX = 24 * 3_600_000;
/** Lineage beyond this many bytes is deleted, oldest first. */
export const LINEAGE_BYTES_MAX = 64 * 1024 * 1024;
/** Spans deleted in one commit. */
export const LINEAGE_TRIM_SPANS = 500;
/** How often old notes of commits are looked for. */
export const NOTES_TRIM_EVERY_MS = 10_000;
/** Rows of notes deleted in one commit. */
export const NOTES_TRIM_ROWS = 200;
/** Spans that one lineage answer holds at most. */
export const LINEAGE_PAGE_SPANS = 1000;

/** Calls that the access ring remembers. */
export const ACCESS_RING_ENTRIES = 1000;
/** Resources of one call that the ring keeps. */
export const ACCESS_RESOURCES_MAX = 25;

/** Bounds of the latency histograms, in seconds. */
export const LATENCY_BUCKETS_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60] as const;
/** Resolution of the event-loop delay monitor. */
export const EVENT_LOOP_RESOLUTION_MS = 10;
