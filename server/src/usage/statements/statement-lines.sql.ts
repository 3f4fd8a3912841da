import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { type OpenHours, selectRollup } from "#src/recording/open-hours.sql.ts";
import { lineCounts, lineLabels } from "./statement-shape.rule.ts";

// Lines of a statement: those of a closed month as they are stored, those of another month from the rollups. Everything else
// about statements reads one of both.

const isAttribution = (label: string) => label === "group_ids" || label === "tag_ids";
const usageLabels = lineLabels.filter((label) => !isAttribution(label));

/** Discount of a contract, in millionths of the list price. */
export interface Term {
  fromMonth: string;
  /** "": every model. */
  modelFamily: string;
  discountPpm: bigint;
}

/** Place of the lines of a month. Months are their first days, "YYYY-MM-DD". */
export type LineSource =
  | { kind: "closed"; organizationId: string; month: string }
  | {
      kind: "open";
      organizationId: string;
      month: string;
      /** End of the month, milliseconds since the epoch. Exclusive. */
      endMs: number;
      /** Closed months with requests that arrived after their closing. */
      lateMonths: readonly string[];
      /** True: no earlier month is open, so adjustments of all earlier months belong to this one. */
      isFirstOpen: boolean;
      openHours: OpenHours | null;
      terms: readonly Term[];
    };

const columns = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(name)));

/**
 * Selects the lines of a month, for FROM. `hasAttribution` false: for sums over all groups and tags. The lines of an open month
 * are then less detailed where nothing has to be rounded or subtracted for each of them.
 */
export function selectLines(
  source: LineSource,
  { hasAttribution = true }: { hasAttribution?: boolean } = {},
): RawBuilder<unknown> {
  const shown = columns([
    "kind",
    "for_month",
    "adjustment_id",
    ...lineLabels,
    ...lineCounts,
    "discount_nano_usd",
  ]);
  if (source.kind === "closed") {
    return sql`(SELECT ${shown} FROM statement_line
      WHERE organization_id = ${source.organizationId}::uuid AND month = ${source.month}::date)`;
  }
  const discount = sql`CASE WHEN kind = 'simulated' THEN 0
    ELSE round(cost_nano_usd * ${findDiscount(source.terms)} * 0.000001)::bigint END`;
  const isDetailed = hasAttribution || source.terms.length > 0 || source.lateMonths.length > 0;
  return sql`(SELECT *, ${discount} AS discount_nano_usd FROM (
    ${isDetailed ? selectUsage(source) : selectPlainUsage(source)} UNION ALL ${selectAdjustments(source)}) AS priced)`;
}

/** SQL of the discount of a line, in millionths. The longest family that matches decides, then the latest month. */
function findDiscount(terms: readonly Term[]): RawBuilder<unknown> {
  if (terms.length === 0) return sql`0::numeric`;
  const rows = terms.map(
    ({ fromMonth, modelFamily, discountPpm }) =>
      sql`(${fromMonth}::date, ${modelFamily}::text, ${discountPpm}::numeric)`,
  );
  return sql`coalesce((SELECT term.ppm FROM (VALUES ${sql.join(rows)}) AS term (from_month, family, ppm)
    WHERE term.from_month <= priced.for_month AND starts_with(priced.model, term.family)
    ORDER BY length(term.family) DESC, term.from_month DESC LIMIT 1), 0)`;
}

type OpenSource = Extract<LineSource, { kind: "open" }>;

const lineKind = sql`CASE WHEN service_tier = ${SIMULATED_TIER} THEN 'simulated' ELSE 'usage' END AS kind`;

/** Usage of the month without groups and tags. */
function selectPlainUsage({ organizationId, month, openHours }: OpenSource): RawBuilder<unknown> {
  const labels = lineLabels.map((label) =>
    isAttribution(label) ? sql`'' AS ${sql.ref(label)}` : sql.ref(label),
  );
  return sql`SELECT ${lineKind}, ${month}::date AS for_month, '' AS adjustment_id, ${sql.join(labels)},
      ${columns(lineCounts)}
    FROM ${selectRollup("usage_month", organizationId, openHours)} AS rollup
    WHERE bucket_at = ${month}::timestamp AT TIME ZONE 'UTC'`;
}

/** Usage of the month, and usage of closed months that no statement has. */
function selectUsage(source: OpenSource): RawBuilder<unknown> {
  const { organizationId, month, lateMonths, openHours } = source;
  const months = [month, ...lateMonths];
  const isWanted = sql`bucket_at = ANY(ARRAY(
    SELECT each::timestamp AT TIME ZONE 'UTC' FROM unnest(${months}::date[]) AS each))`;
  // The requests with groups or tags are subtracted from all requests, and added with their attribution, in one read.
  const all = sql`SELECT bucket_at, 0::bigint AS attribution_id, ${columns([...usageLabels, ...lineCounts])}
    FROM ${selectRollup("usage_month", organizationId, openHours)} AS rollup WHERE ${isWanted}`;
  const moved = lineCounts.map((count) => sql`way.sign * ${sql.ref(count)} AS ${sql.ref(count)}`);
  const attributed = sql`SELECT bucket_at, CASE WHEN way.sign = 1 THEN attribution_id ELSE 0 END,
      ${columns(usageLabels)}, ${sql.join(moved)}
    FROM ${selectRollup("usage_attributed_month", organizationId, openHours)} AS rollup
      CROSS JOIN (VALUES (1), (-1)) AS way (sign) WHERE ${isWanted}`;
  const current = sql`SELECT (bucket_at AT TIME ZONE 'UTC')::date AS for_month,
      coalesce(attribution.group_ids, '') AS group_ids, coalesce(attribution.tag_ids, '') AS tag_ids,
      ${columns([...usageLabels, ...lineCounts])}
    FROM (${all} UNION ALL ${attributed}) AS part
    LEFT JOIN usage_attribution AS attribution
      ON attribution.id = part.attribution_id AND attribution.organization_id = ${organizationId}::uuid`;
  const stored =
    lateMonths.length === 0 ? sql`` : sql` UNION ALL ${selectStored(organizationId, lateMonths)}`;
  const sums = lineCounts.map((count) => sql`sum_bigint(${sql.ref(count)}) AS ${sql.ref(count)}`);
  return sql`SELECT ${lineKind}, for_month, '' AS adjustment_id, ${columns(lineLabels)}, ${sql.join(sums)}
    FROM (${current}${stored}) AS counted
    GROUP BY for_month, ${columns(lineLabels)}
    HAVING sum_bigint(requests) <> 0 OR sum_bigint(cost_nano_usd) <> 0`;
}

/** Stored lines of closed months, subtracted. */
function selectStored(organizationId: string, lateMonths: readonly string[]): RawBuilder<unknown> {
  const counts = lineCounts.map((count) => sql`-${sql.ref(count)} AS ${sql.ref(count)}`);
  return sql`SELECT for_month, group_ids, tag_ids, ${columns(usageLabels)}, ${sql.join(counts)}
    FROM statement_line
    WHERE organization_id = ${organizationId}::uuid AND adjustment_id = '' AND for_month = ANY(${[...lateMonths]}::date[])
      AND month IN (SELECT month FROM statement_usage
        WHERE organization_id = ${organizationId}::uuid AND for_month = ANY(${[...lateMonths]}::date[]))`;
}

/** Adjustments of the month, and those of earlier months that no statement has. */
function selectAdjustments(source: OpenSource): RawBuilder<unknown> {
  const { organizationId, month, endMs, isFirstOpen } = source;
  const start = sql`${month}::timestamp AT TIME ZONE 'UTC'`;
  const from = isFirstOpen ? sql`` : sql`AND started_at >= ${start}`;
  const counts = lineCounts.map((count) =>
    count === "cost_nano_usd" ? sql`cost_nano_usd` : sql`0::bigint AS ${sql.ref(count)}`,
  );
  // An adjustment of a simulated request is not billed either.
  const isSimulated = sql`EXISTS (SELECT FROM recorded_request AS request
    WHERE request.started_at = adjustment.started_at AND request.request_hash = hashtextextended(adjustment.request_id, 0)
      AND request.request_id = adjustment.request_id AND request.service_tier = ${SIMULATED_TIER})`;
  return sql`SELECT CASE WHEN ${isSimulated} THEN 'simulated' ELSE 'adjustment' END AS kind,
      date_trunc('month', started_at AT TIME ZONE 'UTC')::date AS for_month, id AS adjustment_id,
      workspace_id, api_key_id, member_id, group_ids, tag_ids, '' AS model, '' AS service_tier, '' AS context_window,
      '' AS inference_geo, '' AS speed, ${sql.join(counts)}
    FROM spend_adjustment AS adjustment
    WHERE organization_id = ${organizationId}::uuid AND started_at < ${new Date(endMs)} ${from}
      AND NOT EXISTS (SELECT FROM statement_line AS line
        WHERE line.organization_id = ${organizationId}::uuid AND line.adjustment_id = adjustment.id
          AND line.adjustment_id <> '')`;
}

/** Lists closed months whose rollups differ from what statements have of them. */
export async function listLateMonths(
  tx: Tx,
  of: { organizationId: string; before: string },
): Promise<string[]> {
  const { rows } = await sql<{ month: string }>`
    SELECT month::text AS month FROM (
      SELECT (bucket_at AT TIME ZONE 'UTC')::date AS month, requests, cost_nano_usd FROM usage_key_month
      WHERE organization_id = ${of.organizationId}::uuid AND bucket_at < ${of.before}::timestamp AT TIME ZONE 'UTC'
      UNION ALL
      SELECT for_month, -requests, -cost_nano_usd FROM statement_usage WHERE organization_id = ${of.organizationId}::uuid
    ) AS counted
    GROUP BY month HAVING sum_bigint(requests) <> 0 OR sum_bigint(cost_nano_usd) <> 0 ORDER BY month`.execute(
    tx,
  );
  return rows.map(({ month }) => month);
}
