import { denied, deniedInWorkspace } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { lockScope } from "#src/access/limited-scope.ts";
import { type Audit, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { formatUsd } from "#src/domain/money.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import { auditLimitChange, changeLimit } from "#src/limits/change-limit.ts";
import type { SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { spendLimits } from "#src/spend/limits/spend-limit-kind.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";
import {
  auditOf,
  getIncreaseRequest,
  getRequestRow,
  isRequester,
  lockRequest,
  refuseClosedRequest,
} from "./increase-requests.ts";
import { saveResolution } from "./request-changes.sql.ts";
import { notifyRequester, type RequestMailDeps } from "./request-mail.ts";
import { canDecide } from "./requested-scope.ts";

// Callers who can set a limit can decide requests for it. They can approve their own requests, because they could also set
// the limit directly. The audit event records a self-approval.

export interface Approval {
  /** Null: the requested amount. */
  amountNanoUsd: bigint | null;
  answer: string;
  isSilent: boolean;
}

export interface Approved {
  request: IncreaseRequestRow;
  limit: SpendLimit;
}

/**
 * Sets the limit and resolves the request in one transaction. The limit keeps its enforcement. Throws what `lockScope`
 * throws. Throws a 400 for a request that is not pending, a deleted limit, and an amount below the current limit.
 */
export async function approveIncreaseRequest(
  deps: RequestMailDeps,
  call: Call,
  id: string,
  { amountNanoUsd, answer, isSilent }: Approval,
): Promise<Approved> {
  const { caller, origin } = call;
  // Scope and period of a request never change, so the scope can be locked first, as when a limit is set.
  const found = await getIncreaseRequest(deps, call, id);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const scope = await lockScope(tx, caller, toWireScope(found));
    const before = await lockRequest(tx, deps, caller, id);
    if (before.status !== "pending") throw refuseClosedRequest(before.status);
    const of = { ...scope, organizationId: caller.organizationId, period: before.period };
    const amount = amountNanoUsd ?? before.amountNanoUsd;
    const raise = (limit: SpendLimit | null) => {
      checkIncrease(limit, amount);
      return { ...limit, amountNanoUsd: amount };
    };
    const change = await changeLimit(spendLimits, tx, deps, { of, wanted: raise });
    assert(change.after !== null, "a set limit is stored");
    const resolution = { status: "approved", approvedNanoUsd: amount, answer } as const;
    const { after, entry } = await saveDecision(tx, deps, {
      caller,
      before,
      isSilent,
      ...resolution,
    });
    const audit: Audit = [auditLimitChange(spendLimits, "set", scope, change), entry].filter(
      (each) => each !== "unchanged",
    );
    return { result: { request: after, limit: change.after }, audit };
  });
}

function checkIncrease(
  limit: SpendLimit | null,
  amountNanoUsd: bigint,
): asserts limit is SpendLimit {
  if (limit === null) {
    throw new ApiError(
      "increase_not_applicable",
      "The limit was deleted, so there is nothing to increase. Deny the request, or set a limit.",
    );
  }
  if (amountNanoUsd >= limit.amountNanoUsd) return;
  throw new ApiError(
    "increase_not_applicable",
    `The limit is $${formatUsd(limit.amountNanoUsd)} now, and an approval cannot lower it. Send a higher amount, or deny the request.`,
  );
}

/**
 * Denies a request. A repeated call returns the same result. Throws a 404, a 403, and a 400 for an approved or withdrawn
 * request.
 */
export function denyIncreaseRequest(
  deps: RequestMailDeps,
  { caller, origin }: Call,
  id: string,
  { answer, isSilent }: Omit<Approval, "amountNanoUsd">,
): Promise<IncreaseRequestRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockRequest(tx, deps, caller, id);
    if (!canDecide(caller, before)) throw refuseDecision(caller, before);
    if (before.status === "denied") return { result: before, audit: "unchanged" };
    if (before.status !== "pending") throw refuseClosedRequest(before.status);
    const resolution = { status: "denied", approvedNanoUsd: null, answer } as const;
    const { after, entry } = await saveDecision(tx, deps, {
      caller,
      before,
      isSilent,
      ...resolution,
    });
    return { result: after, audit: entry };
  });
}

interface Resolution {
  caller: Caller;
  before: IncreaseRequestRow;
  status: "approved" | "denied";
  approvedNanoUsd: bigint | null;
  answer: string;
  isSilent: boolean;
}

async function saveDecision(tx: Tx, deps: RequestMailDeps, resolution: Resolution) {
  const { caller, before, status, approvedNanoUsd, answer, isSilent } = resolution;
  await saveResolution(tx, {
    id: before.id,
    status,
    approvedNanoUsd,
    answer: answer === "" ? null : answer,
    by: { type: caller.kind, id: caller.id },
    at: new Date(deps.nowMs()),
  });
  const after = await getRequestRow(tx, deps, caller, before.id);
  const isOwn = isRequester(caller, before);
  if (!isSilent && !isOwn) await notifyRequester(tx, deps, after);
  const more = status === "approved" ? { is_self_approved: isOwn } : {};
  return { after, entry: auditOf(`increase_request.${status}`, before, after, more) };
}

function refuseDecision(caller: Caller, { workspaceId }: IncreaseRequestRow): ApiError {
  return workspaceId === null
    ? denied("This request can be decided only with permission to set the organization's limits.")
    : deniedInWorkspace(caller, "spend_limits:write", workspaceId);
}
