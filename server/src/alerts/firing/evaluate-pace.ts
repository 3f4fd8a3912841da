import type { Database } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { FORECAST_PAST_DAYS } from "#src/domain/forecast.ts";
import { HOUR_MS, type HourlySpend, hourOf, toHourlySpend } from "#src/domain/hourly-spend.ts";
import { parseUsd } from "#src/domain/money.ts";
import { periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { Logger } from "#src/lib/logger.ts";
import { forecastFirings } from "./forecast-firings.ts";
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
/** Scopes whose hours are read, and held, at once: a month of each is some 800 numbers. */
const SCOPES_AT_ONCE = 20;

/**
 * Fires alerts of the kinds `forecast` and `unusual_spend`. Looks at scopes that spent something in this hour or the one
 * before, under an alert that watches them: a scope that rests has no new answer, but may explain what is unusual around
 * it. Several at once find the same, and it fires once. A scope that cannot be judged does not keep others from it; it is
 * looked at again next time.
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
  for (const scopes of inChunks(byScope(watched.filter(isWorthAsking)))) {
    const [[scope]] = scopes;
    if (scope.organizationId !== organizationId) {
      await record(deps, found);
      [unusual, found] = [new UnusualFirings(), []];
    }
    organizationId = scope.organizationId;
    found.push(...(await evaluateScopes(deps, scopes, { unusual, nowMs })));
  }
  await record(deps, found);
}

/** All that one organization hears of at once, so that each receiver gets one message. */
async function record(deps: EvaluationDeps, firings: readonly NewFiring[]): Promise<void> {
  if (firings.length === 0) return;
  try {
    await inTransaction(deps.database, (tx) => recordFirings(tx, deps, firings));
  } catch (error) {
    const organizationId = firings[0]?.organizationId;
    deps.logger.error({ err: error, organizationId }, "alerts about spend could not fire");
  }
}

type OfScope = [WatchedUsage, ...WatchedUsage[]];
type Chunk = [OfScope, ...OfScope[]];

function isWorthAsking({ condition, spentNanoUsd }: WatchedUsage): boolean {
  if (condition.kind === "forecast") return true;
  return spentNanoUsd > 0n && spentNanoUsd >= parseUsd(condition.min_usd);
}

/** Rows of one scope stand beside each other. */
function byScope(watched: readonly WatchedUsage[]): OfScope[] {
  const groups: OfScope[] = [];
  for (const row of watched) {
    const group = groups.at(-1);
    if (group?.[0].scopeId === row.scopeId && isSameLevel(group[0], row)) group.push(row);
    else groups.push([row]);
  }
  return groups;
}

/** Of one organization and one type. */
function inChunks(groups: readonly OfScope[]): Chunk[] {
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

interface Looking {
  unusual: UnusualFirings;
  nowMs: number;
}

async function evaluateScopes(
  deps: EvaluationDeps,
  scopes: Chunk,
  looking: Looking,
): Promise<NewFiring[]> {
  const { nowMs } = looking;
  const [[{ organizationId, scopeType }]] = scopes;
  try {
    const limits = await readLimits(deps.database, scopes, nowMs);
    const judged = scopes
      .map((rows) =>
        rows.filter((row) => isOfKind(row, "unusual_spend") || limits.has(row.scopeId)),
      )
      .filter((rows): rows is OfScope => rows.length > 0);
    const hours = await readHours(deps.database, judged, nowMs);
    return judged.flatMap((rows) => {
      const spend = toHourlySpend(hours.get(rows[0].scopeId) ?? [], nowMs);
      if (spend === null) return [];
      return findFirings(deps, rows, { ...looking, spend, limits: limits.get(rows[0].scopeId) });
    });
  } catch (error) {
    const of = { organizationId, scopeType, scopeIds: scopes.map(([{ scopeId }]) => scopeId) };
    deps.logger.error({ err: error, ...of }, "the pace of spend was not evaluated");
    return [];
  }
}

async function readLimits(
  database: Database,
  scopes: Chunk,
  nowMs: number,
): Promise<Map<string, RunningLimit[]>> {
  const asking = scopes.flat().filter((row) => isOfKind(row, "forecast"));
  const ids = new Set(asking.map(({ scopeId }) => scopeId));
  if (ids.size === 0) return new Map();
  const running = periodNames.map((period) => {
    return { period, periodStart: periodOf(period, nowMs).start };
  });
  const { scopeType } = scopes[0][0];
  const limits = await listRunningLimits(database, { scopeType, scopeIds: [...ids] }, running);
  return Map.groupBy(limits, ({ scopeId }) => scopeId);
}

async function readHours(database: Database, scopes: readonly OfScope[], nowMs: number) {
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

/** What goes wrong with one scope keeps no other from being looked at. */
function findFirings(
  { logger }: EvaluationDeps,
  rows: OfScope,
  known: Looking & { spend: HourlySpend; limits: readonly RunningLimit[] | undefined },
): NewFiring[] {
  const { unusual, spend, limits = [], nowMs } = known;
  try {
    return rows.flatMap((row) => {
      if (isOfKind(row, "unusual_spend")) return unusual.find(row, { spend, nowMs });
      if (!isOfKind(row, "forecast")) return [];
      return limits.flatMap((limit) => forecastFirings(row, { limit, spend, nowMs }));
    });
  } catch (error) {
    const { scopeType, scopeId } = rows[0];
    logger.error({ err: error, scopeType, scopeId }, "the pace of spend was not evaluated");
    return [];
  }
}
