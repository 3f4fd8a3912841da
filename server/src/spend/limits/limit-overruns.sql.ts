import { type SqlBool, sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { PeriodName, ScopeType } from "#src/db/tables.ts";

/** A firing of an alert about overruns. */
export interface OverrunFiring {
  id: string;
  alertId: string;
  alertName: string;
  /** First day of the exceeded period, ISO date. */
  periodStart: string;
  firedAt: Date;
}

/** Firings of one limit in its listed periods. A caller reads them all, so their number has a bound. */
const MAX_FIRINGS = 1_000;

/** Lists firings about overruns of the scope in these periods, newest first. Null workspaces: all of the organization. */
export async function listOverrunFirings(
  db: Database,
  of: {
    organizationId: string;
    scopeType: ScopeType;
    scopeId: string;
    period: PeriodName;
    /** Starts of the periods. */
    startsAt: readonly Date[];
    onlyWorkspaceIds: readonly string[] | null;
  },
): Promise<OverrunFiring[]> {
  const first = of.startsAt.reduce<Date | null>(
    (earliest, each) => (earliest === null || each < earliest ? each : earliest),
    null,
  );
  if (first === null) return [];
  const { onlyWorkspaceIds } = of;
  const isVisible =
    onlyWorkspaceIds === null
      ? sql<SqlBool>`true`
      : sql<SqlBool>`firing.workspace_id = ANY(${[...onlyWorkspaceIds]}::text[])`;
  const { rows } = await sql<OverrunFiring>`
    SELECT firing.id, firing.alert_id AS "alertId", alert.name AS "alertName", firing.fired_at AS "firedAt",
      left(firing.facts ->> 'period_starts_at', 10) AS "periodStart"
    FROM alert_firing AS firing JOIN alert ON alert.id = firing.alert_id
    WHERE firing.organization_id = ${of.organizationId}::uuid AND firing.fired_at >= ${first}
      AND firing.kind = 'limit_overrun' AND firing.scope_type = ${of.scopeType} AND firing.scope_id = ${of.scopeId}
      AND firing.facts ->> 'period' = ${of.period} AND ${isVisible}
    ORDER BY firing.fired_at DESC, firing.id DESC LIMIT ${MAX_FIRINGS}`.execute(db);
  return rows;
}
