import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import {
  type AttributionFilter,
  makeAttributionConditions,
  selectTagsOfName,
} from "#src/usage/attribution.sql.ts";
import { type LineSource, selectLines } from "./statement-lines.sql.ts";
import {
  type LineRow,
  lineCounts,
  lineLabels,
  type ProductRow,
  priceLabels,
  type StatementAmounts,
} from "./statement-shape.rule.ts";
import { sumAmounts } from "./statements.sql.ts";

/** Part of the organization that a statement is about. */
export interface StatementScope {
  workspaceId: string | null;
  attribution: AttributionFilter | null;
}

function isInScope(
  organizationId: string,
  { workspaceId, attribution }: StatementScope,
): RawBuilder<unknown> {
  const conditions = [
    sql`true`,
    ...(workspaceId === null ? [] : [sql`workspace_id = ${workspaceId}`]),
    ...makeAttributionConditions(organizationId, attribution ?? {}),
  ];
  return sql.join(conditions, sql` AND `);
}

/** Sums the lines of a statement by kind, month and price. */
export async function sumByProduct(
  tx: Tx,
  source: LineSource,
  scope: StatementScope,
): Promise<ProductRow[]> {
  const keys = sql.join(["kind", "for_month", ...priceLabels].map((name) => sql.ref(name)));
  const sums = [...lineCounts, "discount_nano_usd"].map(
    (name) => sql`sum_bigint(${sql.ref(name)}) AS ${sql.ref(name)}`,
  );
  const { rows } = await sql<ProductRow>`
    SELECT kind, for_month::text AS for_month, ${sql.join(priceLabels.map((name) => sql.ref(name)))}, ${sql.join(sums)}
    FROM ${selectLines(source, { hasAttribution: scope.attribution !== null })} AS line
    WHERE ${isInScope(source.organizationId, scope)}
    GROUP BY ${keys}`.execute(tx);
  return rows;
}

export type RowGroup = "cost_center" | "workspace" | "group" | "member" | "api_key" | "model";

/** `id`: "" without one. */
export interface GroupRow extends StatementAmounts {
  id: string;
  net_cost_nano_usd: bigint;
}

const groupColumns = {
  workspace: "workspace_id",
  member: "member_id",
  api_key: "api_key_id",
  model: "model",
} as const;

/** Lists the groups of a statement, the highest net cost first. */
export async function listGroupRows(
  tx: Tx,
  source: LineSource,
  of: {
    scope: StatementScope;
    group: RowGroup;
    /** Name of the tag of cost centres. Null: every line is without one. */
    costCenterTag: string | null;
    after: { netNanoUsd: bigint; id: string } | null;
    limit: number;
  },
): Promise<GroupRow[]> {
  const { group, after } = of;
  const hasAttribution =
    of.scope.attribution !== null || group === "group" || group === "cost_center";
  const { join, key } = makeGroupKey(source.organizationId, group, of.costCenterTag);
  const isAfter =
    after === null
      ? sql`true`
      : sql`(net_cost_nano_usd < ${after.netNanoUsd}::bigint
        OR (net_cost_nano_usd = ${after.netNanoUsd}::bigint AND id COLLATE "C" > ${after.id}))`;
  const { rows } = await sql<GroupRow>`
    SELECT * FROM (
      SELECT *, list_cost_nano_usd + adjustments_nano_usd + earlier_nano_usd - discount_nano_usd AS net_cost_nano_usd
      FROM (
        SELECT ${key} AS id, ${sumAmounts(source.month)}
        FROM ${selectLines(source, { hasAttribution })} AS line ${join}
        WHERE kind <> 'simulated' AND ${isInScope(source.organizationId, of.scope)} GROUP BY 1) AS summed) AS valued
    WHERE ${isAfter} ORDER BY net_cost_nano_usd DESC, id COLLATE "C" LIMIT ${of.limit}`.execute(tx);
  return rows;
}

function makeGroupKey(
  organizationId: string,
  group: RowGroup,
  costCenterTag: string | null,
): { join: RawBuilder<unknown>; key: RawBuilder<unknown> } {
  switch (group) {
    case "group":
      return {
        join: sql`CROSS JOIN LATERAL unnest(CASE WHEN group_ids = '' THEN ARRAY['']
          ELSE string_to_array(group_ids, ',') END) AS one (group_id)`,
        key: sql`one.group_id`,
      };
    case "cost_center":
      if (costCenterTag === null) return { join: sql``, key: sql`''` };
      return {
        join: sql`LEFT JOIN LATERAL (SELECT own.id FROM unnest(string_to_array(tag_ids, ',')) AS own (id)
          WHERE own.id = ANY(${selectTagsOfName(organizationId, costCenterTag)}) LIMIT 1) AS center ON true`,
        key: sql`coalesce(center.id, '')`,
      };
    default:
      return { join: sql``, key: sql.ref(groupColumns[group]) };
  }
}

const positionColumns = ["kind", "for_month", ...lineLabels, "adjustment_id"] as const;
export type LinePosition = readonly string[];

/** Lists lines after a position, in a fixed order. */
export async function listLines(
  tx: Tx,
  source: LineSource,
  of: { scope: StatementScope; after: LinePosition | null; limit: number },
): Promise<LineRow[]> {
  const order = sql.join(positionColumns.map((name) => sql`(${sql.ref(name)})::text COLLATE "C"`));
  const isAfter =
    of.after === null
      ? sql`true`
      : sql`(${order}) > (${sql.join(of.after.map((text) => sql`${text}::text`))})`;
  const shown = sql.join([...lineLabels, ...lineCounts].map((name) => sql.ref(name)));
  const { rows } = await sql<LineRow>`
    SELECT kind, for_month::text AS for_month, adjustment_id, ${shown}, discount_nano_usd
    FROM ${selectLines(source)} AS line
    WHERE ${isInScope(source.organizationId, of.scope)} AND ${isAfter}
    ORDER BY ${order} LIMIT ${of.limit}`.execute(tx);
  return rows;
}

export function positionOf(row: LineRow): LinePosition {
  return positionColumns.map((name) => row[name]);
}

export interface StoredName {
  kind: "workspace" | "api_key" | "member" | "group";
  id: string;
  name: string;
  detail: string;
}

/** Lists the names that a closed statement stored for these ids. */
export async function listStoredNames(
  tx: Tx,
  of: { organizationId: string; month: string; ids: readonly string[] },
): Promise<StoredName[]> {
  const { rows } = await sql<StoredName>`
    SELECT kind, id, name, detail FROM statement_name
    WHERE organization_id = ${of.organizationId}::uuid AND month = ${of.month}::date AND id = ANY(${[...of.ids]}::text[])`.execute(
    tx,
  );
  return rows;
}
