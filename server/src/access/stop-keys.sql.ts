import type { Tx } from "#src/db/pool.ts";

/** Archives API keys permanently and returns their ids. Keys that are archived already stay unchanged. */
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
