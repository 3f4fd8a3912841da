import { type SqlBool, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

/** A group of a directory, without its members. */
export interface ProvidedGroupRow {
  id: string;
  name: string;
  external_id: string | null;
  created_at: Date;
  updated_at: Date;
  /** Members whom the directory lists. */
  listed_count: number;
}

export interface ProvidedGroupFilter {
  id?: string;
  name?: string;
  externalId?: string;
  memberId?: string;
}

interface GroupsOf {
  directoryId: string;
  filter: ProvidedGroupFilter;
}

function selectGroups(db: Database | Tx, { directoryId, filter }: GroupsOf) {
  const { id, name, externalId, memberId } = filter;
  let query = db.selectFrom("member_group as g").where("g.directory_id", "=", directoryId);
  if (id !== undefined) query = query.where("g.id", "=", id);
  if (externalId !== undefined) query = query.where("g.external_id", "=", externalId);
  if (name !== undefined) query = query.where(sql<SqlBool>`lower(g.name) = lower(${name})`);
  if (memberId === undefined) return query;
  return query.where(({ exists, selectFrom }) =>
    exists(
      selectFrom("scim_group_member as listed")
        .select("listed.group_id")
        .whereRef("listed.group_id", "=", "g.id")
        .where("listed.member_id", "=", memberId),
    ),
  );
}

/** Lists the directory's groups, oldest first. */
export function listProvidedGroups(
  db: Database | Tx,
  of: GroupsOf,
  page: { offset: number; limit: number },
): Promise<ProvidedGroupRow[]> {
  return selectGroups(db, of)
    .select(["g.id", "g.name", "g.external_id", "g.created_at", "g.updated_at"])
    .select(
      sql<number>`(SELECT count(*)::integer FROM scim_group_member WHERE group_id = g.id)`.as(
        "listed_count",
      ),
    )
    .orderBy("g.created_at")
    .orderBy("g.id")
    .offset(page.offset)
    .limit(page.limit)
    .execute();
}

export async function countProvidedGroups(db: Database | Tx, of: GroupsOf): Promise<number> {
  const row = await selectGroups(db, of)
    .select(sql<number>`count(*)::integer`.as("count"))
    .executeTakeFirstOrThrow();
  return row.count;
}

export interface SavedGroup {
  id: string;
  name: string;
  externalId: string | null;
  now: Date;
}

export async function insertProvidedGroup(
  tx: Tx,
  of: SavedGroup & { organizationId: string; directoryId: string },
): Promise<void> {
  await tx
    .insertInto("member_group")
    .values({
      id: of.id,
      organization_id: of.organizationId,
      name: of.name,
      source: "scim",
      directory_id: of.directoryId,
      external_id: of.externalId,
      created_at: of.now,
      updated_at: of.now,
    })
    .execute();
}

export async function updateProvidedGroup(tx: Tx, of: SavedGroup): Promise<void> {
  await tx
    .updateTable("member_group")
    .set({ name: of.name, external_id: of.externalId, updated_at: of.now })
    .where("id", "=", of.id)
    .execute();
}
