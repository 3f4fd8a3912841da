import type { FiringFacts } from "@bursar/contract/admin/alerts.ts";
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
import { findOverrunCause, findOverrunThreshold } from "./overrun-growth.rule.ts";
import {
  listRequestsBeyondHolds,
  listRequestsOfBatches,
  type OverrunRequestRow,
} from "./overrun-requests.sql.ts";
import { recordFirings } from "./record-firings.ts";
import type { AlertingDeps } from "./recorded-firing.ts";

// Alerts about spend beyond a strict limit. An overrun fires when it begins, and again when it has grown much. A raise of
// the limit above the spend, or its removal, lets it fire anew. Each firing names requests of the overrun.

type NamedRequests = NonNullable<FiringFacts["overrun_requests"]>;
/** Finds the requests that a firing names. Called for the overruns that fire. */
type NameRequests = (place: OverrunPlace) => Promise<NamedRequests>;

/**
 * Finds firings for these balances, in the transaction of the fold that recorded their overruns. `batchIds`: batches of the
 * fold, which it deletes later.
 */
export function findOverrunFirings(
  tx: Tx,
  places: readonly OverrunPlace[],
  batchIds: readonly bigint[],
): Promise<NewFiring[]> {
  return findFirings(tx, places, async (place) =>
    (await listRequestsOfBatches(tx, place, batchIds)).map(toNamed),
  );
}

/** A request whose cost an administrator set. */
export interface ChargedRequest {
  requestId: string;
  /** Amount that was added, nano-USD. */
  costNanoUsd: bigint;
}

/** Fires alerts for these balances, in the transaction that charged a request and recorded their overruns. */
export async function fireOverruns(
  tx: Tx,
  deps: AlertingDeps,
  { places, charged }: { places: readonly OverrunPlace[]; charged: ChargedRequest },
): Promise<void> {
  const cost_usd = formatUsd(charged.costNanoUsd);
  const named = [{ id: charged.requestId, cost_usd, held_usd: null, cause: "charged" as const }];
  await recordFirings(tx, deps, await findFirings(tx, places, async () => named));
}

async function findFirings(
  tx: Tx,
  places: readonly OverrunPlace[],
  nameRequests: NameRequests,
): Promise<NewFiring[]> {
  if (places.length === 0) return [];
  return toFirings(await listOverruns(tx, places), nameRequests);
}

const DAY_MS = 86_400_000;

/**
 * Fires alerts for all overruns of the running periods, and of those that ended within a day. Newer alerts need this, and so
 * do overruns after a failure in a fold.
 */
export async function sweepOverruns(tx: Tx, deps: AlertingDeps): Promise<void> {
  const nowMs = deps.nowMs();
  const periods = periodNames.flatMap((period) => {
    const starts = [periodOf(period, nowMs - DAY_MS).start, periodOf(period, nowMs).start];
    return [...new Set(starts)].map((periodStart) => ({ period, periodStart }));
  });
  const firings = await toFirings(await listOverrunsOfPeriods(tx, periods), async (place) =>
    (await listRequestsBeyondHolds(tx, place)).map(toNamed),
  );
  await recordFirings(tx, deps, firings);
}

async function toFirings(
  rows: readonly OverrunRow[],
  nameRequests: NameRequests,
): Promise<NewFiring[]> {
  const firings: NewFiring[] = [];
  for (const row of rows) {
    const threshold = findOverrunThreshold(row);
    if (threshold === null) continue;
    firings.push(toFiring(row, { threshold, requests: await nameRequests(row) }));
  }
  return firings;
}

function toNamed({ requestId, ...row }: OverrunRequestRow): NamedRequests[number] {
  return {
    id: requestId,
    cost_usd: formatUsd(row.costNanoUsd),
    held_usd: row.holdNanoUsd === null ? null : formatUsd(row.holdNanoUsd),
    cause: findOverrunCause(row),
  };
}

function toFiring(
  row: OverrunRow,
  { threshold, requests }: { threshold: string; requests: NamedRequests },
): NewFiring {
  const { alertId, organizationId, scopeType, scopeId, workspaceId, period, periodStart } = row;
  const { startMs, endMs } = periodOf(period, msFromIsoDate(periodStart));
  return {
    ...{ organizationId, alertId, scopeType, scopeId, workspaceId },
    kind: "limit_overrun",
    episode: row.episode,
    threshold,
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
      overrun_requests: requests,
    },
  };
}
