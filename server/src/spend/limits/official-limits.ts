import type { setOfficialSpendLimit } from "@bursar/contract/admin/official-spend-limits.ts";
import { NEW_LIMIT_HOLD } from "@bursar/contract/admin/spend-limits.ts";
import type { RouteInput } from "@bursar/contract/route.ts";
import type { Call } from "#src/access/call.ts";
import { refuseField } from "#src/domain/refuse-field.ts";
import { fromOfficialAmount, fromOfficialScope } from "#src/spend/ledger/official-limit.ts";
import type { WantedLimit } from "./combine-values.rule.ts";
import { changeSpendLimit, type LimitDeps, type LimitState, toLimitState } from "./spend-limits.ts";

// Limits in the official shape: an amount for a scope and period.

/** Amount of a member without a cap and without an earlier limit: the highest of the official shape. */
const HIGHEST_CENTS = "99999999999";

/**
 * Sets the amount only. Other fields stay as they are, and those of a new limit are strict. Without an amount, the limit of a
 * member only alerts. Throws what `changeSpendLimit` throws, and a 400 for another scope without an amount.
 */
export function setOfficialLimit(
  deps: LimitDeps,
  call: Call,
  { scope, period, amount }: RouteInput<typeof setOfficialSpendLimit>["body"],
): Promise<LimitState> {
  if (amount === null && scope.type !== "user") {
    throw refuseField("amount", "expected whole US cents as text. To remove a limit, delete it.");
  }
  const amountNanoUsd = amount === null ? null : fromOfficialAmount(amount);
  const isMember = scope.type === "user";
  const wanted = (own: WantedLimit | null, before: WantedLimit | null) =>
    buildWanted(own ?? before, { amountNanoUsd, isMember });
  const change = { scope: fromOfficialScope(scope), period, wanted };
  return changeSpendLimit(deps, call, change, toLimitState);
}

function buildWanted(
  before: WantedLimit | null,
  { amountNanoUsd, isMember }: { amountNanoUsd: bigint | null; isMember: boolean },
): WantedLimit {
  const fields = {
    openEndedHoldNanoUsd: before?.openEndedHoldNanoUsd ?? null,
    unknownFeatures: before?.unknownFeatures ?? ("hold" as const),
    hold: before?.hold ?? NEW_LIMIT_HOLD,
  };
  if (amountNanoUsd === null) {
    const present = before?.amountNanoUsd ?? fromOfficialAmount(HIGHEST_CENTS);
    return { ...fields, amountNanoUsd: present, enforcement: "alert_only" };
  }
  const enforcement = before?.enforcement ?? "strict";
  // A member's limit that only alerts has no amount in this shape, so an amount makes it a cap again.
  const isUncapped = isMember && enforcement === "alert_only";
  return { ...fields, amountNanoUsd, enforcement: isUncapped ? "strict" : enforcement };
}
