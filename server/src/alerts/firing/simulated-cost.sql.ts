import type { FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { SIMULATED_TIER } from "@bursar/contract/usage-shape.ts";
import { type RawBuilder, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { parseUsd } from "#src/domain/money.ts";
import { isOpenRow } from "#src/recording/open-hours.sql.ts";
import type { NamedFiring } from "./firing-message.sql.ts";

// The part of the spend in a message that the simulator answered. Messages are made by jobs, so no request waits for it.

type Spent = Pick<
  NamedFiring,
  "id" | "organization_id" | "scope_type" | "scope_id" | "workspace_id" | "facts" | "fired_at"
>;

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NONE = { keyed: sql`false`, attributed: sql`false` };

/**
 * Returns the simulated part of the spend of these firings by their id, nano-USD. Firings without one are absent. All
 * have one organization. An organization without simulated requests in these periods needs one statement.
 */
export async function listSimulatedCosts(
  db: Database | Tx,
  firings: readonly Spent[],
): Promise<Map<string, bigint>> {
  const costs = new Map<string, bigint>();
  const spent = firings.flatMap((firing) => {
    const range = rangeOf(firing);
    return range === null ? [] : [{ firing, range }];
  });
  const [first] = spent;
  if (first === undefined) return costs;
  const widest = {
    startMs: Math.min(...spent.map(({ range }) => range.startMs)),
    endMs: Math.max(...spent.map(({ range }) => range.endMs)),
  };
  const organizationId = first.firing.organization_id;
  if ((await sumSimulatedCost(db, { organizationId, ofScope: WHOLE, ...widest })) === 0n) {
    return costs;
  }
  for (const { firing, range } of spent) {
    const ofScope = conditionOf(firing);
    const cost: bigint = await sumSimulatedCost(db, { organizationId, ofScope, ...range });
    const total: bigint = parseUsd(firing.facts.spent_usd ?? "0");
    if (cost === 0n || total <= 0n) continue;
    // Requests that ended after the firing are in its last hour too.
    costs.set(firing.id, cost > total ? total : cost);
  }
  return costs;
}

interface Range {
  startMs: number;
  endMs: number;
}

/** Hours from the start of the period to the firing. Null: the firing names no spend of a period. */
function rangeOf({ facts, fired_at: firedAt }: Pick<Spent, "facts" | "fired_at">): Range | null {
  const { spent_usd: spent, period_starts_at: start, period_ends_at: end }: FiringFacts = facts;
  if (!spent || !start || !end) return null;
  const nextHourMs = Math.floor(firedAt.getTime() / HOUR_MS) * HOUR_MS + HOUR_MS;
  return { startMs: Date.parse(start), endMs: Math.min(Date.parse(end), nextHourMs) };
}

/** Condition of a scope on rows of the rollups with all labels, and on those with groups and tags. */
interface ScopeCondition {
  keyed: RawBuilder<unknown>;
  attributed: RawBuilder<unknown>;
}

const WHOLE: ScopeCondition = { keyed: sql`true`, attributed: sql`false` };

function conditionOf(firing: Spent): ScopeCondition {
  const { scope_type: type, scope_id: id, workspace_id: workspaceId } = firing;
  switch (type) {
    case "organization":
      return WHOLE;
    case "workspace":
      return { ...NONE, keyed: sql`workspace_id = ${id}` };
    case "api_key":
      return { ...NONE, keyed: sql`workspace_id = ${workspaceId} AND api_key_id = ${id}` };
    case "member":
      return { ...NONE, keyed: sql`member_id = ${id}` };
    case "group":
    case "tag":
      return { ...NONE, attributed: hasAttribution(firing) };
    case "group_member":
      return NONE;
  }
}

function hasAttribution({
  organization_id: organizationId,
  scope_type: type,
  scope_id: id,
}: Spent) {
  const ids = sql.ref(type === "group" ? "group_ids" : "tag_ids");
  return sql`attribution_id = ANY(ARRAY(SELECT attribution.id FROM usage_attribution AS attribution
    WHERE attribution.organization_id = ${organizationId}::uuid
      AND ${id} = ANY(string_to_array(attribution.${ids}, ','))))`;
}

interface SimulatedRange extends Range {
  organizationId: string;
  ofScope: ScopeCondition;
}

/**
 * Sums whole days from the rollup per day, and the hours of the last day. Each day and hour is one search of the index,
 * which begins with organization, time, workspace and key.
 */
async function sumSimulatedCost(
  db: Database | Tx,
  { organizationId, ofScope, startMs, endMs }: SimulatedRange,
): Promise<bigint> {
  const lastDayMs = Math.max(startMs, Math.floor((endMs - 1) / DAY_MS) * DAY_MS);
  const days = listTimes({ startMs, endMs: lastDayMs }, DAY_MS);
  const hours = listTimes({ startMs: lastDayMs, endMs }, HOUR_MS);
  const sumOf = (kind: "usage" | "usage_attributed", condition: RawBuilder<unknown>) => {
    const isWanted = sql`organization_id = ${organizationId}::uuid AND service_tier = ${SIMULATED_TIER} AND ${condition}`;
    const [day, hour] = [sql.table(`${kind}_day`), sql.table(`${kind}_hour`)];
    return sql`
      SELECT cost_nano_usd FROM ${day} WHERE ${isWanted} AND bucket_at = ANY(${days}::timestamptz[])
      UNION ALL SELECT cost_nano_usd FROM ${hour} WHERE ${isWanted} AND bucket_at = ANY(${hours}::timestamptz[])
      UNION ALL SELECT cost_nano_usd FROM ${hour} WHERE ${isWanted} AND ${isOpenRow}
        AND date_trunc('day', bucket_at, 'UTC') = ANY(${days}::timestamptz[])`;
  };
  const { rows } = await sql<{ nanoUsd: bigint }>`
    SELECT coalesce(sum(cost_nano_usd), 0)::bigint AS "nanoUsd" FROM (
      ${sumOf("usage", ofScope.keyed)} UNION ALL ${sumOf("usage_attributed", ofScope.attributed)}) AS simulated`.execute(
    db,
  );
  return rows[0]?.nanoUsd ?? 0n;
}

function listTimes({ startMs, endMs }: Range, stepMs: number): Date[] {
  const count = Math.max(0, Math.ceil((endMs - startMs) / stepMs));
  return Array.from({ length: count }, (_, index) => new Date(startMs + index * stepMs));
}
