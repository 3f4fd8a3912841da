import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

/** Workspaces that the caller can see, and whose keys. Null: all. */
export interface TagFileScope {
  organizationId: string;
  workspaceIds: readonly string[] | null;
  keyWorkspaceIds: readonly string[] | null;
}

/** Place of a row in the file: each workspace, then its keys, both by their age. */
export interface RowPlace {
  workspace_id: string;
  kind: "workspace" | "api_key";
  id: string;
}

export interface TaggedRow extends RowPlace {
  name: string;
  /** Name of the workspace. */
  workspace: string;
  tags: Record<string, string>;
}

/** Active workspaces and keys that are not archived. */
const subjects = ({ organizationId, workspaceIds, keyWorkspaceIds }: TagFileScope) => {
  const isIn = (column: string, ids: readonly string[] | null) =>
    ids === null ? sql`true` : sql`${sql.ref(column)} = ANY(${[...ids]}::text[])`;
  return sql`
    SELECT 'workspace' AS kind, false AS is_key, id, name, id AS workspace_id, name AS workspace, tags
    FROM workspace WHERE organization_id = ${organizationId}::uuid AND archived_at IS NULL
      AND ${isIn("workspace.id", workspaceIds)}
    UNION ALL
    SELECT 'api_key', true, api_key.id, api_key.name, api_key.workspace_id, workspace.name, api_key.tags
    FROM api_key JOIN workspace ON workspace.id = api_key.workspace_id
    WHERE api_key.organization_id = ${organizationId}::uuid AND api_key.status <> 'archived'
      AND api_key.purpose <> 'playground' AND ${isIn("api_key.workspace_id", keyWorkspaceIds)}`;
};

/** Names of tags in alphabetical order, up to `limit`. */
export async function listNamesInUse(
  db: Database,
  scope: TagFileScope,
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT DISTINCT tag.name COLLATE "C" AS name
    FROM (${subjects(scope)}) AS subject CROSS JOIN LATERAL jsonb_each_text(subject.tags) AS tag (name, value)
    WHERE tag.value <> '' ORDER BY 1 LIMIT ${limit}`.execute(db);
  return rows.map(({ name }) => name);
}

const PAGE_ROWS = 1_000;

/** Lists rows after a place. Ids never change, so no row is repeated or left out. */
export async function listTaggedRows(
  db: Database,
  scope: TagFileScope,
  after: RowPlace | null,
): Promise<TaggedRow[]> {
  const isAfter =
    after === null
      ? sql`true`
      : sql`(workspace_id COLLATE "C", is_key, id COLLATE "C")
          > (${after.workspace_id}::text, ${after.kind === "api_key"}::boolean, ${after.id}::text)`;
  const { rows } = await sql<TaggedRow>`
    SELECT kind, id, name, workspace_id, workspace, tags FROM (${subjects(scope)}) AS subject
    WHERE ${isAfter} ORDER BY workspace_id COLLATE "C", is_key, id COLLATE "C" LIMIT ${PAGE_ROWS}`.execute(
    db,
  );
  return rows;
}
