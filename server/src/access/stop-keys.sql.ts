import type { Tx } from "#src/db/pool.ts";
import { lockApiKeys, lockUnarchivedKeys } from "./lock-keys.sql.ts";

/** Archives API keys permanently and returns their ids. Keys that are archived already stay unchanged. */
export async function archiveApiKeys(
  tx: Tx,
  of: { organizationId: string; ids: readonly string[]; nowMs: number },
): Promise<string[]> {
  if (of.ids.length === 0) return [];
  await lockApiKeys(tx, of);
  const rows = await tx
    .updateTable("api_key")
    .set({ status: "archived", archived_at: new Date(of.nowMs) })
    .where("organization_id", "=", of.organizationId)
    .where("id", "in", of.ids)
    .where("status", "!=", "archived")
    .returning("id")
    .execute();
  return rows.map(({ id }) => id);
}

/**
 * Archives all keys of a workspace and returns their number. The caller has locked the workspace, so that no other key is
 * created there.
 */
export async function archiveApiKeysOfWorkspace(
  tx: Tx,
  of: { organizationId: string; workspaceId: string; archivedAt: Date },
): Promise<number> {
  await lockUnarchivedKeys(tx, of);
  const { numUpdatedRows } = await tx
    .updateTable("api_key")
    .set({ status: "archived", archived_at: of.archivedAt })
    .where("organization_id", "=", of.organizationId)
    .where("workspace_id", "=", of.workspaceId)
    .where("status", "!=", "archived")
    .where("purpose", "!=", "playground")
    .executeTakeFirst();
  return Number(numUpdatedRows);
}

/** Revokes an admin key of the organization permanently. */
export async function revokeAdminKey(
  tx: Tx,
  of: { organizationId: string; id: string; revokedAt: Date },
): Promise<void> {
  await tx
    .updateTable("admin_key")
    .set({ status: "revoked", revoked_at: of.revokedAt })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}
