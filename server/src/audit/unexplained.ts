import type { Database } from "#src/db/pool.ts";
import type { SignedTable } from "#src/signed-rows/row-content.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";
import { listUnsignedRows } from "#src/signed-rows/unsigned-rows.ts";
import {
  listUnexplainedGroupRoles,
  listUnexplainedKeys,
  listUnexplainedLimits,
  listUnexplainedMembers,
  listUnexplainedMemberships,
  listUnexplainedRoles,
  type UnexplainedRow,
} from "./unexplained.sql.ts";

/** A key, role, session or limit that the log does not explain. */
export interface Unexplained extends Omit<UnexplainedRow, "type" | "reason"> {
  type:
    | UnexplainedRow["type"]
    | "group"
    | "scim_token"
    | "personal_key_rules"
    | "managed_settings"
    | "session";
  /** `unsigned`: this server did not write the row. */
  reason: UnexplainedRow["reason"] | "unsigned";
}

/** Most rows in a verification. */
export const MAX_UNEXPLAINED = 100;

const typeOf: Readonly<Record<SignedTable, Unexplained["type"]>> = {
  api_key: "api_key",
  api_key_secret: "api_key",
  admin_key: "admin_key",
  member: "member",
  workspace_member: "workspace_member",
  member_group: "group",
  group_member: "group_member",
  group_workspace: "group_workspace",
  scim_group_member: "group_member",
  scim_token: "scim_token",
  personal_key_rules: "personal_key_rules",
  managed_settings_version: "managed_settings",
  auth_session: "session",
};

/** Compares the keys, roles and limits of an organization with its log, and checks their signatures. */
export async function listUnexplained(
  deps: { database: Database; rows: RowSigner },
  organizationId: string,
): Promise<Unexplained[]> {
  const page = { organizationId, limit: MAX_UNEXPLAINED };
  const unsigned = (await listUnsignedRows(deps, page)).map(({ table, id, workspaceId }) => ({
    ...{ type: typeOf[table], id, workspaceId },
    ...{ reason: "unsigned" as const, logged: null, stored: null },
  }));
  const found: Unexplained[] = [
    ...unsigned,
    ...(await listUnexplainedKeys(deps.database, page)),
    ...(await listUnexplainedMembers(deps.database, page)),
    ...(await listUnexplainedRoles(deps.database, page)),
    ...(await listUnexplainedMemberships(deps.database, page)),
    ...(await listUnexplainedGroupRoles(deps.database, page)),
    ...(await listUnexplainedLimits(deps.database, page)),
  ];
  return found.slice(0, MAX_UNEXPLAINED);
}
