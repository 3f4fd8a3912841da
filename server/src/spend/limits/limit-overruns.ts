import type { limitOverrun } from "@bursar/contract/admin/limit-overruns.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { isoFromMs, msFromIsoDate, periodOf, type SpendPeriod } from "#src/domain/spend-period.ts";
import { getLimit } from "#src/limits/visible-limits.ts";
import { listOverruns, type RecordedOverrun } from "#src/spend/ledger/overruns.sql.ts";
import { listOverrunFirings, type OverrunFiring } from "./limit-overruns.sql.ts";
import { spendLimits } from "./spend-limit-kind.ts";

/** An overrun of one limit, with the firings of its period that the caller can see. */
export interface LimitOverrun {
  limitId: string;
  period: SpendPeriod;
  overrun: RecordedOverrun;
  firings: readonly OverrunFiring[];
}

const MAX_LISTED_FIRINGS = 20;

/** Lists overruns of a limit in all its periods. Throws a 404 for a limit that the caller cannot see. */
export async function listLimitOverruns(
  { database }: AuditDeps,
  { caller }: Call,
  id: string,
  page: PageRequest,
): Promise<PageOfRows<LimitOverrun>> {
  const limit = await getLimit(spendLimits, database, caller, { id });
  const { from } = page;
  const rows = await listOverruns(database, limit, {
    before: from && { minuteAt: new Date(from.createdAtMs), periodStart: from.id },
    limit: page.limit + 1,
  });
  const listed = toPage(rows, page, ({ minuteAt, periodStart }) => {
    return { createdAtMs: minuteAt.getTime(), id: periodStart };
  });
  const periods = new Map(
    listed.rows.map(({ periodStart }) => [
      periodStart,
      periodOf(limit.period, msFromIsoDate(periodStart)),
    ]),
  );
  const firings = await listOverrunFirings(database, {
    ...limit,
    startsAt: [...periods.values()].map(({ startMs }) => new Date(startMs)),
    onlyWorkspaceIds: listPermittedWorkspaces(caller, "alerts:read"),
  });
  const firingsOf = Map.groupBy(firings, ({ periodStart }) => periodStart);
  return {
    ...listed,
    rows: listed.rows.map((overrun) => ({
      limitId: limit.id,
      period: periods.get(overrun.periodStart) ?? periodOf(limit.period, 0),
      overrun,
      firings: firingsOf.get(overrun.periodStart) ?? [],
    })),
  };
}

export function toLimitOverrun(of: LimitOverrun): z.input<typeof limitOverrun> {
  const { limitId, period, overrun, firings } = of;
  return {
    type: "limit_overrun",
    spend_limit_id: limitId,
    at: overrun.minuteAt.toISOString(),
    period_starts_at: isoFromMs(period.startMs),
    period_ends_at: isoFromMs(period.endMs),
    overrun_usd: formatUsd(overrun.overrunNanoUsd),
    limit_usd: formatUsd(overrun.limitNanoUsd),
    spent_usd: formatUsd(overrun.settledNanoUsd),
    requests: overrun.requestIds.map((request_id, at) => ({
      request_id,
      beyond_usd: formatUsd(overrun.beyondNanoUsd[at] ?? 0n),
    })),
    request_count: Number(overrun.beyondRequests),
    firings: firings.slice(0, MAX_LISTED_FIRINGS).map(({ id, alertId, alertName, firedAt }) => ({
      id,
      alert: { id: alertId, name: alertName },
      fired_at: firedAt.toISOString(),
    })),
  };
}
