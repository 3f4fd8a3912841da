import { type ItemOf, useChange, useList } from "../../queries.ts";

export type Upstream = ItemOf<"listUpstreams">;

export const useUpstreams = (isEnabled = true) => useList("listUpstreams", {}, { isEnabled });
export const useCreateUpstream = () => useChange("createUpstream", ["listUpstreams"]);
export const useUpdateUpstream = () => useChange("updateUpstream", ["listUpstreams"]);
