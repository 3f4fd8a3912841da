import type { Database, Tx } from "#src/db/pool.ts";

/** Returns whether the organization has or had an owner. */
export async function hasOwner(db: Database | Tx, organizationId: string): Promise<boolean> {
  const row = await db
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", organizationId)
    .where("role", "=", "owner")
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Locks the organization until the transaction ends, so that concurrent calls create one owner. */
export function lockOrganization(tx: Tx, id: string): Promise<{ id: string; name: string }> {
  return tx
    .selectFrom("organization")
    .select(["id", "name"])
    .where("id", "=", id)
    .forNoKeyUpdate()
    .executeTakeFirstOrThrow();
}

export async function renameOrganization(tx: Tx, of: { id: string; name: string }): Promise<void> {
  await tx.updateTable("organization").set({ name: of.name }).where("id", "=", of.id).execute();
}

export async function insertSetUpLink(
  db: Database | Tx,
  row: { token_hash: Uint8Array; organization_id: string; created_at: Date; expires_at: Date },
): Promise<void> {
  await db.insertInto("set_up_link").values(row).execute();
}

export async function findSetUpLink(
  db: Database | Tx,
  of: { tokenHash: Uint8Array; now: Date },
): Promise<{ organizationId: string } | null> {
  const row = await db
    .selectFrom("set_up_link")
    .select("organization_id")
    .where("token_hash", "=", of.tokenHash)
    .where("expires_at", ">", of.now)
    .executeTakeFirst();
  return row ? { organizationId: row.organization_id } : null;
}

/** Deletes the organization's links that have expired by then. Null: all. */
export async function deleteSetUpLinks(
  db: Database | Tx,
  of: { organizationId: string; expiredBefore: Date | null },
): Promise<void> {
  let query = db.deleteFrom("set_up_link").where("organization_id", "=", of.organizationId);
  if (of.expiredBefore !== null) query = query.where("expires_at", "<", of.expiredBefore);
  await query.execute();
}

export async function insertOwner(
  tx: Tx,
  row: { id: string; organizationId: string; email: string; name: string; createdAt: Date },
): Promise<void> {
  await tx
    .insertInto("member")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      email: row.email,
      name: row.name,
      role: "owner",
      created_at: row.createdAt,
    })
    .execute();
}
