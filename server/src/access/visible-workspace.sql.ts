import type { Database, Tx } from "#src/db/pool.ts";
import type { ApiKeyMaker } from "./own-api-key.ts";

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
export interface ApiKeyPlace extends ApiKeyMaker {
  workspace_id: string;
}

/** Where the organization's key stands, or null where there is no such key. */
export async function findApiKeyPlace(
  db: Database | Tx,
  of: { organizationId: string; apiKeyId: string },
): Promise<ApiKeyPlace | null> {
  const row = await db
    .selectFrom("api_key")
    .select(["workspace_id", "created_by_type", "created_by_id"])
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.apiKeyId)
    .executeTakeFirst();
  return row ?? null;
}
