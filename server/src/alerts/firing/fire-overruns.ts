import type { Tx } from "#src/db/pool.ts";
import { formatUsd } from "#src/domain/money.ts";
import { isoFromMs, msFromIsoDate, periodNames, periodOf } from "#src/domain/spend-period.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import {
  listOverruns,
  listOverrunsOfPeriods,
  type OverrunPlace,
  type OverrunRow,
} from "./overrun-alerts.sql.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

// Alerts about spend beyond a strict limit. An overrun fires once for each limit and period. A raise above the spend, or the
// removal of the limit, lets it fire again.

/** Finds firings for these balances, in the transaction that recorded their overruns. */
export async function findOverrunFirings(
  tx: Tx,
  places: readonly OverrunPlace[],
): Promise<NewFiring[]> {
  return places.length === 0 ? [] : (await listOverruns(tx, places)).map(toFiring);
}

/** Fires alerts for these balances, in the transaction that recorded their overruns. */
export async function fireOverruns(
  tx: Tx,
  deps: AlertingDeps,
  places: readonly OverrunPlace[],
): Promise<void> {
  await recordFirings(tx, deps, await findOverrunFirings(tx, places));
}

/** Fires alerts for all overruns of the running periods: for newer alerts, and after a failure in a flush. */
export async function sweepOverruns(tx: Tx, deps: AlertingDeps): Promise<void> {
  const nowMs = deps.nowMs();
  const periods = periodNames.map((period) => {
    return { period, periodStart: periodOf(period, nowMs).start };
  });
  await recordFirings(tx, deps, (await listOverrunsOfPeriods(tx, periods)).map(toFiring));
}

function toFiring(row: OverrunRow): NewFiring {
  const { alertId, organizationId, scopeType, scopeId, workspaceId, period, periodStart } = row;
  const { startMs, endMs } = periodOf(period, msFromIsoDate(periodStart));
  return {
    ...{ organizationId, alertId, scopeType, scopeId, workspaceId },
    kind: "limit_overrun",
    episode: `${period} ${periodStart}${row.raises === 0 ? "" : ` +${row.raises}`}`,
    threshold: "over limit",
    facts: {
      spend_limit_id: row.limitId,
      period,
      period_starts_at: isoFromMs(startMs),
      period_ends_at: isoFromMs(endMs),
      limit_usd: formatUsd(row.limitNanoUsd),
      enforcement: "strict",
      spent_usd: formatUsd(row.settledNanoUsd),
      held_usd: formatUsd(row.leasedNanoUsd),
      unresolved_usd: formatUsd(row.unresolvedNanoUsd),
      overrun_usd: formatUsd(row.overrunNanoUsd),
    },
  };
}
