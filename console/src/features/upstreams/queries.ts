import { useChange } from "../../queries.ts";

export const useDeleteUpstream = () => useChange("deleteUpstream", ["listUpstreams"]);
