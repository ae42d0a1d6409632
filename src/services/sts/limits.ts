/** "IAM and AWS STS quotas" and the API Reference of each operation. */
export const DURATION_SECONDS_MIN = 900;
export const ASSUME_ROLE_SECONDS_DEFAULT = 3_600;
/** A role assumed by a role's own credentials ("role chaining"). */
export const CHAINED_SECONDS_MAX = 3_600;
export const SESSION_SECONDS_DEFAULT = 43_200;
export const SESSION_SECONDS_MAX = 129_600;
/** The root user gets an hour at most. */
export const ROOT_SESSION_SECONDS_MAX = 3_600;
/** Session policies and tags together, packed. */
export const PACKED_POLICY_CHARACTERS_MAX = 2_048;
