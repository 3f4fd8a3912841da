import { setTimeout as delay } from "node:timers/promises";
import { rollupTables } from "../../server/src/recording/rollup-tables.ts";
import type { ServerProcess } from "../../server/test/harness/server-process.ts";

// Usage of a month for the company of `company.ts`. Traffic of the simulator is always of today, so the rows are written into
// the tables of reports. A rule generates the numbers, so that screenshots stay the same.

const models = [
  "claude-sonnet-5",
  "claude-haiku-4-5-20251001",
  "claude-opus-4-5-20251101",
] as const;
const DAYS = 40;

/** API key with usage. */
export interface UsedKey {
  id: string;
  workspaceId: string;
  /** Owner. Empty: a key of the workspace. */
  memberId?: string;
  /** Part of the usual amount. 0: no usage. */
  scale: number;
}

/** Writes a month of usage of new keys, with their balances. */
export async function fillMonth(server: ServerProcess, all: readonly UsedKey[]): Promise<void> {
  const keys = all.filter(({ scale }) => scale > 0);
  const [organization] = await server.sql<{ id: string }>("SELECT id FROM organization");
  const rows = [];
  const todayMs = Math.floor(Date.now() / 86_400_000) * 86_400_000;
  for (let day = DAYS; day >= 0; day -= 1) {
    for (const [index, key] of keys.entries()) {
      const model = models[(index + (day % 7 === 0 ? 1 : 0)) % models.length] ?? models[0];
      rows.push({
        ...toRow({ day, index, key, model, atMs: todayMs - day * 86_400_000 }),
        organization_id: organization?.id,
        status: "answered",
      });
    }
  }
  for (const rollup of rollups) await addToRollup(server, rollup, rows);
  await addBalances(
    server,
    keys.map(({ id }) => id),
  );
  // A change makes nodes read limits and spend again.
  await delay(500);
}

/** Adds the month of the keys to the balances of the organization, the workspaces and the keys. */
async function addBalances(server: ServerProcess, keyIds: readonly string[]): Promise<void> {
  await server.sql(
    `WITH month AS (
       SELECT date_trunc('month', now() AT TIME ZONE 'UTC') AS start
     ), used AS MATERIALIZED (
       SELECT usage.*, month.start::date AS period_start FROM usage_day AS usage, month
        WHERE bucket_at >= month.start AT TIME ZONE 'UTC' AND api_key_id = ANY($1)
     )
     INSERT INTO balance (scope_type, scope_id, period, period_start, organization_id, settled_nano_usd)
     SELECT scope.type, scope.id, 'monthly', period_start, organization_id, sum(cost_nano_usd)
       FROM used CROSS JOIN LATERAL (VALUES
         ('organization', organization_id::text), ('workspace', workspace_id), ('api_key', api_key_id)
       ) AS scope (type, id)
      GROUP BY scope.type, scope.id, period_start, organization_id
     ON CONFLICT (scope_type, scope_id, period, period_start) DO UPDATE SET settled_nano_usd = balance.settled_nano_usd + EXCLUDED.settled_nano_usd`,
    [keyIds],
  );
}

/** Tables of reports over days and longer, updated as by the fold. */
const rollups = Object.entries(rollupTables)
  .map(([table, { unit, labels }]) => ({ table, unit, labels }))
  .filter(({ unit }) => unit !== "minute" && unit !== "hour")
  .filter(({ table }) => !table.startsWith("usage_attributed_"));

async function addToRollup(
  server: ServerProcess,
  { table, unit, labels }: (typeof rollups)[number],
  rows: readonly Record<string, unknown>[],
): Promise<void> {
  const columns = Object.entries(rows[0] ?? {});
  const counts = columns.filter(([, value]) => typeof value === "number").map(([name]) => name);
  const keys = ["bucket_at", "organization_id", ...labels];
  await server.sql(
    `INSERT INTO ${table} AS rollup (${[...keys, ...counts].join(", ")})
     SELECT date_trunc('${unit}', bucket_at, 'UTC'), organization_id, ${labels.join(", ")},
       ${counts.map((count) => `sum(${count})::bigint`).join(", ")}
     FROM jsonb_populate_recordset(NULL::usage_day, $1::jsonb)
     ${unit === "week" ? "WHERE bucket_at < (SELECT summed_before FROM usage_weeks)" : ""}
     GROUP BY ${keys.map((_, index) => index + 1).join(", ")}
     ON CONFLICT (${keys.join(", ")}) DO UPDATE SET
       ${counts.map((count) => `${count} = rollup.${count} + excluded.${count}`).join(", ")}`,
    [JSON.stringify(rows)],
  );
}

interface RowPlan {
  day: number;
  index: number;
  key: UsedKey;
  model: string;
  atMs: number;
}

function toRow({ day, index, key, model, atMs }: RowPlan): Record<string, unknown> {
  const weekday = new Date(atMs).getUTCDay();
  const isWeekend = weekday === 0 || weekday === 6;
  const wave = 1 + 0.35 * Math.sin(day * 0.9 + index * 1.7) + (DAYS - day) * 0.012;
  const scale = (isWeekend ? 0.3 : 1) * wave * key.scale;
  const requests = Math.round(2_400 * scale);
  const input = Math.round(9_800_000 * scale);
  const cached = Math.round(31_000_000 * scale);
  const output = Math.round(2_100_000 * scale);
  const costs = {
    input_cost_nano_usd: input * 3_000,
    cache_write_5m_cost_nano_usd: Math.round(input * 0.2) * 3_750,
    cache_read_cost_nano_usd: cached * 300,
    output_cost_nano_usd: output * 15_000,
  };
  return {
    bucket_at: new Date(atMs).toISOString(),
    workspace_id: key.workspaceId,
    api_key_id: key.id,
    member_id: key.memberId ?? "",
    model,
    service_tier: "standard",
    context_window: "0-200k",
    inference_geo: "global",
    speed: "standard",
    client: "other",
    requests,
    errors: Math.round(requests * 0.004),
    estimated_requests: 0,
    unpriced_requests: 0,
    input_tokens: input,
    cache_write_5m_tokens: Math.round(input * 0.2),
    cache_write_1h_tokens: 0,
    cache_read_tokens: cached,
    output_tokens: output,
    web_searches: 0,
    cache_write_1h_cost_nano_usd: 0,
    web_search_cost_nano_usd: 0,
    ...costs,
    cost_nano_usd: Object.values(costs).reduce((sum, cost) => sum + cost, 0),
  };
}
