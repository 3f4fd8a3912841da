import type {
  increaseRequest,
  officialIncreaseRequest,
} from "@bursar/contract/admin/spend-limit-increase-requests.ts";
import type { z } from "zod";
import type { Caller } from "#src/domain/caller.ts";
import { formatUsd } from "#src/domain/money.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import {
  findOfficialScope,
  toOfficialAmount,
  toOfficialSpend,
} from "#src/spend/ledger/official-limit.ts";
import type { Actor, IncreaseRequestRow } from "./increase-requests.sql.ts";
import { requestNotFound } from "./increase-requests.ts";
import { canDecide, canSeeLimit, canSeeSpend } from "./requested-scope.ts";

export function toIncreaseRequest(
  row: IncreaseRequestRow,
  caller: Caller,
): z.input<typeof increaseRequest> {
  const isDecider = canDecide(caller, row);
  const canSeeAmounts = canSeeSpend(caller, row);
  return {
    id: row.id,
    type: "increase_request",
    requester: toActor(row.requester, isDecider || row.isOwn),
    scope: toWireScope(row),
    scope_name: row.scopeName,
    period: row.period,
    limit_when_asked_usd: formatUsd(row.limitWhenAskedNanoUsd),
    amount_usd: formatUsd(row.amountNanoUsd),
    reason: row.reason,
    limit_usd: row.limit && canSeeLimit(caller, row) ? formatUsd(row.limit.amountNanoUsd) : null,
    spent_usd: canSeeAmounts ? formatUsd(row.settledNanoUsd) : null,
    held_usd: canSeeAmounts ? formatUsd(row.leasedNanoUsd) : null,
    status: row.status,
    approved_usd: row.approvedNanoUsd === null ? null : formatUsd(row.approvedNanoUsd),
    answer: row.answer,
    resolved_by: row.resolvedBy && toActor(row.resolvedBy, isDecider),
    is_own: row.isOwn,
    can_resolve:
      row.status === "pending" &&
      isDecider &&
      (caller.kind === "local_operator" || !row.isFromCaller),
    created_at: row.createdAt.toISOString(),
    resolved_at: row.resolvedAt?.toISOString() ?? null,
  };
}

function toActor({ type, id, name, email, isPresent }: Actor, canSeeAddress: boolean) {
  return {
    type: type === "member" ? "user" : type,
    id,
    name,
    email: canSeeAddress && isPresent ? email : null,
  };
}

/** Throws a 404 for a withdrawn request, because the official shape has no such status. */
export function toOfficialIncreaseRequest(
  row: IncreaseRequestRow,
): z.input<typeof officialIncreaseRequest> {
  if (row.status === "withdrawn") throw requestNotFound();
  return {
    id: row.id,
    type: "spend_limit_increase_request",
    actor: toOfficialActor(row.requester),
    created_at: row.createdAt.toISOString(),
    period: row.period,
    resolved_at: row.resolvedAt?.toISOString() ?? null,
    resolved_by: row.resolvedBy && toOfficialActor(row.resolvedBy),
    spend_summary: toSummary(row),
    status: row.status,
  };
}

/** Current values of a pending request. Null for a limit without an official scope. */
function toSummary(
  row: IncreaseRequestRow,
): z.input<typeof officialIncreaseRequest>["spend_summary"] {
  const scope = findOfficialScope(row);
  if (row.status !== "pending" || row.limit === null || scope === null) return null;
  return {
    actor: toOfficialActor(row.requester),
    amount: toOfficialAmount(row.limit.amountNanoUsd),
    currency: "USD",
    period: row.period,
    period_to_date_spend: toOfficialSpend(row.settledNanoUsd),
    scope,
    source: scope,
    spend_limit_id: row.limit.id,
  };
}

/** Members are users. Keys and the operator, who has no key, are key actors. */
function toOfficialActor(actor: Actor): z.input<typeof officialIncreaseRequest>["actor"] {
  if (actor.type !== "member") {
    const id = actor.type === "local_operator" ? actor.type : actor.id;
    return { type: "scoped_api_key_actor", scoped_api_key_id: id };
  }
  const { id, isPresent } = actor;
  return {
    type: "user_actor",
    user_id: id,
    name: isPresent ? actor.name : null,
    email_address: isPresent ? actor.email : null,
    deleted: !isPresent,
  };
}
