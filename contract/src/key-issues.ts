/** What can be wrong with a key that works: the words of the cards, and of the filter of the list of keys. */
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
