import { countColumns } from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { MINUTES_MS } from "./minutes.sql.ts";
import { formatPosition } from "./open-hours.sql.ts";
import {
  EVENT_COUNTS,
  EVENT_STATUS,
  findHourRollup,
  isAttributedRollup,
  type RollupTable,
  type RollupUnit,
  rollupTables,
} from "./rollup-tables.ts";

/** A rollup row that differs from the sum of its source. Integer nano-USD. */
export interface RollupDifference {
  table: RollupTable;
  bucketAt: Date;
  organizationId: string;
  /** The other columns of the row's key. */
  labels: Record<string, string>;
  expectedRequests: bigint;
  rollupRequests: bigint;
  expectedCostNanoUsd: bigint;
  rollupCostNanoUsd: bigint;
}

const MAX_DIFFERENCES = 100;

/** Source of each rollup. Minutes and hours are sums of events, and all others are sums of finer rollups. */
const sources: Readonly<Record<RollupTable, RollupTable | null>> = {
  usage_hour: null,
  usage_day: "usage_hour",
  usage_week: "usage_day",
  usage_month: "usage_day",
  usage_key_day: "usage_day",
  usage_key_week: "usage_week",
  usage_key_month: "usage_month",
  usage_member_hour: "usage_hour",
  usage_member_day: "usage_day",
  usage_member_week: "usage_week",
  usage_workspace_hour: "usage_hour",
  usage_workspace_day: "usage_day",
  usage_organization_minute: null,
  usage_organization_hour: "usage_hour",
  usage_organization_day: "usage_day",
  usage_attributed_hour: null,
  usage_attributed_day: "usage_attributed_hour",
  usage_attributed_month: "usage_attributed_day",
};

/**
 * Compares every rollup row, in every counted column, with the sum of its events or of the finer rollup. Hours with pruned
 * events are compared with the other rollups only. Rows of open hours are in no other rollup. Returns at most 100
 * differences of each table. Weeks are compared if they are summed, minutes if they are kept. Reads all usage events, so
 * it is for tests and diagnosis, not for requests.
 */
export async function listRollupDifferences(db: Database | Tx): Promise<RollupDifference[]> {
  const found: RollupDifference[] = [];
  for (const [table, source] of Object.entries(sources)) {
    found.push(...(await compare(db, table as RollupTable, source)));
  }
  return found;
}

async function compare(
  db: Database | Tx,
  table: RollupTable,
  source: RollupTable | null,
): Promise<RollupDifference[]> {
  const { unit, labels } = rollupTables[table];
  const units = new Set([unit, source === null ? unit : rollupTables[source].unit]);
  const key = ["bucket_at", "organization_id", ...labels];
  const sums = countColumns.map((column) => {
    const value = source === null ? (EVENT_COUNTS[column] ?? column) : column;
    return sql`sum(${sql.raw(value)})::bigint AS ${sql.ref(column)}`;
  });
  const shown = labels.map((label) =>
    source === null && label === "status"
      ? sql`${sql.raw(EVENT_STATUS)} AS status`
      : sql.ref(label),
  );
  const at = sql.ref(source === null ? "started_at" : "bucket_at");
  const sides = (side: string) =>
    sql.join(countColumns.map((column) => sql.ref(`${side}.${column}`)));
  const { rows } = await sql<RollupDifference>`
    WITH summed AS (
      SELECT ${sql.join([sql`date_trunc(${sql.lit(unit)}, ${at}, 'UTC') AS bucket_at`, sql.ref("organization_id"), ...shown])},
        ${sql.join(sums)}
      FROM ${sql.table(source ?? "recorded_request")} AS part
      WHERE ${source === null ? isKept("part.started_at", "part") : isSummed(unit, source)}
        AND ${unit === "minute" ? isRecent("part.started_at") : sql`true`}
        AND ${isRetained(source === null ? "part.started_at" : "part.bucket_at", units)}
        AND ${isAttributedRollup(table) ? sql`attribution_id <> 0` : sql`true`}
      GROUP BY ${sql.join(key.map((_, index) => sql.raw(String(index + 1))))}
    ), rollup AS (
      SELECT * FROM ${sql.table(table)} AS part
      WHERE ${source === null ? isKept("part.bucket_at", "part") : sql`true`}
        AND ${unit === "minute" ? isRecent("part.bucket_at") : sql`true`}
        AND ${isRetained("part.bucket_at", units)}
    )
    SELECT ${sql.lit(table)} AS "table", bucket_at AS "bucketAt", organization_id AS "organizationId",
      json_build_object(${sql.join(labels.flatMap((label) => [sql.lit(label), sql.ref(label)]))}) AS labels,
      coalesce(summed.requests, 0) AS "expectedRequests", coalesce(rollup.requests, 0) AS "rollupRequests",
      coalesce(summed.cost_nano_usd, 0) AS "expectedCostNanoUsd",
      coalesce(rollup.cost_nano_usd, 0) AS "rollupCostNanoUsd"
    FROM summed FULL JOIN rollup USING (${sql.join(key.map((label) => sql.ref(label)))})
    WHERE (${sides("summed")}) IS DISTINCT FROM (${sides("rollup")})
    LIMIT ${MAX_DIFFERENCES}`.execute(db);
  return rows;
}

/** Condition of the rows of a finer rollup that have been added to this one. */
function isSummed(unit: RollupUnit, source: RollupTable): RawBuilder<unknown> {
  if (unit === "week") return sql`bucket_at < (SELECT summed_before FROM usage_weeks)`;
  if (source !== findHourRollup(source)) return sql`true`;
  return sql`(${sql.raw(formatPosition("bucket_at"))})
    <= (SELECT hour_at, organization_id, workspace_id, api_key_id FROM rollup_progress)`;
}

/** Condition for buckets that no retention has deleted from either side. A week counts by its start. */
function isRetained(at: string, units: ReadonlySet<RollupUnit>): RawBuilder<unknown> {
  const marks = [
    ...(units.has("hour") ? [sql.ref("hours_before")] : []),
    ...(units.has("day") || units.has("week") ? [sql.ref("days_before")] : []),
  ];
  if (marks.length === 0) return sql`true`;
  return sql`NOT EXISTS (SELECT FROM retention_mark WHERE greatest(${sql.join(marks)}) > ${sql.ref(at)})`;
}

/** Condition for minutes that the rollup of minutes has. */
function isRecent(at: string): RawBuilder<unknown> {
  return sql`${sql.ref(at)} >= date_trunc('minute', now() - ${MINUTES_MS} * interval '1 ms', 'UTC') + interval '1 minute'`;
}

/** Condition for times of which the organization's events are not deleted. */
function isKept(at: string, table: string): RawBuilder<unknown> {
  return sql`NOT EXISTS (SELECT FROM usage_settings s
    WHERE s.organization_id = ${sql.ref(`${table}.organization_id`)} AND s.log_pruned_before > ${sql.ref(at)})`;
}
