import type { Caller } from "#src/domain/caller.ts";

/** Who made a key, as it is stored. */
export interface ApiKeyMaker {
  created_by_type: string;
  created_by_id: string;
}

/** True of a key that the person made; the same rule as `ownApiKeyIds` of own-api-keys.sql.ts. No key owns another. */
export function isOwnApiKey(caller: Caller, key: ApiKeyMaker): boolean {
  return (
    caller.kind === "member" && key.created_by_type === "member" && key.created_by_id === caller.id
  );
}
