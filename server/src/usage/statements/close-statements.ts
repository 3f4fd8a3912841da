import { lockOrganization } from "#src/access/limited-scope.sql.ts";
import { type AuditDeps, auditedTransactionByActor } from "#src/audit/audited-transaction.ts";
import { makeSystemOrigin } from "#src/audit/prune.ts";
import type { Database } from "#src/db/pool.ts";
import { formatUsd } from "#src/domain/money.ts";
import type { Logger } from "#src/lib/logger.ts";
import { listOrganizationIds } from "#src/recording/retention.sql.ts";
import { findFirstOpen, findMonths, findOpenSource } from "./open-statement.ts";
import { netOf } from "./statement-sums.rule.ts";
import { type ClosedStatement, insertStatement, isCountedBefore } from "./statements.sql.ts";

export interface CloseDeps extends AuditDeps {
  logger: Logger;
}

const CLOSE_STATEMENTS = "close_statements";
/** Months that one run closes for an organization: ten years, after an upgrade. */
const MAX_MONTHS = 120;

export function makeStatementJobs(deps: CloseDeps): Record<string, () => Promise<void>> {
  return { [CLOSE_STATEMENTS]: () => closeStatements(deps) };
}

/** Hourly. */
export const statementSchedule = { [CLOSE_STATEMENTS]: "35 * * * *" } as const;

/** Closes all months that are due. A failure of one organization is logged, and the run continues with the others. */
export async function closeStatements(deps: CloseDeps): Promise<void> {
  for (const organizationId of await listOrganizationIds(deps.database)) {
    try {
      await closeMonths(deps, organizationId);
    } catch (error) {
      deps.logger.error({ err: error, organizationId }, "a statement could not be closed");
    }
  }
}

async function closeMonths(deps: CloseDeps, organizationId: string): Promise<void> {
  for (let count = 0; count < MAX_MONTHS; count++) {
    if (!(await hasDueMonth(deps, deps.database, organizationId))) return;
    if (!(await closeNext(deps, organizationId))) return;
  }
}

/** Whether the first open month is over, and every request of it is counted. */
async function hasDueMonth(
  { nowMs }: Pick<CloseDeps, "nowMs">,
  db: Database,
  organizationId: string,
): Promise<boolean> {
  const month = findFirstOpen(await findMonths(db, organizationId, nowMs()));
  if (month === undefined || nowMs() < month.closesAfterMs) return false;
  return isCountedBefore(db, month.endMs);
}

/** Closes the first open month. Returns false when another node has closed it. */
function closeNext(deps: CloseDeps, organizationId: string): Promise<boolean> {
  const nowMs = deps.nowMs();
  const now = new Date(nowMs);
  const maker = {
    organizationId,
    actor: { type: "system", id: "statements" },
    origin: makeSystemOrigin(deps, now),
  };
  return auditedTransactionByActor<boolean>(deps, maker, async (tx) => {
    await lockOrganization(tx, organizationId);
    const months = await findMonths(tx, organizationId, nowMs);
    const month = findFirstOpen(months);
    if (month === undefined || nowMs < month.closesAfterMs) {
      return { result: false, audit: "unchanged" };
    }
    const source = await findOpenSource(tx, organizationId, month, months);
    const closed = await insertStatement(tx, source, now);
    const audit = {
      event: "statement.closed",
      subject: { type: "statement", id: month.month.slice(0, 7) },
      workspaceId: null,
      before: null,
      after: toAudit(closed),
    } as const;
    return { result: true, audit };
  });
}

function toAudit(closed: ClosedStatement) {
  return {
    month: closed.month.slice(0, 7),
    list_cost_usd: formatUsd(closed.list_cost_nano_usd),
    adjustments_usd: formatUsd(closed.adjustments_nano_usd),
    earlier_usd: formatUsd(closed.earlier_nano_usd),
    discount_usd: formatUsd(closed.discount_nano_usd),
    net_cost_usd: formatUsd(netOf(closed)),
    sha256: closed.sha256.toString("hex"),
  };
}
