import type { ReportCall } from "#src/access/call.ts";
import { findApiKeyPlace } from "#src/access/visible-workspace.sql.ts";
import { canSeeWorkspace } from "#src/access/visible-workspace.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import type { ScopeType } from "#src/db/tables.ts";
import type { Caller } from "#src/domain/caller.ts";
import { type Forecast, forecastMonth } from "#src/domain/forecast.ts";
import { findOrganizationReach, findWorkspaceReach } from "#src/domain/rights.ts";
import { periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { findSpendLimit, type SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { findTagId } from "#src/usage/attribution.sql.ts";
import { sumAdjustments } from "./adjustments.sql.ts";
import { narrowToSimulated } from "./read-report.ts";
import { inReport, listReport, simulatedOf, sumReport } from "./report.sql.ts";
import type { ReportFilter } from "./report-tables.ts";
import { readFilter, type UsageDeps, type UsageFilters } from "./usage.ts";

const DAY_MS = 86_400_000;
/** Days of the forecast: four of each weekday. */
const PAST_DAYS = 28;

export interface CostSummary {
  month: SpendPeriod;
  sums: CostSums;
  /** Parts of the sums that the simulator answered. */
  simulated: CostSums;
  /** Adjustments for requests of this month, not part of the other sums. */
  adjustmentsNanoUsd: bigint;
  unpricedRequests: bigint;
  partlyUnbilledRequests: bigint;
  limit: Pick<SpendLimit, "amountNanoUsd" | "enforcement"> | null;
  dataAsOfMs: number;
}

/** Nano-USD. */
interface CostSums {
  monthToDateNanoUsd: bigint;
  todayNanoUsd: bigint;
  lastMonthNanoUsd: bigint;
  lastMonthToDateNanoUsd: bigint;
  /** Null: no whole day yet. */
  forecast: Forecast | null;
}

/** Returns the cost of this month, UTC. Throws a 404 for a workspace or key that the caller cannot see. */
export async function getCostSummary(
  deps: UsageDeps,
  { caller, reader }: ReportCall,
  filters: UsageFilters,
): Promise<CostSummary> {
  const filter = await readFilter(deps.database, caller, filters);
  const nowMs = deps.nowMs();
  const month = periodOf("monthly", nowMs);
  const lastMonth = periodOf("monthly", month.startMs - 1);
  const todayMs = periodOf("daily", nowMs).startMs;
  // A changed limit is shown at once.
  const limit = await findLimit(deps.database, caller, filters);
  return inReport(reader, async (tx) => {
    const startMs = Math.min(lastMonth.startMs, todayMs - PAST_DAYS * DAY_MS);
    const days = await listDays(tx, filter, { startMs, endMs: month.endMs });
    const inMonth = days.filter(({ atMs }) => atMs >= month.startMs);
    const periods = { month, lastMonth, todayMs };
    const sums = sumDays(days, ({ nanoUsd }) => nanoUsd, periods);
    return {
      month,
      sums,
      simulated: subtractSums(
        sums,
        sumDays(days, ({ realNanoUsd }) => realNanoUsd, periods),
      ),
      adjustmentsNanoUsd: await sumAdjustments(tx, { ...filter, ...month }),
      unpricedRequests: inMonth.reduce((total, day) => total + day.unpricedRequests, 0n),
      partlyUnbilledRequests: inMonth.reduce(
        (total, day) => total + day.partlyUnbilledRequests,
        0n,
      ),
      limit,
      dataAsOfMs: reader.dataAsOfMs(),
    };
  });
}

/** Sums one amount of the days. */
function sumDays(
  days: readonly Day[],
  read: (day: Day) => bigint,
  of: { month: SpendPeriod; lastMonth: SpendPeriod; todayMs: number },
): CostSums {
  const { month, lastMonth, todayMs } = of;
  const sum = (fromMs: number, toMs: number) =>
    days
      .filter(({ atMs }) => atMs >= fromMs && atMs < toMs)
      .reduce((total, day) => total + read(day), 0n);
  const monthToDateNanoUsd = sum(month.startMs, month.endMs);
  const todayNanoUsd = sum(todayMs, todayMs + DAY_MS);
  const sameDayMs = Math.min(lastMonth.startMs + (todayMs - month.startMs), lastMonth.endMs);
  return {
    monthToDateNanoUsd,
    todayNanoUsd,
    lastMonthNanoUsd: sum(lastMonth.startMs, lastMonth.endMs),
    lastMonthToDateNanoUsd: sum(lastMonth.startMs, sameDayMs),
    forecast: forecastMonth({
      todayMs,
      monthEndMs: month.endMs,
      monthToDateNanoUsd,
      todayNanoUsd,
      pastDaysNanoUsd: listPastDays(days, read, todayMs),
    }),
  };
}

/** The forecast of a part is the difference of two forecasts, since it is no sum of the days. */
function subtractSums(from: CostSums, sums: CostSums): CostSums {
  const of = (name: Exclude<keyof CostSums, "forecast">) => from[name] - sums[name];
  return {
    monthToDateNanoUsd: of("monthToDateNanoUsd"),
    todayNanoUsd: of("todayNanoUsd"),
    lastMonthNanoUsd: of("lastMonthNanoUsd"),
    lastMonthToDateNanoUsd: of("lastMonthToDateNanoUsd"),
    forecast: from.forecast && {
      ...from.forecast,
      monthNanoUsd: from.forecast.monthNanoUsd - (sums.forecast?.monthNanoUsd ?? 0n),
    },
  };
}

interface Day {
  atMs: number;
  nanoUsd: bigint;
  /** Without the part that the simulator answered. */
  realNanoUsd: bigint;
  unpricedRequests: bigint;
  partlyUnbilledRequests: bigint;
}

async function listDays(
  tx: Tx,
  filter: ReportFilter,
  range: { startMs: number; endMs: number },
): Promise<Day[]> {
  const parts = [{ ...range, unit: "day" as const }];
  const simulated = narrowToSimulated(filter);
  const hasSimulated =
    simulated !== null && (await sumReport(tx, { ...simulated, parts })).requests > 0n;
  const rows = await listReport(
    tx,
    { ...filter, hasSimulated, columns: [], parts, isBucketed: true },
    { order: { by: "time", isDescending: false }, after: null, limit: 100 },
  );
  return rows.map((row) => ({
    atMs: row.bucket_at?.getTime() ?? 0,
    nanoUsd: row.cost_nano_usd,
    realNanoUsd: row.cost_nano_usd - simulatedOf(row),
    unpricedRequests: row.unpriced_requests,
    partlyUnbilledRequests: row.partly_unbilled_requests,
  }));
}

/** Returns the cost of each whole day before today, from the first day with a request. */
function listPastDays(days: readonly Day[], read: (day: Day) => bigint, todayMs: number): bigint[] {
  const byMs = new Map(days.map((day) => [day.atMs, read(day)]));
  const first = days.find(({ atMs }) => atMs >= todayMs - PAST_DAYS * DAY_MS);
  const past: bigint[] = [];
  for (let ms = first?.atMs ?? todayMs; ms < todayMs; ms += DAY_MS) past.push(byMs.get(ms) ?? 0n);
  return past;
}

/** Returns the monthly limit of the filtered scope, or null if the caller cannot see it. */
async function findLimit(
  database: Database,
  caller: Caller,
  filters: UsageFilters,
): Promise<CostSummary["limit"]> {
  const scope = await findScope(database, caller, filters);
  if (scope === null) return null;
  const { organizationId } = caller;
  return findSpendLimit(database, { organizationId, ...scope, period: "monthly" });
}

async function findScope(
  database: Database,
  caller: Caller,
  filters: UsageFilters,
): Promise<{ scopeType: ScopeType; scopeId: string } | null> {
  const { organizationId } = caller;
  const set = Object.entries(filters).filter(([, values]) => values !== undefined);
  const [only, ...others] = set;
  const isEverywhere = findOrganizationReach(caller, "spend_limits:read") === "all";
  if (only === undefined) {
    return isEverywhere ? { scopeType: "organization", scopeId: organizationId } : null;
  }
  const [name, [id, ...more]] = only as [string, string[]];
  if (id === undefined || more.length > 0 || others.length > 0) return null;
  switch (name) {
    case "workspace_id": {
      const canSee = findWorkspaceReach(caller, "spend_limits:read", id) === "all";
      return canSee && canSeeWorkspace(caller, id) ? { scopeType: "workspace", scopeId: id } : null;
    }
    case "api_key_id": {
      const key = await findApiKeyPlace(database, { organizationId, apiKeyId: id });
      const canSee =
        key !== null && findWorkspaceReach(caller, "spend_limits:read", key.workspace_id) === "all";
      return canSee ? { scopeType: "api_key", scopeId: id } : null;
    }
    default:
      // Requests of any workspace count in these scopes.
      return isEverywhere ? findSharedScope(database, organizationId, { name, id }) : null;
  }
}

async function findSharedScope(
  database: Database,
  organizationId: string,
  { name, id }: { name: string; id: string },
): Promise<{ scopeType: ScopeType; scopeId: string } | null> {
  switch (name) {
    case "member_id":
      return { scopeType: "member", scopeId: id };
    case "group_id":
      return { scopeType: "group", scopeId: id };
    case "tag_id":
      return { scopeType: "tag", scopeId: id };
    case "tag":
      return { scopeType: "tag", scopeId: await findTagId(database, organizationId, id) };
    default:
      return null;
  }
}
