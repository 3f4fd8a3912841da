import type { BadgeName, Badges } from "../kit/badges.ts";
import { formatCount } from "../ui/format.ts";

/** Sum of some counts, with the facts behind it. */
export interface BadgeSum {
  count: number;
  /** Something fails or is blocked now. */
  isUrgent: boolean;
  /** Facts for screen readers and the title: "2 limits block requests, 1 increase request to decide". */
  words: string;
}

/** Fact of each count: for one, and for several. */
const facts: Record<BadgeName, readonly [one: string, several: string]> = {
  alerts: ["open alert", "open alerts"],
  failing_channels: ["channel fails", "channels fail"],
  increase_requests: ["increase request to decide", "increase requests to decide"],
  blocked_limits: ["limit blocks requests", "limits block requests"],
  access_reviews: ["access review to decide", "access reviews to decide"],
  failing_upstreams: ["upstream fails", "upstreams fail"],
};

const urgent: ReadonlySet<BadgeName> = new Set([
  "failing_channels",
  "blocked_limits",
  "failing_upstreams",
]);

/** Adds up the counts of these names. Null: all are zero. */
export function sumBadges(names: readonly BadgeName[], badges: Badges): BadgeSum | null {
  const counted = names
    .map((name) => ({ name, count: badges[name] ?? 0 }))
    .filter(({ count }) => count > 0);
  if (counted.length === 0) return null;
  return {
    count: counted.reduce((sum, { count }) => sum + count, 0),
    isUrgent: counted.some(({ name }) => urgent.has(name)),
    words: counted
      .map(({ name, count }) => `${formatCount(count)} ${facts[name][count === 1 ? 0 : 1]}`)
      .join(", "),
  };
}
