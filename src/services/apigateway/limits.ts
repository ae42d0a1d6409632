/** "Amazon API Gateway quotas and important notes" in the API Gateway developer guide. */

/** Payload of a request and of an answer. */
export const PAYLOAD_BYTES_MAX = 10 * 1024 * 1024;
/** Body of ImportRestApi and PutRestApi. */
export const IMPORT_BYTES_MAX = 6 * 1024 * 1024;
/** Nesting of an OpenAPI document. */
export const DOCUMENT_DEPTH_MAX = 200;
export const INTEGRATION_TIMEOUT_MS_DEFAULT = 29_000;
export const INTEGRATION_TIMEOUT_MS_MIN = 50;
export const AUTHORIZER_TTL_SECONDS_DEFAULT = 300;
/** All names and values of a request's headers together. */
export const HEADER_BYTES_MAX = 10_240;

export const COMPRESSION_BYTES_MAX = 10_485_760;
export const API_KEY_NAME_MAX = 1_024;
export const API_KEY_VALUE_MIN = 20;
export const API_KEY_VALUE_MAX = 128;
export const API_KEY_DESCRIPTION_MAX = 125_000;
export const RESOURCES_MAX = 300;
export const STAGES_MAX = 10;
export const DOCUMENTATION_PARTS_MAX = 2_000;
export const TAGS_MAX = 50;
export const LIST_LIMIT_DEFAULT = 25;
export const LIST_LIMIT_MAX = 500;

/** A deployment's snapshot is stored in pieces of this size: a value holds at most 2 MiB. */
export const SNAPSHOT_PIECE_BYTES = 1024 * 1024;
/** Compiled deployments kept in memory. */
export const ROUTERS_MAX = 256;
/** Authorizer answers kept in memory. */
export const AUTHORIZER_CACHE_MAX = 1_000;
/** A mapping template and what it makes. */
export const TEMPLATE_BYTES_MAX = 300 * 1024;
/** What a mapping template makes, in characters. */
export const TEMPLATE_OUTPUT_MAX = PAYLOAD_BYTES_MAX;
/** Nesting of a template's blocks, expressions and values. */
export const TEMPLATE_DEPTH_MAX = 64;
/** Rounds of one #foreach. */
export const TEMPLATE_ITERATIONS_MAX = 1_000;
/** Steps of one run, each well below a microsecond: AWS has no such figure; ours keeps a template from holding up everyone. */
export const TEMPLATE_STEPS_MAX = 100_000;
/** Parsed templates kept in memory. */
export const TEMPLATES_MAX = 1_000;
