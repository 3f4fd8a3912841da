import { type RawBuilder, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import type { UsualRequests } from "./capacity.rule.ts";

// Usual requests of a scope, from the newest requests of a day. Each statement reads a bounded number of entries.

/** Requests that the figures are computed from. */
const MAX_REQUESTS = 5_000;
/** Entries that one statement reads. */
const MAX_SCANNED = 50_000;
const MAX_LABELS = 1_000;
const MAX_MODELS = 10;

interface Scope {
  organizationId: string;
  scopeType: ScopeType;
  scopeId: string;
}

/**
 * Lists usual figures by model, the most used first. `areStreamsWhole`: holds of streams count too, because the limit holds
 * them whole.
 */
export async function listUsualRequests(
  db: Database,
  of: Scope & { sinceAt: Date; areStreamsWhole: boolean },
): Promise<UsualRequests[]> {
  const labelIds = await listLabelIds(db, of);
  if (labelIds.length === 0) return [];
  const newest =
    labelIds.length > MAX_LABELS ? scanNewest(of) : readNewestOfLabels(labelIds, of.sinceAt);
  const isWhole = of.areStreamsWhole ? sql`true` : sql`NOT is_stream`;
  const p90 = (column: string) =>
    sql`percentile_disc(0.9) WITHIN GROUP (ORDER BY ${sql.ref(column)})`;
  const { rows } = await sql<UsualRequests>`
    WITH newest AS MATERIALIZED (${newest})
    SELECT model, count(*)::integer AS requests, ${p90("cost_nano_usd")} AS "costNanoUsd",
      ${p90("stream_hold_nano_usd")} FILTER (WHERE is_stream) AS "streamHoldNanoUsd",
      ${p90("prompt_tokens")} AS "promptTokens",
      ${p90("hold_nano_usd")} FILTER (WHERE hold_nano_usd IS NOT NULL AND ${isWhole}) AS "wholeHoldNanoUsd",
      bool_or(cache_write_5m_tokens > 0) AS "hasCacheWrite5m", bool_or(cache_write_1h_tokens > 0) AS "hasCacheWrite1h"
    FROM newest GROUP BY model ORDER BY count(*) DESC, model LIMIT ${MAX_MODELS}`.execute(db);
  return rows;
}

async function listLabelIds(db: Database, of: Scope): Promise<bigint[]> {
  const { rows } = await sql<{ id: bigint }>`
    SELECT id FROM usage_labels WHERE organization_id = ${of.organizationId}::uuid AND ${isInScope(of)}
    LIMIT ${MAX_LABELS + 1}`.execute(db);
  return rows.map(({ id }) => id);
}

function isInScope({ scopeType, scopeId }: Scope): RawBuilder<unknown> {
  switch (scopeType) {
    case "organization":
      return sql`true`;
    case "workspace":
      return sql`workspace_id = ${scopeId}`;
    case "api_key":
      return sql`api_key_id = ${scopeId}`;
    case "member":
      return sql`member_id = ${scopeId}`;
    case "group":
      return sql`${scopeId} = ANY(string_to_array(group_ids, ','))`;
    case "tag":
      return sql`${scopeId} = ANY(string_to_array(tag_ids, ','))`;
    case "group_member":
      return sql`false`;
  }
}

// A stream in steps rarely holds more than twice its cost, and a record does not tell how it was held.
const columns = sql`model, is_stream, cost_nano_usd, hold_nano_usd,
    least(hold_nano_usd, 2 * cost_nano_usd) AS stream_hold_nano_usd, coalesce(input_tokens, 0)
    + coalesce(cache_write_5m_tokens, 0) + coalesce(cache_write_1h_tokens, 0) + coalesce(cache_read_tokens, 0)
    AS prompt_tokens, cache_write_5m_tokens, cache_write_1h_tokens`;
/** Answered requests and cut streams with a cost. Without cut streams, the usual cost under a spent limit would be too low. */
const isUsual = sql`(outcome_code <= 1 OR cut IS NOT NULL) AND cost_nano_usd > 0`;

/** The newest requests of each combination of labels, of which the newest ones count. */
function readNewestOfLabels(labelIds: readonly bigint[], sinceAt: Date): RawBuilder<unknown> {
  const perLabel = Math.min(MAX_REQUESTS, Math.ceil(MAX_SCANNED / labelIds.length));
  return sql`
    SELECT ${columns} FROM unnest(${labelIds.map(String)}::bigint[]) AS label (id)
    JOIN usage_labels ON usage_labels.id = label.id
    CROSS JOIN LATERAL (SELECT * FROM usage_record
      WHERE labels_id = label.id AND started_at >= ${sinceAt} ORDER BY started_at DESC LIMIT ${perLabel}) AS entry
    WHERE ${isUsual} ORDER BY started_at DESC LIMIT ${MAX_REQUESTS}`;
}

function scanNewest(of: Scope & { sinceAt: Date }): RawBuilder<unknown> {
  return sql`
    SELECT ${columns} FROM (
      SELECT * FROM usage_record WHERE started_at >= ${of.sinceAt} ORDER BY started_at DESC LIMIT ${MAX_SCANNED}) AS entry
    JOIN usage_labels ON usage_labels.id = labels_id
    WHERE organization_id = ${of.organizationId}::uuid AND ${isInScope(of)} AND ${isUsual}
    ORDER BY started_at DESC LIMIT ${MAX_REQUESTS}`;
}
