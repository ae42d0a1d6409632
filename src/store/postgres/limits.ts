/** Connections that commit, each one batch at a time, and connections that read. */
export const WRITERS_MAX = 4;
export const PG_READERS_MAX = 4;

/**
 * Locks that one batch gathers. PostgreSQL keeps 64 × 100 by default for all sessions; a single transaction may take more.
 */
export const BATCH_LOCKS_MAX = 400;

/** Waiting transactions that are looked at for one batch. */
export const BATCH_SCAN_MAX = 4000;

/** How often one batch is begun again: other processes were in the way, or the connection was lost. */
export const BATCH_ATTEMPTS_MAX = 50;
/** How often a lost connection is made again, and the waits in between. */
export const CONNECT_ATTEMPTS_MAX = 8;
export const CONNECT_RETRY_MS = 100;

export const CONNECT_TIMEOUT_MS = 10_000;
export const LOCK_TIMEOUT_MS = 30_000;

/** Parameters and bytes of one statement that writes. */
export const STATEMENT_ROWS_MAX = 1000;
export const STATEMENT_BYTES_MAX = 4 * 1024 * 1024;

export const PRUNE_EVERY_MS = 60_000;
