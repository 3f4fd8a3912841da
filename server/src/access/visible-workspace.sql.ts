import type { Database, Tx } from "#src/db/pool.ts";

/** What other nouns need to know of a workspace. */
export interface WorkspaceState {
  id: string;
  name: string;
  isArchived: boolean;
}

/**
 * The workspace if it is the organization's, else null. With `forChange` its row stays locked until the transaction ends,
 * so that it cannot be archived while something is added to it.
 */
export async function findWorkspaceState(
  db: Database | Tx,
  of: { organizationId: string; workspaceId: string },
  forChange = false,
): Promise<WorkspaceState | null> {
  const query = db
    .selectFrom("workspace")
    .select(["id", "name", "archived_at"])
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.workspaceId);
  const row = await (forChange ? query.forUpdate() : query).executeTakeFirst();
  return row ? { id: row.id, name: row.name, isArchived: row.archived_at !== null } : null;
}

/** What decides who may see a key. */
export interface ApiKeyPlace {
  workspace_id: string;
  owner_member_id: string | null;
}

/** Where the organization's key stands, or null where there is no such key. */
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
