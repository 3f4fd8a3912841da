import type { Database, Tx } from "#src/db/pool.ts";

export interface FoundAdminKey {
  id: string;
  organizationId: string;
  /** `inactive`: a restore brought it back, and nobody has confirmed it yet. */
  status: "active" | "inactive" | "revoked";
  expiresAtMs: number | null;
}

/** The admin key whose secret has this SHA-256, whatever its state, or null. */
export async function findAdminKeyByHash(
  db: Database | Tx,
  secretHash: Uint8Array,
): Promise<FoundAdminKey | null> {
  const row = await db
    .selectFrom("admin_key")
    .select(["id", "organization_id", "status", "expires_at"])
    .where("secret_hash", "=", secretHash)
    .executeTakeFirst();
  if (!row) return null;
  return {
    id: row.id,
    organizationId: row.organization_id,
    status: row.status,
    expiresAtMs: row.expires_at?.getTime() ?? null,
  };
}
