import { staleUpstreams } from "../../kit/upstreams/queries.ts";
import { useApi, useChange } from "../../queries.ts";

export const useDeleteUpstream = () => useChange("deleteUpstream", staleUpstreams);
export const useUpstreamOrder = () => useApi("getUpstreamOrder", {});
export const useSetUpstreamOrder = () => useChange("setUpstreamOrder", staleUpstreams);
export const useTestUpstream = () => useChange("testUpstream", ["listUpstreams"]);
/** The state of the system, for the source of the upstream that answers. */
export const useUpstreamInUse = () => useApi("getSystem", {});
