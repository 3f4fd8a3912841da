import { billedMeasures, SIMULATED_TIER, toRecord } from "@bursar/contract/usage-shape.ts";
import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import type { SummedUsage } from "#src/domain/cost.ts";
import { findOpenHours, selectRollup } from "#src/recording/open-hours.sql.ts";

/** Usage of one model and price class, with its recorded cost. */
export interface ModelUsage extends SummedUsage {
  requests: number;
  costNanoUsd: bigint;
}

type Row = Omit<ModelUsage, "total"> & Record<(typeof billedMeasures)[number]["column"], bigint>;

const labels = sql`model, service_tier AS "serviceTier", context_window AS "contextWindow",
  inference_geo AS "inferenceGeo", speed`;
const sums = sql.join(
  billedMeasures.map(({ column }) => sql`sum_bigint(${sql.ref(column)}) AS ${sql.ref(column)}`),
);

/** Sums usage since the start of a day, UTC, without that of the simulator. */
export async function listModelUsage(
  database: Database,
  { organizationId, since }: { organizationId: string; since: Date },
): Promise<ModelUsage[]> {
  const { rows } = await inSnapshot(database, async (tx) => {
    const openHours = await findOpenHours(tx, organizationId);
    const days = selectRollup("usage_organization_day", organizationId, openHours);
    return sql<Row>`
      SELECT ${labels}, sum(requests)::float8 AS requests, sum_bigint(cost_nano_usd) AS "costNanoUsd", ${sums}
      FROM ${days} AS day WHERE bucket_at >= ${since} AND service_tier <> ${SIMULATED_TIER}
      GROUP BY 1, 2, 3, 4, 5`.execute(tx);
  });
  return rows.map(({ requests, costNanoUsd, ...row }) => ({
    model: row.model,
    serviceTier: row.serviceTier,
    contextWindow: row.contextWindow,
    inferenceGeo: row.inferenceGeo,
    speed: row.speed,
    total: toRecord(billedMeasures, "name", ({ column }) => row[column]),
    requests,
    costNanoUsd,
  }));
}
