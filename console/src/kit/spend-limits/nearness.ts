import { shareOf, toUsdText } from "../../ui/format.ts";
import type { SpendLimit } from "./queries.ts";

// Distance of a limit to its amount: the order of the list, and the states that the list is filtered by.

type Measured = Pick<
  SpendLimit,
  "spent_usd" | "limit_usd" | "blocks_now" | "enforcement" | "member_count"
>;

/** Share from which a limit is near. The bar has another colour from there. */
export const NEAR = 0.75;

/** Spent part of the limit, which can exceed 1. Null: a default cap, which has no spend of its own. */
export function findShare({ member_count, spent_usd, limit_usd }: Measured): number | null {
  return member_count === null ? shareOf(spent_usd, toUsdText(limit_usd)) : null;
}

/** Sorts limits that block first, then the nearest to their amount. Default caps are last. */
export function compareNearness(a: Measured, b: Measured): number {
  if (a.blocks_now !== b.blocks_now) return a.blocks_now ? -1 : 1;
  return (findShare(b) ?? -1) - (findShare(a) ?? -1);
}

/** States of the filter. A limit can have several. */
export const limitStates: readonly {
  id: string;
  label: string;
  includes: (limit: Measured) => boolean;
}[] = [
  { id: "blocks", label: "Blocks requests", includes: ({ blocks_now }) => blocks_now },
  {
    id: "near",
    label: "Near the limit",
    includes: (limit) => !limit.blocks_now && (findShare(limit) ?? 0) >= NEAR,
  },
  {
    id: "alert_only",
    label: "Alert only",
    includes: ({ enforcement }) => enforcement === "alert_only",
  },
];
