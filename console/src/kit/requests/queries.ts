import { type ItemOf, useApi } from "../../queries.ts";

export type LoggedRequest = ItemOf<"listRequests">;

const RECENT = 10;
const RECENT_MS = 15_000;

/** Newest requests of a key or a workspace. */
export const useRecentRequests = (within: { workspace_id: string[] } | { api_key_id: string[] }) =>
  useApi("listRequests", { query: { ...within, limit: RECENT } }, { everyMs: RECENT_MS });
