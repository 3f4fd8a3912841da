import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** Rules of an organization for its keys. Null: no rule. */
export interface KeyRules {
  maxKeyLifetimeDays: number | null;
  maxKeysPerMember: number | null;
  /** True: raises of spend limits need an increase request that another person approves. */
  raisesNeedTwoPeople: boolean;
}

/** Locks the organization's settings until the transaction ends, also if there are none yet. */
export async function lockSecuritySettings(tx: Tx, organizationId: string): Promise<KeyRules> {
  await tx
    .insertInto("security_settings")
    .values({ organization_id: organizationId, max_key_lifetime_days: null })
    .onConflict((conflict) => conflict.column("organization_id").doNothing())
    .execute();
  return await tx
    .selectFrom("security_settings")
    .select([
      "max_key_lifetime_days as maxKeyLifetimeDays",
      "max_keys_per_member as maxKeysPerMember",
      "raises_need_two_people as raisesNeedTwoPeople",
    ])
    .where("organization_id", "=", organizationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

export async function saveKeyRules(
  tx: Tx,
  organizationId: string,
  { maxKeyLifetimeDays, maxKeysPerMember, raisesNeedTwoPeople }: KeyRules,
): Promise<void> {
  await tx
    .updateTable("security_settings")
    .set({
      max_key_lifetime_days: maxKeyLifetimeDays,
      max_keys_per_member: maxKeysPerMember,
      raises_need_two_people: raisesNeedTwoPeople,
    })
    .where("organization_id", "=", organizationId)
    .execute();
}

export async function findRaisesNeedTwoPeople(
  db: Database | Tx,
  organizationId: string,
): Promise<boolean> {
  const row = await db
    .selectFrom("security_settings")
    .select("raises_need_two_people")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.raises_need_two_people ?? false;
}

/** Counts keys that work at `now` and never expire, or expire more than `maxDays` after their secret was created. */
export async function countKeysOverLifetime(
  db: Database | Tx,
  of: { organizationId: string; maxDays: number; now: Date },
): Promise<{ apiKeys: number; adminKeys: number }> {
  const isBeyond = (createdAt: string) =>
    sql<SqlBool>`coalesce(expires_at, 'infinity')
      > greatest(${of.now}, ${sql.ref(createdAt)} + make_interval(hours => ${24 * of.maxDays}))`;
  const { apiKeys, adminKeys } = await db
    .selectNoFrom((eb) => [
      eb
        .selectFrom("api_key")
        .innerJoin("api_key_secret as secret", (join) =>
          join.onRef("secret.api_key_id", "=", "api_key.id").on("secret.valid_until", "is", null),
        )
        .select(eb.fn.countAll().as("count"))
        .where("organization_id", "=", of.organizationId)
        .where("status", "!=", "archived")
        .where(isBeyond("secret.created_at"))
        .as("apiKeys"),
      eb
        .selectFrom("admin_key")
        .select(eb.fn.countAll().as("count"))
        .where("organization_id", "=", of.organizationId)
        .where("status", "=", "active")
        .where(isBeyond("created_at"))
        .as("adminKeys"),
    ])
    .executeTakeFirstOrThrow();
  return { apiKeys: Number(apiKeys), adminKeys: Number(adminKeys) };
}
