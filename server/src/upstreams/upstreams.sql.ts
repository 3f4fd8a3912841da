import type { Database, Tx } from "#src/db/pool.ts";

export interface UpstreamRow {
  id: string;
  name: string;
  base_url: string;
  credential_sealed: Uint8Array | null;
  credential_hint: string | null;
  created_at: Date;
  updated_at: Date;
}

const columns = [
  "id",
  "name",
  "base_url",
  "credential_sealed",
  "credential_hint",
  "created_at",
  "updated_at",
] as const;

/** Throws a unique violation of `upstream_one_shared` if the organization has an upstream. */
export async function insertUpstream(
  tx: Tx,
  organizationId: string,
  row: UpstreamRow,
): Promise<void> {
  await tx
    .insertInto("upstream")
    .values({ ...row, organization_id: organizationId })
    .execute();
}

/** Lists the upstreams of the organization, at most one. */
export function listUpstreams(db: Database | Tx, organizationId: string): Promise<UpstreamRow[]> {
  return db
    .selectFrom("upstream")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .orderBy("created_at", "desc")
    .orderBy("id", "desc")
    .execute();
}

export async function findUpstream(
  db: Database | Tx,
  of: { organizationId: string; id: string },
): Promise<UpstreamRow | null> {
  const row = await db
    .selectFrom("upstream")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

/** Finds an upstream and locks it until the transaction ends. */
export async function findUpstreamForUpdate(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<UpstreamRow | null> {
  const row = await tx
    .selectFrom("upstream")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .forUpdate()
    .executeTakeFirst();
  return row ?? null;
}

export async function updateUpstream(
  tx: Tx,
  organizationId: string,
  row: UpstreamRow,
): Promise<void> {
  await tx
    .updateTable("upstream")
    .set({
      name: row.name,
      base_url: row.base_url,
      credential_sealed: row.credential_sealed,
      credential_hint: row.credential_hint,
      updated_at: row.updated_at,
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", row.id)
    .execute();
}

export async function deleteUpstream(
  tx: Tx,
  of: { organizationId: string; id: string },
): Promise<void> {
  await tx
    .deleteFrom("upstream")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}
