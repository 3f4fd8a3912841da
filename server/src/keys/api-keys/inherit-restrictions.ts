import type { Rank } from "@bursar/contract/permissions.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { rankOf } from "#src/domain/rank.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { findMaxKeysPerMember } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { readCallersRestrictions, refuseRestricted } from "./change-restrictions.ts";
import {
  isWorkspaceRule,
  listHigherRanks,
  type RankedRestrictions,
} from "./effective-restrictions.rule.ts";
import { mergeRestrictions } from "./ranked-restrictions.ts";
import {
  countLivingKeys,
  listOwnedKeys,
  listRestrictions,
  type OwnedKey,
} from "./restrictions.sql.ts";

export interface NewKeyPlace {
  workspaceId: string;
  /** Owner of a personal key. Null: the workspace. */
  memberId: string | null;
}

/** Restrictions of a new key that it gets from other keys. */
export interface Inherited {
  restrictions: RankedRestrictions[];
  /** Keys whose limits the new key gets: those of ranks above `rank`, or all if it is null. */
  limits: { fromApiKeyIds: string[]; rank: Rank | null }[];
}

/**
 * Returns what a new key inherits from the calling key, and from other keys of the owner in the workspace. From the latter it
 * inherits values of ranks above the caller's. Throws a 403 while such a rank has disabled one of them.
 */
export async function inheritRestrictions(
  tx: Tx,
  caller: Caller,
  place: NewKeyPlace,
  now: Date,
): Promise<Inherited> {
  const isKey = caller.kind === "api_key";
  const fromCaller = isKey ? await readCallersRestrictions(tx, caller) : [];
  const { restrictions, apiKeyIds } = await inheritFromOwner(tx, caller, place, now);
  const rank = rankOf(caller, place.workspaceId, "limits");
  return {
    restrictions: mergeRestrictions([...fromCaller, ...restrictions]),
    limits: [
      ...(isKey ? [{ fromApiKeyIds: [caller.id], rank: null }] : []),
      { fromApiKeyIds: apiKeyIds, rank },
    ],
  };
}

async function inheritFromOwner(
  tx: Tx,
  caller: Caller,
  { workspaceId, memberId }: NewKeyPlace,
  now: Date,
): Promise<{ restrictions: RankedRestrictions[]; apiKeyIds: string[] }> {
  if (memberId === null) return { restrictions: [], apiKeyIds: [] };
  const { organizationId } = caller;
  const keys = await listOwnedKeys(tx, { organizationId, workspaceId, memberId });
  const own = rankOf(caller, workspaceId, "keys");
  const ids = keys.map(({ id }) => id);
  const byKey = Map.groupBy(await listRestrictions(tx, ids), ({ api_key_id }) => api_key_id);
  const higherOf = (key: OwnedKey) =>
    listHigherRanks(byKey.get(key.id) ?? [], own).filter((row) => !isWorkspaceRule(row));
  const living = keys.filter((key) => isLiving(key, now));
  // Members cannot free themselves by ending the key first. An Admin can by creating the next key.
  const sources =
    living.length > 0 ? living : keys.filter((key) => isEndedBelow(key, higherOf(key), now));
  const restrictions = sources.flatMap((key) => {
    const higher = higherOf(key);
    const disabled = higher.find(({ is_disabled }) => is_disabled);
    if (disabled) {
      throw refuseRestricted(disabled, "is_disabled", own, `the API key "${key.name}"`);
    }
    const isExpired = key.expires_at !== null && key.expires_at <= now;
    return isExpired ? higher.map((row) => ({ ...row, expires_at: null })) : higher;
  });
  return { restrictions, apiKeyIds: sources.map(({ id }) => id) };
}

function isLiving(key: OwnedKey, now: Date): boolean {
  return key.status !== "archived" && (key.expires_at === null || key.expires_at > now);
}

const lowest: Rank = "holder";

/** True if the owner ended the key, by archiving it or by an expiry that no higher rank has set. */
function isEndedBelow(key: OwnedKey, higher: readonly RankedRestrictions[], now: Date): boolean {
  if (key.status === "archived") return key.archived_rank === lowest;
  return !higher.some(({ expires_at }) => expires_at !== null && expires_at <= now);
}

/**
 * Throws a 403 if the member would have more than the highest number of personal keys. Their row is locked, so concurrent creations count one
 * another.
 */
export async function checkKeyCount(
  tx: Tx,
  of: { organizationId: string; memberId: string | null; now: Date; added: number },
): Promise<void> {
  const { organizationId, memberId, now, added } = of;
  if (memberId === null) return;
  const highest = await findMaxKeysPerMember(tx, organizationId);
  if (
    highest === null ||
    (await countLivingKeys(tx, { organizationId, memberId, now })) + added <= highest
  ) {
    return;
  }
  throw new ApiError(
    "key_count_reached",
    `Each member of this organization can have ${formatPlural(highest, "personal key")}. Revoke one first.`,
  );
}
