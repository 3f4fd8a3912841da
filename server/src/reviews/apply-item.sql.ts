import type { KeyPermission } from "@bursar/contract/permissions.ts";
import type { Tx } from "#src/db/pool.ts";

interface KeyOf {
  organizationId: string;
  id: string;
}

export interface LockedApiKey {
  id: string;
  workspace_id: string;
  name: string;
  permission: KeyPermission;
  status: "active" | "inactive" | "archived";
  owner_member_id: string | null;
  /** Hint of the current secret. */
  hint: string;
}

/** Returns the key, locked until the transaction ends, or null. */
export async function lockApiKey(tx: Tx, of: KeyOf): Promise<LockedApiKey | null> {
  const row = await tx
    .selectFrom("api_key")
    .innerJoin("api_key_secret as current", (join) =>
      join.onRef("current.api_key_id", "=", "api_key.id").on("current.valid_until", "is", null),
    )
    .select([
      "api_key.id",
      "api_key.workspace_id",
      "api_key.name",
      "api_key.permission",
      "api_key.status",
      "api_key.owner_member_id",
      "current.hint",
    ])
    .where("api_key.organization_id", "=", of.organizationId)
    .where("api_key.id", "=", of.id)
    .forNoKeyUpdate("api_key")
    .executeTakeFirst();
  return row ?? null;
}

/** Returns the admin key, locked until the transaction ends, or null. */
export async function lockAdminKey(
  tx: Tx,
  of: KeyOf,
): Promise<{
  id: string;
  name: string;
  status: "active" | "inactive" | "revoked";
  partial_key_hint: string;
} | null> {
  const row = await tx
    .selectFrom("admin_key")
    .select(["id", "name", "status", "partial_key_hint"])
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forNoKeyUpdate()
    .executeTakeFirst();
  return row ?? null;
}
