// Paths by which members and keys get access to a workspace, in the access list and in access reviews.

export const accessPaths = [
  "organization_role",
  "workspace_role",
  "group_role",
  "member_key",
  "workspace_key",
  "admin_key",
] as const;
export type AccessPath = (typeof accessPaths)[number];

/** Reasons to remove an access, or to check it. */
export const accessSignals = [
  "never_used",
  "unused_90_days",
  "unused_30_days",
  "never_expires",
  "wide_permission",
] as const;
export type AccessSignal = (typeof accessSignals)[number];
