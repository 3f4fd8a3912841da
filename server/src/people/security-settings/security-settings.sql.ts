import { passwordLengthBounds } from "@bursar/contract/admin/security-settings.ts";
import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** Rules that the organization sets. */
export interface SecurityRules {
  max_key_lifetime_days: number | null;
  max_keys_per_member: number | null;
  /** True: raises of spend limits need an increase request that another person approves. */
  raises_need_two_people: boolean;
  second_factor: "off" | "admins" | "all";
  session_hours: number | null;
  session_idle_hours: number | null;
  console_addresses: string[] | null;
  /** Minimum length of new passwords, characters. */
  min_password_length: number;
  /** Members sign in through a directory only. */
  company_sign_in_only: boolean;
}

const columns = [
  "max_key_lifetime_days",
  "max_keys_per_member",
  "raises_need_two_people",
  "second_factor",
  "session_hours",
  "session_idle_hours",
  "console_addresses",
  "min_password_length",
  "company_sign_in_only",
] as const;

/** Returns the organization's rules, or the defaults. */
export async function findSecurityRules(
  db: Database | Tx,
  organizationId: string,
): Promise<SecurityRules> {
  const row = await db
    .selectFrom("security_settings")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return (
    row ?? {
      max_key_lifetime_days: null,
      max_keys_per_member: null,
      raises_need_two_people: false,
      second_factor: "off",
      session_hours: null,
      session_idle_hours: null,
      console_addresses: null,
      min_password_length: passwordLengthBounds.min,
      company_sign_in_only: false,
    }
  );
}

/** Locks the organization's settings until the transaction ends, also if there are none yet. */
export async function lockSecuritySettings(tx: Tx, organizationId: string): Promise<SecurityRules> {
  await tx
    .insertInto("security_settings")
    .values({ organization_id: organizationId, max_key_lifetime_days: null })
    .onConflict((conflict) => conflict.column("organization_id").doNothing())
    .execute();
  return tx
    .selectFrom("security_settings")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .forUpdate()
    .executeTakeFirstOrThrow();
}

export async function saveSecurityRules(
  tx: Tx,
  organizationId: string,
  rules: Partial<SecurityRules>,
): Promise<void> {
  await tx
    .updateTable("security_settings")
    .set(rules)
    .where("organization_id", "=", organizationId)
    .execute();
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
        // Laptops have an end of their own.
        .where("purpose", "=", "calls")
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
