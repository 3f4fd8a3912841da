import type { FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { HOUR_MS, HOURS_PER_DAY, type HourlySpend, hourOf } from "#src/domain/hourly-spend.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import {
  addTold,
  type FoundUnusual,
  findUnusual,
  nothingTold,
  type ToldExcess,
} from "./unusual-scopes.rule.ts";
import { placeOf, type WatchedUsageOf } from "./watched-usage.sql.ts";

/**
 * Finds unusual hours and days of one organization. Scopes come narrow ones first, keys, workspaces, then the
 * organization: what an alert says of a narrow one it does not say again of those around it.
 */
export class UnusualFirings {
  /** By alert, then by workspace: of its keys, until it is looked at itself. */
  readonly #told = new Map<string, Map<string, ToldExcess>>();

  find(
    row: WatchedUsageOf<"unusual_spend">,
    { spend, nowMs }: { spend: HourlySpend; nowMs: number },
  ): NewFiring[] {
    const { condition } = row;
    const rule = { factor: condition.factor, minNanoUsd: parseUsd(condition.min_usd) };
    const { found, told } = findUnusual(spend, hourOf(nowMs), { rule, below: this.#below(row) });
    this.#tell(row, told);
    return found.map((each) => firingOf(row, each));
  }

  #below({ alertId, scopeType, scopeId }: WatchedUsageOf<"unusual_spend">): ToldExcess {
    const told = this.#told.get(alertId);
    if (told === undefined || scopeType === "api_key") return nothingTold;
    return scopeType === "workspace" ? (told.get(scopeId) ?? nothingTold) : addTold(told.values());
  }

  #tell({ alertId, scopeType, workspaceId }: WatchedUsageOf<"unusual_spend">, told: ToldExcess) {
    const isNothing = told.hours.size === 0 && told.days.size === 0;
    if (isNothing || workspaceId === null) return;
    const workspaces = this.#told.get(alertId) ?? new Map<string, ToldExcess>();
    const others =
      scopeType === "api_key" ? (workspaces.get(workspaceId) ?? nothingTold) : nothingTold;
    workspaces.set(workspaceId, addTold([others, told]));
    this.#told.set(alertId, workspaces);
  }
}

function firingOf(
  row: WatchedUsageOf<"unusual_spend">,
  { unit, at, unusual }: FoundUnusual,
): NewFiring {
  const unitMs = unit === "day" ? HOURS_PER_DAY * HOUR_MS : HOUR_MS;
  const startMs = at * unitMs;
  const facts: FiringFacts = {
    period_starts_at: isoFromMs(startMs),
    period_ends_at: isoFromMs(startMs + unitMs),
    minutes: unitMs / 60_000,
    spent_usd: formatUsd(unusual.spentNanoUsd),
    usual_usd: formatUsd(unusual.usualNanoUsd),
  };
  // Not the factor: a changed rule does not tell of the same hour again.
  return {
    ...placeOf(row),
    kind: "unusual_spend",
    episode: isoFromMs(startMs).slice(0, unit === "day" ? 10 : 13),
    threshold: `1 ${unit}`,
    facts,
  };
}
