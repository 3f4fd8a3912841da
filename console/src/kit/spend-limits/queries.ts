import { type Answer, call } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";
import { useMayEverywhere } from "../../session.ts";
import type { Scope } from "../scopes/scope.ts";

export type SpendLimit = ItemOf<"listSpendLimits">;

export function useSpendLimits(workspaceId?: string, { isEnabled = true } = {}) {
  return useList(
    "listSpendLimits",
    // A person's limit from a default cap is on the page of the person and of the group.
    { query: workspaceId === undefined ? { inherited: "false" } : { workspace_id: workspaceId } },
    // Spend changes without an action on this page.
    { everyMs: 10_000, isPreviousShown: true, isEnabled },
  );
}

/** Limits of one group: of the group as a whole, and default caps of its members. */
export function useGroupLimits(groupId: string) {
  return useList("listSpendLimits", { query: { group_id: groupId } }, { everyMs: 10_000 });
}

/** All limits of one person, with their origin. */
export function useMemberLimits(memberId: string) {
  return useApi(
    "getEffectiveSpendLimits",
    { query: { member_id: memberId } },
    { everyMs: 10_000, isPreviousShown: true },
  );
}

const stale = [
  "getEffectiveSpendLimits",
  "listSpendLimits",
  "listWorkspaceLimits",
  "getSpendLimit",
  "getSpendLimitCapacity",
  "listBlockingLimits",
  "getPeriodSpend",
] as const;

export const useSetLimit = () => useChange("setSpendLimit", stale);
export const useRemoveLimit = () => useChange("deleteSpendLimit", stale);

export type PeriodSpend = Answer<"getPeriodSpend">;

/** Spend of the current period, also without a limit. A null scope sends no request. */
export function usePeriodSpend(scope: Scope | null, period: SpendLimit["period"]) {
  const maySeeCompany = useMayEverywhere()("spend_limits:read");
  const { type, ...ids } = scope ?? { type: "organization" };
  const isVisible = scope !== null && (type !== "organization" || maySeeCompany);
  return useApi(
    "getPeriodSpend",
    { query: { period, ...ids } },
    { isEnabled: isVisible, everyMs: 10_000 },
  );
}

/** Returns the limit of the scope and period, or null. */
export async function findLimit(
  scope: Scope,
  period: SpendLimit["period"],
): Promise<SpendLimit | null> {
  const { type: scope_type, ...ids } = scope;
  const { data } = await call("listSpendLimits", { query: { scope_type, period, ...ids } });
  return data[0] ?? null;
}
