import type { Database } from "#src/db/pool.ts";

/** Finds the e-mail address of a member, or null. */
export async function findMemberEmail(
  db: Database,
  of: { organizationId: string; memberId: string },
): Promise<string | null> {
  const row = await db
    .selectFrom("member")
    .select("email")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.memberId)
    .executeTakeFirst();
  return row?.email ?? null;
}
