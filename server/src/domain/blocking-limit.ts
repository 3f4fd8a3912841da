// Rule by which a spend limit counts as used up: screens and refusals share it. Pure. Amounts are integer nano-USD.

/**
 * Rest of a strict limit that counts as nothing: $0.0001. The cheapest listed model writes 200 tokens for it. Streams in
 * steps use a limit up to such a rest, because their holds cannot end exactly at the limit.
 */
export const LEAST_REST_NANO_USD = 100_000n;

export interface BlockingLimit {
  amountNanoUsd: bigint;
  enforcement: "strict" | "soft" | "alert_only";
}

/** Spend that a limit has lost until its period ends, or until its outcome is known. */
export interface UsedAmounts {
  settledNanoUsd: bigint;
  unresolvedNanoUsd: bigint;
}

/**
 * True if the limit refuses the usual requests until its period ends. A soft limit is compared with settled spend alone.
 * Held amounts do not count, because they return. Null: no spend.
 */
export function isBlocking(
  { amountNanoUsd, enforcement }: BlockingLimit,
  used: UsedAmounts | null,
): boolean {
  const settledNanoUsd = used?.settledNanoUsd ?? 0n;
  switch (enforcement) {
    case "alert_only":
      return false;
    case "soft":
      return settledNanoUsd >= amountNanoUsd;
    case "strict":
      return amountNanoUsd - settledNanoUsd - (used?.unresolvedNanoUsd ?? 0n) < LEAST_REST_NANO_USD;
  }
}
