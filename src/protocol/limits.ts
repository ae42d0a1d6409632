/** Levels of structures, lists and maps in a body; DynamoDB's own limit of 32 levels of items takes 2 of these each. */
export const BODY_DEPTH_MAX = 256;
/** Levels of elements in an XML body. */
export const XML_DEPTH_MAX = 64;
/** Attributes of one XML element. */
export const XML_ATTRIBUTES_MAX = 256;
/** Parameters of one query-protocol body. */
export const QUERY_PARAMETERS_MAX = 100_000;
/** Bytes that a gzip-compressed request body may inflate to; PutMetricData's own limit is 1 MB. */
export const INFLATED_BODY_BYTES_MAX = 8 * 1024 * 1024;
/** Failures that AWS lists in one message. */
export const FAILURES_MAX = 10;
/** Characters of a value against which a pattern is run that both looks around and repeats; a longer value passes it, and fails by its length. */
export const PATTERN_INPUT_MAX = 512;
/** Bytes of one event-stream frame: 16 MiB payload and 128 KiB headers. */
export const EVENT_PAYLOAD_BYTES_MAX = 16 * 1024 * 1024;
