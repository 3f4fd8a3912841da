import type { RecordedFiring } from "./recorded-firing.ts";

/**
 * Finds spend firings that a higher threshold covers: same alert, scope and period, crossed in the same evaluation. Returns
 * their ids with the id of the highest firing. Percentages and amounts are compared separately.
 */
export function findCoveredFirings(firings: readonly RecordedFiring[]): Map<string, string> {
  const covered = new Map<string, string>();
  const spend = firings.filter(({ kind }) => kind === "spend_limit");
  for (const crossed of Map.groupBy(spend, measureKeyOf).values()) {
    const highest = crossed.reduce((most, each) => {
      return amountOf(each.threshold) > amountOf(most.threshold) ? each : most;
    });
    for (const { id } of crossed) if (id !== highest.id) covered.set(id, highest.id);
  }
  return covered;
}

function measureKeyOf({ alertId, scopeType, scopeId, facts, threshold }: RecordedFiring): string {
  const unit = threshold.endsWith("%") ? "%" : "$";
  return [alertId, scopeType, scopeId, facts.period, unit].join("\n");
}

/** Number in a threshold such as `75%` or `$100.00`. */
function amountOf(threshold: string): number {
  return Number(threshold.replace(/[%$]/, ""));
}
