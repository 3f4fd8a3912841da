import type {
  KeyPermission,
  OrganizationRole,
  WorkspaceRole,
} from "@bursar/contract/permissions.ts";
import type { Claim } from "./claim.ts";

/** Who is acting, found by authentication. Every read and write goes through `organizationId`. */
export type Caller = AdminKeyCaller | WorkspaceKeyCaller | LocalOperator | MemberCaller;

export interface AdminKeyCaller {
  kind: "admin_key";
  id: string;
  organizationId: string;
}

/** `workspaceId` is the whole world of this caller: another workspace's rows do not exist for it. */
export interface WorkspaceKeyCaller {
  kind: "api_key";
  id: string;
  organizationId: string;
  workspaceId: string;
  permission: KeyPermission;
}

/** Somebody on the server's own machine, through the admin socket. `id` is the numeric user id, or "unknown". */
export interface LocalOperator {
  kind: "local_operator";
  id: string;
  organizationId: string;
}

/** A signed-in person. Roles are those of this moment, not those of the sign-in. */
export interface MemberCaller {
  kind: "member";
  id: string;
  organizationId: string;
  role: OrganizationRole;
  /** By workspace id; only what was given there, not what the organization's role brings. */
  workspaceRoles: ReadonlyMap<string, WorkspaceRole>;
  sessionId: string;
  /** When the person last proved again who it is, milliseconds since the epoch, or null. */
  steppedUpAtMs: number | null;
}

/** Where a call came from, for the audit log, and whether it may have come before. */
export interface Origin {
  requestId: string;
  ipAddress: string | null;
  userAgent: string | null;
  /** With it, `auditedTransaction` does the work once however often the request is sent. */
  claim?: Claim;
}

/** The maker of something as the API names it: a member is a `user` there. */
export function toWireMaker(row: { created_by_type: string; created_by_id: string }) {
  const type = row.created_by_type === "member" ? "user" : row.created_by_type;
  return { type, id: row.created_by_id };
}
