import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface OrganizationRow {
  id: string;
  name: string;
}

// Any number no other part of the program locks: two nodes that start on an empty database at the
// same moment must not both make an organization.
const FIRST_START_LOCK = 4_835_190_226;

export async function lockFirstStart(tx: Tx): Promise<void> {
  await sql`SELECT pg_advisory_xact_lock(${FIRST_START_LOCK})`.execute(tx);
}

/** The organization that was made first, or null on an empty database. */
export async function findFirstOrganization(db: Database | Tx): Promise<OrganizationRow | null> {
  const row = await db
    .selectFrom("organization")
    .select(["id", "name"])
    .orderBy("created_at")
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  return row ?? null;
}

export async function findOrganization(
  db: Database | Tx,
  id: string,
): Promise<OrganizationRow | null> {
  const row = await db
    .selectFrom("organization")
    .select(["id", "name"])
    .where("id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

export async function insertOrganization(
  tx: Tx,
  row: OrganizationRow & { createdAt: Date },
): Promise<void> {
  await tx
    .insertInto("organization")
    .values({ id: row.id, name: row.name, created_at: row.createdAt })
    .execute();
}

export async function insertDefaultWorkspace(
  tx: Tx,
  row: { id: string; organizationId: string; displayColor: string; createdAt: Date },
): Promise<void> {
  await tx
    .insertInto("workspace")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      name: "Default",
      description: null,
      display_color: row.displayColor,
      tags: "{}",
      is_default: true,
      created_at: row.createdAt,
    })
    .execute();
}
