import type { Rank, WorkspaceRole } from "@bursar/contract/permissions.ts";
import type { ColumnType, Generated } from "kysely";

// Rows of 0048_groups.sql and 0059_signed_people_rules.sql: groups of members, the roles in workspaces that they
// give, and rules of workspaces for personal keys.

export interface GroupTables {
  member_group: MemberGroupTable;
  group_member: GroupMemberTable;
  group_workspace: GroupWorkspaceTable;
  personal_key_rules: PersonalKeyRulesTable;
  invite_group: { invite_id: string; group_id: string };
  /** View: roles given directly or through a group. */
  given_workspace_role: GivenWorkspaceRoleView;
}

type Created = ColumnType<Date, Date | undefined, never>;

/** List of models of one rank. `set_at` is ISO 8601. */
interface StoredModelList {
  allowed_models: string[];
  set_by_type: string;
  set_by_id: string;
  set_at: string;
}

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
  /** Lists by rank. Null: `allowed_models` is a list of the rank `admin`. */
  model_lists: ColumnType<
    Partial<Record<Rank, StoredModelList>> | null,
    string | null | undefined,
    string | null
  >;
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

/** Rules for keys that members create for themselves. A workspace without a row lets none. */
interface PersonalKeyRulesTable {
  workspace_id: string;
  personal_keys: "off" | "members" | "everyone";
  personal_key_models: string[] | null;
  personal_key_lifetime_days: number | null;
  personal_keys_per_member: number | null;
  mac: Generated<Uint8Array | null>;
}

interface GivenWorkspaceRoleView {
  workspace_id: string;
  member_id: string;
  role: Exclude<WorkspaceRole, "workspace_billing">;
  /** Null: given directly. */
  group_id: string | null;
}
