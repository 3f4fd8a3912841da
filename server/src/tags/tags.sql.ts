import { includesRank, type Rank } from "@bursar/contract/permissions.ts";
import { type RawBuilder, sql } from "kysely";
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

/** Locks these workspaces, and those of the API keys, until the transaction ends. */
export async function lockTaggedWorkspaces(
  tx: Tx,
  of: { organizationId: string; ids: readonly string[]; apiKeyIds: readonly string[] },
): Promise<void> {
  await sql`
    SELECT FROM workspace WHERE organization_id = ${of.organizationId}::uuid AND (id = ANY(${[...of.ids]}::text[])
      OR id IN (SELECT workspace_id FROM api_key
        WHERE organization_id = ${of.organizationId}::uuid AND id = ANY(${[...of.apiKeyIds]}::text[])))
    ORDER BY id FOR NO KEY UPDATE`.execute(tx);
}

/** Tags of workspaces, by id. */
export async function listTagsOfWorkspaces(
  tx: Tx,
  of: { organizationId: string; workspaceIds: readonly string[] },
): Promise<Map<string, RankedTags>> {
  const { rows } = await sql<RankedTags & { id: string }>`
    SELECT id, tags, tag_ranks AS ranks FROM workspace
    WHERE organization_id = ${of.organizationId}::uuid AND id = ANY(${[...of.workspaceIds]}::text[])
    ORDER BY id`.execute(tx);
  return new Map(rows.map(({ id, ...tags }) => [id, tags]));
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

/** Replaces the tags of workspaces or keys, whose rows are locked. */
export async function saveTags(
  tx: Tx,
  table: "workspace" | "api_key",
  organizationId: string,
  tagged: readonly { id: string; after: RankedTags }[],
): Promise<void> {
  const ids = tagged.map(({ id }) => id);
  const tags = tagged.map(({ after }) => JSON.stringify(after.tags));
  const ranks = tagged.map(({ after }) => JSON.stringify(after.ranks));
  await sql`
    UPDATE ${sql.table(table)} AS stored SET tags = changed.tags, tag_ranks = changed.ranks
    FROM unnest(${ids}::text[], ${tags}::jsonb[], ${ranks}::jsonb[]) AS changed (id, tags, ranks)
    WHERE stored.organization_id = ${organizationId}::uuid AND stored.id = changed.id`.execute(tx);
}

/** Returns the names that no workspace or key of the organization has ever had. */
export async function listNewTagNames(
  tx: Tx,
  organizationId: string,
  names: readonly string[],
): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM unnest(${[...names]}::text[]) AS wanted (name)
    WHERE NOT EXISTS (SELECT FROM tag WHERE tag.organization_id = ${organizationId}::uuid AND tag.name = wanted.name)
    ORDER BY name`.execute(tx);
  return rows.map(({ name }) => name);
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

/**
 * Lists the rows of a page, and one more row if another page exists. Each page reads the tags of all workspaces and keys once. A
 * search for each tag took 18 s for 540 tags of 10,000 keys, and this takes 0.9 s.
 */
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
  const named = filter.name === undefined ? sql`true` : sql`each.name = ${filter.name}`;
  const usedBy = (table: string, condition: RawBuilder<unknown>) => sql`
    SELECT each.name, each.value, count(*)::integer AS count, to_json((array_agg(json_build_object('id', own.id,
      'name', own.name) ORDER BY own.name, own.id))[1:${sql.lit(SHOWN)}]) AS shown
    FROM ${sql.table(table)} AS own CROSS JOIN LATERAL jsonb_each_text(own.tags) AS each (name, value)
    WHERE own.organization_id = ${organizationId}::uuid AND ${condition} AND ${named} GROUP BY each.name, each.value`;
  const { rows } = await sql<TagRow>`
    SELECT tag.id, tag.name, tag.value, tag.created_at,
      coalesce(workspaces.count, 0) AS workspace_count, coalesce(workspaces.shown, '[]') AS workspaces,
      coalesce(api_keys.count, 0) AS api_key_count, coalesce(api_keys.shown, '[]') AS api_keys
    FROM tag
    LEFT JOIN (${usedBy("workspace", sql`own.archived_at IS NULL AND ${isIn("own.id", workspaceIds)}`)}) AS workspaces
      ON workspaces.name = tag.name AND workspaces.value = tag.value
    LEFT JOIN (${usedBy("api_key", sql`own.status <> 'archived' AND own.purpose <> 'playground' AND ${isIn("own.workspace_id", keyWorkspaceIds)}`)}) AS api_keys
      ON api_keys.name = tag.name AND api_keys.value = tag.value
    WHERE tag.organization_id = ${organizationId}::uuid AND ${from}
      AND ${filter.name === undefined ? sql`true` : sql`tag.name = ${filter.name}`}
      AND ${workspaceIds === null ? sql`true` : sql`(workspaces.count > 0 OR api_keys.count > 0)`}
    ORDER BY tag.created_at ${order}, tag.id ${order} LIMIT ${page.limit + 1}`.execute(db);
  return rows;
}
