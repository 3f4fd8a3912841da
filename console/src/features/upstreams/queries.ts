import { staleUpstreams } from "../../kit/upstreams/queries.ts";
import { useChange } from "../../queries.ts";

export const useDeleteUpstream = () => useChange("deleteUpstream", staleUpstreams);
export const useSetUpstreamOrder = () => useChange("setUpstreamOrder", staleUpstreams);
export const useTestUpstream = () => useChange("testUpstream", ["listUpstreams"]);
