import type { Database, Tx } from "#src/db/pool.ts";
import type { RowSigner } from "#src/signed-rows/row-signer.ts";

export interface FoundAdminKey {
  id: string;
  organizationId: string;
  /** `inactive`: restored from a backup and not confirmed yet. */
  status: "active" | "inactive" | "revoked";
  expiresAtMs: number | null;
  /** Scopes that limit its rights. Null: all rights of an admin key. */
  scopes: string[] | null;
  /** Addresses and ranges from which it works. Null: all. */
  allowedAddresses: string[] | null;
  /** True for a row that this installation did not sign. */
  isUnsigned: boolean;
}

/** Finds an admin key by the SHA-256 of its secret, in any state, or null. */
export async function findAdminKeyByHash(
  db: Database | Tx,
  rows: RowSigner,
  secretHash: Uint8Array,
): Promise<FoundAdminKey | null> {
  const row = await db
    .selectFrom("admin_key")
    .select([
      "id",
      "organization_id",
      "status",
      "secret_hash",
      "expires_at",
      "scopes",
      "allowed_addresses",
      "mac",
    ])
    .where("secret_hash", "=", secretHash)
    .executeTakeFirst();
  if (!row) return null;
  return {
    id: row.id,
    organizationId: row.organization_id,
    status: row.status,
    expiresAtMs: row.expires_at?.getTime() ?? null,
    scopes: row.scopes,
    allowedAddresses: row.allowed_addresses,
    isUnsigned: !rows.isUsable("admin_key", row, row.mac),
  };
}
