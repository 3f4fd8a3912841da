import { type Answer, call } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";
import { useMayEverywhere } from "../../session.ts";
import type { Scope } from "../scopes/scope.ts";

export type SpendLimit = ItemOf<"listSpendLimits">;

export function useSpendLimits(workspaceId?: string, { isEnabled = true } = {}) {
  return useList(
    "listSpendLimits",
    workspaceId === undefined ? {} : { query: { workspace_id: workspaceId } },
    // What is held and spent moves by itself.
    { everyMs: 10_000, isPreviousShown: true, isEnabled },
  );
}

const stale = [
  "listSpendLimits",
  "listWorkspaceLimits",
  "getSpendLimit",
  "listBlockingLimits",
  "getPeriodSpend",
] as const;

export const useSetLimit = () => useChange("setSpendLimit", stale);
export const useRemoveLimit = () => useChange("deleteSpendLimit", stale);

export type PeriodSpend = Answer<"getPeriodSpend">;

/** Spend of the current period, limited or not. Null as the scope: nothing is chosen yet. */
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

/** The one of that scope and period, or null. */
export async function findLimit(
  scope: Scope,
  period: SpendLimit["period"],
): Promise<SpendLimit | null> {
  const { type: scope_type, ...ids } = scope;
  const { data } = await call("listSpendLimits", { query: { scope_type, period, ...ids } });
  return data[0] ?? null;
}
