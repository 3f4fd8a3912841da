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
  // A check can take minutes and uses a connection, so concurrent calls of an organization share one.
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
  granted:
    "is less than the node has spent, without costs beyond holds: restart the node, so that it reports its leases again",
  abandoned:
    "is leased to a node that has left: start a node with this BURSAR_NODE_ID, which returns the budget",
  spent: "differs from the sum of its requests and adjustments",
  held: "differs from the sum of its leases",
  unresolved: "differs from the sum of its unresolved rows",
  beyond_holds: "is below the cost of its requests beyond their holds, or above the settled spend",
  overrun: "is below the spend beyond its strict limit",
};

function toDifference(difference: LedgerDifference): z.input<typeof ledgerDifference> {
  const { scopeType, scopeId, period, periodStart, amount, nodeId } = difference;
  return {
    scope: { type: scopeType, id: scopeId },
    period,
    period_start: periodStart,
    amount,
    is_usd: formatUsd(difference.actualNanoUsd),
    should_be_usd: formatUsd(difference.expectedNanoUsd),
    node_id: nodeId,
    explanation: explanations[amount],
  };
}
