import type { KeyPermission } from "@bursar/contract/permissions.ts";
import type { Database, Tx } from "#src/db/pool.ts";

/** A workspace key as authentication needs it. Disabled, archived and expired ones are found too, so that a 401 can say which. */
export interface FoundKey {
  id: string;
  organizationId: string;
  workspaceId: string;
  permission: KeyPermission;
  status: "active" | "inactive" | "archived";
  /** Milliseconds since the epoch on the database's clock, or null: never. */
  expiresAtMs: number | null;
  isWorkspaceArchived: boolean;
}

/** The key whose secret has this SHA-256, or null. */
export async function findApiKeyByHash(
  db: Database | Tx,
  secretHash: Uint8Array,
): Promise<FoundKey | null> {
  const row = await db
    .selectFrom("api_key")
    .innerJoin("workspace", "workspace.id", "api_key.workspace_id")
    .select([
      "api_key.id",
      "api_key.organization_id",
      "api_key.workspace_id",
      "api_key.permission",
      "api_key.status",
      "api_key.expires_at",
      "workspace.archived_at",
    ])
    .where("api_key.secret_hash", "=", secretHash)
    .executeTakeFirst();
  if (!row) return null;
  return {
    id: row.id,
    organizationId: row.organization_id,
    workspaceId: row.workspace_id,
    permission: row.permission,
    status: row.status,
    expiresAtMs: row.expires_at?.getTime() ?? null,
    isWorkspaceArchived: row.archived_at !== null,
  };
}
