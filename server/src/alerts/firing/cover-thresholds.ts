import type { RecordedFiring } from "./recorded-firing.ts";

/**
 * Firings about spend whose message would say less than that of a higher threshold, which was crossed at the same time for
 * the same scope and period: by id, with the id of the highest. Percentages and amounts are compared among themselves.
 */
export function findCovered(firings: readonly RecordedFiring[]): Map<string, string> {
  const covered = new Map<string, string>();
  const spend = firings.filter(({ kind }) => kind === "spend_limit");
  for (const crossed of Map.groupBy(spend, measureOf).values()) {
    const highest = crossed.reduce((most, each) => {
      return amountOf(each.threshold) > amountOf(most.threshold) ? each : most;
    });
    for (const { id } of crossed) if (id !== highest.id) covered.set(id, highest.id);
  }
  return covered;
}

function measureOf({ alertId, scopeType, scopeId, facts, threshold }: RecordedFiring): string {
  const unit = threshold.endsWith("%") ? "%" : "$";
  return [alertId, scopeType, scopeId, facts.period, unit].join("\n");
}

/** Number in a threshold such as `75%` or `$100.00`. */
function amountOf(threshold: string): number {
  return Number(threshold.replace(/[%$]/, ""));
}
