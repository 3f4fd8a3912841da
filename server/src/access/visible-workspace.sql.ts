import type { Database, Tx } from "#src/db/pool.ts";

/** State of a workspace for other rooms. */
export interface WorkspaceState {
  id: string;
  name: string;
  isArchived: boolean;
}

/**
 * Finds a workspace of the organization, or null. With `isForUpdate` its row is locked until the transaction ends, so
 * that it cannot be archived concurrently.
 */
export async function findWorkspaceState(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string },
  isForUpdate = false,
): Promise<WorkspaceState | null> {
  const query = db
    .selectFrom("workspace")
    .select(["id", "name", "archived_at"])
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.workspaceId);
  const row = await (isForUpdate ? query.forNoKeyUpdate() : query).executeTakeFirst();
  return row ? { id: row.id, name: row.name, isArchived: row.archived_at !== null } : null;
}

/** Facts that decide whether a caller can see a key. */
export interface ApiKeyPlace {
  workspace_id: string;
  owner_member_id: string | null;
}

/** Finds workspace and owner of the organization's key, or null. */
export async function findApiKeyPlace(
  db: Database | Tx,
  of: { organizationId: string; apiKeyId: string },
): Promise<ApiKeyPlace | null> {
  const row = await db
    .selectFrom("api_key")
    .select(["workspace_id", "owner_member_id"])
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.apiKeyId)
    .executeTakeFirst();
  return row ?? null;
}
