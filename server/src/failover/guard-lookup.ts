import type { FailoverFollower } from "./follow-failovers.ts";
import type { RecentChanges, RestrictedKey } from "./recent-changes.ts";

/**
 * Returns the lookup of keys with a condition: a key that a lost restriction can concern is returned only after the
 * restrictions are applied again. Other keys do not wait, unless they share the statement.
 */
export function guardLookup<Key extends RestrictedKey>(
  lookup: (hashes: readonly Uint8Array[]) => Promise<(Key | null)[]>,
  of: {
    failovers: Pick<FailoverFollower, "isPending" | "settled">;
    recent: Pick<RecentChanges, "mayRestrict">;
  },
): (hashes: readonly Uint8Array[]) => Promise<(Key | null)[]> {
  return async (hashes) => {
    const found = await lookup(hashes);
    const mustWait =
      of.failovers.isPending() && found.some((key) => key !== null && of.recent.mayRestrict(key));
    if (!mustWait) return found;
    await of.failovers.settled();
    return lookup(hashes);
  };
}
