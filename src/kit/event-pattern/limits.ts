/** Ways through nested `$or`: "Using `$or`": patterns that result in over 1,000 rule combinations are refused. */
export const RULES_MAX = 1_000;
/** JSON nesting, in patterns and of what is looked at in events. */
export const DEPTH_MAX = 1_000;
/** Stars, and positions after a star where the input may be at once, in one wildcard pattern; see "Wildcard complexity". */
export const WILDCARD_COMPLEXITY_MAX = 10;
/** Combinations of array elements tried for one rule and event; beyond, the event is taken to match rather than lost. */
export const JOINS_MAX = 200_000;
/** Messages quote this much of the source. */
export const SOURCE_CHARS_MAX = 500;
