import { idPrefixes } from "@bursar/contract/ids.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import type { Call } from "#src/access/call.ts";
import { type AuditEntry, auditedTransaction } from "#src/audit/audited-transaction.ts";
import type { Tx } from "#src/db/pool.ts";
import type { PeriodName } from "#src/db/tables.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { formatUsd } from "#src/domain/money.ts";
import { type PageOfRows, type PageRequest, toPage } from "#src/domain/page-position.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { listPermittedWorkspaces } from "#src/domain/rights.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import { assert } from "#src/lib/assert.ts";
import { newId } from "#src/lib/ids.ts";
import { findSpendLimit } from "#src/spend/ledger/limits.sql.ts";
import { readLimit } from "#src/spend/limits/read-limit.ts";
import {
  findRequest,
  type IncreaseRequestRow,
  type IncreaseStatus,
  listRequests,
  type RequestFilter,
} from "./increase-requests.sql.ts";
import {
  countRequests,
  insertRequest,
  lockPendingRequest,
  lockStatus,
  type Requester,
  saveResolution,
  updateRequest,
} from "./request-changes.sql.ts";
import { notifyApprovers, type RequestMailDeps } from "./request-mail.ts";
import { lockRequestedScope } from "./requested-scope.ts";

const DAY_MS = 86_400_000;
/** Maximum per requester. Each request may send mail to all members who can set the limit. */
const MAX_REQUESTS_PER_DAY = 20;

export interface NewIncreaseRequest {
  scope: CountedScope;
  period: PeriodName;
  amount_usd: string | number;
  reason: string;
}

/**
 * Creates a request for a higher limit, or updates the caller's pending request for this limit. Throws what
 * `lockRequestedScope` throws, a 400 without a limit or for an amount that is not higher, and a 429 for too many requests.
 */
export function createIncreaseRequest(
  deps: RequestMailDeps,
  { caller, origin }: Call,
  input: NewIncreaseRequest,
): Promise<IncreaseRequestRow> {
  const amountNanoUsd = readLimit("amount_usd", input.amount_usd);
  const { period, reason } = input;
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const scope = await lockRequestedScope(tx, caller, input.scope);
    const by = requesterOf(caller);
    const limit = await findSpendLimit(tx, { ...scope, ...by, period });
    if (limit === null) throw refuseMissingLimit(period);
    if (amountNanoUsd <= limit.amountNanoUsd) throw refuseLowerAmount(limit.amountNanoUsd);
    const terms = { limitNanoUsd: limit.amountNanoUsd, amountNanoUsd, reason };
    const pending = await lockPendingRequest(tx, { ...scope, ...by, period });
    if (pending !== null) {
      const before = await getRequestRow(tx, deps, caller, pending.id);
      const isSame = pending.amountNanoUsd === amountNanoUsd && pending.reason === reason;
      if (isSame) return { result: before, audit: "unchanged" };
      await updateRequest(tx, { ...terms, id: pending.id });
      const after = await getRequestRow(tx, deps, caller, pending.id);
      return { result: after, audit: auditOf("increase_request.created", before, after) };
    }
    await checkDailyRequests(tx, deps, by);
    const nowMs = deps.nowMs();
    const id = newId(idPrefixes.increaseRequest, nowMs, deps.randomBytes);
    await insertRequest(tx, { ...scope, ...by, ...terms, id, period, createdAt: new Date(nowMs) });
    const after = await getRequestRow(tx, deps, caller, id);
    await notifyApprovers(tx, deps, after);
    return { result: after, audit: auditOf("increase_request.created", null, after) };
  });
}

async function checkDailyRequests(tx: Tx, deps: RequestMailDeps, by: Requester): Promise<void> {
  const count = await countRequests(tx, { ...by, since: new Date(deps.nowMs() - DAY_MS) });
  if (count < MAX_REQUESTS_PER_DAY) return;
  throw new ApiError(
    "too_many_increase_requests",
    `You have created ${MAX_REQUESTS_PER_DAY} requests within a day. Change a pending request, or ask an admin directly.`,
    { "retry-after": "3600" },
  );
}

function requesterOf(caller: Caller): Requester {
  const { organizationId, kind, id } = caller;
  return { organizationId, requesterType: kind, requesterId: id };
}

/**
 * Withdraws a request of the caller or of their personal keys. A repeated call returns the same result. Throws a 404, a 403 for other callers, and a
 * 400 after the decision.
 */
export function withdrawIncreaseRequest(
  deps: RequestMailDeps,
  { caller, origin }: Call,
  id: string,
): Promise<IncreaseRequestRow> {
  return auditedTransaction(deps, caller, origin, async (tx) => {
    const before = await lockRequest(tx, deps, caller, id);
    if (!before.isOwn) {
      throw new ApiError(
        "permission_denied",
        "Only the requester can withdraw a request. Deny it instead.",
      );
    }
    if (before.status === "withdrawn") return { result: before, audit: "unchanged" };
    if (before.status !== "pending") throw refuseClosedRequest(before.status);
    await saveResolution(tx, {
      id,
      status: "withdrawn",
      approvedNanoUsd: null,
      answer: null,
      by: { type: caller.kind, id: caller.id },
      at: new Date(deps.nowMs()),
    });
    const after = await getRequestRow(tx, deps, caller, id);
    return { result: after, audit: auditOf("increase_request.withdrawn", before, after) };
  });
}

export interface RequestQuery {
  statuses?: readonly IncreaseStatus[] | undefined;
  workspace_id?: string | undefined;
  actor_ids?: readonly string[] | undefined;
}

/** Lists requests of the caller and of their personal keys, and those that the caller can decide. */
export async function listIncreaseRequests(
  deps: RequestMailDeps,
  { caller }: Call,
  query: RequestQuery & { hasPresentRequester?: boolean },
  page: PageRequest,
): Promise<PageOfRows<IncreaseRequestRow>> {
  const filter = {
    ...visibilityOf(caller),
    statuses: query.statuses,
    workspaceId: query.workspace_id,
    requesterIds: query.actor_ids,
    ...(query.hasPresentRequester && { hasPresentRequester: true }),
    nowMs: deps.nowMs(),
  };
  return toPage(await listRequests(deps.database, filter, page), page);
}

/** Throws a 404 unless the caller or a personal key of the caller created the request, or the caller can decide it. */
export async function getIncreaseRequest(
  deps: RequestMailDeps,
  { caller }: Call,
  id: string,
): Promise<IncreaseRequestRow> {
  const filter = { ...visibilityOf(caller), id, nowMs: deps.nowMs() };
  const found = await findRequest(deps.database, filter);
  if (found === null) throw requestNotFound();
  return found;
}

/** Finds a request and locks it until the transaction ends. Throws a 404 for one that the caller cannot see. */
export async function lockRequest(
  tx: Tx,
  deps: RequestMailDeps,
  caller: Caller,
  id: string,
): Promise<IncreaseRequestRow> {
  const { organizationId } = caller;
  const filter = { ...visibilityOf(caller), id, nowMs: deps.nowMs() };
  if ((await findRequest(tx, filter)) === null) throw requestNotFound();
  await lockStatus(tx, { organizationId, id });
  // Read again, because another caller may have decided it before the lock was acquired.
  return getRequestRow(tx, deps, caller, id);
}

export async function getRequestRow(
  tx: Tx,
  deps: RequestMailDeps,
  caller: Caller,
  id: string,
): Promise<IncreaseRequestRow> {
  const filter = { ...visibilityOf(caller), visibleTo: null, id, nowMs: deps.nowMs() };
  const row = await findRequest(tx, filter);
  assert(row !== null, "a request is never deleted");
  return row;
}

export function auditOf(
  event: `increase_request.${string}`,
  before: IncreaseRequestRow | null,
  after: IncreaseRequestRow,
  more: { is_self_approved?: boolean } = {},
): AuditEntry {
  return {
    event,
    subject: { type: "increase_request", id: after.id },
    workspaceId: after.workspaceId,
    before: before && toAudit(before),
    after: { ...toAudit(after), ...more },
  };
}

function toAudit(row: IncreaseRequestRow) {
  return {
    scope: { ...toWireScope(row) },
    period: row.period,
    amount_usd: formatUsd(row.amountNanoUsd),
    reason: row.reason,
    status: row.status,
    approved_usd: row.approvedNanoUsd === null ? null : formatUsd(row.approvedNanoUsd),
    answer: row.answer,
  };
}

function visibilityOf(caller: Caller): RequestFilter {
  const { organizationId, kind, id } = caller;
  const workspaceIds = listPermittedWorkspaces(caller, "spend_limits:write");
  const visibleTo = workspaceIds && { requester: { type: kind, id }, workspaceIds };
  return { organizationId, caller: { type: kind, id }, visibleTo };
}

const closedMessages: Readonly<Record<Exclude<IncreaseStatus, "pending">, string>> = {
  approved: "This request has been approved.",
  denied: "This request has been denied.",
  withdrawn: "This request has been withdrawn.",
};

export function refuseClosedRequest(status: Exclude<IncreaseStatus, "pending">): ApiError {
  return new ApiError(
    "increase_request_closed",
    `${closedMessages[status]} This is final. Create another request, or set the limit directly.`,
    {},
    { resource_status: status },
  );
}

export function requestNotFound(): ApiError {
  return new ApiError(
    "resource_not_found",
    "Increase request not found",
    {},
    { resource: "spend_limit_increase_request" },
  );
}

function refuseMissingLimit(period: PeriodName): ApiError {
  return new ApiError(
    "increase_not_applicable",
    `This scope has no ${period} spend limit, so there is nothing to increase.`,
  );
}

function refuseLowerAmount(limitNanoUsd: bigint): ApiError {
  return refuseField(
    "amount_usd",
    `expected more than the current limit of $${formatUsd(limitNanoUsd)}.`,
  );
}
