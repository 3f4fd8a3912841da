import { call } from "../../api-client.ts";
import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type RateLimit = ItemOf<"listRateLimits">;
export type Scope = RateLimit["scope"];

/** A limit can start or stop refusing requests without a change, so the list is refreshed. */
const REFRESH_MS = 5_000;

export function useRateLimits(workspaceId: string | undefined) {
  return useList(
    "listRateLimits",
    // A person's limit from a default rate is on the page of the person and of the group.
    { query: workspaceId === undefined ? { inherited: "false" } : { workspace_id: workspaceId } },
    { everyMs: REFRESH_MS, isPreviousShown: true },
  );
}

export const useEffectiveRateLimits = (apiKeyId: string) =>
  useApi(
    "getEffectiveRateLimits",
    { query: { api_key_id: apiKeyId } },
    { everyMs: REFRESH_MS, isPreviousShown: true },
  );

/** Rate limits of requests of one person, with their origin. */
export const useMemberRates = (memberId: string) =>
  useApi(
    "getEffectiveRateLimits",
    { query: { member_id: memberId } },
    { everyMs: REFRESH_MS, isPreviousShown: true },
  );

/** Rate limits of one group: of the group as a whole, and defaults of its members. */
export const useGroupRates = (groupId: string) =>
  useList("listRateLimits", { query: { group_id: groupId } }, { everyMs: REFRESH_MS });

export const useModelGroups = () => useApi("listModelGroups", {});

const stale = ["listRateLimits", "getRateLimit", "getEffectiveRateLimits"] as const;

export const useSetRateLimit = () => useChange("setRateLimit", stale);
export const useRemoveRateLimit = () => useChange("deleteRateLimit", stale);

/** Returns the limit of the scope and model group, or null. */
export async function findRateLimit(scope: Scope, model_group: string): Promise<RateLimit | null> {
  const { type: scope_type, ...ids } = scope;
  const { data } = await call("listRateLimits", { query: { scope_type, model_group, ...ids } });
  return data[0] ?? null;
}
