/** "Quotas for Application Auto Scaling". */
export const TARGETS_MAX = 5000;
export const POLICIES_MAX = 50;
export const SCHEDULED_ACTIONS_MAX = 200;
export const TAGS_MAX = 50;
/** Results of one page; of policies 10. */
export const RESULTS_MAX = 50;
export const POLICY_RESULTS_MAX = 10;
/** Activities that a target keeps. */
export const ACTIVITIES_MAX = 100;
/** How often a target with a target tracking policy is looked at; AWS's alarms have periods of a minute. */
export const EVALUATE_EVERY_MS = 60_000;
/** Samples above the target before capacity is added, and below nine tenths of it before some is taken away. */
export const SCALE_OUT_SAMPLES = 3;
export const SCALE_IN_SAMPLES = 15;
export const SCALE_IN_SHARE = 0.9;
/** Deliveries under way at once. */
export const CONCURRENCY = 8;
