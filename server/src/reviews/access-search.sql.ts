import { type RawBuilder, type SqlBool, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

// Searches the access list by names. Members, workspaces and groups are few, so their names are searched once. Each of many
// roles is then compared by its ids.

export interface AccessSearch {
  text: string;
  /** Members, workspaces and groups whose names or addresses contain the text. */
  memberIds: readonly string[];
  workspaceIds: readonly string[];
  groupIds: readonly string[];
}

/** Finds the members, workspaces and groups of a search. */
export async function findAccessSearch(
  db: Database,
  { organizationId, text }: { organizationId: string; text: string },
): Promise<AccessSearch> {
  const { rows } = await sql<Omit<AccessSearch, "text">>`
    SELECT
      ARRAY(SELECT id FROM member WHERE organization_id = ${organizationId}::uuid
        AND ${containsText(["member.name", "member.email"], text)}) AS "memberIds",
      ARRAY(SELECT id FROM workspace WHERE organization_id = ${organizationId}::uuid
        AND ${containsText(["workspace.name"], text)}) AS "workspaceIds",
      ARRAY(SELECT id FROM member_group WHERE organization_id = ${organizationId}::uuid
        AND ${containsText(["member_group.name"], text)}) AS "groupIds"`.execute(db);
  const { memberIds = [], workspaceIds = [], groupIds = [] } = rows[0] ?? {};
  return { text, memberIds, workspaceIds, groupIds };
}

/** Columns of a source of access: ids, and texts of its own. */
interface SearchedColumns {
  member?: string;
  workspace?: string;
  group?: string;
  texts?: readonly string[];
}

/** Condition of the rows of a source that a search finds. */
export function isFound(
  search: AccessSearch | undefined,
  { member, workspace, group, texts }: SearchedColumns,
): RawBuilder<SqlBool> {
  if (search === undefined) return sql`true`;
  const conditions = [
    ...(member === undefined ? [] : [isOneOf(member, search.memberIds)]),
    ...(workspace === undefined ? [] : [isOneOf(workspace, search.workspaceIds)]),
    ...(group === undefined ? [] : [isOneOf(group, search.groupIds)]),
    ...(texts === undefined ? [] : [containsText(texts, search.text)]),
  ];
  return sql`(${sql.join(conditions, sql` OR `)})`;
}

function isOneOf(column: string, ids: readonly string[]): RawBuilder<SqlBool> {
  return sql`${sql.ref(column)} = ANY(${[...ids]}::text[])`;
}

/** strpos instead of LIKE, so that % is literal. */
function containsText(columns: readonly string[], text: string): RawBuilder<SqlBool> {
  const texts = sql.join(columns.map((column) => sql.ref(column)));
  return sql`strpos(lower(concat_ws(E'\\n', ${texts})), lower(${text})) > 0`;
}
