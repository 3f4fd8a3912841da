import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { fireOverruns } from "#src/alerts/firing/fire-overruns.ts";
import { fireCrossedThresholds } from "#src/alerts/firing/fire-spend.ts";
import type { AlertingDeps } from "#src/alerts/firing/recorded-firing.ts";
import { type AuditDeps, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { readAmount } from "#src/domain/read-amount.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { newId } from "#src/lib/ids.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import {
  type AdjustmentRow,
  chargeItem,
  findUnresolvedRequest,
  listAdjustments,
  listUnresolved,
  lockUnresolved,
  releaseItem,
  type UnresolvedItem,
} from "#src/spend/ledger/unresolved.sql.ts";

// Spend of requests with an unknown outcome: the upstream may have billed them. A job releases unresolved spend after a
// time, unless a decision here resolves it first.

export interface UnresolvedDeps extends AuditDeps, AlertingDeps {
  /** Time after which unresolved spend is released, milliseconds. */
  unresolvedReleaseMs: number;
}

export async function listUnresolvedSpend(
  deps: UnresolvedDeps,
  { caller }: Call,
  page: PageRequest,
): Promise<PageOfRows<UnresolvedItem>> {
  const rows = await listUnresolved(deps.database, {
    organizationId: caller.organizationId,
    from: page.from && { sinceMs: page.from.createdAtMs, id: page.from.id },
    limit: page.limit + 1,
  });
  return toPage(rows, page, ({ since, id }) => ({ createdAtMs: since.getTime(), id }));
}

export async function listSpendAdjustments(
  deps: UnresolvedDeps,
  { caller }: Call,
  page: PageRequest,
): Promise<PageOfRows<AdjustmentRow>> {
  const { organizationId } = caller;
  const range = { organizationId, from: page.from, limit: page.limit + 1 };
  return toPage(await listAdjustments(deps.database, range), page);
}

export interface Decision {
  id: string;
  decision: "release" | "charge";
  amount_usd?: string | number | undefined;
  reason: string;
}

/** $1,000,000: more than any request costs. Sums of such charges fit into the column. */
const MAX_CHARGE_NANO_USD = 10n ** 15n;

export interface ResolvedSpend {
  chargedNanoUsd: bigint;
  adjustmentId: string | null;
}

/** Throws a 404 for an item that is not or no longer unresolved, and a 400 for a charge without a key. */
export function resolveUnresolvedSpend(
  deps: UnresolvedDeps,
  { caller, origin }: Call,
  input: Decision,
): Promise<ResolvedSpend> {
  const { organizationId } = caller;
  const { id, decision, reason } = input;
  if (decision === "release" && input.amount_usd !== undefined) {
    throw refuseField("amount_usd", "a release charges nothing: omit the amount.");
  }
  const amount =
    input.amount_usd === undefined ? null : readChargedAmount("amount_usd", input.amount_usd);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    if (decision === "charge") await lockFold(tx);
    const item = await lockUnresolved(tx, { organizationId, id });
    if (item === null) throw unresolvedSpendNotFound();
    const chargedNanoUsd = decision === "charge" ? (amount ?? item.amountNanoUsd) : 0n;
    const adjustment = { organizationId, reason, costNanoUsd: chargedNanoUsd };
    const adjustmentId =
      decision === "charge" ? await chargeRequest(tx, deps, item, adjustment) : null;
    if (adjustmentId === null) await releaseItem(tx, organizationId, item);
    else await fireCrossedThresholds(tx, deps, { organizationId });
    return {
      result: { chargedNanoUsd, adjustmentId },
      audit: {
        event: "unresolved_spend.resolved",
        subject: { type: "unresolved_spend", id },
        workspaceId: item.workspaceId,
        before: toAudit(item),
        after: {
          decision,
          reason,
          charged_usd: formatUsd(chargedNanoUsd),
          adjustment_id: adjustmentId,
        },
      },
    };
  });
}

/** Reads the cost of one request. Throws a 400 that names the field. */
export function readChargedAmount(field: string, amountUsd: string | number): bigint {
  const amount = readAmount(field, amountUsd);
  if (amount > MAX_CHARGE_NANO_USD) {
    throw refuseField(field, "expected at most 1000000 for one request.");
  }
  return amount;
}

/** Returns the id of the adjustment. */
async function chargeRequest(
  tx: Tx,
  deps: UnresolvedDeps,
  item: UnresolvedItem,
  adjustment: { organizationId: string; reason: string; costNanoUsd: bigint },
): Promise<string> {
  const { requestId } = item;
  const { organizationId } = adjustment;
  const request =
    requestId === null ? null : await findUnresolvedRequest(tx, { organizationId, requestId });
  if (requestId === null || request === null) {
    throw refuseField(
      "decision",
      "this is budget of a node and not of one request, so there is no key to charge. The cost of its requests is counted when the node is back. A release frees the rest.",
    );
  }
  const id = newId(idPrefixes.spendAdjustment, deps.nowMs(), deps.randomBytes);
  const places = await chargeItem(tx, item, { ...adjustment, ...request, id, requestId });
  const { costNanoUsd } = adjustment;
  await fireOverruns(tx, deps, { places, charged: { requestId, costNanoUsd } });
  return id;
}

function toAudit(item: UnresolvedItem) {
  return {
    kind: item.kind,
    request_id: item.requestId,
    node_id: item.nodeId,
    scope: { type: item.scopeType, id: item.scopeId },
    period: item.period,
    amount_usd: formatUsd(item.amountNanoUsd),
    since: item.since.toISOString(),
  };
}

function unresolvedSpendNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Unresolved spend not found. Resolved and released items are no longer listed.",
    {},
    { resource: "unresolved_spend" },
  );
}
