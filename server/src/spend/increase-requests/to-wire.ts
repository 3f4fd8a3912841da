import type {
  increaseRequest,
  officialIncreaseRequest,
} from "@bursar/contract/admin/spend-limit-increase-requests.ts";
import type { z } from "zod";
import type { Caller } from "#src/domain/caller.ts";
import { formatUsd } from "#src/domain/money.ts";
import { toWireScope } from "#src/domain/wire-scope.ts";
import {
  toOfficialAmount,
  toOfficialScope,
  toOfficialSpend,
} from "#src/spend/ledger/official-limit.ts";
import { mayDecide, seesLimit, seesSpend } from "./asked-scope.ts";
import type { Actor, IncreaseRequestRow } from "./increase-requests.sql.ts";
import { isRequester, requestNotFound } from "./increase-requests.ts";

export function toIncreaseRequest(
  row: IncreaseRequestRow,
  caller: Caller,
): z.input<typeof increaseRequest> {
  const decides = mayDecide(caller, row);
  const isOwn = isRequester(caller, row);
  const seesAmounts = seesSpend(caller, row);
  return {
    id: row.id,
    type: "increase_request",
    requester: toActor(row.requester, decides || isOwn),
    scope: toWireScope(row),
    scope_name: row.scopeName,
    period: row.period,
    limit_when_asked_usd: formatUsd(row.limitWhenAskedNanoUsd),
    amount_usd: formatUsd(row.amountNanoUsd),
    reason: row.reason,
    limit_usd: row.limit && seesLimit(caller, row) ? formatUsd(row.limit.amountNanoUsd) : null,
    spent_usd: seesAmounts ? formatUsd(row.settledNanoUsd) : null,
    held_usd: seesAmounts ? formatUsd(row.leasedNanoUsd) : null,
    status: row.status,
    approved_usd: row.approvedNanoUsd === null ? null : formatUsd(row.approvedNanoUsd),
    answer: row.answer,
    resolved_by: row.resolvedBy && toActor(row.resolvedBy, decides),
    can_resolve: row.status === "pending" && decides,
    created_at: row.createdAt.toISOString(),
    resolved_at: row.resolvedAt?.toISOString() ?? null,
  };
}

function toActor({ type, id, name, email, isThere }: Actor, seesAddress: boolean) {
  return {
    type: type === "member" ? "user" : type,
    id,
    name,
    email: seesAddress && isThere ? email : null,
  };
}

/** Throws a 404 for a request that was withdrawn: the official shape has no word for that. */
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

/** As of now, while it is pending. The limit of a key has no official scope, and so no summary. */
function toSummary(
  row: IncreaseRequestRow,
): z.input<typeof officialIncreaseRequest>["spend_summary"] {
  if (row.status !== "pending" || row.limit === null || row.scopeType === "api_key") return null;
  const scope = toOfficialScope(row);
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

/** A member is a user. Whatever else acts has a key, or is the operator of the server, whose id names no key. */
function toOfficialActor(actor: Actor): z.input<typeof officialIncreaseRequest>["actor"] {
  if (actor.type !== "member") {
    const id = actor.type === "local_operator" ? actor.type : actor.id;
    return { type: "scoped_api_key_actor", scoped_api_key_id: id };
  }
  const { id, isThere } = actor;
  return {
    type: "user_actor",
    user_id: id,
    name: isThere ? actor.name : null,
    email_address: isThere ? actor.email : null,
    deleted: !isThere,
  };
}
