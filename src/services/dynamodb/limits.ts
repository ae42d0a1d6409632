/**
 * Limits of "Service, account, and table quotas in Amazon DynamoDB" and "DynamoDB item sizes and formats".
 * Bytes unless the name says otherwise.
 */
export const ITEM_BYTES_MAX = 400 * 1024;
export const PAGE_BYTES_MAX = 1024 * 1024;
export const PARTITION_KEY_BYTES_MAX = 2048;
export const SORT_KEY_BYTES_MAX = 1024;
export const NESTING_LEVELS_MAX = 32;

export const NUMBER_DIGITS_MAX = 38;
export const NUMBER_EXPONENT_MAX = 125;
export const NUMBER_EXPONENT_MIN = -130;

export const EXPRESSION_BYTES_MAX = 4096;
export const EXPRESSION_OPERATORS_MAX = 300;
/** Parentheses and functions inside each other; AWS bounds it by size and operators alone, we bound the parser's stack too. */
export const EXPRESSION_DEPTH_MAX = 300;
export const EXPRESSION_IN_OPERANDS_MAX = 100;
/** Parentheses, lists and maps inside each other in a PartiQL statement; values themselves stop at 32 levels. */
export const PARTIQL_DEPTH_MAX = 100;
export const STATEMENT_CHARS_MAX = 8192;
export const BATCH_STATEMENTS_MAX = 25;
/** Partitions that one SELECT may name with IN. */
export const PARTIQL_PARTITIONS_MAX = 50;
/** Parsed expressions kept in memory; the parse depends on nothing but the text. */
export const PARSED_EXPRESSIONS_MAX = 2000;

export const BATCH_GET_KEYS_MAX = 100;
export const BATCH_GET_BYTES_MAX = 16 * 1024 * 1024;
export const BATCH_WRITE_REQUESTS_MAX = 25;
export const TRANSACT_ITEMS_MAX = 100;
export const TRANSACT_BYTES_MAX = 4 * 1024 * 1024;
/** A client request token makes a repeated TransactWriteItems answer the same for ten minutes. */
export const TRANSACT_TOKEN_MS = 10 * 60 * 1000;

export const TABLE_NAME_CHARS_MIN = 3;
export const TABLE_NAME_CHARS_MAX = 255;
export const LOCAL_INDEXES_MAX = 5;
export const GLOBAL_INDEXES_MAX = 20;
export const PROJECTED_ATTRIBUTES_MAX = 100;
export const THROUGHPUT_UNITS_MAX = 1_000_000_000_000;
export const LIST_TABLES_MAX = 100;
export const TAGS_MAX = 50;
export const TAG_KEY_CHARS_MAX = 128;
export const TAG_VALUE_CHARS_MAX = 256;
export const SCAN_SEGMENTS_MAX = 1_000_000;

export const READ_UNIT_BYTES = 4096;
export const WRITE_UNIT_BYTES = 1024;

/** Rows that one background step deletes or copies: a few milliseconds of work. */
export const PURGE_ROWS_PER_STEP = 500;
export const BACKFILL_ROWS_PER_STEP = 100;
/** Rows asked of the store at once by Query and Scan. */
export const READ_ROWS_PER_STEP = 500;
/** Bytes of items read before the event loop gets a turn: about two milliseconds of parsing. */
export const BREATH_BYTES = 256 * 1024;
/** How often a write starts again because the table changed under it. */
export const TABLE_CHANGE_RETRIES_MAX = 8;
/** Table descriptions kept in memory. */
export const CACHED_TABLES_MAX = 10_000;

/** "DynamoDB Streams Limits", "Change data capture for DynamoDB Streams". */
export const STREAM_RETENTION_MS = 24 * 60 * 60 * 1000;
export const SHARD_ITERATOR_MS = 15 * 60 * 1000;
export const STREAM_RECORDS_MAX = 1000;
export const STREAM_PAGE_BYTES_MAX = 1024 * 1024;
export const STREAMS_LISTED_MAX = 100;
/** A record larger than a store value is cut into pieces of this size. */
export const STREAM_PIECE_BYTES_MAX = 1024 * 1024;
/** Records trimmed in one commit, and how long trims wait for each other. */
export const TRIM_ROWS_PER_STEP = 500;
export const TRIM_EVERY_MS = 5 * 60 * 1000;

/** "Using time to live (TTL) in DynamoDB": what expired more than five years ago stays. */
export const EXPIRY_AGE_S_MAX = 5 * 365 * 24 * 60 * 60;
/** Items that expire within so long of each other are removed together. */
export const EXPIRY_EVERY_MS = 60 * 1000;
/** Expired items removed in one commit, which ends early once their bytes are {@link BREATH_BYTES}. */
export const EXPIRED_ITEMS_PER_STEP = 50;

export const RECOVERY_DAYS_MAX = 35;

/** Rows whose JSON is longer are deflated: a store value is at most 2 MB. */
export const ROW_JSON_BYTES_MAX = 1024 * 1024;
