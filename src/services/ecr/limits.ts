/** "Amazon ECR service quotas". */

/** Parts given through the API; a client of the registry protocol sends a layer in one piece. */
export const PART_BYTES_MIN = 5 * 1024 * 1024;
export const PART_BYTES_MAX = 10 * 1024 * 1024;
export const LAYER_BYTES_MAX = 52_000 * 1024 * 1024;
export const TAGS_MAX = 50;
/** AWS takes 4 MB; a row holds less. */
export const MANIFEST_BYTES_MAX = 1024 * 1024;
/** Entries of a page where the caller names no limit. */
export const PAGE_DEFAULT = 100;
/** A token is good for twelve hours. */
export const TOKEN_MS = 12 * 3_600_000;
