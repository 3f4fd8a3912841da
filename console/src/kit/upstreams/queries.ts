import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type Upstream = ItemOf<"listUpstreams">;

/** Operations whose answers a change of an upstream or of an order makes stale. */
export const staleUpstreams = [
  "listUpstreams",
  "getUpstreamOrder",
  "getWorkspaceUpstreamOrder",
] as const;

export const useUpstreams = (isEnabled = true) => useList("listUpstreams", {}, { isEnabled });
const HEALTH_EVERY_MS = 10_000;
/** The upstreams with their health, which refreshes automatically. */
export const useUpstreamHealth = (isEnabled = true) =>
  useList(
    "listUpstreams",
    { query: { include_health: true } },
    { isEnabled, everyMs: HEALTH_EVERY_MS },
  );
export const useCreateUpstream = () => useChange("createUpstream", staleUpstreams);
export const useUpdateUpstream = () => useChange("updateUpstream", staleUpstreams);
export const useWorkspaceUpstreamOrder = (workspaceId: string) =>
  useApi("getWorkspaceUpstreamOrder", { params: { workspace_id: workspaceId } });
