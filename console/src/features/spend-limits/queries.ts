import { type ItemOf, useChange, useList } from "../../queries.ts";

export type SpendLimit = ItemOf<"listSpendLimits">;
export type Scope = SpendLimit["scope"];

export function useSpendLimits(workspaceId?: string) {
  return useList(
    "listSpendLimits",
    workspaceId === undefined ? {} : { query: { workspace_id: workspaceId } },
    // What is held and spent moves by itself.
    { everyMs: 10_000, keepsPrevious: true },
  );
}

const stale = ["listSpendLimits", "listWorkspaceLimits", "getSpendLimit"] as const;

export const useSetLimit = () => useChange("setSpendLimit", stale);
export const useRemoveLimit = () => useChange("deleteSpendLimit", stale);
