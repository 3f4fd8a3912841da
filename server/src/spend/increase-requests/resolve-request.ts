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
import { mayDecide } from "./asked-scope.ts";
import type { IncreaseRequestRow } from "./increase-requests.sql.ts";
import {
  auditOf,
  getForTransaction,
  getIncreaseRequest,
  isDecided,
  isRequester,
  lockRequest,
} from "./increase-requests.ts";
import { saveResolution } from "./request-changes.sql.ts";
import { type RequestMailDeps, tellRequester } from "./request-mail.ts";

// Whoever may set a limit decides about requests to raise it. That includes its own: it could set the limit all the same,
// and the audit event says that it was so.

export interface Approval {
  /** Null: what was asked for. */
  amountNanoUsd: bigint | null;
  answer: string;
  isSilent: boolean;
}

export interface Approved {
  request: IncreaseRequestRow;
  limit: SpendLimit;
}

/**
 * Sets the limit and resolves the request in one transaction; the limit keeps its enforcement. Throws what `lockScope`
 * throws, and a 400 for a request that is not pending, a limit that is gone, and an amount below what the limit is now.
 */
export async function approveIncreaseRequest(
  deps: RequestMailDeps,
  call: Call,
  id: string,
  { amountNanoUsd, answer, isSilent }: Approval,
): Promise<Approved> {
  const { caller, origin } = call;
  // Scope and period of a request never change: the scope is locked before it, as setting a limit does.
  const found = await getIncreaseRequest(deps, call, id);
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const scope = await lockScope(tx, caller, toWireScope(found));
    const before = await lockRequest(tx, deps, caller, id);
    if (before.status !== "pending") throw isDecided(before.status);
    const of = { ...scope, organizationId: caller.organizationId, period: before.period };
    const amount = amountNanoUsd ?? before.amountNanoUsd;
    const raise = (limit: SpendLimit | null) => {
      checkRaises(limit, amount);
      return { ...limit, amountNanoUsd: amount };
    };
    const change = await changeLimit(spendLimits, tx, deps, { of, wanted: raise });
    assert(change.after !== null, "a limit that is set is there");
    const resolution = { status: "approved", approvedNanoUsd: amount, answer } as const;
    const { after, entry } = await resolve(tx, deps, { caller, before, isSilent, ...resolution });
    const audit: Audit = [auditLimitChange(spendLimits, "set", scope, change), entry].filter(
      (each) => each !== "unchanged",
    );
    return { result: { request: after, limit: change.after }, audit };
  });
}

function checkRaises(limit: SpendLimit | null, amountNanoUsd: bigint): asserts limit is SpendLimit {
  if (limit === null) {
    throw new ApiError(
      "increase_not_applicable",
      "The limit is not there any more: nothing has to be raised. Deny the request, or set a limit.",
    );
  }
  if (amountNanoUsd >= limit.amountNanoUsd) return;
  throw new ApiError(
    "increase_not_applicable",
    `The limit is $${formatUsd(limit.amountNanoUsd)} now, and an approval does not lower it. Give a higher amount, or deny the request.`,
  );
}

/** Again: the same answer. Throws a 404, a 403, and a 400 for a request that was approved or withdrawn. */
export function denyIncreaseRequest(
  deps: RequestMailDeps,
  { caller, origin }: Call,
  id: string,
  { answer, isSilent }: Omit<Approval, "amountNanoUsd">,
): Promise<IncreaseRequestRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockRequest(tx, deps, caller, id);
    if (!mayDecide(caller, before)) throw mayNotDecide(caller, before);
    if (before.status === "denied") return { result: before, audit: "unchanged" };
    if (before.status !== "pending") throw isDecided(before.status);
    const resolution = { status: "denied", approvedNanoUsd: null, answer } as const;
    const { after, entry } = await resolve(tx, deps, { caller, before, isSilent, ...resolution });
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

async function resolve(tx: Tx, deps: RequestMailDeps, what: Resolution) {
  const { caller, before, status, approvedNanoUsd, isSilent } = what;
  await saveResolution(tx, {
    id: before.id,
    status,
    approvedNanoUsd,
    answer: what.answer === "" ? null : what.answer,
    by: { type: caller.kind, id: caller.id },
    at: new Date(deps.nowMs()),
  });
  const after = await getForTransaction(tx, deps, caller, before.id);
  const isOwn = isRequester(caller, before);
  if (!isSilent && !isOwn) await tellRequester(tx, deps, after);
  const more = status === "approved" ? { is_self_approved: isOwn } : {};
  return { after, entry: auditOf(`increase_request.${status}`, before, after, more) };
}

function mayNotDecide(caller: Caller, { workspaceId }: IncreaseRequestRow): ApiError {
  return workspaceId === null
    ? denied("Only who may set the organization's limits can decide about this request.")
    : deniedInWorkspace(caller, "spend_limits:write", workspaceId);
}
