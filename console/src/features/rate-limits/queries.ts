import { call } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";
import { findLastChange } from "../audit-log/last-change.ts";

export type RateLimit = ItemOf<"listRateLimits">;
export type Scope = RateLimit["scope"];

/** Whether one refuses requests moves by itself. */
const REFRESH_MS = 5_000;

export function useRateLimits(workspaceId: string | undefined) {
  return useList(
    "listRateLimits",
    workspaceId === undefined ? {} : { query: { workspace_id: workspaceId } },
    { everyMs: REFRESH_MS, keepsPrevious: true },
  );
}

export const useEffectiveRateLimits = (apiKeyId: string) =>
  useApi(
    "getEffectiveRateLimits",
    { query: { api_key_id: apiKeyId } },
    { everyMs: REFRESH_MS, keepsPrevious: true },
  );

export const useModelGroups = () => useApi("listModelGroups", {});

const stale = ["listRateLimits", "getRateLimit", "getEffectiveRateLimits"] as const;

export const useSetRateLimit = () => useChange("setRateLimit", stale);
export const useRemoveRateLimit = () => useChange("deleteRateLimit", stale);

/** What became of a limit while somebody had an older one before them. */
export interface Meanwhile {
  /** As it is now; null where there is none any more. */
  limit: RateLimit | null;
  /** Who did it and when, for who may read the audit log. */
  change: { actor: string; at: string } | null;
}

/** The limit of that scope and group as it is now; null where it is still `seen`, so that nothing came between. */
export async function findMeanwhile(
  scope: Scope,
  model_group: string,
  seen: RateLimit | null,
  mayReadAudit: boolean,
): Promise<Meanwhile | null> {
  const { type: scope_type, ...ids } = scope;
  const { data } = await call("listRateLimits", { query: { scope_type, model_group, ...ids } });
  const limit = data[0] ?? null;
  if (limit?.version === seen?.version) return null;
  const id = (limit ?? seen)?.id;
  return {
    limit,
    change: mayReadAudit && id !== undefined ? await findLastChange(id) : null,
  };
}
