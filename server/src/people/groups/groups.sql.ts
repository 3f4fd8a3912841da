import type { GivenWorkspaceRole } from "@bursar/contract/roles.ts";
import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ModelLists } from "#src/domain/group-models.ts";
import type { PageRequest } from "#src/domain/page-position.ts";

export interface GroupRow {
  id: string;
  name: string;
  source: "direct" | "scim";
  /** Directory that provides the group. */
  directory_id: string | null;
  /** The directory has a valid SCIM token, and alone changes name and provided members. */
  is_managed: boolean;
  allowed_models: string[] | null;
  model_lists: ModelLists | null;
  created_at: Date;
  updated_at: Date;
  member_count: number;
  /** Oldest workspaces first. */
  workspaces: GroupRole[];
}

export interface GroupRole {
  workspace_id: string;
  workspace_role: GivenWorkspaceRole;
}

export interface GroupOf {
  organizationId: string;
  id: string;
}

export interface GroupFilter {
  organizationId: string;
  /** Part of the name. */
  search?: string | undefined;
  memberId?: string | undefined;
}

function selectGroups(db: Database | Tx, organizationId: string) {
  return db
    .selectFrom("member_group as g")
    .select([
      "g.id",
      "g.name",
      "g.source",
      "g.directory_id",
      sql<boolean>`EXISTS (SELECT FROM scim_token AS token
        WHERE token.directory_id = g.directory_id AND token.revoked_at IS NULL
          AND (token.valid_until IS NULL OR token.valid_until > now()))`.as("is_managed"),
      "g.allowed_models",
      "g.model_lists",
      "g.created_at",
      "g.updated_at",
      sql<number>`(SELECT count(*)::integer FROM group_member WHERE group_id = g.id)`.as(
        "member_count",
      ),
      sql<GroupRole[]>`coalesce((
        SELECT json_agg(json_build_object('workspace_id', given.workspace_id, 'workspace_role', given.role)
          ORDER BY workspace.created_at, workspace.id)
        FROM group_workspace AS given JOIN workspace ON workspace.id = given.workspace_id
        WHERE given.group_id = g.id), '[]')`.as("workspaces"),
    ])
    .where("g.organization_id", "=", organizationId);
}

/** Returns one row more than the page holds. */
export async function listGroups(
  db: Database | Tx,
  { organizationId, search, memberId }: GroupFilter,
  page: PageRequest,
): Promise<GroupRow[]> {
  let query = selectGroups(db, organizationId);
  if (search !== undefined) {
    // strpos instead of LIKE, so that % is literal.
    query = query.where(sql<boolean>`strpos(lower(g.name), lower(${search})) > 0`);
  }
  if (memberId !== undefined) {
    query = query.where((eb) =>
      eb.exists(
        eb
          .selectFrom("group_member as held")
          .select("held.group_id")
          .whereRef("held.group_id", "=", "g.id")
          .where("held.member_id", "=", memberId),
      ),
    );
  }
  return selectPage(query, page, "g").execute();
}

export async function findGroup(db: Database | Tx, of: GroupOf): Promise<GroupRow | null> {
  const row = await selectGroups(db, of.organizationId)
    .where("g.id", "=", of.id)
    .executeTakeFirst();
  return row ?? null;
}

export async function insertGroup(
  tx: Tx,
  row: GroupOf & Pick<GroupRow, "name" | "allowed_models" | "model_lists" | "created_at">,
): Promise<void> {
  await tx
    .insertInto("member_group")
    .values({
      id: row.id,
      organization_id: row.organizationId,
      name: row.name,
      allowed_models: row.allowed_models,
      model_lists: toColumn(row),
      created_at: row.created_at,
      updated_at: row.created_at,
    })
    .execute();
}

export async function updateGroup(
  tx: Tx,
  of: GroupOf,
  row: Pick<GroupRow, "name" | "allowed_models" | "model_lists" | "updated_at">,
): Promise<void> {
  await tx
    .updateTable("member_group")
    .set({
      name: row.name,
      allowed_models: row.allowed_models,
      model_lists: toColumn(row),
      updated_at: row.updated_at,
    })
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}

function toColumn({ model_lists }: Pick<GroupRow, "model_lists">): string | null {
  return model_lists && JSON.stringify(model_lists);
}

/** Deletes the group with its memberships, roles and places in invites. */
export async function deleteGroup(tx: Tx, of: GroupOf): Promise<void> {
  for (const table of ["group_member", "group_workspace", "invite_group"] as const) {
    await tx.deleteFrom(table).where("group_id", "=", of.id).execute();
  }
  await tx
    .deleteFrom("member_group")
    .where("organization_id", "=", of.organizationId)
    .where("id", "=", of.id)
    .execute();
}

export interface GroupPlace {
  groupId: string;
  workspaceId: string;
}

export async function setGroupRole(
  tx: Tx,
  { groupId, workspaceId, role }: GroupPlace & { role: GivenWorkspaceRole },
): Promise<void> {
  await tx
    .insertInto("group_workspace")
    .values({ group_id: groupId, workspace_id: workspaceId, role })
    .onConflict((conflict) => conflict.columns(["group_id", "workspace_id"]).doUpdateSet({ role }))
    .execute();
}

export async function deleteGroupRole(tx: Tx, { groupId, workspaceId }: GroupPlace): Promise<void> {
  await tx
    .deleteFrom("group_workspace")
    .where("group_id", "=", groupId)
    .where("workspace_id", "=", workspaceId)
    .execute();
}
