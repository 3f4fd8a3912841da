import type {
  checkLedger as checkLedgerRoute,
  ledgerCheckRoutes,
  ledgerDifference,
} from "@bursar/contract/admin/ledger-check.ts";
import type { HandlersFor, RouteOutput } from "@bursar/contract/route.ts";
import type { z } from "zod";
import type { Call } from "#src/access/call.ts";
import type { AuditDeps } from "#src/audit/audited-transaction.ts";
import { formatUsd } from "#src/domain/money.ts";
import {
  type CheckedAmount,
  checkLedger,
  type LedgerDifference,
  type LedgerReport,
} from "./check-ledger.ts";

export function makeLedgerCheckHandlers(
  deps: Pick<AuditDeps, "database" | "nowMs">,
): HandlersFor<(typeof ledgerCheckRoutes)[number], Call> {
  // It can take minutes and holds a connection: whoever asks meanwhile gets the one that runs.
  const running = new Map<string, Promise<RouteOutput<typeof checkLedgerRoute>>>();
  async function check(organizationId: string) {
    const checkedAt = new Date(deps.nowMs());
    return toReport(await checkLedger(deps.database, organizationId), checkedAt);
  }
  return {
    checkLedger: ({ caller: { organizationId } }) => {
      const shared =
        running.get(organizationId) ??
        check(organizationId).finally(() => running.delete(organizationId));
      running.set(organizationId, shared);
      return shared;
    },
  };
}

function toReport(report: LedgerReport, checkedAt: Date): RouteOutput<typeof checkLedgerRoute> {
  return {
    type: "ledger_check",
    is_correct: report.differenceCount === 0,
    balances: report.balances,
    requests: report.requests,
    differences: report.differences.map(toDifference),
    difference_count: report.differenceCount,
    checked_at: checkedAt.toISOString(),
  };
}

const explanations: Readonly<Record<CheckedAmount, string>> = {
  spent: "the cost of its requests and adjustments adds up to another sum",
  held: "what nodes have leased of it adds up to another sum",
  unresolved: "its rows of unknown fate add up to another sum",
  beyond_holds:
    "it is less than its requests have cost beyond what was held, or more than is spent",
  overrun: "more was spent than its strict limit allows, and not all of it is recorded",
};

function toDifference(difference: LedgerDifference): z.input<typeof ledgerDifference> {
  const { scopeType, scopeId, period, periodStart, amount } = difference;
  return {
    scope: { type: scopeType, id: scopeId },
    period,
    period_start: periodStart,
    amount,
    is_usd: formatUsd(difference.isNanoUsd),
    should_be_usd: formatUsd(difference.shouldBeNanoUsd),
    explanation: explanations[amount],
  };
}
