/** Issues that someone should resolve. A key with one of them needs attention. */
export const attentionIssues = [
  "expires_within_14_days",
  "unused_90_days",
  "older_than_180_days",
  "exceeds_max_lifetime",
] as const;
export type AttentionIssue = (typeof attentionIssues)[number];

/**
 * Issues of working keys, in the counts of key hygiene and in a filter of the key list. Issues beyond
 * `attentionIssues` are choices that a company can make, such as a limit of the workspace alone.
 */
export const keyIssues = [
  ...attentionIssues,
  "never_expires",
  "no_spend_limit",
  "wide_permission",
  "no_owner",
] as const;
export type KeyIssue = (typeof keyIssues)[number];
