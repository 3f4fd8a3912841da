import type { Database, Tx } from "#src/db/pool.ts";
import type { Tables } from "#src/db/tables.ts";
import type { GroupModels } from "#src/domain/group-models.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export type VersionRow = Tables["managed_settings_version"];

const columns = [
  "id",
  "organization_id",
  "version",
  "policies",
  "comment",
  "restored_version",
  "created_by_type",
  "created_by_id",
  "created_at",
  "mac",
] as const;

/** Finds a version of an organization. Without `id` the newest one. */
export async function findVersion(
  db: Database | Tx,
  of: { organizationId: string; id?: string },
): Promise<VersionRow | null> {
  let query = db
    .selectFrom("managed_settings_version")
    .select(columns)
    .where("organization_id", "=", of.organizationId)
    .orderBy("version", "desc")
    .limit(1);
  if (of.id !== undefined) query = query.where("id", "=", of.id);
  return (await query.executeTakeFirst()) ?? null;
}

/** Lists versions beyond a number, in an order of numbers. */
export async function listVersions(
  db: Database,
  organizationId: string,
  {
    direction,
    from,
    limit,
  }: { direction: PageRequest["direction"]; from: number | null; limit: number },
): Promise<VersionRow[]> {
  const isOlder = direction === "older";
  let query = db
    .selectFrom("managed_settings_version")
    .select(columns)
    .where("organization_id", "=", organizationId)
    .orderBy("version", isOlder ? "desc" : "asc")
    .limit(limit);
  if (from !== null) query = query.where("version", isOlder ? "<" : ">", from);
  return await query.execute();
}

/** Adds a version. False: the organization has it already. */
export async function insertVersion(tx: Tx, row: Omit<VersionRow, "mac">): Promise<boolean> {
  const inserted = await tx
    .insertInto("managed_settings_version")
    .values({ ...row, mac: null })
    .onConflict((conflict) => conflict.columns(["organization_id", "version"]).doNothing())
    .returning("id")
    .executeTakeFirst();
  return inserted !== undefined;
}

export interface NewestVersion {
  organizationId: string;
  id: string;
}

/** Lists the newest versions of all organizations. */
export async function listNewestVersions(db: Database): Promise<NewestVersion[]> {
  return await db
    .selectFrom("managed_settings_version")
    .distinctOn("organization_id")
    .select(["organization_id as organizationId", "id"])
    .orderBy("organization_id")
    .orderBy("version", "desc")
    .execute();
}

/** Lists versions by their ids, at least one. */
export async function listVersionsById(
  db: Database,
  ids: readonly string[],
): Promise<VersionRow[]> {
  return await db
    .selectFrom("managed_settings_version")
    .select(columns)
    .where("id", "in", [...ids])
    .execute();
}

export type NamedGroup = GroupModels & { id: string };

/** Lists groups of an organization: those of a member, or those with the ids. */
export async function listGroupsOf(
  db: Database | Tx,
  of: { organizationId: string } & ({ memberId: string } | { ids: readonly string[] }),
): Promise<NamedGroup[]> {
  const query = db
    .selectFrom("member_group as g")
    .select(["g.id", "g.allowed_models", "g.model_lists"])
    .where("g.organization_id", "=", of.organizationId)
    .orderBy("g.id");
  if ("ids" in of) return await query.where("g.id", "in", [...of.ids, ""]).execute();
  return await query
    .where((eb) =>
      eb.exists(
        eb
          .selectFrom("group_member as held")
          .select("held.group_id")
          .whereRef("held.group_id", "=", "g.id")
          .where("held.member_id", "=", of.memberId),
      ),
    )
    .execute();
}

/** True if the organization has the member. */
export async function hasMember(
  db: Database,
  of: { organizationId: string; memberId: string },
): Promise<boolean> {
  const row = await db
    .selectFrom("member")
    .select("id")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.memberId)
    .executeTakeFirst();
  return row !== undefined;
}
