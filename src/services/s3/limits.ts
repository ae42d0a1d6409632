/** "Amazon S3 endpoints and quotas", "Amazon S3 multipart upload limits", "Bucket naming rules", "Object tags". */

export const KEY_BYTES_LIMIT = 1024;
/** One PUT, one part, one copy. */
export const UPLOAD_BYTES_MAX = 5 * 1024 ** 3;
export const PART_BYTES_MIN = 5 * 1024 ** 2;
export const PART_NUMBER_MAX = 10_000;
/** All `x-amz-meta-` names and values of an object, in UTF-8. */
export const METADATA_BYTES_MAX = 2048;
export const OBJECT_TAGS_MAX = 10;
export const BUCKET_TAGS_MAX = 50;
export const TAG_KEY_MAX = 128;
export const TAG_VALUE_MAX = 256;
/** Keys, versions, uploads or parts in one answer; keys in one DeleteObjects. */
export const LIST_MAX = 1000;
export const LIST_BUCKETS_MAX = 10_000;
export const POLICY_BYTES_MAX = 20 * 1024;
/** Largest 32-bit integer, the limit AWS states for `max-keys` and its like. */
export const INT32_MAX = 2 ** 31 - 1;

/** Croft's own: a body up to this many bytes lives in the store, one commit instead of a file, two syncs and a commit. */
export const INLINE_BYTES_MAX = 64 * 1024;
/** Croft's own: an object read while it is replaced is looked up again this often. */
export const READ_ATTEMPTS_MAX = 5;
/** Croft's own: a completion whose parts change under it is tried again this often. */
export const COMPLETE_ATTEMPTS_MAX = 10;
/** Croft's own: rows that one commit of a clean-up removes. */
export const CLEANUP_ROWS = 200;
/** Croft's own: keys deleted at the same time by one DeleteObjects. */
export const DELETE_CONCURRENCY = 32;
/** "Amazon S3 Event Notifications": configurations of a bucket; a filter's value in UTF-8. */
export const NOTIFICATIONS_MAX = 100;
export const FILTER_VALUE_BYTES_MAX = 1024;
/** Croft's own: notifications under way at once, and how long one that cannot be delivered is tried (virtual time). */
export const NOTIFY_CONCURRENCY = 32;
export const NOTIFY_MS_MAX = 24 * 3600 * 1000;
/** "Amazon S3 quotas": inventory, analytics, metrics and Intelligent-Tiering configurations of a bucket, of each kind; and of one answer. */
export const CONFIGURATIONS_MAX = 1000;
export const CONFIGURATIONS_LISTED_MAX = 100;
/** "Configuring a webpage redirect". */
export const ROUTING_RULES_MAX = 50;
/** "POST Object": the fields before the file, together. */
export const FORM_FIELDS_BYTES_MAX = 20 * 1024;
/** Croft's own: the head of one part of a form. */
export const FORM_HEADER_BYTES_MAX = 8 * 1024;
/** "Managing your storage lifecycle": rules of a bucket. */
export const LIFECYCLE_RULES_MAX = 1000;
/** Croft's own: keys whose rules are carried out at the same time, buckets at the same time. */
export const LIFECYCLE_KEYS_AT_ONCE = 32;
export const LIFECYCLE_CONCURRENCY = 2;
