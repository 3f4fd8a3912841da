/** Things that wait for someone, counted beside the place of the rail that lists them. */
export type BadgeName =
  | "alerts"
  | "failing_channels"
  | "increase_requests"
  | "blocked_limits"
  | "access_reviews"
  | "failing_upstreams";

/** Null: this member may not see the count. */
export type Badges = Partial<Record<BadgeName, number | null>>;

const noBadges: Badges = {};

/** Counts for this member. Absent: not known yet. */
export function useBadges(): Badges {
  return noBadges;
}
