import type { Caller } from "#src/domain/caller.ts";
import { denied } from "./authorize.ts";

/** Member whose own usage the caller sees. Null: the caller has no usage of its own. */
export function findPersonId(caller: Caller): string | null {
  if (caller.kind === "api_key") return caller.ownerMemberId;
  return caller.kind === "member" ? caller.id : null;
}

/** Returns the member who calls, or the owner of the calling key. Throws a 403 without one. */
export function getPersonId(caller: Caller): string {
  const personId = findPersonId(caller);
  if (personId !== null) return personId;
  throw denied("This call concerns one person. Sign in, or call it with a personal key.");
}

/** True for a personal key of the caller, like `listOwnApiKeyIds` of own-api-keys.sql.ts. A key never owns another. */
export function isOwnApiKey(caller: Caller, key: { owner_member_id: string | null }): boolean {
  return caller.kind === "member" && key.owner_member_id === caller.id;
}
