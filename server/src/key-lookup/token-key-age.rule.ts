// A key of tokens signs for 30 days, and is kept until each token that it signed is too old.

const DAY_MS = 86_400_000;
const SIGNS_MS = 30 * DAY_MS;
/** Time between the creation and the first use. All nodes in contact with the database read a new key within a second. */
export const LEAD_MS = DAY_MS;
/** Lifetime of a refresh token, and a day for clocks. */
const KEPT_MS = 91 * DAY_MS;

export interface AgedKey {
  id: string;
  usedFromMs: number;
}

/** Returns whether a new key is due, and the keys without a living token. `keys` are in the order of their first use. */
export function decideTokenKeys(
  keys: readonly AgedKey[],
  nowMs: number,
): { isNewKeyDue: boolean; oldIds: string[] } {
  const newest = keys.at(-1);
  const isOld = (_: AgedKey, index: number) => {
    const next = keys[index + 1];
    return next !== undefined && next.usedFromMs + KEPT_MS < nowMs;
  };
  return {
    isNewKeyDue: newest === undefined || nowMs >= newest.usedFromMs + SIGNS_MS - LEAD_MS,
    oldIds: keys.filter(isOld).map(({ id }) => id),
  };
}
