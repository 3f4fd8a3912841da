import { type ItemOf, useChange } from "../../queries.ts";

export type ApiKey = ItemOf<"listApiKeys">;

/** Operations whose answers are stale after a change of a key. */
export const staleApiKeys = ["listApiKeys", "getApiKey", "getKeyHygiene"] as const;

export const useCreateApiKey = () => useChange("createApiKey", staleApiKeys);
