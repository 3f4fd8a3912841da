import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { FORECAST_PAST_DAYS } from "#src/domain/forecast.ts";
import { HOUR_MS, type HourlySpend, hourOf, toHourlySpend } from "#src/domain/hourly-spend.ts";
import { parseUsd } from "#src/domain/money.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { Logger } from "#src/lib/logger.ts";
import { findForecastFirings } from "./forecast-firings.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";
import { UnusualFirings } from "./unusual-firings.ts";
import { UNUSUAL_PAST_DAYS } from "./unusual-spend.rule.ts";
import {
  isOfKind,
  listHours,
  listRunningLimits,
  listWatchedUsage,
  type RunningLimit,
  type WatchedUsage,
} from "./watched-usage.sql.ts";

export interface EvaluationDeps extends AlertingDeps {
  database: Database;
  logger: Logger;
}

const DAY_MS = 86_400_000;
const PAST_DAYS = Math.max(FORECAST_PAST_DAYS, UNUSUAL_PAST_DAYS);
/** Scopes whose hours are read at once. A month of a scope has about 800 numbers. */
const SCOPES_AT_ONCE = 20;

/**
 * Fires alerts of the kinds `forecast` and `unusual_spend`. Evaluates watched scopes with spend in this hour or the hour
 * before. An idle scope is evaluated for unusual spend only: it may explain the spend of a wider one. Concurrent runs find
 * the same firings, and each fires once. A scope that cannot be evaluated is logged and evaluated again in the next run.
 */
export async function evaluatePace(deps: EvaluationDeps): Promise<void> {
  const nowMs = deps.nowMs();
  const activeMs = (hourOf(nowMs) - 1) * HOUR_MS;
  const watched = await listWatchedUsage(deps.database, {
    activeMs,
    sinceMs: periodOf("daily", activeMs).startMs,
  });
  let unusual = new UnusualFirings();
  let found: NewFiring[] = [];
  let organizationId: string | null = null;
  for (const scopes of chunkScopes(groupByScope(watched.filter(hasEnoughSpend)))) {
    const [[scope]] = scopes;
    if (scope.organizationId !== organizationId) {
      await recordFound(deps, found);
      [unusual, found] = [new UnusualFirings(), []];
    }
    organizationId = scope.organizationId;
    found.push(...(await evaluateScopes(deps, scopes, { unusual, nowMs })));
  }
  await recordFound(deps, found);
}

/** Records all firings of one organization together, so that each receiver gets one message. */
async function recordFound(deps: EvaluationDeps, firings: readonly NewFiring[]): Promise<void> {
  if (firings.length === 0) return;
  try {
    await inTransaction(deps.database, (tx) => recordFirings(tx, deps, firings));
  } catch (error) {
    const organizationId = firings[0]?.organizationId;
    deps.logger.error({ err: error, organizationId }, "spend alerts not fired");
  }
}

type ScopeRows = [WatchedUsage, ...WatchedUsage[]];
type Chunk = [ScopeRows, ...ScopeRows[]];

function hasEnoughSpend({ condition, spentNanoUsd }: WatchedUsage): boolean {
  if (condition.kind === "forecast") return true;
  return spentNanoUsd > 0n && spentNanoUsd >= parseUsd(condition.min_usd);
}

/** Expects the rows of one scope in a row. */
function groupByScope(watched: readonly WatchedUsage[]): ScopeRows[] {
  const groups: ScopeRows[] = [];
  for (const row of watched) {
    const group = groups.at(-1);
    if (group?.[0].scopeId === row.scopeId && isSameLevel(group[0], row)) group.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** Each chunk has scopes of one organization and one type. */
function chunkScopes(groups: readonly ScopeRows[]): Chunk[] {
  const chunks: Chunk[] = [];
  for (const group of groups) {
    const chunk = chunks.at(-1);
    const isFull = chunk === undefined || chunk.length >= SCOPES_AT_ONCE;
    if (!isFull && isSameLevel(chunk[0][0], group[0])) chunk.push(group);
    else chunks.push([group]);
  }
  return chunks;
}

function isSameLevel(a: WatchedUsage, b: WatchedUsage): boolean {
  return a.scopeType === b.scopeType && a.organizationId === b.organizationId;
}

interface EvaluationContext {
  unusual: UnusualFirings;
  nowMs: number;
}

async function evaluateScopes(
  deps: EvaluationDeps,
  scopes: Chunk,
  context: EvaluationContext,
): Promise<NewFiring[]> {
  const { nowMs } = context;
  const [[{ organizationId, scopeType }]] = scopes;
  try {
    const limits = await readLimits(deps.database, scopes, nowMs);
    const evaluated = scopes
      .map((rows) =>
        rows.filter((row) => isOfKind(row, "unusual_spend") || limits.has(row.scopeId)),
      )
      .filter((rows): rows is ScopeRows => rows.length > 0);
    const hours = await readHours(deps.database, evaluated, nowMs);
    return evaluated.flatMap((rows) => {
      const spend = toHourlySpend(hours.get(rows[0].scopeId) ?? [], nowMs);
      if (spend === null) return [];
      return findFirings(deps, rows, { ...context, spend, limits: limits.get(rows[0].scopeId) });
    });
  } catch (error) {
    const of = { organizationId, scopeType, scopeIds: scopes.map(([{ scopeId }]) => scopeId) };
    deps.logger.error({ err: error, ...of }, "pace of spend not evaluated");
    return [];
  }
}

async function readLimits(
  database: Database,
  scopes: Chunk,
  nowMs: number,
): Promise<Map<string, RunningLimit[]>> {
  const forecasts = scopes.flat().filter((row) => isOfKind(row, "forecast"));
  const ids = new Set(forecasts.map(({ scopeId }) => scopeId));
  if (ids.size === 0) return new Map();
  const running = periodNames.map((period) => {
    return { period, periodStart: periodOf(period, nowMs).start };
  });
  const { scopeType } = scopes[0][0];
  const limits = await listRunningLimits(database, { scopeType, scopeIds: [...ids] }, running);
  return Map.groupBy(limits, ({ scopeId }) => scopeId);
}

async function readHours(database: Database, scopes: readonly ScopeRows[], nowMs: number) {
  if (scopes.length === 0) return new Map();
  const startMs = periodOf("daily", nowMs).startMs - PAST_DAYS * DAY_MS;
  const endMs = (hourOf(nowMs) + 1) * HOUR_MS;
  const hours = await listHours(
    database,
    scopes.map(([row]) => row),
    { startMs, endMs },
  );
  return Map.groupBy(hours, ({ scopeId }) => scopeId);
}

/** An error in one scope is logged, and the other scopes are evaluated. */
function findFirings(
  { logger }: EvaluationDeps,
  rows: ScopeRows,
  known: EvaluationContext & { spend: HourlySpend; limits: readonly RunningLimit[] | undefined },
): NewFiring[] {
  const { unusual, spend, limits = [], nowMs } = known;
  try {
    return rows.flatMap((row) => {
      if (isOfKind(row, "unusual_spend")) return unusual.find(row, { spend, nowMs });
      if (!isOfKind(row, "forecast")) return [];
      return limits.flatMap((limit) => findForecastFirings(row, { limit, spend, nowMs }));
    });
  } catch (error) {
    const { scopeType, scopeId } = rows[0];
    logger.error({ err: error, scopeType, scopeId }, "pace of spend not evaluated");
    return [];
  }
}
