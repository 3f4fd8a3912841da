import { idPrefixes } from "@bursar/contract/ids.ts";
import type { Call } from "#src/access/call.ts";
import { fireOverruns } from "#src/alerts/firing/fire-overruns.ts";
import { fireCrossedThresholds } from "#src/alerts/firing/fire-spend.ts";
import { auditedTransaction } from "#src/audit/audited-transaction.ts";
import { ApiError } from "#src/domain/api-error.ts";
import { formatUsd } from "#src/domain/money.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { findStartRange } from "#src/domain/request-times.ts";
import { findIdTimeRange, newId } from "#src/lib/ids.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import {
  type CostedRequest,
  lockRequestCost,
  setRequestCost as writeRequestCost,
} from "#src/spend/ledger/unresolved.sql.ts";
import { readChargedAmount, type UnresolvedDeps } from "./unresolved-spend.ts";

// The whole cost of a request as an administrator decides it, after a look at the upstream's own numbers. The record keeps
// its cost, and the difference is an adjustment.

export interface CostDecision {
  requestId: string;
  cost_usd: string | number;
  reason: string;
}

export interface DecidedCost {
  recordedNanoUsd: bigint;
  /** Sum of all adjustments of the request. */
  adjustedNanoUsd: bigint;
  releasedNanoUsd: bigint;
  adjustmentId: string;
}

/** Throws a 404 for an unknown request, and a 400 for a request with an exact cost. */
export function setRequestCost(
  deps: UnresolvedDeps,
  { caller, origin }: Call,
  { requestId, cost_usd, reason }: CostDecision,
): Promise<DecidedCost> {
  const { organizationId } = caller;
  const idTimes = findIdTimeRange(idPrefixes.request, requestId);
  if (idTimes === null) throw requestNotFound();
  const started = findStartRange(idTimes);
  const costNanoUsd = readChargedAmount("cost_usd", cost_usd);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    await lockFold(tx);
    const request = await lockRequestCost(tx, { organizationId, requestId, started });
    if (request === null) throw requestNotFound();
    if (!isUncertain(request)) {
      throw refuseField("request_id", "the cost of this request is exact and cannot be set.");
    }
    const { workspaceId, recordedNanoUsd, unresolved } = request;
    const difference = costNanoUsd - recordedNanoUsd - request.adjustedNanoUsd;
    const id = newId(idPrefixes.spendAdjustment, deps.nowMs(), deps.randomBytes);
    const adjustment = { ...request, organizationId, id, reason, costNanoUsd: difference };
    const places = await writeRequestCost(tx, request, adjustment);
    await fireOverruns(tx, deps, { places, charged: { requestId, costNanoUsd: difference } });
    await fireCrossedThresholds(tx, deps, { organizationId });
    return {
      result: {
        recordedNanoUsd,
        adjustedNanoUsd: request.adjustedNanoUsd + difference,
        releasedNanoUsd: unresolved?.amountNanoUsd ?? 0n,
        adjustmentId: id,
      },
      audit: {
        event: "request.cost_set",
        subject: { type: "request", id: requestId },
        workspaceId,
        before: toAudit(request),
        after: { cost_usd: formatUsd(costNanoUsd), reason, adjustment_id: id },
      },
    };
  });
}

function isUncertain({ isEstimated, outcome, doubt }: CostedRequest): boolean {
  return isEstimated || doubt !== null || outcome === "interrupted";
}

function toAudit({ recordedNanoUsd, adjustedNanoUsd, unresolved, doubt }: CostedRequest) {
  return {
    cost_usd: formatUsd(recordedNanoUsd + adjustedNanoUsd),
    unresolved_usd: formatUsd(unresolved?.amountNanoUsd ?? 0n),
    doubt,
  };
}

function requestNotFound(): ApiError {
  return new ApiError("resource_not_found", "Request not found", {}, { resource: "request" });
}
