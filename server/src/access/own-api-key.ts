import type { Caller } from "#src/domain/caller.ts";

/** True for a personal key of the caller, like `listOwnApiKeyIds` of own-api-keys.sql.ts. A key never owns another. */
export function isOwnApiKey(caller: Caller, key: { owner_member_id: string | null }): boolean {
  return caller.kind === "member" && key.owner_member_id === caller.id;
}
