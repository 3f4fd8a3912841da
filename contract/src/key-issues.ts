/** Issues of working keys, in the counts of key hygiene and in a filter of the key list. */
export const keyIssues = [
  "never_expires",
  "no_spend_limit",
  "expires_within_14_days",
  "unused_90_days",
  "wide_permission",
  "older_than_180_days",
  "no_owner",
] as const;
export type KeyIssue = (typeof keyIssues)[number];
