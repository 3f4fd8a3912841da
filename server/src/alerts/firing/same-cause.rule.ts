import type { NewFiring } from "./new-firing.rule.ts";

export type CausedFiring = Pick<
  NewFiring,
  "kind" | "scopeType" | "scopeId" | "episode" | "threshold"
>;

/** Episodes of these kinds begin at the first evaluation of each alert. */
const hasOwnEpisodes: readonly NewFiring["kind"][] = ["refused_requests", "upstream_errors"];

/**
 * Key of firings that one sentence describes, also of different alerts. Percentages of one limit and period have the same
 * key: the sentence has the spend and the limit.
 */
export function causeKeyOf({ kind, scopeType, scopeId, episode, threshold }: CausedFiring): string {
  const isPercentOfLimit = kind === "spend_limit" && threshold.endsWith("%");
  // The number of raises that armed the threshold again.
  const period = kind === "spend_limit" ? episode.replace(/ \+\d+$/, "") : episode;
  const occurrence = hasOwnEpisodes.includes(kind) ? "" : period;
  return [kind, scopeType, scopeId, occurrence, isPercentOfLimit ? "%" : threshold].join("\n");
}

/** Keeps the first firing of each cause. */
export function dropSameCause<Firing>(
  firings: readonly Firing[],
  toCaused: (firing: Firing) => CausedFiring,
): Firing[] {
  const firsts = new Map<string, Firing>();
  for (const firing of firings) {
    const key = causeKeyOf(toCaused(firing));
    if (!firsts.has(key)) firsts.set(key, firing);
  }
  return [...firsts.values()];
}
