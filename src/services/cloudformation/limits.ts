/** "Understand CloudFormation quotas" in the CloudFormation User Guide. */
export const TEMPLATE_BODY_BYTES_MAX = 51_200;
export const TEMPLATE_URL_BYTES_MAX = 1_048_576;
export const RESOURCES_MAX = 500;
export const PARAMETERS_MAX = 200;
export const MAPPINGS_MAX = 200;
export const OUTPUTS_MAX = 200;
export const PARAMETER_VALUE_BYTES_MAX = 4_096;
export const TAGS_MAX = 50;
export const STACKS_MAX = 2_000;
export const OUTPUT_VALUE_BYTES_MAX = 4_096;
/** Croft's own bounds on what a template may make the parser and the evaluator do. */
export const TEMPLATE_DEPTH_MAX = 100;
export const TEMPLATE_ALIASES_MAX = 100;
export const EXPANDED_NODES_MAX = 500_000;
export const CIDR_SUBNETS_MAX = 256;
/** Loops within loops: "Fn::ForEach" in the CloudFormation User Guide. */
export const LOOPS_DEPTH_MAX = 5;
/** Snippets that one template includes. */
export const INCLUDES_MAX = 100;
/** Resources of one stack worked on at once. */
export const PARALLEL_RESOURCES_MAX = 8;
/** Stack operations under way at once in one process, at each depth of nesting: some only wait for a function's answer. */
export const PARALLEL_STACKS_MAX = 64;
/** Stacks within stacks. */
export const NESTING_MAX = 8;
/** "Custom resource request objects": without `ServiceTimeout`, and at most. */
export const CUSTOM_TIMEOUT_SECONDS = 3_600;
export const CUSTOM_TIMEOUT_SECONDS_MAX = 3_600;
/** "AWS::CloudFormation::WaitCondition". */
export const WAIT_TIMEOUT_SECONDS_MAX = 43_200;
/** What is kept of answers put to one URL. */
export const ANSWER_BYTES_MAX = 65_536;
export const ANSWERS_MAX = 1_000;
export const PAGE_STACKS = 100;
export const PAGE_EVENTS = 100;
export const PAGE_RESOURCES = 100;
export const PAGE_EXPORTS = 100;
export const CLIENT_TOKEN_MAX = 128;
/** Attempts to delete a resource in an update's clean-up before it is left behind. */
export const CLEANUP_ATTEMPTS_MAX = 3;
/** For one AllowedPattern on one value. */
export const PATTERN_TIMEOUT_MS = 50;
/** Longer templates are read and transformed by a thread of their own: the main thread is for short things. */
export const INLINE_TEMPLATE_BYTES_MAX = 4_096;
/** For reading and transforming one template. */
export const EXPAND_TIMEOUT_MS = 30_000;
