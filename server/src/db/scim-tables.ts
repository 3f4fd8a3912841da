import type { ColumnType, Generated, JSONColumnType } from "kysely";

// Rows of 0053_scim.sql and 0057_scim_groups.sql: tokens of directories, and the users and members of groups that directories
// provide.

export interface ScimTables {
  scim_token: ScimTokenTable;
  scim_user: ScimUserTable;
  scim_group_member: ScimGroupMemberTable;
}

interface ScimTokenTable {
  id: string;
  organization_id: string;
  directory_id: string;
  secret_hash: Uint8Array;
  partial_token_hint: string;
  created_by_type: string;
  created_by_id: string;
  created_at: ColumnType<Date, Date, never>;
  valid_until: Date | null;
  revoked_at: Date | null;
  last_used_at: Generated<Date | null>;
  mac: Generated<Uint8Array | null>;
}

/** Names and addresses of a user, as its directory sends them. */
export interface ScimAttributes {
  displayName?: string | undefined;
  name?:
    | {
        formatted?: string | undefined;
        givenName?: string | undefined;
        familyName?: string | undefined;
      }
    | undefined;
  emails?:
    | {
        value: string;
        type?: string | undefined;
        primary?: boolean | undefined;
      }[]
    | undefined;
}

interface ScimUserTable {
  directory_id: string;
  member_id: string;
  user_name: string;
  external_id: string | null;
  attributes: JSONColumnType<ScimAttributes>;
  is_creator: boolean;
  is_suspended: boolean;
  deleted_at: Date | null;
  created_at: ColumnType<Date, Date, never>;
  updated_at: Date;
}

/** A member of a group as its directory lists it, also one who is not active. */
interface ScimGroupMemberTable {
  group_id: string;
  member_id: string;
  created_at: ColumnType<Date, Date, never>;
  mac: Generated<Uint8Array | null>;
}
