import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

export interface OrganizationRow {
  id: string;
  name: string;
}

// A number that no other part of the program locks. Two nodes that start on an empty database at the same moment must
// create only one organization.
const FIRST_START_LOCK = 4_835_190_226;

export async function lockFirstStart(tx: Tx): Promise<void> {
  await tx.selectNoFrom(sql`pg_advisory_xact_lock(${FIRST_START_LOCK})`.as("lock")).execute();
}

/** Returns the oldest organization, or null on an empty database. */
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

export interface OrganizationSettingsRow extends OrganizationRow {
  created_at: Date;
  billing_group_tag: string | null;
  login_notice: string | null;
  default_workspace_id: string;
  default_workspace_name: string;
}

/** Returns the organization with its default workspace, or null. `isForUpdate` locks it until the transaction ends. */
export async function findSettings(
  db: Database | Tx,
  id: string,
  isForUpdate = false,
): Promise<OrganizationSettingsRow | null> {
  const query = db
    .selectFrom("organization")
    .innerJoin("workspace", (join) =>
      join
        .onRef("workspace.organization_id", "=", "organization.id")
        .on("workspace.is_default", "=", true),
    )
    .select([
      "organization.id",
      "organization.name",
      "organization.created_at",
      "organization.billing_group_tag",
      "organization.login_notice",
      "workspace.id as default_workspace_id",
      "workspace.name as default_workspace_name",
    ])
    .where("organization.id", "=", id);
  const row = await (isForUpdate ? query.forNoKeyUpdate("organization") : query).executeTakeFirst();
  return row ?? null;
}

export async function saveOrganization(
  tx: Tx,
  { id, name, billing_group_tag, login_notice }: Omit<OrganizationSettingsRow, "created_at">,
): Promise<void> {
  await tx
    .updateTable("organization")
    .set({ name, billing_group_tag, login_notice })
    .where("id", "=", id)
    .execute();
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
