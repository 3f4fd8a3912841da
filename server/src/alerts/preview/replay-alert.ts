import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import { thresholdsOf, toFirings, toWatchedSpend } from "#src/alerts/firing/fire-spend.ts";
import { findForecastFirings } from "#src/alerts/firing/forecast-firings.ts";
import type { NewFiring } from "#src/alerts/firing/new-firing.rule.ts";
import { findNextThreshold } from "#src/alerts/firing/spend-thresholds.rule.ts";
import { UnusualFirings } from "#src/alerts/firing/unusual-firings.ts";
import { UNUSUAL_PAST_DAYS } from "#src/alerts/firing/unusual-spend.rule.ts";
import type { WatchedRow } from "#src/alerts/firing/watched-spend.sql.ts";
import { FORECAST_PAST_DAYS } from "#src/domain/forecast.ts";
import {
  amountOfHour,
  HOUR_MS,
  HOURS_PER_DAY,
  type HourlySpend,
  hourOf,
  sumOfHours,
} from "#src/domain/hourly-spend.ts";
import { parseUsd } from "#src/domain/money.ts";
import { type PeriodName, periodNames, periodOf } from "#src/domain/spend-period.ts";

// Applies the rules of the evaluation to recorded hours. Each hour is evaluated once, at its end, with today's limits.

export interface ReplayedScope {
  organizationId: string;
  scopeType: CountedScope["type"];
  scopeId: string;
  scopeName: string;
  workspaceId: string | null;
  limits: readonly ReplayedLimit[];
  /** Null: no recorded spend. */
  spend: HourlySpend | null;
}

export interface ReplayedLimit {
  id: string;
  period: PeriodName;
  limitNanoUsd: bigint;
  enforcement: "strict" | "soft" | "alert_only";
}

/** Hours since the epoch. `end` is exclusive. */
export interface ReplayWindow {
  first: number;
  end: number;
}

export interface ReplayedFiring extends NewFiring {
  scopeName: string;
  /** End of the hour in which it fires, milliseconds since the epoch. */
  atMs: number;
}

/** Days of hours before the window that the rules read. */
export const REPLAY_PAST_DAYS = Math.max(FORECAST_PAST_DAYS, UNUSUAL_PAST_DAYS);
/** The alert has no row yet. */
const NEW_ALERT = "alert_new";

type ConditionOf<K extends AlertCondition["kind"]> = Extract<AlertCondition, { kind: K }>;

/** Fires each threshold once for each period that has hours in the window. */
export function replaySpendLimit(
  condition: ConditionOf<"spend_limit">,
  scope: ReplayedScope,
  window: ReplayWindow,
): ReplayedFiring[] {
  return periodNames.flatMap((period) => replayPeriods(condition, scope, { window, period }));
}

function replayPeriods(
  condition: ConditionOf<"spend_limit">,
  scope: ReplayedScope,
  { window, period }: { window: ReplayWindow; period: PeriodName },
): ReplayedFiring[] {
  const { spend } = scope;
  if (spend === null) return [];
  const limit = scope.limits.find((each) => each.period === period);
  const thresholds = thresholdsOf(condition);
  const fired = new Set<string>();
  const firings: ReplayedFiring[] = [];
  forEachHour(
    spend,
    { ...window, period },
    ({ hour, periodStart, settledNanoUsd, isFirst }, state) => {
      // A node caches the next threshold of a balance in the same way.
      if (!isFirst && (state.next === null || settledNanoUsd < state.next)) return;
      const row = toRow(scope, { condition, period, periodStart, settledNanoUsd, limit });
      for (const firing of toFirings(row)) {
        const key = `${firing.episode} ${firing.threshold}`;
        if (fired.has(key)) continue;
        fired.add(key);
        if (hour >= window.first) firings.push(toReplayed(scope, firing, hour));
      }
      state.next = findNextThreshold(thresholds, toWatchedSpend(row));
    },
  );
  return firings;
}

interface HourOfPeriod {
  hour: number;
  periodStart: string;
  /** Spend of the period up to the end of the hour. */
  settledNanoUsd: bigint;
  /** First hour of the period with spend. */
  isFirst: boolean;
}

/** Calls `use` for each hour with spend, from the start of the period that contains the window's first hour. */
function forEachHour(
  spend: HourlySpend,
  { first, end, period }: ReplayWindow & { period: PeriodName },
  use: (at: HourOfPeriod, state: { next: bigint | null }) => void,
): void {
  let current = periodOf(period, first * HOUR_MS);
  let settledNanoUsd = 0n;
  const state: { next: bigint | null } = { next: null };
  for (let hour = hourOf(current.startMs); hour < end; hour++) {
    if (hour * HOUR_MS >= current.endMs) {
      current = periodOf(period, hour * HOUR_MS);
      settledNanoUsd = 0n;
    }
    const amount = amountOfHour(spend, hour) ?? 0n;
    if (amount === 0n) continue;
    const isFirst = settledNanoUsd === 0n;
    settledNanoUsd += amount;
    use({ hour, periodStart: current.start, settledNanoUsd, isFirst }, state);
  }
}

function toRow(
  { organizationId, scopeType, scopeId, workspaceId }: ReplayedScope,
  of: Pick<WatchedRow, "condition" | "period" | "periodStart" | "settledNanoUsd"> & {
    limit: ReplayedLimit | undefined;
  },
): WatchedRow {
  const { limit, ...spent } = of;
  return {
    ...{ organizationId, scopeType, scopeId, workspaceId, alertId: NEW_ALERT, ...spent },
    alertCreatedAt: new Date(0),
    ...{ leasedNanoUsd: 0n, unresolvedNanoUsd: 0n, raises: [] },
    limitId: limit?.id ?? null,
    limitNanoUsd: limit?.limitNanoUsd ?? null,
    limitCreatedAt: null,
    enforcement: limit?.enforcement ?? null,
  };
}

/** Hours between two forecasts of a limit in a replay. The evaluation makes one every five minutes. */
const forecastStepHours = { daily: 4, weekly: 12, monthly: 12 } as const;

/** Forecasts each limit of the scope, until it fires in its period. */
export function replayForecast(
  condition: ConditionOf<"forecast">,
  scope: ReplayedScope,
  window: ReplayWindow,
): ReplayedFiring[] {
  const { spend } = scope;
  if (spend === null) return [];
  return scope.limits.flatMap((limit) => {
    const fired = new Set<string>();
    const firings: ReplayedFiring[] = [];
    forEachHour(
      spend,
      { ...window, period: limit.period },
      ({ hour, periodStart, settledNanoUsd }) => {
        const isEvaluated = hour >= window.first && hour % forecastStepHours[limit.period] === 0;
        if (!isEvaluated || fired.has(periodStart)) return;
        const row = { ...toWatchedScope(scope), condition, spentNanoUsd: settledNanoUsd };
        const nowMs = endOfHour(hour) - 1;
        const known = {
          limit: { ...limit, scopeId: scope.scopeId, settledNanoUsd },
          spend: cutSpend(spend, hour),
          nowMs,
        };
        for (const firing of findForecastFirings(row, known)) {
          fired.add(periodStart);
          firings.push(toReplayed(scope, firing, hour));
        }
      },
    );
    return firings;
  });
}

/** Order in which the evaluation reads scopes, so that a wider scope does not repeat a narrow one. */
const unusualOrder: readonly CountedScope["type"][] = ["api_key", "workspace", "organization"];

/**
 * Evaluates one hour of all scopes, and yields the firings of each scope. `fired` has the keys of earlier firings, and gets
 * those of new ones.
 */
export function* replayUnusualHour(
  condition: ConditionOf<"unusual_spend">,
  scopes: readonly ReplayedScope[],
  { hour, fired }: { hour: number; fired: Set<string> },
): Generator<ReplayedFiring[]> {
  const unusual = new UnusualFirings();
  const minNanoUsd = parseUsd(condition.min_usd);
  const dayStart = Math.floor((hour - 1) / HOURS_PER_DAY) * HOURS_PER_DAY;
  const ordered = scopes.toSorted(
    (a, b) => unusualOrder.indexOf(a.scopeType) - unusualOrder.indexOf(b.scopeType),
  );
  for (const scope of ordered) {
    if (scope.spend === null) continue;
    const spentNanoUsd = sumOfHours(scope.spend, dayStart, hour + 1);
    if (spentNanoUsd === 0n || spentNanoUsd < minNanoUsd) continue;
    const row = { ...toWatchedScope(scope), condition, spentNanoUsd };
    const spend = cutSpend(scope.spend, hour);
    const found = unusual.find(row, { spend, nowMs: endOfHour(hour) - 1 });
    yield found.flatMap((firing) => {
      const key = `${firing.scopeId} ${firing.episode} ${firing.threshold}`;
      if (fired.has(key)) return [];
      fired.add(key);
      return [toReplayed(scope, firing, hour)];
    });
  }
}

/** The hours that an evaluation at the end of `hour` reads. Like there, the first one has a cost. */
function cutSpend(spend: HourlySpend, hour: number): HourlySpend {
  const day = Math.floor(hour / HOURS_PER_DAY);
  let firstHour = Math.max(spend.firstHour, (day - REPLAY_PAST_DAYS) * HOURS_PER_DAY);
  while (firstHour < hour && amountOfHour(spend, firstHour) === 0n) firstHour++;
  const { firstHour: start } = spend;
  return { firstHour, amounts: spend.amounts.slice(firstHour - start, hour + 1 - start) };
}

function toWatchedScope({ organizationId, scopeType, scopeId, workspaceId }: ReplayedScope) {
  return { organizationId, scopeType, scopeId, workspaceId, alertId: NEW_ALERT };
}

function toReplayed(scope: ReplayedScope, firing: NewFiring, hour: number): ReplayedFiring {
  return { ...firing, scopeName: scope.scopeName, atMs: endOfHour(hour) };
}

function endOfHour(hour: number): number {
  return (hour + 1) * HOUR_MS;
}
