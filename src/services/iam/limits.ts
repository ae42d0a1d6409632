/** "IAM and AWS STS quotas" in the IAM User Guide. Character counts leave white space out. */
export const INLINE_POLICY_CHARACTERS_MAX = { role: 10_240, user: 2_048, group: 5_120 } as const;
export const MANAGED_POLICY_CHARACTERS_MAX = 6_144;
export const TRUST_POLICY_CHARACTERS_MAX = 2_048;
export const ATTACHED_POLICIES_MAX = 10;
export const POLICY_VERSIONS_MAX = 5;
export const ACCESS_KEYS_PER_USER_MAX = 2;
export const GROUPS_PER_USER_MAX = 10;
export const TAGS_MAX = 50;
export const PAGE_ITEMS_DEFAULT = 100;
export const MAX_SESSION_SECONDS_DEFAULT = 3_600;
/** Objects and lists within each other in a policy document; AWS's own documents need five. */
export const POLICY_DEPTH_MAX = 32;
export const ROLE_NAME_MAX = 64;
export const USER_NAME_MAX = 64;
