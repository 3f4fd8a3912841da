import type { Tx } from "#src/db/pool.ts";

/** Archives API keys for good; those that are archived already stay as they are. Gives the ids of those that were not. */
export async function archiveApiKeys(
  tx: Tx,
  of: { ids: readonly string[]; nowMs: number },
): Promise<string[]> {
  if (of.ids.length === 0) return [];
  const rows = await tx
    .updateTable("api_key")
    .set({ status: "archived", archived_at: new Date(of.nowMs) })
    .where("id", "in", of.ids)
    .where("status", "!=", "archived")
    .returning("id")
    .execute();
  return rows.map(({ id }) => id);
}

/** Revokes an admin key of the organization for good. */
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
