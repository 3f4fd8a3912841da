import { MAX_LIMIT_FORECASTS } from "@bursar/contract/admin/limit-forecasts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { listHours, type WatchedScope } from "#src/alerts/firing/watched-usage.sql.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { inSnapshot } from "#src/db/transaction.ts";
import {
  boundForecast,
  boundingDays,
  FORECAST_PAST_DAYS,
  forecastPassing,
} from "#src/domain/forecast.ts";
import { HOUR_MS, type HourlySpend, hourOf, toHourlySpend } from "#src/domain/hourly-spend.ts";
import { periodOf } from "#src/domain/spend-period.ts";
import { assert } from "#src/lib/assert.ts";
import { visibilityOf } from "#src/limits/visible-limits.ts";
import { findOpenHours } from "#src/recording/open-hours.sql.ts";
import { describeScopes } from "./blocked-scopes.sql.ts";
import { listPeriodStarts } from "./blocked-scopes.ts";
import { sumDaysOfScopes } from "./bounding-costs.sql.ts";
import { type LimitOutlookRow, listLimitOutlooks } from "./limit-outlooks.sql.ts";
import { spendLimits } from "./spend-limit-kind.ts";
import { type LimitState, readLimitStates } from "./spend-limits.ts";

// Limits that will block requests before their period ends. A cheap bound excludes most limits, and the others need the
// hours of four weeks.

/** Most limits whose bound is read. */
const MAX_LIMITS = 5_000;
/** Most limits whose hours are read, those that come closest. The hours of a scope are about 700 index lookups. */
const MAX_EXAMINED = 40;
const DAY_MS = 86_400_000;

export interface LimitForecastState extends LimitState {
  workspaceId: string | null;
  forecastNanoUsd: bigint;
  reachedAtMs: number;
  nanoUsdPerDay: bigint;
}

export interface LimitForecasts {
  rows: LimitForecastState[];
  /** More limits may be used up. */
  hasMore: boolean;
}

/** Lists limits that the caller can see, those that are used up first at the top. */
export async function listLimitForecasts(
  deps: AuditDeps,
  { caller }: Call,
): Promise<LimitForecasts> {
  const nowMs = deps.nowMs();
  const { database } = deps;
  const candidates = await listCandidates(deps, visibilityOf(spendLimits, caller));
  const examined = candidates.slice(0, MAX_EXAMINED);
  const spends = await readHourlySpends(database, examined, nowMs);
  const found = examined
    .flatMap((row) => findForecast(row, spends.get(row.scopeId) ?? null, nowMs))
    .sort((a, b) => a.reachedAtMs - b.reachedAtMs);
  // Keys that cannot send messages spend nothing more.
  const { organizationId } = caller;
  const scopes = found.map(({ row }) => row);
  const now = new Date(Math.floor(nowMs));
  const described = await describeScopes(database, { organizationId, scopes, now });
  const working = new Set(
    described.filter(({ workingKeys }) => workingKeys > 0).map(({ scopeId }) => scopeId),
  );
  const running = found.filter(({ row }) => working.has(row.scopeId));
  const listed = running.slice(0, MAX_LIMIT_FORECASTS);
  const states = await readLimitStates(
    deps,
    listed.map(({ row }) => row),
  );
  const rows = listed.map(({ row, ...forecast }, place) => {
    const state = states[place];
    assert(state !== undefined, "each limit has one state");
    return { ...state, workspaceId: row.workspaceId, ...forecast };
  });
  return { rows, hasMore: candidates.length > examined.length || running.length > listed.length };
}

type Visibility = Parameters<typeof listLimitOutlooks>[1];
type Candidate = LimitOutlookRow & { scopeType: CountedScope["type"] };

/** Lists limits that a forecast can reach, the closest first. */
async function listCandidates(deps: AuditDeps, visibility: Visibility): Promise<Candidate[]> {
  const nowMs = deps.nowMs();
  const limits = await inSnapshot(deps.database, async (tx) => {
    const of = { periodStarts: listPeriodStarts(nowMs), limit: MAX_LIMITS };
    const outlooks = await listLimitOutlooks(tx, visibility, of);
    const counted = outlooks.filter(isCounted).filter((row) => isReachableByMonth(row, nowMs));
    return addBoundingCosts(tx, visibility.organizationId, counted, nowMs);
  });
  return limits
    .flatMap((limit) => {
      const highest = findHighest(limit, nowMs);
      if (highest < limit.row.amountNanoUsd) return [];
      return { row: limit.row, reach: Number((highest * 1_000n) / limit.row.amountNanoUsd) };
    })
    .sort((a, b) => b.reach - a.reach)
    .map(({ row }) => row);
}

/** Highest spend of the period that a forecast can have. */
function findHighest({ row, boundingNanoUsd }: BoundedLimit, nowMs: number): bigint {
  const period = periodOf(row.period, nowMs);
  return row.spentNanoUsd + boundForecast({ nowMs, period, boundingNanoUsd });
}

/**
 * False if the spend of the month is too low for the limit. From its eighth day on, a month has all bounding days, and few limits
 * need their costs.
 */
function isReachableByMonth(row: Candidate, nowMs: number): boolean {
  const lastDays = Math.max(...boundingDays.monthly) * DAY_MS;
  const { startMs } = periodOf("monthly", nowMs - lastDays);
  const hasDays = row.period === "monthly" && startMs === periodOf("monthly", nowMs).startMs;
  if (!hasDays || !row.isSpendComplete) return true;
  return findHighest({ row, boundingNanoUsd: row.spentNanoUsd }, nowMs) >= row.amountNanoUsd;
}

interface BoundedLimit {
  row: Candidate;
  /** Cost of the days of `boundingDays`. */
  boundingNanoUsd: bigint;
}

/** Reads the bounding days of all limits, in one statement for each type of scope and list of days. */
async function addBoundingCosts(
  tx: Tx,
  organizationId: string,
  rows: readonly Candidate[],
  nowMs: number,
): Promise<BoundedLimit[]> {
  const found = await findOpenHours(tx, organizationId);
  // Only minutes after the start of an hour, the hour before is open too.
  const openHours = found !== null && hourOf(found.startMs) < hourOf(nowMs) ? found : null;
  const { startMs } = periodOf("daily", nowMs);
  const bounded: BoundedLimit[] = [];
  const groups = Map.groupBy(rows, (row) => `${row.scopeType} ${boundingDays[row.period].join()}`);
  for (const scopes of groups.values()) {
    const [first] = scopes;
    assert(first !== undefined, "a group has a limit");
    const days = boundingDays[first.period].map((daysAgo) => new Date(startMs - daysAgo * DAY_MS));
    // A scope can have a weekly and a monthly limit.
    const distinct = [...new Map(scopes.map((row) => [row.scopeId, row])).values()];
    const costs = await sumDaysOfScopes(tx, { organizationId, scopes: distinct, days, openHours });
    for (const row of scopes) {
      bounded.push({ row, boundingNanoUsd: costs.get(row.scopeId) ?? 0n });
    }
  }
  return bounded;
}

/** False for a default cap, whose spend is that of each member. */
function isCounted(row: LimitOutlookRow): row is Candidate {
  return row.scopeType !== "group_member";
}

/** Reads the hours of the scopes, by scope id. */
async function readHourlySpends(
  database: Database,
  candidates: readonly Candidate[],
  nowMs: number,
): Promise<Map<string, HourlySpend | null>> {
  const startMs = periodOf("daily", nowMs).startMs - FORECAST_PAST_DAYS * DAY_MS;
  // A forecast needs no cost of the running hour.
  const range = { startMs, endMs: hourOf(nowMs) * HOUR_MS };
  const scopes = new Map<string, WatchedScope>(candidates.map((row) => [row.scopeId, row]));
  const spends = new Map<string, HourlySpend | null>();
  for (const ofType of Map.groupBy(scopes.values(), ({ scopeType }) => scopeType).values()) {
    const hours = await listHours(database, ofType, range);
    for (const [scopeId, own] of Map.groupBy(hours, (hour) => hour.scopeId)) {
      spends.set(scopeId, toHourlySpend(own, nowMs));
    }
  }
  return spends;
}

function findForecast(row: Candidate, spend: HourlySpend | null, nowMs: number) {
  if (spend === null) return [];
  const period = periodOf(row.period, nowMs);
  const { spentNanoUsd, amountNanoUsd: limitNanoUsd, enforcement } = row;
  const amounts = { spentNanoUsd, limitNanoUsd, enforcement, percent: 100 };
  const forecast = forecastPassing({ nowMs, period, spend, ...amounts });
  if (forecast === null || forecast.reachedAtMs === null) return [];
  const { periodNanoUsd: forecastNanoUsd, reachedAtMs } = forecast;
  const remainingMs = BigInt(Math.max(1, Math.floor(period.endMs - nowMs)));
  const nanoUsdPerDay = ((forecastNanoUsd - spentNanoUsd) * BigInt(DAY_MS)) / remainingMs;
  return { row, forecastNanoUsd, reachedAtMs, nanoUsdPerDay };
}
