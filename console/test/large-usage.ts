import { countColumns } from "../../contract/src/usage-shape.ts";
import { type RollupTable, rollupTables } from "../../server/src/recording/rollup-tables.ts";
import { eventually } from "../../server/test/harness/eventually.ts";
import type { ServerProcess } from "../../server/test/harness/server-process.ts";

// Usage of the very large company, inserted into the rollups by SQL. The rollups have a year of days, two months, and the hours
// that forecasts and alerts read.

type Sql = ServerProcess["sql"];

const DAYS = 364;
/** Days with two models, as most reports cover. */
const DAYS_OF_TWO_MODELS = 30;
const MONTHS = 2;
/** Days of hours: the past four weeks of a forecast, and the 64 days of a replayed alert. */
const WORKSPACE_HOUR_DAYS = 29;
const REPLAYED_DAYS = 64;
/** Keys with hours. The hours of all keys would be ten million rows. */
const KEYS_WITH_HOURS = 100;
const COST_CENTERS = 20;
/** Keys with a limit of their own, beside the limit of each workspace. */
const LIMITED_KEYS = 1_000;

/** Cost of an hour, nano-USD. The first keys cost most, so that a replay reads them. */
const KEY_HOUR = `CASE WHEN key.number <= ${KEYS_WITH_HOURS} THEN 200000000 ELSE 1000000 * (1 + key.number % 100) END`;
const WORKSPACE_HOUR = "(500000000 + 1000000 * (place.number % 100))";
const ORGANIZATION_HOUR = "600000000000";

const keys = `(SELECT *, right(id, 20)::bigint AS number FROM api_key WHERE created_by_id = 'large') AS key`;
const workspaces = `(SELECT *, right(id, 20)::bigint AS number FROM workspace WHERE id LIKE 'wksp_large%') AS place`;
const models = `(VALUES ('claude-sonnet-5'), ('claude-opus-5')) AS models (model)`;
const organization = `(SELECT id AS organization_id FROM organization) AS company`;
const day = "date_trunc('day', now(), 'UTC') - d * interval '24 hours'";
const hour = "date_trunc('hour', now(), 'UTC') - h * interval '1 hour'";
const month =
  "(date_trunc('month', now() AT TIME ZONE 'UTC') - m * interval '1 month') AT TIME ZONE 'UTC'";
const hours = (days: number) => `generate_series(1, ${days * 24}) AS h`;
const months = `generate_series(0, ${MONTHS - 1}) AS m`;

/** Labels of a request, where they are the same for all. */
const sameLabels: Readonly<Record<string, string>> = {
  member_id: "''",
  service_tier: "'standard'",
  context_window: "'0-200k'",
  inference_geo: "'global'",
  speed: "'standard'",
  client: "'other'",
  status: "'answered'",
  workspace_id: "key.workspace_id",
  api_key_id: "key.id",
  model: "models.model",
  attribution_id: `1000000 + key.number % ${COST_CENTERS}`,
};

/** Inserts usage, cost centres, limits of keys, and limits that are used up soon. */
export async function insertLargeUsage({ sql }: ServerProcess): Promise<void> {
  // Hours before the progress are closed. Otherwise the server would add them to the other rollups.
  await eventually(60_000, "hours are closed", async () => {
    const [progress] = await sql<{ is_set: boolean }>(
      "SELECT isfinite(hour_at) AS is_set FROM rollup_progress",
    );
    return progress?.is_set === true ? progress : null;
  });
  await insertCostCenters(sql);
  await fill(sql, "usage_key_day", {
    from: `${keys}, generate_series(1, ${DAYS}) AS d, ${models} WHERE model = 'claude-sonnet-5' OR d <= ${DAYS_OF_TWO_MODELS}`,
    at: day,
    cost: `24 * ${KEY_HOUR}`,
  });
  for (const table of ["usage_key_month", "usage_month", "usage_attributed_month"] as const) {
    await fill(sql, table, {
      from: `${keys}, ${months}, ${models}`,
      at: month,
      cost: `720 * ${KEY_HOUR}`,
    });
  }
  await fill(sql, "usage_hour", {
    from: `${keys}, ${hours(REPLAYED_DAYS)}, ${models} WHERE model = 'claude-sonnet-5' AND key.number <= ${KEYS_WITH_HOURS}`,
    at: hour,
    cost: KEY_HOUR,
  });
  // The open hour.
  await fill(sql, "usage_hour", {
    from: `${keys}, generate_series(0, 0) AS h, ${models} WHERE model = 'claude-sonnet-5'`,
    at: hour,
    cost: KEY_HOUR,
  });
  const ofWorkspace = { workspace_id: "place.id" };
  await fill(sql, "usage_workspace_day", {
    from: `${workspaces}, generate_series(1, ${DAYS}) AS d`,
    at: day,
    cost: `24 * ${WORKSPACE_HOUR}`,
    labels: ofWorkspace,
  });
  await fill(sql, "usage_workspace_hour", {
    from: `${workspaces}, ${hours(WORKSPACE_HOUR_DAYS)}`,
    at: hour,
    cost: WORKSPACE_HOUR,
    labels: ofWorkspace,
  });
  await fill(sql, "usage_organization_day", {
    from: `${organization}, generate_series(1, ${DAYS}) AS d, ${models}`,
    at: day,
    cost: `24 * ${ORGANIZATION_HOUR}`,
  });
  await fill(sql, "usage_organization_hour", {
    from: `${organization}, ${hours(REPLAYED_DAYS)}, ${models}`,
    at: hour,
    cost: ORGANIZATION_HOUR,
  });
  await insertLimits(sql);
}

interface Rows {
  from: string;
  at: string;
  cost: string;
  /** Labels that differ from `sameLabels`. */
  labels?: Readonly<Record<string, string>>;
}

async function fill(sql: Sql, table: RollupTable, { from, at, cost, labels }: Rows): Promise<void> {
  const names: readonly string[] = rollupTables[table].labels;
  const values = names.map((name) => labels?.[name] ?? sameLabels[name] ?? "''");
  const counts = countColumns.map((column) => (column === "cost_nano_usd" ? cost : "1000"));
  await sql(
    `INSERT INTO ${table} (bucket_at, organization_id, ${[...names, ...countColumns].join(", ")})
     SELECT ${at}, organization_id, ${[...values, ...counts].join(", ")} FROM ${from} ON CONFLICT DO NOTHING`,
  );
}

/** One tag for each cost centre, and each combination of tags that a request has. */
async function insertCostCenters(sql: Sql): Promise<void> {
  const numbers = `generate_series(0, ${COST_CENTERS - 1}) AS number`;
  await sql(
    `INSERT INTO tag (id, organization_id, name, value)
     SELECT tag_id(id, 'cost_center', 'CC-' || number), id, 'cost_center', 'CC-' || number FROM organization, ${numbers}
     ON CONFLICT DO NOTHING`,
  );
  await sql(
    `INSERT INTO usage_attribution (id, organization_id, group_ids, tag_ids)
     SELECT 1000000 + number, id, '', tag_id(id, 'cost_center', 'CC-' || number) FROM organization, ${numbers}`,
  );
}

/** Limits of keys, the spend of this month, and every hundredth limit used up halfway to the end of the month. */
async function insertLimits(sql: Sql): Promise<void> {
  await sql(
    `INSERT INTO spend_limit (id, organization_id, scope_type, scope_id, period, amount_nano_usd, enforcement)
     SELECT 'spl_largekey' || right(id, 16), organization_id, 'api_key', id, 'monthly', 100000000000, 'strict'
     FROM ${keys} WHERE number <= ${LIMITED_KEYS}`,
  );
  const scopes = `(SELECT 'workspace' AS scope_type, id, organization_id, number, ${WORKSPACE_HOUR} AS cost FROM ${workspaces}
    UNION ALL SELECT 'api_key', id, organization_id, number, ${KEY_HOUR} FROM ${keys}) AS scope`;
  const start = "date_trunc('month', now() AT TIME ZONE 'UTC')";
  const spent = `(floor(extract(epoch FROM now() AT TIME ZONE 'UTC' - ${start}) / 3600) * cost)::bigint`;
  const rest = `(extract(epoch FROM ${start} + interval '1 month' - now() AT TIME ZONE 'UTC') / 3600 * cost)::bigint`;
  await sql(
    `INSERT INTO balance (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd)
     SELECT scope_type, id, 'monthly', ${start}::date, organization_id, ${spent} FROM ${scopes}
     ON CONFLICT (scope_type, scope_id, period, period_start) DO UPDATE SET settled_nano_usd = excluded.settled_nano_usd`,
  );
  await sql(
    `UPDATE spend_limit SET amount_nano_usd = CASE WHEN number % 100 = 0 THEN ${spent} + ${rest} / 2 ELSE 10 * (${spent} + ${rest}) END
     FROM ${scopes} WHERE spend_limit.scope_type = scope.scope_type AND spend_limit.scope_id = scope.id
       AND spend_limit.id LIKE 'spl_large%'`,
  );
}
