import type { PersonalKeyMode } from "@bursar/contract/admin/workspaces.ts";
import type { Rank } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import { selectPage } from "#src/db/page-rows.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest, Position } from "#src/domain/page-position.ts";

export interface WorkspaceRow {
  id: string;
  name: string;
  description: string | null;
  display_color: string;
  tags: Record<string, string>;
  personal_keys: PersonalKeyMode;
  personal_key_models: string[] | null;
  personal_key_lifetime_days: number | null;
  personal_keys_per_member: number | null;
  tag_ranks: Record<string, Rank>;
  is_default: boolean;
  created_at: Date;
  archived_at: Date | null;
}

function selectWorkspaces(db: Database | Tx, organizationId: string) {
  return db
    .selectFrom("workspace as w")
    .leftJoin("personal_key_rules as rules", "rules.workspace_id", "w.id")
    .select(["w.id", "w.name", "w.description", "w.display_color", "w.tags", "w.tag_ranks"])
    .select(["w.is_default", "w.created_at", "w.archived_at"])
    .select([
      sql<PersonalKeyMode>`coalesce(rules.personal_keys, 'off')`.as("personal_keys"),
      "rules.personal_key_models",
      "rules.personal_key_lifetime_days",
      "rules.personal_keys_per_member",
    ])
    .where("w.organization_id", "=", organizationId);
}

/** `onlyIds`: the workspaces that the caller can see. Null: all of the organization. */
export interface WorkspaceScope {
  organizationId: string;
  onlyIds: readonly string[] | null;
}

export interface WorkspaceFilter extends WorkspaceScope {
  ids?: readonly string[] | undefined;
  includeArchived: boolean;
  includeDefault: boolean;
}

/** Returns one row more than the page holds, so that the caller sees if there is another page. */
export async function listWorkspaces(
  db: Database | Tx,
  filter: WorkspaceFilter,
  page: PageRequest,
): Promise<WorkspaceRow[]> {
  let query = selectWorkspaces(db, filter.organizationId);
  for (const ids of [filter.onlyIds, filter.ids]) {
    if (ids) query = query.where("w.id", "in", ids.length > 0 ? ids : [""]);
  }
  if (!filter.includeArchived) query = query.where("w.archived_at", "is", null);
  if (!filter.includeDefault) query = query.where("w.is_default", "=", false);
  return selectPage(query, page, "w").execute();
}

export async function findWorkspacePosition(
  db: Database | Tx,
  scope: WorkspaceScope,
  id: string,
): Promise<Position | null> {
  const row = await findWorkspace(db, scope, id);
  return row && { createdAtMs: row.created_at.getTime(), id: row.id };
}

export async function findWorkspace(
  db: Database | Tx,
  scope: WorkspaceScope,
  id: string,
): Promise<WorkspaceRow | null> {
  if (scope.onlyIds !== null && !scope.onlyIds.includes(id)) return null;
  const row = await selectWorkspaces(db, scope.organizationId)
    .where("w.id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

/** Returns the workspace, locked until the transaction ends. Its rules change under this lock only. */
export async function findWorkspaceForUpdate(
  tx: Tx,
  scope: WorkspaceScope,
  id: string,
): Promise<WorkspaceRow | null> {
  if (scope.onlyIds !== null && !scope.onlyIds.includes(id)) return null;
  await tx
    .selectFrom("workspace")
    .select("id")
    .where("organization_id", "=", scope.organizationId)
    .where("id", "=", id)
    .forNoKeyUpdate()
    .execute();
  return findWorkspace(tx, scope, id);
}

/** Finds workspaces by their ids. */
export async function findWorkspaces(
  tx: Tx,
  of: { organizationId: string; ids: readonly string[] },
): Promise<WorkspaceRow[]> {
  return await selectWorkspaces(tx, of.organizationId)
    .where("w.id", "in", of.ids)
    .orderBy("w.id")
    .execute();
}

/** Throws a unique violation of `workspace_active_name` if an active workspace has the name. */
export async function insertWorkspace(
  tx: Tx,
  organizationId: string,
  row: WorkspaceRow,
): Promise<void> {
  await tx
    .insertInto("workspace")
    .values({
      id: row.id,
      organization_id: organizationId,
      name: row.name,
      description: row.description,
      display_color: row.display_color,
      tags: JSON.stringify(row.tags),
      tag_ranks: JSON.stringify(row.tag_ranks),
      is_default: row.is_default,
      created_at: row.created_at,
      archived_at: row.archived_at,
    })
    .execute();
}

/** Throws a unique violation of `workspace_active_name` if an active workspace has the name. */
export async function updateWorkspace(
  tx: Tx,
  organizationId: string,
  row: WorkspaceRow,
): Promise<void> {
  await tx
    .updateTable("workspace")
    .set({
      name: row.name,
      description: row.description,
      display_color: row.display_color,
      tags: JSON.stringify(row.tags),
      tag_ranks: JSON.stringify(row.tag_ranks),
      archived_at: row.archived_at,
    })
    .where("organization_id", "=", organizationId)
    .where("id", "=", row.id)
    .execute();
}

/** Saves the rules for personal keys. The caller has locked the workspace. */
export async function savePersonalKeyRules(tx: Tx, row: WorkspaceRow): Promise<void> {
  const rules = {
    personal_keys: row.personal_keys,
    personal_key_models: row.personal_key_models,
    personal_key_lifetime_days: row.personal_key_lifetime_days,
    personal_keys_per_member: row.personal_keys_per_member,
  };
  await tx
    .insertInto("personal_key_rules")
    .values({ workspace_id: row.id, ...rules })
    .onConflict((conflict) => conflict.column("workspace_id").doUpdateSet(rules))
    .execute();
}
