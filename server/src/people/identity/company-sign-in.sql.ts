import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

// The rule that members sign in through a directory only.

/** Whether the organization has the rule. */
export async function isCompanySignInOnly(
  db: Database | Tx,
  organizationId: string,
): Promise<boolean> {
  const row = await db
    .selectFrom("security_settings")
    .select("company_sign_in_only")
    .where("organization_id", "=", organizationId)
    .executeTakeFirst();
  return row?.company_sign_in_only ?? false;
}

/** Whether each organization of the server has the rule. */
export async function isCompanySignInOnlyEverywhere(db: Database | Tx): Promise<boolean> {
  const row = await db
    .selectFrom("organization")
    .leftJoin("security_settings as rules", "rules.organization_id", "organization.id")
    .select(
      sql<boolean>`coalesce(bool_and(coalesce(rules.company_sign_in_only, false)), false)`.as("is"),
    )
    .executeTakeFirstOrThrow();
  return row.is;
}

/** Whether the member has to sign in through a directory. An owner in recovery need not. */
export async function needsCompanySignIn(
  db: Database | Tx,
  of: { memberId: string; now: Date },
): Promise<boolean> {
  const row = await db
    .selectFrom("member")
    .innerJoin("security_settings as rules", "rules.organization_id", "member.organization_id")
    .leftJoin("owner_recovery as recovery", (join) =>
      join
        .onRef("recovery.member_id", "=", "member.id")
        .on("recovery.expires_at", ">", of.now)
        .on("member.role", "=", "owner"),
    )
    .select("member.id")
    .where("member.id", "=", of.memberId)
    .where("rules.company_sign_in_only", "=", true)
    .where("recovery.member_id", "is", null)
    .executeTakeFirst();
  return row !== undefined;
}

/** Lets the owner sign in with a password until then. */
export async function saveRecovery(
  tx: Tx,
  of: { memberId: string; expiresAt: Date },
): Promise<void> {
  await tx
    .insertInto("owner_recovery")
    .values({ member_id: of.memberId, expires_at: of.expiresAt })
    .onConflict((conflict) =>
      conflict.column("member_id").doUpdateSet({ expires_at: of.expiresAt }),
    )
    .execute();
}

/** Ends recoveries, and sessions that no directory started. Returns the number of sessions. */
export async function endOtherSignIns(tx: Tx, organizationId: string): Promise<number> {
  await tx
    .deleteFrom("owner_recovery")
    .where("member_id", "in", (eb) =>
      eb.selectFrom("member").select("id").where("organization_id", "=", organizationId),
    )
    .execute();
  const { numDeletedRows } = await tx
    .deleteFrom("auth_session")
    .where("user_id", "in", (eb) =>
      eb.selectFrom("member").select("id").where("organization_id", "=", organizationId),
    )
    .where("id", "not in", (eb) => eb.selectFrom("directory_session").select("session_id"))
    .executeTakeFirst();
  return Number(numDeletedRows);
}
