import type { Answer } from "../api-client.ts";
import { useApi } from "../queries.ts";
import { useMay } from "../session.ts";

/** Things that wait for someone, counted beside the place of the rail that lists them. */
export type BadgeName = Exclude<keyof Answer<"getBadges">, "type">;

/** Null: this member may not see the count. */
export type Badges = Partial<Record<BadgeName, number | null>>;

const EVERY_MS = 30_000;
const noBadges: Badges = {};

/** The query of the counts. The rail and the overview share its answer. */
export const useBadgesQuery = () =>
  useApi("getBadges", {}, { isEnabled: useMay()("organization:read"), everyMs: EVERY_MS });

/** Counts for this member. Absent: not known yet. */
export function useBadges(): Badges {
  return useBadgesQuery().data ?? noBadges;
}
