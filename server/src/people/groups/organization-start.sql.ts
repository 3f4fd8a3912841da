import type { Database } from "#src/db/pool.ts";

/** Time at which the organization was created. */
export async function findOrganizationStart(db: Database, organizationId: string): Promise<Date> {
  const { created_at } = await db
    .selectFrom("organization")
    .select("created_at")
    .where("id", "=", organizationId)
    .executeTakeFirstOrThrow();
  return created_at;
}
