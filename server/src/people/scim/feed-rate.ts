import { ScimFault } from "./scim-fault.ts";

/** Requests of one token that a node answers at once. */
export const FEED_BURST = 300;
const REQUESTS_PER_SECOND = 50;
/** Bounds the memory, beside ended tokens. */
const MAX_TOKENS = 10_000;

export interface FeedRate {
  /** Counts a request of the token. Throws a 429 above the rate of this node. */
  take(tokenId: string): void;
}

export function makeFeedRate(nowMs: () => number): FeedRate {
  const buckets = new Map<string, { left: number; atMs: number }>();
  return {
    take: (tokenId) => {
      if (buckets.size >= MAX_TOKENS) buckets.clear();
      const atMs = nowMs();
      const before = buckets.get(tokenId) ?? { left: FEED_BURST, atMs };
      const refilled = (Math.max(0, atMs - before.atMs) / 1000) * REQUESTS_PER_SECOND;
      const left = Math.min(FEED_BURST, before.left + refilled);
      buckets.set(tokenId, { left: left < 1 ? left : left - 1, atMs });
      if (left < 1) {
        throw new ScimFault(429, null, "The token sends too many requests.", {
          "retry-after": "1",
        });
      }
    },
  };
}
