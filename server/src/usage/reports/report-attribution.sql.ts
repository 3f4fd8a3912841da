import { type RawBuilder, sql } from "kysely";
import { makeAttributionConditions, selectTagsOfName } from "#src/usage/attribution.sql.ts";
import { listCountedBy, type ReportColumn, type ReportFilter } from "./report-tables.ts";

/**
 * Selects the wanted combinations of groups and tags, with one row for each value of the grouped columns. "" is the value of
 * usage without one. Combinations are few, so a join of them costs little.
 */
export function selectAttribution(
  query: ReportFilter & {
    columns: readonly ReportColumn[];
    countedBy?: readonly ReportColumn[];
  },
): RawBuilder<unknown> {
  const { organizationId, attribution, tagName, values } = query;
  const counted = listCountedBy(query);
  const conditions = [
    sql`true`,
    ...makeAttributionConditions(organizationId, attribution ?? {}),
    ...counted.flatMap((column) => {
      const wanted = values[column];
      return wanted === undefined ? [] : [sql`${sql.ref(column)} = ANY(${[...wanted]}::text[])`];
    }),
  ];
  const joins = counted.map((column) => {
    if (column === "group_id") return sql`CROSS JOIN LATERAL ${listIds("group_ids", "group_id")}`;
    if (tagName === undefined) return sql`CROSS JOIN LATERAL ${listIds("tag_ids", "tag_id")}`;
    const named = sql`unnest(string_to_array(tag_ids, ',')) AS own (id)`;
    return sql`CROSS JOIN LATERAL (SELECT coalesce((SELECT own.id FROM ${named}
      WHERE own.id = ANY(${selectTagsOfName(organizationId, tagName)})), '')) AS of_name (tag_id)`;
  });
  const shown = [sql`id AS attribution_id`, ...counted.map((column) => sql.ref(column))];
  return sql`(SELECT ${sql.join(shown)} FROM (
      SELECT id, group_ids, tag_ids FROM usage_attribution WHERE organization_id = ${organizationId}::uuid
      UNION ALL SELECT 0, '', '') AS combination
    ${sql.join(joins, sql` `)} WHERE ${sql.join(conditions, sql` AND `)})`;
}

function listIds(column: "group_ids" | "tag_ids", name: string): RawBuilder<unknown> {
  return sql`unnest(CASE WHEN ${sql.ref(column)} = '' THEN ARRAY[''] ELSE string_to_array(${sql.ref(column)}, ',') END)
    AS ${sql.ref(`each_${name}`)} (${sql.ref(name)})`;
}
