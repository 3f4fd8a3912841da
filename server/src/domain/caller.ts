import type {
  KeyPermission,
  OrganizationRole,
  WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import { assert } from "#src/lib/assert.ts";
import type { Claim } from "./claim.ts";

/** Authenticated caller. Every read and write uses its `organizationId`. */
export type Caller = AdminKeyCaller | WorkspaceKeyCaller | LocalOperator | MemberCaller;

export interface AdminKeyCaller {
  kind: "admin_key";
  id: string;
  organizationId: string;
  /** Scopes that limit its rights. Null: all rights of an admin key. */
  scopes: readonly string[] | null;
  /** Addresses and ranges from which it works. Null: all. */
  allowedAddresses: readonly string[] | null;
  /** Milliseconds since the epoch. Null: never. */
  expiresAtMs: number | null;
}

/** Workspace key. Rows of other workspaces do not exist for it. */
export interface WorkspaceKeyCaller {
  kind: "api_key";
  id: string;
  organizationId: string;
  workspaceId: string;
  permission: KeyPermission;
  /** Owner of a personal key. Null: the workspace owns it. */
  ownerMemberId: string | null;
  /** True for a personal key whose owner sees only their own usage. The key sees no other either. */
  seesOwnUsageOnly: boolean;
}

/** User on the server's own machine, through the admin socket. `id` is the numeric user id, or "unknown". */
export interface LocalOperator {
  kind: "local_operator";
  id: string;
  organizationId: string;
}

/** Signed-in member. Roles are current, not those of the sign-in. */
export interface MemberCaller {
  kind: "member";
  id: string;
  organizationId: string;
  role: OrganizationRole;
  /** Roles by workspace id. Excludes roles inherited from the organization's role. */
  workspaceRoles: ReadonlyMap<string, WorkspaceRole>;
  sessionId: string;
  /** True if the organization requires a second factor and the member has none: only `self:*` actions are allowed. */
  isSecondFactorMissing?: boolean;
  /** Time of the last identity confirmation, milliseconds since the epoch, or null. */
  steppedUpAtMs: number | null;
}

/** Source of a call for the audit log, and its claim. */
export interface Origin {
  requestId: string;
  ipAddress: string | null;
  userAgent: string | null;
  /** With a claim, `auditedTransaction` runs the work once for repeated requests. */
  claim?: Claim;
}

/** Creator of an object in the API's terms: a member is a `user`. */
export function toWireMaker(row: { created_by_type: string; created_by_id: string }) {
  const type = row.created_by_type === "member" ? "user" : row.created_by_type;
  return { type, id: row.created_by_id };
}

/** The caller of a route about the member's own account. The table of rights admits only members to these routes. */
export function getMemberCaller({ caller }: { caller: Caller }): MemberCaller {
  assert(caller.kind === "member", "only members can call routes about their own account");
  return caller;
}
