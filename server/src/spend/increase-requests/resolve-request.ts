import { denied, deniedInWorkspace } from "#src/access/authorize.ts";
import type { Call } from "#src/access/call.ts";
import { lockScope } from "#src/access/limited-scope.ts";
import { type Audit, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { auditLimitChange, readSetter } from "#src/limits/change-limit.ts";
import type { SpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { raiseLimit } from "#src/spend/limits/raise-limit.ts";
import { spendLimits } from "#src/spend/limits/spend-limit-kind.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";
import {
  auditOf,
  getIncreaseRequest,
  getRequestRow,
  lockRequest,
  refuseClosedRequest,
} from "./increase-requests.ts";
import { saveResolution } from "./request-changes.sql.ts";
import { notifyRequester, type RequestMailDeps } from "./request-mail.ts";
import { canDecide } from "./requested-scope.ts";

// Callers who can set a limit can decide requests for it. Another person than the requester approves.

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
 * Raises the limit and resolves the request in one transaction. Throws what `lockScope` and `raiseLimit` throw, a 400 for a
 * request that is not pending, and a 403 for the person who created it.
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
    checkOtherPerson(caller, before);
    const { organizationId } = caller;
    const setter = readSetter(caller, scope, undefined);
    const of = { ...scope, organizationId, setter, period: before.period };
    const amount = amountNanoUsd ?? before.amountNanoUsd;
    const change = await raiseLimit(tx, deps, of, amount);
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

/** The operator can decide every request, so that a lone owner is never locked out. */
function checkOtherPerson(caller: Caller, request: IncreaseRequestRow): void {
  if (caller.kind === "local_operator" || !request.isFromCaller) return;
  throw new ApiError(
    "increase_needs_another_person",
    "You, or a key of yours, created this request, so another person approves it. If you can set the limit, set it directly.",
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
  const { isOwn } = before;
  if (!isSilent && !isOwn) await notifyRequester(tx, deps, after);
  const more = status === "approved" ? { is_self_approved: isOwn } : {};
  return { after, entry: auditOf(`increase_request.${status}`, before, after, more) };
}

function refuseDecision(caller: Caller, { workspaceId }: IncreaseRequestRow): ApiError {
  return workspaceId === null
    ? denied("This request can be decided only with permission to set the organization's limits.")
    : deniedInWorkspace(caller, "spend_limits:write", workspaceId);
}
