import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { type LineSource, selectLines, type Term } from "./statement-lines.sql.ts";
import {
  lineCounts,
  lineLabels,
  type StatementAmounts,
  type StatementTotals,
} from "./statement-shape.rule.ts";

// Closed statements, and the closing of a month.

export interface ClosedStatement extends StatementTotals {
  /** First day of the month. */
  month: string;
  closed_at: Date;
  sha256: Buffer;
}

const closedColumns = sql`month::text AS month, closed_at, sha256, list_cost_nano_usd, adjustments_nano_usd, earlier_nano_usd,
  discount_nano_usd, requests, unpriced_requests, partly_unbilled_requests, simulated_requests, simulated_cost_nano_usd`;

/** Lists closed statements, newest first. */
export async function listClosed(tx: Tx, organizationId: string): Promise<ClosedStatement[]> {
  const { rows } = await sql<ClosedStatement>`
    SELECT ${closedColumns} FROM statement WHERE organization_id = ${organizationId}::uuid
    ORDER BY month DESC`.execute(tx);
  return rows;
}

export async function findClosed(
  tx: Tx,
  of: { organizationId: string; month: string },
): Promise<ClosedStatement | null> {
  const { rows } = await sql<ClosedStatement>`
    SELECT ${closedColumns} FROM statement
    WHERE organization_id = ${of.organizationId}::uuid AND month = ${of.month}::date`.execute(tx);
  return rows[0] ?? null;
}

/** Returns the newest closed month. Null: none is closed. */
export async function findLastClosedMonth(
  db: Database | Tx,
  organizationId: string,
): Promise<string | null> {
  const { rows } = await sql<{ month: string | null }>`
    SELECT max(month)::text AS month FROM statement WHERE organization_id = ${organizationId}::uuid`.execute(
    db,
  );
  return rows[0]?.month ?? null;
}

/** Returns the first month with a request or an adjustment. Null: there is none. */
export async function findFirstUsedMonth(
  db: Database | Tx,
  organizationId: string,
): Promise<string | null> {
  const { rows } = await sql<{ month: string | null }>`
    SELECT date_trunc('month', least(
      (SELECT min(bucket_at) FROM usage_key_month WHERE organization_id = ${organizationId}::uuid),
      (SELECT min(bucket_at) FROM usage_hour WHERE organization_id = ${organizationId}::uuid),
      (SELECT min(started_at) FROM spend_adjustment WHERE organization_id = ${organizationId}::uuid)
    ) AT TIME ZONE 'UTC')::date::text AS month`.execute(db);
  return rows[0]?.month ?? null;
}

export async function listTerms(db: Database | Tx, organizationId: string): Promise<Term[]> {
  const { rows } = await sql<Term>`
    SELECT from_month::text AS "fromMonth", model_family AS "modelFamily", discount_ppm AS "discountPpm"
    FROM contract_term WHERE organization_id = ${organizationId}::uuid`.execute(db);
  return rows;
}

/** SQL of the amounts of lines. The columns are those of `StatementAmounts`. */
export function sumAmounts(month: string): RawBuilder<unknown> {
  const isOfMonth = sql`for_month = ${month}::date`;
  const sums: Record<keyof StatementAmounts, RawBuilder<unknown>> = {
    list_cost_nano_usd: sql`sum_bigint(cost_nano_usd) FILTER (WHERE kind = 'usage' AND ${isOfMonth})`,
    adjustments_nano_usd: sql`sum_bigint(cost_nano_usd) FILTER (WHERE kind = 'adjustment' AND ${isOfMonth})`,
    earlier_nano_usd: sql`sum_bigint(cost_nano_usd) FILTER (WHERE kind <> 'simulated' AND NOT ${isOfMonth})`,
    discount_nano_usd: sql`sum_bigint(discount_nano_usd)`,
    requests: sql`sum_bigint(requests) FILTER (WHERE kind = 'usage')`,
    unpriced_requests: sql`sum_bigint(unpriced_requests) FILTER (WHERE kind = 'usage')`,
    partly_unbilled_requests: sql`sum_bigint(partly_unbilled_requests) FILTER (WHERE kind = 'usage')`,
  };
  return sql.join(
    Object.entries(sums).map(([name, value]) => sql`coalesce(${value}, 0) AS ${sql.ref(name)}`),
  );
}

/** SQL of the amounts of lines, with those of simulated requests. */
export function sumTotals(month: string): RawBuilder<unknown> {
  return sql`${sumAmounts(month)},
    coalesce(sum_bigint(requests) FILTER (WHERE kind = 'simulated'), 0) AS simulated_requests,
    coalesce(sum_bigint(cost_nano_usd) FILTER (WHERE kind = 'simulated'), 0) AS simulated_cost_nano_usd`;
}

/**
 * Returns true when every request that started before the time is in the rollups per month, as far as the database
 * knows. A batch that no fold accepts is left out, because an operator decides about it.
 */
export async function isCountedBefore(db: Database | Tx, endMs: number): Promise<boolean> {
  const { rows } = await sql<{ is_counted: boolean }>`
    SELECT (SELECT hour_at FROM rollup_progress) >= ${new Date(endMs)} AND NOT EXISTS (
      SELECT FROM usage_batch WHERE oldest_at < ${new Date(endMs)} AND set_aside_at IS NULL) AS is_counted`.execute(
    db,
  );
  return rows[0]?.is_counted === true;
}

/** Stores a month with its lines, names and hash. The caller has locked the organization. */
export async function insertStatement(
  tx: Tx,
  source: Extract<LineSource, { kind: "open" }>,
  closedAt: Date,
): Promise<ClosedStatement> {
  const { organizationId, month } = source;
  await sql`INSERT INTO statement (organization_id, month, closed_at, line_count, list_cost_nano_usd, adjustments_nano_usd,
      earlier_nano_usd, discount_nano_usd, requests, unpriced_requests, partly_unbilled_requests, simulated_requests,
      simulated_cost_nano_usd, sha256)
    VALUES (${organizationId}, ${month}, ${closedAt}, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, '')`.execute(
    tx,
  );
  await insertLines(tx, source);
  await sql`INSERT INTO statement_usage (organization_id, month, for_month, requests, cost_nano_usd)
    SELECT organization_id, month, for_month, sum_bigint(requests), sum_bigint(cost_nano_usd) FROM statement_line
    WHERE organization_id = ${organizationId}::uuid AND month = ${month}::date AND adjustment_id = ''
    GROUP BY organization_id, month, for_month`.execute(tx);
  await insertNames(tx, source);
  const { rows } = await sql<ClosedStatement>`
    WITH total AS (SELECT count(*)::integer AS line_count, ${sumTotals(month)}
      FROM ${selectLines({ ...source, kind: "closed" })} AS line)
    UPDATE statement SET (line_count, list_cost_nano_usd, adjustments_nano_usd, earlier_nano_usd, discount_nano_usd,
        requests, unpriced_requests, partly_unbilled_requests, simulated_requests, simulated_cost_nano_usd) =
      (SELECT line_count, list_cost_nano_usd, adjustments_nano_usd, earlier_nano_usd, discount_nano_usd,
        requests, unpriced_requests, partly_unbilled_requests, simulated_requests, simulated_cost_nano_usd FROM total),
      sha256 = ${hashLines({ organizationId, month })}
    WHERE organization_id = ${organizationId}::uuid AND month = ${month}::date RETURNING ${closedColumns}`.execute(
    tx,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the statement was not stored");
  return row;
}

const lineColumns = sql.join(
  ["kind", "for_month", "adjustment_id", ...lineLabels, ...lineCounts, "discount_nano_usd"].map(
    (name) => sql.ref(name),
  ),
);

async function insertLines(tx: Tx, source: LineSource): Promise<void> {
  const order = sql.join(
    ["kind", "for_month", ...lineLabels, "adjustment_id"].map((name) =>
      name === "for_month" ? sql.ref(name) : sql`${sql.ref(name)} COLLATE "C"`,
    ),
  );
  await sql`INSERT INTO statement_line (organization_id, month, place, ${lineColumns})
    SELECT ${source.organizationId}::uuid, ${source.month}::date, row_number() OVER (ORDER BY ${order}), ${lineColumns}
    FROM ${selectLines(source)} AS line`.execute(tx);
}

/** Stores the names of today for everything that the lines name. */
async function insertNames(
  tx: Tx,
  { organizationId, month }: { organizationId: string; month: string },
): Promise<void> {
  const ids = (column: string) => sql`SELECT ${sql.ref(column)} FROM statement_line
    WHERE organization_id = ${organizationId}::uuid AND month = ${month}::date`;
  const isOf = sql`organization_id = ${organizationId}::uuid`;
  await sql`INSERT INTO statement_name (organization_id, month, kind, id, name, detail)
    SELECT ${organizationId}::uuid, ${month}::date, named.* FROM (
      SELECT 'workspace' AS kind, id, name, '' AS detail FROM workspace WHERE ${isOf} AND id IN (${ids("workspace_id")})
      UNION ALL SELECT 'api_key', id, name, '' FROM api_key WHERE ${isOf} AND id IN (${ids("api_key_id")})
      UNION ALL SELECT 'member', id, name, email FROM member WHERE ${isOf} AND id IN (${ids("member_id")})
      UNION ALL SELECT 'group', id, name, '' FROM member_group WHERE ${isOf} AND id IN (
        SELECT unnest(string_to_array(listed.group_ids, ',')) FROM (SELECT DISTINCT group_ids FROM (
          ${ids("group_ids")}) AS each (group_ids)) AS listed)) AS named`.execute(tx);
}

/** SQL of the hash of all stored lines, in their order. */
export function hashLines(of: { organizationId: string; month: string }): RawBuilder<unknown> {
  return sql`(SELECT sha256(convert_to(coalesce(string_agg(
      jsonb_build_array(place, ${lineColumns})::text, E'\\n' ORDER BY place), ''), 'UTF8'))
    FROM statement_line WHERE organization_id = ${of.organizationId}::uuid AND month = ${of.month}::date)`;
}

/** Computes the hash of the stored lines again. */
export async function rehashLines(
  tx: Tx,
  of: { organizationId: string; month: string },
): Promise<Buffer> {
  const { rows } = await sql<{ sha256: Buffer }>`SELECT ${hashLines(of)} AS sha256`.execute(tx);
  return rows[0]?.sha256 ?? Buffer.alloc(0);
}
