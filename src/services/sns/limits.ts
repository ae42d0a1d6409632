/** "Amazon SNS endpoints and quotas" in the AWS General Reference, and the limits that the Amazon SNS Developer Guide names. */

export const TOPIC_NAME_CHARS_MAX = 256;
export const TOPICS_MAX = 100_000;
export const FIFO_TOPICS_MAX = 1_000;
/** A standard topic's; a FIFO topic's. */
export const SUBSCRIPTIONS_MAX = 12_500_000;
export const FIFO_SUBSCRIPTIONS_MAX = 100;
/** Body and attributes, one message or a whole batch: "Amazon SNS message publishing". */
export const MESSAGE_BYTES_MAX = 262_144;
export const BATCH_ENTRIES_MAX = 10;
export const BATCH_ENTRY_ID_CHARS_MAX = 80;
export const SUBJECT_CHARS_MAX = 100;
export const SMS_CHARS_MAX = 1_600;
export const ATTRIBUTE_NAME_BYTES_MAX = 256;
export const DISPLAY_NAME_CHARS_MAX = 100;
export const POLICY_BYTES_MAX = 30_720;
/** Raw delivery to SQS carries attributes on the queue's message, which has room for ten. */
export const RAW_ATTRIBUTES_MAX = 10;
export const DEDUPLICATION_MS = 300_000;
export const IDENTIFIER_CHARS_MAX = 128;
export const FILTER_POLICY_BYTES_MAX = 262_144;
export const FILTER_KEYS_MAX = 5;
export const FILTER_COMBINATIONS_MAX = 150;
/** Levels of a message's body that a filter policy looks into. */
export const FILTER_DEPTH_MAX = 200;
export const TAGS_MAX = 50;
export const TAG_KEY_CHARS_MAX = 128;
export const TAG_VALUE_CHARS_MAX = 256;
export const PAGE_SIZE = 100;
export const TOKEN_MS = 3 * 86_400_000;
export const PLATFORM_NAME_CHARS_MAX = 256;
export const CUSTOM_USER_DATA_BYTES_MAX = 2_048;
export const ARCHIVE_DAYS_MAX = 365;
export const DATA_PROTECTION_POLICY_CHARS_MAX = 30_720;

/** GetTopicAttributes counts a subscription after this, and looks at so many for it: AWS's counts lag, as recorded. */
export const COUNTED_MS = 300_000;
export const RECENT_MAX = 1_000;

/** Fan-outs under way at once, and HTTP requests. */
export const FANOUT_CONCURRENCY = 64;
export const HTTP_CONCURRENCY = 64;
export const REPLAY_CONCURRENCY = 8;
/** Subscriptions handled in one commit of a fan-out, and characters of messages written in it. */
export const SUBSCRIPTIONS_PER_COMMIT = 100;
export const CHARS_PER_COMMIT = 1_048_576;
/** FIFO messages of one group that one delivery hands on before it lets others have a turn. */
export const FIFO_MESSAGES_PER_DELIVERY = 50;
/** Archived messages that one delivery of a replay hands on. */
export const REPLAYED_PER_DELIVERY = 50;
/** An endpoint has this long to answer: "Fanout to HTTP/S endpoints". */
export const HTTP_TIMEOUT_MS = 15_000;
/** All retries of an HTTP delivery end after this; "Amazon SNS message delivery retries". */
export const HTTP_RETRY_MS_MAX = 3_600_000;
export const HTTP_RETRIES_MAX = 100;
/** Answers are read this far, so that the connection can be used again. */
export const HTTP_ANSWER_BYTES_MAX = 65_536;
/** Email, SMS, push and Firehose messages kept to be read, an account, region and kind: the newest. */
export const RECORDED_MESSAGES_MAX = 1_000;
/** Rows removed in one commit when a topic is deleted, and old deduplication ids in one publish. */
export const ROWS_PER_COMMIT = 200;
export const FORGOTTEN_PER_PUBLISH = 24;
/** Certificates outlive whoever checks them. */
export const CERTIFICATE_DAYS = 3_650;
