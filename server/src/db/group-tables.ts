import type { WorkspaceRole } from "@bursar/contract/permissions.ts";
import type { ColumnType, Generated } from "kysely";

// Rows of 0048_groups.sql: groups of members, and the roles in workspaces that they give.

export interface GroupTables {
  member_group: MemberGroupTable;
  group_member: GroupMemberTable;
  group_workspace: GroupWorkspaceTable;
  invite_group: { invite_id: string; group_id: string };
  /** View: roles given directly or through a group. */
  given_workspace_role: GivenWorkspaceRoleView;
}

type Created = ColumnType<Date, Date | undefined, never>;

/** `scim`: a directory provides the group. */
export type GroupSource = "direct" | "scim";
/** Origin of a membership. A change by one source keeps memberships of the others. */
export type GroupMemberSource = "direct" | "claims" | "scim";

interface MemberGroupTable {
  id: string;
  organization_id: string;
  name: string;
  source: Generated<GroupSource>;
  directory_id: Generated<string | null>;
  external_id: Generated<string | null>;
  /** Null: no restriction. */
  allowed_models: Generated<string[] | null>;
  created_at: Created;
  updated_at: Generated<Date>;
  mac: Generated<Uint8Array | null>;
}

interface GroupMemberTable {
  group_id: string;
  member_id: string;
  source: Generated<GroupMemberSource>;
  created_at: Created;
  mac: Generated<Uint8Array | null>;
}

interface GroupWorkspaceTable {
  group_id: string;
  workspace_id: string;
  role: Exclude<WorkspaceRole, "workspace_billing">;
  mac: Generated<Uint8Array | null>;
}

interface GivenWorkspaceRoleView {
  workspace_id: string;
  member_id: string;
  role: Exclude<WorkspaceRole, "workspace_billing">;
  /** Null: given directly. */
  group_id: string | null;
}
