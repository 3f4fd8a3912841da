import type { UsageBucket, UsageGroup } from "@bursar/contract/admin/usage.ts";
import { type RawBuilder, sql } from "kysely";
import { ownApiKeyIds } from "#src/access/own-api-keys.sql.ts";
import type { Database, Tx } from "#src/db/pool.ts";

// Reports read the rollups; minutes, of which there is no rollup, are counted from the events of at most a day.

/** What exists for the caller: workspaces as a whole (null: all), and in others only what a member's own keys used. */
export interface VisibleUsage {
  workspaceIds: readonly string[] | null;
  own: { memberId: string; workspaceIds: readonly string[] } | null;
}

export interface UsageFilter {
  organizationId: string;
  visible: VisibleUsage;
  /** Null: all of the visible ones. */
  workspaceIds: readonly string[] | null;
  apiKeyIds: readonly string[] | null;
  models: readonly string[] | null;
  bucket: UsageBucket;
  /** Both on a bucket's edge; the end is exclusive. Milliseconds since the epoch. */
  startMs: number;
  endMs: number;
}

export interface UsageCounts {
  requests: bigint;
  errors: bigint;
  estimated_requests: bigint;
  unpriced_requests: bigint;
  input_tokens: bigint;
  cache_write_5m_tokens: bigint;
  cache_write_1h_tokens: bigint;
  cache_read_tokens: bigint;
  output_tokens: bigint;
  web_searches: bigint;
  input_cost_nano_usd: bigint;
  cache_write_5m_cost_nano_usd: bigint;
  cache_write_1h_cost_nano_usd: bigint;
  cache_read_cost_nano_usd: bigint;
  output_cost_nano_usd: bigint;
  web_search_cost_nano_usd: bigint;
  cost_nano_usd: bigint;
}

/** Empty text stands for "not grouped by", which sorts first and is no id and no model. */
export interface UsageKey {
  bucket_at: Date;
  workspace_id: string;
  api_key_id: string;
  model: string;
}

export type UsageRow = UsageKey & UsageCounts;

const summed = [
  "input_tokens",
  "cache_write_5m_tokens",
  "cache_write_1h_tokens",
  "cache_read_tokens",
  "output_tokens",
  "web_searches",
  "input_cost_nano_usd",
  "cache_write_5m_cost_nano_usd",
  "cache_write_1h_cost_nano_usd",
  "cache_read_cost_nano_usd",
  "output_cost_nano_usd",
  "web_search_cost_nano_usd",
  "cost_nano_usd",
] as const;
const counted = ["requests", "errors", "estimated_requests", "unpriced_requests"] as const;

const groupColumns = {
  workspace: "workspace_id",
  api_key: "api_key_id",
  model: "model",
} as const satisfies Record<UsageGroup, keyof UsageKey>;

/** Rows in key order after `after`, at most `limit`. */
export async function listUsage(
  db: Database | Tx,
  query: UsageFilter & { groupBy: readonly UsageGroup[]; after: UsageKey | null; limit: number },
): Promise<UsageRow[]> {
  const columns = (Object.keys(groupColumns) as UsageGroup[]).map((group) => {
    const column = groupColumns[group];
    // In the same order on every installation, whatever the database's own collation.
    return query.groupBy.includes(group)
      ? sql`${sql.ref(column)} COLLATE "C" AS ${sql.ref(column)}`
      : sql`'' COLLATE "C" AS ${sql.ref(column)}`;
  });
  const { after } = query;
  const isAfter = after
    ? sql`WHERE (bucket_at, workspace_id, api_key_id, model) >
        (${after.bucket_at}, ${after.workspace_id}, ${after.api_key_id}, ${after.model})`
    : sql``;
  const { rows } = await sql<UsageRow>`
    SELECT * FROM (
      SELECT ${bucketOf(query.bucket)} AS bucket_at, ${sql.join(columns)}, ${sums(query.bucket)}
      FROM ${tableOf(query.bucket)} WHERE ${matches(query)} GROUP BY 1, 2, 3, 4
    ) AS grouped ${isAfter}
    ORDER BY bucket_at, workspace_id, api_key_id, model LIMIT ${query.limit}`.execute(db);
  return rows;
}

/** The whole range in one row; all zero where nothing was used. */
export async function sumUsage(db: Database | Tx, filter: UsageFilter): Promise<UsageCounts> {
  const { rows } = await sql<UsageCounts>`
    SELECT ${sums(filter.bucket)} FROM ${tableOf(filter.bucket)} WHERE ${matches(filter)}`.execute(
    db,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("a sum is one row");
  return row;
}

function tableOf(bucket: UsageBucket): RawBuilder<unknown> {
  switch (bucket) {
    case "1m":
      return sql.table("usage_event");
    case "1h":
      return sql.table("usage_hour");
    case "1d":
      return sql.table("usage_day");
  }
}

function bucketOf(bucket: UsageBucket): RawBuilder<unknown> {
  return bucket === "1m" ? sql`date_trunc('minute', started_at)` : sql.ref("bucket_at");
}

/** Sums are numeric in PostgreSQL; back to bigint, which an amount of money and a count of tokens fit into. */
function sums(bucket: UsageBucket): RawBuilder<unknown> {
  const counts =
    bucket === "1m"
      ? [
          sql`count(*) AS requests`,
          sql`count(*) FILTER (WHERE outcome NOT IN ('answered', 'aborted')) AS errors`,
          sql`count(*) FILTER (WHERE is_estimated) AS estimated_requests`,
          sql`count(*) FILTER (WHERE is_unpriced) AS unpriced_requests`,
        ]
      : counted.map(sumOf);
  return sql.join([...counts, ...summed.map(sumOf)]);
}

function sumOf(column: string): RawBuilder<unknown> {
  return sql`coalesce(sum(${sql.ref(column)}), 0)::bigint AS ${sql.ref(column)}`;
}

function matches(filter: UsageFilter): RawBuilder<unknown> {
  const at = sql.ref(filter.bucket === "1m" ? "started_at" : "bucket_at");
  const conditions = [
    sql`organization_id = ${filter.organizationId}`,
    sql`${at} >= ${new Date(filter.startMs)}`,
    sql`${at} < ${new Date(filter.endMs)}`,
  ];
  const { visible } = filter;
  if (visible.workspaceIds !== null) conditions.push(isVisible(filter.organizationId, visible));
  if (filter.workspaceIds) conditions.push(sql`workspace_id = ANY(${[...filter.workspaceIds]})`);
  if (filter.apiKeyIds) conditions.push(sql`api_key_id = ANY(${[...filter.apiKeyIds]})`);
  if (filter.models) conditions.push(sql`model = ANY(${[...filter.models]})`);
  return sql.join(conditions, sql` AND `);
}

function isVisible(organizationId: string, { workspaceIds, own }: VisibleUsage) {
  const whole = sql`workspace_id = ANY(${[...(workspaceIds ?? [])]}::text[])`;
  if (own === null) return whole;
  const { memberId } = own;
  return sql`(${whole} OR (workspace_id = ANY(${[...own.workspaceIds]}::text[])
    AND api_key_id IN (${ownApiKeyIds({ organizationId, memberId })})))`;
}
