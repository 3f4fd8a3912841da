import type { CountedScope } from "@bursar/contract/scope.ts";
import { type RawBuilder, sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";
import { type OpenHours, selectDaysOfKey, selectRollup } from "#src/recording/open-hours.sql.ts";

type ScopeType = CountedScope["type"];

export interface BoundedScope {
  scopeType: ScopeType;
  scopeId: string;
  /** Null: not a workspace or key. */
  workspaceId: string | null;
}

export interface DaysOfScopes {
  organizationId: string;
  /** Scopes of one type. */
  scopes: readonly BoundedScope[];
  /** Starts of the days. */
  days: readonly Date[];
  openHours: OpenHours | null;
}

/** Smallest rollup per day of each scope. */
const dayTables = {
  organization: "usage_organization_day",
  workspace: "usage_workspace_day",
  member: "usage_member_day",
  group: "usage_attributed_day",
  tag: "usage_attributed_day",
} as const satisfies Record<Exclude<ScopeType, "api_key">, Parameters<typeof selectRollup>[0]>;

/**
 * Sums the cost of the days for each scope, by scope id. Adjustments are left out, as in a forecast. One statement reads each
 * day of the rollup once, or the days of each key.
 */
export async function sumDaysOfScopes(tx: Tx, of: DaysOfScopes): Promise<Map<string, bigint>> {
  const [first] = of.scopes;
  if (first === undefined) return new Map();
  const ids = sql`${of.scopes.map(({ scopeId }) => scopeId)}::text[]`;
  const { rows } = await sql<{ id: string; nanoUsd: bigint }>`
    SELECT id, sum_bigint(cost_nano_usd) AS "nanoUsd"
    FROM (${first.scopeType === "api_key" ? selectKeys(ids, of) : selectOthers(first.scopeType, ids, of)}) AS day
    GROUP BY id`.execute(tx);
  return new Map(rows.map(({ id, nanoUsd }) => [id, nanoUsd]));
}

function selectKeys(
  ids: RawBuilder<unknown>,
  { organizationId, scopes, days, openHours }: DaysOfScopes,
) {
  const workspaceIds = scopes.map(({ workspaceId }) => workspaceId);
  return sql`SELECT wanted.api_key_id AS id, used.cost_nano_usd
    FROM unnest(${ids}, ${workspaceIds}::text[]) AS wanted (api_key_id, workspace_id)
    CROSS JOIN LATERAL (SELECT sum_bigint(cost_nano_usd) AS cost_nano_usd
      FROM ${selectDaysOfKey(organizationId, days, openHours)} AS part) AS used WHERE used.cost_nano_usd > 0`;
}

function selectOthers(
  scopeType: Exclude<ScopeType, "api_key">,
  ids: RawBuilder<unknown>,
  { organizationId, days, openHours }: DaysOfScopes,
): RawBuilder<unknown> {
  const { join, id } = findScopes(scopeType, ids);
  return sql`SELECT ${id} AS id, usage.cost_nano_usd
    FROM ${selectRollup(dayTables[scopeType], organizationId, openHours)} AS usage ${join}
    WHERE usage.bucket_at = ANY(${[...days]}::timestamptz[])`;
}

function findScopes(
  scopeType: Exclude<ScopeType, "api_key">,
  ids: RawBuilder<unknown>,
): { join: RawBuilder<unknown>; id: RawBuilder<unknown> } {
  const joinScopes = (column: string) =>
    sql`JOIN unnest(${ids}) AS scope (id) ON scope.id = usage.${sql.ref(column)}`;
  switch (scopeType) {
    case "organization":
      return { join: sql``, id: sql`usage.organization_id::text` };
    case "workspace":
      return { join: joinScopes("workspace_id"), id: sql`scope.id` };
    case "member":
      return { join: joinScopes("member_id"), id: sql`scope.id` };
    case "group":
      return joinAttribution("group_ids", ids);
    case "tag":
      return joinAttribution("tag_ids", ids);
  }
}

/** Combinations of groups and tags are few. */
function joinAttribution(column: "group_ids" | "tag_ids", ids: RawBuilder<unknown>) {
  const join = sql`JOIN (SELECT attribution.id AS attribution, one.id FROM usage_attribution AS attribution
      CROSS JOIN LATERAL unnest(string_to_array(attribution.${sql.ref(column)}, ',')) AS one (id)
      WHERE one.id = ANY(${ids})) AS scope ON scope.attribution = attribution_id`;
  return { join, id: sql`scope.id` };
}
