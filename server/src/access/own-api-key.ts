import type { Caller } from "#src/domain/caller.ts";

/** True of a personal key of the person; the same rule as `ownApiKeyIds` of own-api-keys.sql.ts. No key owns another. */
export function isOwnApiKey(caller: Caller, key: { owner_member_id: string | null }): boolean {
  return caller.kind === "member" && key.owner_member_id === caller.id;
}
