import type { KeyPermission } from "@bursar/contract/permissions.ts";

/** Who is acting, found by authentication. Every read and write goes through `organizationId`. */
export type Caller = AdminKeyCaller | WorkspaceKeyCaller | LocalOperator;

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

/** Where a call came from, for the audit log. */
export interface Origin {
  requestId: string;
  ipAddress: string | null;
  userAgent: string | null;
}
