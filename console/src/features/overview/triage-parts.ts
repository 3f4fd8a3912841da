import type { Answer } from "../../api-client.ts";
import type { Badges } from "../../kit/badges.ts";

// Parts of the triage with the number of rows that each one needs. The counts are known before the rows, so each part has
// its space before its rows arrive.

/** Parts in order: what hurts most first. */
export const partNames = [
  "blocked_now",
  "blocked_soon",
  "open_alerts",
  "to_decide",
  "failing",
  "expiring_keys",
  "refused_today",
] as const;
export type PartName = (typeof partNames)[number];

/** Rows of a part. More are behind its link. */
export const MAX_ROWS = 5;

/** Blocking limits are listed newest first. The worst ones among these are shown. */
const MAX_READ_LIMITS = 100;
export const blockingLimitsQuery = { limit: MAX_READ_LIMITS };
export const openAlertsQuery = { is_over: false, order: "severity", limit: MAX_ROWS } as const;

export interface TriagePart {
  name: PartName;
  count: number;
  /** Rows to reserve, at most MAX_ROWS. */
  rows: number;
}

type Counts = Pick<
  Answer<"getOrganizationCounts">,
  "expiring_keys" | "doubtful_requests" | "refusal_causes"
>;

export interface TriageCounts {
  badges: Badges;
  counts: Counts;
  /** Limits that will block soon. */
  forecasts: number;
}

/** Lists the parts with something in them. */
export function listParts({ badges, counts, forecasts }: TriageCounts): TriagePart[] {
  const sum = (...numbers: (number | null | undefined)[]) =>
    numbers.reduce<number>((total, each) => total + (each ?? 0), 0);
  const countOf: Record<PartName, number> = {
    blocked_now: sum(badges.blocked_limits),
    blocked_soon: forecasts,
    open_alerts: sum(badges.alerts),
    to_decide: sum(
      badges.increase_requests,
      badges.access_reviews,
      // One row for all of them.
      Math.min(1, counts.doubtful_requests ?? 0),
    ),
    failing: sum(badges.failing_channels, badges.failing_upstreams),
    expiring_keys: sum(counts.expiring_keys),
    refused_today: sum(counts.refusal_causes),
  };
  return partNames
    .map((name) => ({ name, count: countOf[name], rows: Math.min(MAX_ROWS, countOf[name]) }))
    .filter(({ count }) => count > 0);
}

/** Height of a part's heading, in rows. */
const HEADING = 1;
/** Height of a row with a sentence of two lines, in rows. */
const SENTENCE = 19 / 14;

/**
 * Splits the parts into two columns of similar height, the first ones on the left. One after the other, the columns have the
 * order of the parts, as on a narrow screen.
 */
export function splitParts(parts: readonly TriagePart[]): [TriagePart[], TriagePart[]] {
  const heightOf = (some: readonly TriagePart[]) =>
    some.reduce(
      (sum, { name, rows }) => sum + rows * (name === "open_alerts" ? SENTENCE : 1) + HEADING,
      0,
    );
  const places = parts.map((_, index) => index + 1);
  const best = places.reduce(
    (found, place) => {
      const height = Math.max(heightOf(parts.slice(0, place)), heightOf(parts.slice(place)));
      return height < found.height ? { place, height } : found;
    },
    { place: parts.length, height: Number.POSITIVE_INFINITY },
  );
  return [parts.slice(0, best.place), parts.slice(best.place)];
}
