import type { Caller } from "#src/domain/caller.ts";

/** Member whose own usage the caller sees. Null: the caller has no usage of its own. */
export function findUsageOwnerId(caller: Caller): string | null {
  if (caller.kind === "api_key") return caller.ownUsageMemberId;
  return caller.kind === "member" ? caller.id : null;
}

/** True for a personal key of the caller, like `listOwnApiKeyIds` of own-api-keys.sql.ts. A key never owns another. */
export function isOwnApiKey(caller: Caller, key: { owner_member_id: string | null }): boolean {
  return caller.kind === "member" && key.owner_member_id === caller.id;
}
