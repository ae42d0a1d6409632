/** "AWS Systems Manager endpoints and quotas" (Parameter Store) in the AWS General Reference. */

export const STANDARD_VALUE_BYTES_MAX = 4_096;
export const ADVANCED_VALUE_BYTES_MAX = 8_192;
export const HIERARCHY_LEVELS_MAX = 15;
/** Versions kept of a parameter. */
export const VERSIONS_MAX = 100;
export const LABELS_PER_VERSION_MAX = 10;
export const TAGS_MAX = 50;
export const DESCRIBE_RESULTS_MAX = 50;
export const BY_PATH_RESULTS_MAX = 10;
/** Rows that one page of a listing looks through: it may be short, and go on by its token. */
export const ROWS_PER_PAGE_MAX = 1_000;
/** A pattern of a parameter's is cut off after this: no real one comes near, also on a busy machine. */
export const PATTERN_TIMEOUT_MS = 50;
