// How somebody or something comes to reach a workspace: the words of the list of access and of its reviews.

export const accessPaths = [
  "organization_role",
  "workspace_role",
  "member_key",
  "workspace_key",
  "admin_key",
] as const;
export type AccessPath = (typeof accessPaths)[number];

/** What speaks for taking the access away, or for looking twice. */
export const accessSignals = [
  "never_used",
  "unused_90_days",
  "unused_30_days",
  "never_expires",
  "wide_permission",
] as const;
export type AccessSignal = (typeof accessSignals)[number];
