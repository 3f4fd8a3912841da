import type { FiringFacts } from "@bursar/contract/admin/alerts.ts";
import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { FORECAST_PAST_DAYS, forecastLimit } from "#src/domain/forecast.ts";
import { HOUR_MS, type HourlySpend, hourOf, toHourlySpend } from "#src/domain/hourly-spend.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import type { NewFiring } from "#src/domain/new-firing.ts";
import { isoFromMs, periodNames, periodOf } from "#src/domain/spend-period.ts";
import {
  UNUSUAL_PAST_DAYS,
  type Unusual,
  unusualDay,
  unusualHour,
} from "#src/domain/unusual-spend.ts";
import type { Logger } from "#src/lib/logger.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";
import {
  listHours,
  listRunningLimits,
  listWatchedUsage,
  type RunningLimit,
  type WatchedScope,
  type WatchedUsage,
} from "./watched-usage.sql.ts";

export interface EvaluationDeps extends AlertingDeps {
  database: Database;
  logger: Logger;
}

const DAY_MS = 86_400_000;
const HOURS_PER_DAY = 24;
const PAST_DAYS = Math.max(FORECAST_PAST_DAYS, UNUSUAL_PAST_DAYS);

/**
 * Fires alerts of the kinds `forecast` and `unusual_spend`. Looks at scopes that spent something in this hour or the one
 * before, under an alert that watches them: a scope that rests has no new answer. Several at once find the same, and it
 * fires once. A scope that cannot be judged does not keep others from it; it is looked at again next time.
 */
export async function evaluatePace(deps: EvaluationDeps): Promise<void> {
  const nowMs = Math.floor(deps.nowMs());
  const activeMs = (hourOf(nowMs) - 1) * HOUR_MS;
  const watched = await listWatchedUsage(deps.database, {
    activeMs,
    sinceMs: periodOf("daily", activeMs).startMs,
  });
  for (const rows of byScope(watched)) {
    try {
      const firings = await findFirings(deps.database, rows, nowMs);
      if (firings.length > 0) {
        await inTransaction(deps.database, (tx) => recordFirings(tx, deps, firings));
      }
    } catch (error) {
      const { scopeType, scopeId } = rows[0];
      deps.logger.error({ err: error, scopeType, scopeId }, "the pace of spend was not evaluated");
    }
  }
}

type OfScope = [WatchedUsage, ...WatchedUsage[]];

/** Rows of one scope stand beside each other. */
function byScope(watched: readonly WatchedUsage[]): OfScope[] {
  const groups: OfScope[] = [];
  for (const row of watched) {
    const group = groups.at(-1);
    const isSame =
      group?.[0].scopeId === row.scopeId &&
      group[0].scopeType === row.scopeType &&
      group[0].organizationId === row.organizationId;
    if (isSame) group?.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** Reads only what a rule of the scope needs. */
async function findFirings(database: Database, rows: OfScope, nowMs: number): Promise<NewFiring[]> {
  const [scope] = rows;
  const limits = rows.some(({ condition }) => condition.kind === "forecast")
    ? await listRunningLimits(database, scope, runningPeriods(nowMs))
    : [];
  const judged = rows.filter(({ condition, spentNanoUsd }) =>
    condition.kind === "forecast"
      ? limits.length > 0
      : spentNanoUsd > 0n && spentNanoUsd >= parseUsd(condition.min_usd),
  );
  if (judged.length === 0) return [];
  const startMs = periodOf("daily", nowMs).startMs - PAST_DAYS * DAY_MS;
  const endMs = (hourOf(nowMs) + 1) * HOUR_MS;
  const spend = toHourlySpend(await listHours(database, scope, { startMs, endMs }), nowMs);
  if (spend === null) return [];
  return judged.flatMap((row) => {
    const { condition } = row;
    if (condition.kind === "unusual_spend") return unusualFirings(row, condition, { spend, nowMs });
    return limits.flatMap((limit) => forecastFirings(row, condition, { limit, spend, nowMs }));
  });
}

function runningPeriods(nowMs: number) {
  return periodNames.map((period) => ({ period, periodStart: periodOf(period, nowMs).start }));
}

type ConditionOf<Kind> = Extract<WatchedUsage["condition"], { kind: Kind }>;

function forecastFirings(
  row: WatchedUsage,
  { percent }: ConditionOf<"forecast">,
  known: { limit: RunningLimit; spend: HourlySpend; nowMs: number },
): NewFiring[] {
  const { limit, spend, nowMs } = known;
  const { settledNanoUsd: spentNanoUsd, limitNanoUsd } = limit;
  const period = periodOf(limit.period, nowMs);
  const atNanoUsd = (limitNanoUsd * BigInt(percent) + 99n) / 100n;
  // What is reached already is for the alerts about limits to tell.
  const isReached = spentNanoUsd >= atNanoUsd;
  const isRefusing = limit.enforcement !== "alert_only" && spentNanoUsd >= limitNanoUsd;
  if (isReached || isRefusing) return [];
  const forecast = forecastLimit({ nowMs, period, spentNanoUsd, limitNanoUsd, spend });
  if (forecast === null || forecast.periodNanoUsd < atNanoUsd) return [];
  return [
    {
      ...placeOf(row),
      kind: "forecast",
      episode: `${limit.period} ${period.start} ${formatUsd(limitNanoUsd)}`,
      threshold: `${percent}%`,
      facts: {
        spend_limit_id: limit.id,
        period: limit.period,
        period_starts_at: isoFromMs(period.startMs),
        period_ends_at: isoFromMs(period.endMs),
        limit_usd: formatUsd(limitNanoUsd),
        enforcement: limit.enforcement,
        spent_usd: formatUsd(spentNanoUsd),
        forecast_usd: formatUsd(forecast.periodNanoUsd),
        reached_at: forecast.reachedAtMs === null ? null : isoFromMs(forecast.reachedAtMs),
      },
    },
  ];
}

/** This hour and the one before, which may have been counted only now; and the days that they lie in. */
function unusualFirings(
  row: WatchedUsage,
  condition: ConditionOf<"unusual_spend">,
  { spend, nowMs }: { spend: HourlySpend; nowMs: number },
): NewFiring[] {
  const rule = { factor: condition.factor, minNanoUsd: parseUsd(condition.min_usd) };
  const hours = [hourOf(nowMs) - 1, hourOf(nowMs)];
  const days = new Set(hours.map((hour) => Math.floor(hour / HOURS_PER_DAY)));
  return [
    ...hours.map((hour) =>
      unusualFiring(row, unusualHour(spend, hour, rule), {
        startMs: hour * HOUR_MS,
        endMs: (hour + 1) * HOUR_MS,
      }),
    ),
    ...[...days].map((day) =>
      unusualFiring(row, unusualDay(spend, day, rule), {
        startMs: day * DAY_MS,
        endMs: (day + 1) * DAY_MS,
      }),
    ),
  ].filter((firing) => firing !== null);
}

function unusualFiring(
  row: WatchedUsage,
  unusual: Unusual | null,
  { startMs, endMs }: { startMs: number; endMs: number },
): NewFiring | null {
  if (unusual === null) return null;
  const isDay = endMs - startMs === DAY_MS;
  const facts: FiringFacts = {
    period_starts_at: isoFromMs(startMs),
    period_ends_at: isoFromMs(endMs),
    minutes: (endMs - startMs) / 60_000,
    spent_usd: formatUsd(unusual.spentNanoUsd),
    usual_usd: formatUsd(unusual.usualNanoUsd),
  };
  const episode = isoFromMs(startMs).slice(0, isDay ? 10 : 13);
  // Not the factor: a changed rule does not tell of the same hour again.
  return {
    ...placeOf(row),
    kind: "unusual_spend",
    episode,
    threshold: isDay ? "1 day" : "1 hour",
    facts,
  };
}

function placeOf({
  organizationId,
  alertId,
  scopeType,
  scopeId,
  workspaceId,
}: WatchedScope & { alertId: string }) {
  return { organizationId, alertId, scopeType, scopeId, workspaceId };
}
