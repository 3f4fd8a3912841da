import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import type { PageRequest } from "#src/domain/page-position.ts";
import { formatTag, type PresentTag, type RankedTags } from "./tag-changes.rule.ts";

/** Tags of an active workspace, locked until the transaction ends. */
export async function findTagsOfWorkspace(
  tx: Tx,
  of: { organizationId: string; workspaceId: string },
): Promise<RankedTags> {
  const { rows } = await sql<RankedTags>`
    SELECT tags, tag_ranks AS ranks FROM workspace
    WHERE organization_id = ${of.organizationId}::uuid AND id = ${of.workspaceId} FOR SHARE`.execute(
    tx,
  );
  return rows[0] ?? { tags: {}, ranks: {} };
}

/** Tags of each key, the oldest key first. */
export async function listTagsOfKeys(
  tx: Tx,
  organizationId: string,
  apiKeyIds: readonly string[],
): Promise<RankedTags[]> {
  if (apiKeyIds.length === 0) return [];
  const { rows } = await sql<RankedTags>`
    SELECT tags, tag_ranks AS ranks FROM api_key
    WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...apiKeyIds]}::text[])
    ORDER BY created_at, id`.execute(tx);
  return rows;
}

/** Highest rank with a value on a spend limit or a rate limit of each tag, by `formatTag`. Each tag is read once. */
export async function listTagLimitRanks(
  tx: Tx,
  organizationId: string,
  tags: readonly PresentTag[],
): Promise<Map<string, Rank>> {
  if (tags.length === 0) return new Map();
  const wanted = [...new Map(tags.map((tag) => [formatTag(tag), tag])).values()];
  const names = wanted.map(({ name }) => name);
  const values = wanted.map(({ value }) => value);
  const { rows } = await sql<PresentTag & { rank: Rank }>`
    SELECT wanted.name, wanted.value, limits.rank
    FROM unnest(${names}::text[], ${values}::text[]) AS wanted (name, value)
    JOIN (
      SELECT scope_id, rank FROM spend_limit_value WHERE organization_id = ${organizationId}::uuid AND scope_type = 'tag'
      UNION ALL
      SELECT scope_id, rank FROM rate_limit_value WHERE organization_id = ${organizationId}::uuid AND scope_type = 'tag'
    ) AS limits ON limits.scope_id = tag_id(${organizationId}::uuid, wanted.name, wanted.value)`.execute(
    tx,
  );
  const highest = new Map<string, Rank>();
  for (const { rank, ...tag } of rows) {
    const known = highest.get(formatTag(tag));
    if (known === undefined || includesRank(rank, known)) highest.set(formatTag(tag), rank);
  }
  return highest;
}

interface NamedUser {
  id: string;
  name: string;
}

export interface TagRow {
  id: string;
  name: string;
  value: string;
  created_at: Date;
  workspace_count: number;
  workspaces: NamedUser[];
  api_key_count: number;
  api_keys: NamedUser[];
}

export interface TagFilter {
  organizationId: string;
  name: string | undefined;
  /** Workspaces that the caller can see, and whose keys. Null: all, and unused tags too. */
  workspaceIds: readonly string[] | null;
  keyWorkspaceIds: readonly string[] | null;
}

const SHOWN = 20;

/** Lists the rows of a page, and one more row if another page exists. */
export async function listTags(
  db: Database | Tx,
  filter: TagFilter,
  page: PageRequest,
): Promise<TagRow[]> {
  const { organizationId, workspaceIds, keyWorkspaceIds } = filter;
  const isIn = (column: string, ids: readonly string[] | null) =>
    ids === null ? sql`true` : sql`${sql.ref(column)} = ANY(${[...ids]}::text[])`;
  const isOlder = page.direction === "older";
  const order = sql.raw(isOlder ? "DESC" : "ASC");
  const from =
    page.from === null
      ? sql`true`
      : sql`(tag.created_at, tag.id) ${sql.raw(isOlder ? "<" : ">")} (${new Date(page.from.createdAtMs)}, ${page.from.id})`;
  const users = sql`jsonb_build_object(tag.name, tag.value)`;
  const first = (
    table: string,
  ) => sql`coalesce((SELECT json_agg(json_build_object('id', id, 'name', name) ORDER BY name, id)
    FROM (SELECT id, name FROM ${sql.table(table)} ORDER BY name, id LIMIT ${SHOWN}) AS shown), '[]')`;
  const { rows } = await sql<TagRow>`
    SELECT tag.id, tag.name, tag.value, tag.created_at, used.*
    FROM tag CROSS JOIN LATERAL (
      WITH own_workspace AS (
        SELECT id, name FROM workspace WHERE organization_id = tag.organization_id AND archived_at IS NULL
          AND tags @> ${users} AND ${isIn("workspace.id", workspaceIds)}
      ), own_key AS (
        SELECT id, name FROM api_key WHERE organization_id = tag.organization_id AND status <> 'archived'
          AND purpose = 'calls' AND tags @> ${users} AND ${isIn("api_key.workspace_id", keyWorkspaceIds)}
      )
      SELECT (SELECT count(*)::integer FROM own_workspace) AS workspace_count, ${first("own_workspace")} AS workspaces,
        (SELECT count(*)::integer FROM own_key) AS api_key_count, ${first("own_key")} AS api_keys
    ) AS used
    WHERE tag.organization_id = ${organizationId}::uuid AND ${from}
      AND ${filter.name === undefined ? sql`true` : sql`tag.name = ${filter.name}`}
      AND ${workspaceIds === null ? sql`true` : sql`used.workspace_count + used.api_key_count > 0`}
    ORDER BY tag.created_at ${order}, tag.id ${order} LIMIT ${page.limit + 1}`.execute(db);
  return rows;
}
