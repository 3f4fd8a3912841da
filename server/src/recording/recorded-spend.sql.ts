import { type RawBuilder, sql } from "kysely";
import { formatPosition } from "./open-hours.sql.ts";

// Spend of any scope and period, from the rollups, the open hours and the adjustments. Each part reads some rows of a
// primary key. Batches that no fold has counted are not in it.

const startAt = sql`wanted.period_start::timestamp AT TIME ZONE 'UTC'`;
const endAt = sql`(wanted.period_start + CASE wanted.period WHEN 'daily' THEN interval '1 day'
  WHEN 'weekly' THEN interval '7 days' ELSE interval '1 month' END) AT TIME ZONE 'UTC'`;

/** Sum of a table's rows for each bucket of the period. An index finds the rows of a bucket. */
function sumBuckets(of: {
  table: string;
  isScope: RawBuilder<unknown>;
  buckets: RawBuilder<unknown>;
  isCounted?: RawBuilder<unknown>;
}): RawBuilder<unknown> {
  return sql`SELECT sum(bucket.nano_usd) FROM (${of.buckets}) AS each (at) CROSS JOIN LATERAL (
    SELECT sum(cost_nano_usd) AS nano_usd FROM ${sql.table(of.table)}
    WHERE organization_id = wanted.organization_id AND bucket_at = each.at AND ${of.isScope}
      ${of.isCounted === undefined ? sql`` : sql`AND ${of.isCounted}`}) AS bucket`;
}

const isKey = sql`workspace_id = wanted.workspace_id AND api_key_id = wanted.scope_id`;
const isWorkspace = sql`workspace_id = wanted.scope_id`;
const isMember = sql`member_id = wanted.scope_id`;
/** Ids of groups and tags are joined by commas. An empty text, of most rows, is compared first. */
const isGroup = sql`group_ids <> '' AND wanted.scope_id = ANY(string_to_array(group_ids, ','))`;
const isTag = sql`tag_ids <> '' AND wanted.scope_id = ANY(string_to_array(tag_ids, ','))`;
/** Combinations of groups and tags are few, and an index finds the rows of each. */
const isAttributed = (isScope: RawBuilder<unknown>) => sql`attribution_id = ANY(ARRAY(
  SELECT id FROM usage_attribution WHERE organization_id = wanted.organization_id AND ${isScope}))`;

const month = sql`SELECT ${startAt} WHERE wanted.period = 'monthly'`;
const days = sql`SELECT generate_series(${startAt}, ${endAt} - interval '24 hours', interval '24 hours')`;
const daysOfShortPeriod = sql`${days} WHERE wanted.period <> 'monthly'`;
/** Hours that may have usage which is in no closed rollup. */
const openHours = sql`
  SELECT generate_series(greatest(${startAt}, hour_at), least(${endAt} - interval '1 hour', (
    SELECT max(bucket_at) FROM usage_hour WHERE organization_id = wanted.organization_id)), interval '1 hour')
  FROM rollup_progress WHERE isfinite(hour_at)`;
const isOpen = sql`(${sql.raw(formatPosition("bucket_at"))})
  > (SELECT hour_at, organization_id, workspace_id, api_key_id FROM rollup_progress)`;

/** Spend of the closed hours, from rollups per month and per day. */
function sumClosed(isScope: RawBuilder<unknown>, tables: { month: string; day: string }) {
  return sql`coalesce((${sumBuckets({ table: tables.month, isScope, buckets: month })}), 0)
    + coalesce((${sumBuckets({ table: tables.day, isScope, buckets: daysOfShortPeriod })}), 0)`;
}

function sumOpen(isScope: RawBuilder<unknown>, table = "usage_hour"): RawBuilder<unknown> {
  return sql`(${sumBuckets({ table, isScope, buckets: openHours, isCounted: isOpen })})`;
}

const keyRollups = { month: "usage_key_month", day: "usage_key_day" };
const attributedRollups = { month: "usage_attributed_month", day: "usage_attributed_day" };

/**
 * SQL of the counted spend of a row `wanted`, integer nano-USD. The row has organization_id, workspace_id, scope_type,
 * scope_id, period and period_start.
 */
export const RECORDED_SPEND = sql<bigint>`(
  SELECT coalesce(sum(part.nano_usd), 0)::bigint FROM (
    SELECT CASE wanted.scope_type
      WHEN 'api_key' THEN ${sumClosed(isKey, keyRollups)}
      WHEN 'workspace' THEN (${sumBuckets({ table: "usage_workspace_day", isScope: isWorkspace, buckets: days })})
      WHEN 'member' THEN (${sumBuckets({ table: "usage_member_day", isScope: isMember, buckets: days })})
      WHEN 'group' THEN ${sumClosed(isAttributed(isGroup), attributedRollups)}
      WHEN 'tag' THEN ${sumClosed(isAttributed(isTag), attributedRollups)}
      ELSE (${sumBuckets({ table: "usage_organization_day", isScope: sql`true`, buckets: days })}) END
    UNION ALL
    SELECT CASE wanted.scope_type
      WHEN 'api_key' THEN ${sumOpen(isKey)}
      WHEN 'workspace' THEN ${sumOpen(isWorkspace)}
      WHEN 'member' THEN ${sumOpen(isMember)}
      WHEN 'group' THEN ${sumOpen(isAttributed(isGroup), "usage_attributed_hour")}
      WHEN 'tag' THEN ${sumOpen(isAttributed(isTag), "usage_attributed_hour")}
      ELSE ${sumOpen(sql`true`)} END
    UNION ALL
    SELECT sum(cost_nano_usd) FROM spend_adjustment
    WHERE organization_id = wanted.organization_id AND started_at >= ${startAt} AND started_at < ${endAt}
      AND CASE wanted.scope_type WHEN 'api_key' THEN api_key_id = wanted.scope_id
        WHEN 'workspace' THEN ${isWorkspace} WHEN 'member' THEN ${isMember} WHEN 'group' THEN ${isGroup}
        WHEN 'tag' THEN ${isTag} ELSE true END
  ) AS part (nano_usd))`;
