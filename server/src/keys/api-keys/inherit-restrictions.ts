import type { Rank } from "@bursar/contract/permissions.ts";
import type { Tx } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { Caller } from "#src/domain/caller.ts";
import { rankOf } from "#src/domain/rank.ts";
import { formatPlural } from "#src/lib/format-plural.ts";
import { findMaxKeysPerMember } from "#src/people/security-settings/max-key-lifetime.sql.ts";
import { readCallersRestrictions, refuseRestricted } from "./change-restrictions.ts";
import { listHigherRanks, type RankedRestrictions } from "./effective-restrictions.rule.ts";
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

/**
 * Returns the restrictions that a new key inherits. They are those of the calling key, and those of ranks above the caller's
 * on other keys of the owner in the workspace. Throws a 403 while such a rank has disabled one of them.
 */
export async function inheritRestrictions(
  tx: Tx,
  caller: Caller,
  place: NewKeyPlace,
  now: Date,
): Promise<RankedRestrictions[]> {
  const fromCaller = caller.kind === "api_key" ? await readCallersRestrictions(tx, caller) : [];
  return mergeRestrictions([...fromCaller, ...(await inheritFromOwner(tx, caller, place, now))]);
}

async function inheritFromOwner(
  tx: Tx,
  caller: Caller,
  { workspaceId, memberId }: NewKeyPlace,
  now: Date,
): Promise<RankedRestrictions[]> {
  if (memberId === null) return [];
  const { organizationId } = caller;
  const keys = await listOwnedKeys(tx, { organizationId, workspaceId, memberId });
  const own = rankOf(caller, workspaceId, "keys");
  const stored = await listRestrictions(
    tx,
    keys.map(({ id }) => id),
  );
  const higherOf = (key: OwnedKey) =>
    listHigherRanks(
      stored.filter(({ api_key_id }) => api_key_id === key.id),
      own,
    );
  const living = keys.filter((key) => isLiving(key, now));
  // Members cannot free themselves by ending the key first. An Admin can by creating the next key.
  const sources =
    living.length > 0 ? living : keys.filter((key) => isEndedBelow(key, higherOf(key), now));
  return sources.flatMap((key) => {
    const higher = higherOf(key);
    const disabled = higher.find(({ is_disabled }) => is_disabled);
    if (disabled) {
      throw refuseRestricted(disabled, "is_disabled", own, `the API key "${key.name}"`);
    }
    const isExpired = key.expires_at !== null && key.expires_at <= now;
    return isExpired ? higher.map((row) => ({ ...row, expires_at: null })) : higher;
  });
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
 * Throws a 403 if the member has the highest number of personal keys. Their row is locked, so concurrent creations count one
 * another.
 */
export async function checkKeyCount(
  tx: Tx,
  of: { organizationId: string; memberId: string | null; now: Date },
): Promise<void> {
  const { organizationId, memberId, now } = of;
  if (memberId === null) return;
  const highest = await findMaxKeysPerMember(tx, organizationId);
  if (
    highest === null ||
    (await countLivingKeys(tx, { organizationId, memberId, now })) < highest
  ) {
    return;
  }
  throw new ApiError(
    "key_count_reached",
    `Each member of this organization can have ${formatPlural(highest, "personal key")}. Revoke one first.`,
  );
}
