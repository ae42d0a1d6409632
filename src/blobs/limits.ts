/** Bytes gathered before one write call: few calls for a large body, and at most two batches in memory for one writer. */
export const WRITE_BATCH_BYTES = 256 * 1024;

/** Bytes a reader takes from the file at once. */
export const READ_CHUNK_BYTES = 256 * 1024;

/** Files looked at together in a sweep. */
export const SWEEP_BATCH = 64;

/** Streamed bytes between two collections of the young generation: what dead buffers may hold. */
export const COLLECT_EVERY_BYTES = 8 * 1024 * 1024;
