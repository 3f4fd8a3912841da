import { passwordLengthBounds } from "@bursar/contract/admin/security-settings.ts";
import type { Database, Tx } from "#src/db/pool.ts";

/** Maximum key lifetime in days, for new and changed keys. Null: no limit. */
export async function findMaxKeyLifetimeDays(
  db: Database | Tx,
  organizationId: string,
): Promise<number | null> {
  const row = await db
    .selectFrom("security_settings")
    .select("max_key_lifetime_days")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.max_key_lifetime_days ?? null;
}

/** Highest number of living personal keys of one member. Null: no limit. */
export async function findMaxKeysPerMember(
  db: Database | Tx,
  organizationId: string,
): Promise<number | null> {
  const row = await db
    .selectFrom("security_settings")
    .select("max_keys_per_member")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.max_keys_per_member ?? null;
}

/** Minimum length of new passwords, characters. */
export async function findMinPasswordLength(
  db: Database | Tx,
  organizationId: string,
): Promise<number> {
  const row = await db
    .selectFrom("security_settings")
    .select("min_password_length")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.min_password_length ?? passwordLengthBounds.min;
}
