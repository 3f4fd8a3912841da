import {
  type AttributionColumn,
  countColumns,
  labelColumns,
  mapKeys,
} from "@bursar/contract/usage-shape.ts";
import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { columnParameters, columnTexts } from "#src/recording/column-arrays.ts";
import {
  isAttributedRollup,
  rollupTableNames,
  rollupTables,
} from "#src/recording/rollup-tables.ts";
import { UsageDictionary } from "#src/recording/usage-dictionary.ts";
import {
  type MinuteRow,
  sumMinutes,
  toUsageEvent,
  type UsageLabels,
} from "#src/recording/usage-rows.ts";

/** Adds to every rollup without reading the progress, like nodes of version 0.1. */
export async function addAsVersion01(
  database: Database,
  records: readonly EndRecord[],
): Promise<void> {
  const types = {
    bucket_at: "timestamptz",
    organization_id: "uuid",
    ...mapKeys(labelColumns, () => "text"),
    ...mapKeys(countColumns, () => "bigint"),
  };
  const columns = Object.keys(types);
  const tables = rollupTableNames.filter((table) => !isAttributedRollup(table));
  const additions = tables.map((table, index) => {
    const { unit, labels } = rollupTables[table];
    const key = ["bucket_at", "organization_id", ...labels];
    const before = index === 0 ? "added" : `to_${tables[index - 1]}`;
    const numbers = key.map((_, at) => at + 1).join(", ");
    return `to_${table} AS (INSERT INTO ${table} AS rollup (${[...key, ...countColumns].join(", ")})
      SELECT date_trunc('${unit}', bucket_at, 'UTC'), ${key.slice(1).join(", ")},
        ${countColumns.map((column) => `sum(${column})::bigint`).join(", ")} FROM added
      WHERE (SELECT count(*) FROM ${before}) IS NOT NULL
        ${unit === "week" ? "AND bucket_at < (SELECT summed_before FROM usage_weeks)" : ""}
      GROUP BY ${numbers} ORDER BY ${numbers}
      ON CONFLICT (${key.join(", ")}) DO UPDATE SET
        ${countColumns.map((column) => `${column} = rollup.${column} + excluded.${column}`).join(", ")} RETURNING 1)`;
  });
  const text = `WITH added AS MATERIALIZED (SELECT * FROM unnest(${columnParameters(types)}) AS one (${columns.join(", ")})),
    ${additions.join(",\n")} SELECT`;
  const parts = text.split(/\$\d+/);
  const dictionary = new UsageDictionary();
  const rows = await Promise.all(
    records.map(async (record) => {
      const { labels } = dictionary.findRefs(toUsageEvent(record, "node_1"));
      const sums = await sumMinutes([record], [labels]);
      return sums.map((row) => ({ ...labels.value, ...row }));
    }),
  );
  const values = columnTexts<Omit<UsageLabels & MinuteRow, "labels_id" | AttributionColumn>>(
    types,
    rows.flat(),
  );
  const statement = sql.join(
    parts.map((part, index) =>
      index === 0 ? sql.raw(part) : sql`${values[index - 1]}${sql.raw(part)}`,
    ),
    sql``,
  );
  await statement.execute(database);
}
