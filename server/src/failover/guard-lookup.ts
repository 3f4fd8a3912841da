import type { FailoverFollower } from "./follow-failovers.ts";
import type { RecentChanges, RestrictedKey } from "./recent-changes.ts";

/**
 * Returns the lookup of keys or users with a condition. One that a lost restriction can concern is returned only after the
 * restrictions are applied again. Other keys do not wait, unless they share the statement.
 */
export function guardLookup<Key extends RestrictedKey, Name = Uint8Array>(
  lookup: (names: readonly Name[]) => Promise<(Key | null)[]>,
  of: {
    failovers: Pick<FailoverFollower, "isPending" | "settled">;
    recent: Pick<RecentChanges, "mayRestrict">;
  },
): (names: readonly Name[]) => Promise<(Key | null)[]> {
  return async (names) => {
    const found = await lookup(names);
    const mustWait =
      of.failovers.isPending() && found.some((key) => key !== null && of.recent.mayRestrict(key));
    if (!mustWait) return found;
    await of.failovers.settled();
    return lookup(names);
  };
}
