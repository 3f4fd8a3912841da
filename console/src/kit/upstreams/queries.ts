import { type ItemOf, useApi, useChange, useList } from "../../queries.ts";

export type Upstream = ItemOf<"listUpstreams">;

/** Operations whose answers a change of an upstream or of an order makes stale. */
export const staleUpstreams = [
  "listUpstreams",
  "getUpstreamOrder",
  "getWorkspaceUpstreamOrder",
] as const;

export const useUpstreams = (isEnabled = true) => useList("listUpstreams", {}, { isEnabled });
export const useCreateUpstream = () => useChange("createUpstream", staleUpstreams);
export const useUpdateUpstream = () => useChange("updateUpstream", staleUpstreams);
export const useWorkspaceUpstreamOrder = (workspaceId: string) =>
  useApi("getWorkspaceUpstreamOrder", { params: { workspace_id: workspaceId } });
