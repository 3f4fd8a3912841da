import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { type OpenHours, selectDaysOfKey } from "#src/recording/open-hours.sql.ts";
import { isVisibleUsage } from "#src/usage/visible-usage.sql.ts";
import type { VisibleUsage } from "#src/usage/visible-usage.ts";

const DAY_MS = 86_400_000;

export interface TrendQuery {
  organizationId: string;
  visible: VisibleUsage;
  apiKeyIds: readonly string[];
  /** Start of the first day. */
  start: Date;
  days: number;
}

export interface KeyDays {
  apiKeyId: string;
  /** Costs, each with the number of its day from 0. A day can have several. */
  costs: { day: number; costNanoUsd: bigint }[];
}

/** Lists costs of the keys whose usage the caller can see. The costs of a key are one text, because thousands of rows take longer to read. */
export async function listKeyDays(
  db: Database | Tx,
  { organizationId, visible, apiKeyIds, start, days }: TrendQuery,
  openHours: OpenHours | null,
): Promise<KeyDays[]> {
  const isVisible = isVisibleUsage(visible) ?? sql`true`;
  const starts = Array.from({ length: days }, (_, day) => new Date(start.getTime() + day * DAY_MS));
  const day = sql`(extract(epoch FROM bucket_at - ${start}::timestamptz) / 86400)::integer`;
  const { rows } = await sql<{ apiKeyId: string; costs: string | null }>`
    SELECT wanted.api_key_id AS "apiKeyId", used.costs
    FROM (SELECT * FROM (SELECT workspace_id, id AS api_key_id FROM api_key
        WHERE organization_id = ${organizationId}::uuid AND id = ANY(${[...apiKeyIds]}::text[])) AS named
      WHERE ${isVisible}) AS wanted
    CROSS JOIN LATERAL (SELECT string_agg(${day} || ' ' || cost_nano_usd, ',') AS costs
      FROM ${selectDaysOfKey(organizationId, starts, openHours)} AS part) AS used`.execute(db);
  return rows.map(({ apiKeyId, costs }) => ({ apiKeyId, costs: readCosts(costs ?? "") }));
}

function readCosts(text: string): KeyDays["costs"] {
  if (text === "") return [];
  return text.split(",").map((each) => {
    const [number = "", cost = ""] = each.split(" ");
    return { day: Number(number), costNanoUsd: BigInt(cost) };
  });
}
