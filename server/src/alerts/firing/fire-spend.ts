import type { AlertCondition, FiringFacts } from "@bursar/contract/admin/alerts.ts";
import type { Tx } from "#src/db/pool.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import { isoFromMs, msFromIsoDate, periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps, RecordedFiring } from "./recorded-firing.ts";
import {
  listCrossedThresholds,
  type SpendThreshold,
  type WatchedSpend,
} from "./spend-thresholds.rule.ts";
import {
  deleteOldRaises,
  listPossiblyCrossed,
  type WatchedFilter,
  type WatchedRow,
} from "./watched-spend.sql.ts";

const DAY_MS = 86_400_000;
/** Longer than the longest period plus the longest delay until a request is counted. */
const KEEP_RAISES_MS = 62 * DAY_MS;
/** Longer than the longest fold plus the longest absence of the node that sweeps. */
const RECENT_CHANGE_MS = 10 * 60_000;

/**
 * Fires crossed thresholds of the running periods that have not fired, in the caller's transaction. Called after a change of
 * an alert or a limit, or after an adjustment. Spend of a concurrent flush fires there, or in the sweep of every minute.
 */
export async function fireCrossedThresholds(
  tx: Tx,
  deps: AlertingDeps,
  filter: WatchedFilter,
): Promise<RecordedFiring[]> {
  const nowMs = deps.nowMs();
  const periods = periodNames.map((period) => {
    return { period, periodStart: periodOf(period, nowMs).start };
  });
  const changedAfter = new Date(nowMs - RECENT_CHANGE_MS);
  return fireRows(tx, deps, await listPossiblyCrossed(tx, periods, { ...filter, changedAfter }));
}

/** Runs once a minute, on one node. Fires crossed thresholds that a dead node or a concurrent change left out. */
export async function sweepSpendAlerts(tx: Tx, deps: AlertingDeps): Promise<void> {
  await fireCrossedThresholds(tx, deps, {});
  await deleteOldRaises(tx, isoFromMs(deps.nowMs() - KEEP_RAISES_MS).slice(0, 10));
}

/** Fires the thresholds that these rows have crossed. `isReached`: the row's limit refuses requests. */
export function fireRows(
  tx: Tx,
  deps: AlertingDeps,
  rows: readonly WatchedRow[],
  isReached: (row: WatchedRow) => boolean = () => false,
): Promise<RecordedFiring[]> {
  const firings = rows.flatMap((row) => toFirings(row, isReached(row)));
  return recordFirings(tx, deps, firings);
}

/** Firings of the thresholds that the row has crossed. */
export function toFirings(row: WatchedRow, isReached = false): NewFiring[] {
  const { alertId, organizationId, scopeType, scopeId, workspaceId } = row;
  const spend = toWatchedSpend(row, isReached);
  const facts = factsOf(row);
  return listCrossedThresholds(thresholdsOf(row.condition), spend).map((crossed) => {
    const isOfLimit = crossed.threshold.endsWith("%");
    return {
      ...{ organizationId, alertId, kind: "spend_limit", scopeType, scopeId, workspaceId },
      ...crossed,
      facts: isOfLimit ? facts : { ...facts, ...NO_LIMIT },
    };
  });
}

const NO_LIMIT = { spend_limit_id: null, limit_usd: null, enforcement: null } as const;

/** Converts the row for spend-thresholds.rule.ts. Alerts and limits do not apply to periods before their creation. */
export function toWatchedSpend(row: WatchedRow, isReached = false): WatchedSpend {
  const { period, periodStart, settledNanoUsd, limitCreatedAt } = row;
  const { endMs } = periodOf(period, msFromIsoDate(periodStart));
  const isBeforeAlert = row.alertCreatedAt.getTime() >= endMs;
  const isBeforeLimit = limitCreatedAt !== null && limitCreatedAt.getTime() >= endMs;
  return {
    period,
    periodStart,
    settledNanoUsd: isBeforeAlert ? 0n : settledNanoUsd,
    limitNanoUsd: isBeforeLimit ? null : row.limitNanoUsd,
    raises: row.raises.map(({ settled, amount }) => {
      return {
        settledNanoUsd: BigInt(settled),
        amountNanoUsd: amount === null ? null : BigInt(amount),
      };
    }),
    isReached,
  };
}

export function thresholdsOf(condition: AlertCondition): SpendThreshold[] {
  if (condition.kind !== "spend_limit") return [];
  return condition.thresholds.map((threshold) =>
    "percent" in threshold
      ? threshold
      : { amountNanoUsd: parseUsd(threshold.amount_usd), period: threshold.period },
  );
}

function factsOf(row: WatchedRow): FiringFacts {
  const { startMs, endMs } = periodOf(row.period, msFromIsoDate(row.periodStart));
  return {
    spend_limit_id: row.limitId,
    period: row.period,
    period_starts_at: isoFromMs(startMs),
    period_ends_at: isoFromMs(endMs),
    limit_usd: row.limitNanoUsd === null ? null : formatUsd(row.limitNanoUsd),
    enforcement: row.enforcement,
    spent_usd: formatUsd(row.settledNanoUsd),
    held_usd: formatUsd(row.leasedNanoUsd),
    unresolved_usd: formatUsd(row.unresolvedNanoUsd),
  };
}
