import { call } from "../../api-client.ts";
import { type ItemOf, useChange, useList } from "../../queries.ts";
import { findLastChange } from "../audit-log/last-change.ts";

export type SpendLimit = ItemOf<"listSpendLimits">;
export type Scope = SpendLimit["scope"];

export function useSpendLimits(workspaceId?: string, { isEnabled = true } = {}) {
  return useList(
    "listSpendLimits",
    workspaceId === undefined ? {} : { query: { workspace_id: workspaceId } },
    // What is held and spent moves by itself.
    { everyMs: 10_000, keepsPrevious: true, isEnabled },
  );
}

const stale = ["listSpendLimits", "listWorkspaceLimits", "getSpendLimit"] as const;

export const useSetLimit = () => useChange("setSpendLimit", stale);
export const useRemoveLimit = () => useChange("deleteSpendLimit", stale);

/** What became of a limit while somebody had an older one before them. */
export interface Meanwhile {
  /** As it is now; null where there is none any more. */
  limit: SpendLimit | null;
  /** Who did it and when, for who may read the audit log. */
  change: { actor: string; at: string } | null;
}

/** The limit of that scope and period as it is now; null where it is still `seen`, so that nothing came between. */
export async function findMeanwhile(
  scope: Scope,
  period: SpendLimit["period"],
  seen: SpendLimit | null,
  mayReadAudit: boolean,
): Promise<Meanwhile | null> {
  const { type: scope_type, ...ids } = scope;
  const { data } = await call("listSpendLimits", { query: { scope_type, period, ...ids } });
  const limit = data[0] ?? null;
  if (limit?.version === seen?.version) return null;
  const id = (limit ?? seen)?.id;
  return {
    limit,
    change: mayReadAudit && id !== undefined ? await findLastChange(id) : null,
  };
}
