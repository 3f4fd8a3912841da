import { type SqlBool, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

/**
 * Finds the active member whom the directory itself created by SCIM, by the subject as external id or by the verified address.
 * Null: none, several, or a member whose link always needs a confirmation.
 */
export async function findProvidedPerson(
  tx: Tx,
  of: { directoryId: string; subject: string; email: string | null },
): Promise<{ id: string; email: string } | null> {
  const isAddress = sql<SqlBool>`${of.email} IN (lower(member.email), lower(provided.user_name))`;
  const rows = await tx
    .selectFrom("scim_user as provided")
    .innerJoin("member", "member.id", "provided.member_id")
    .select(["member.id", "member.email"])
    .where("provided.directory_id", "=", of.directoryId)
    .where("provided.deleted_at", "is", null)
    // Others existed before, so a token of the directory must not be enough to sign in as them.
    .where("provided.is_creator", "=", true)
    .where("member.status", "=", "active")
    .where("member.role", "not in", ["owner", "admin"])
    .where((eb) => eb.or([eb("provided.external_id", "=", of.subject), isAddress]))
    .limit(2)
    .execute();
  const [first, ...others] = rows;
  return first === undefined || others.length > 0 ? null : first;
}
