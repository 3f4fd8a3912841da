import type { FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { HOUR_MS, HOURS_PER_DAY, type HourlySpend, hourOf } from "#src/domain/hourly-spend.ts";
import { formatUsd, parseUsd } from "#src/domain/money.ts";
import { isoFromMs } from "#src/domain/spend-period.ts";
import type { NewFiring } from "./new-firing.rule.ts";
import {
  findUnusual,
  noExcess,
  type ReportedExcess,
  sumExcess,
  type UnusualPeriod,
} from "./unusual-scopes.rule.ts";
import { firingScopeOf, type WatchedUsageOf } from "./watched-usage.sql.ts";

/**
 * Finds unusual hours and days of one organization. Callers pass keys first, then workspaces, then the organization. An
 * alert does not report spend of a narrow scope again for a wider one.
 */
export class UnusualFirings {
  /** Reported excess by alert and workspace: of its keys, then of the workspace itself. */
  readonly #reported = new Map<string, Map<string, ReportedExcess>>();

  find(
    row: WatchedUsageOf<"unusual_spend">,
    { spend, nowMs }: { spend: HourlySpend; nowMs: number },
  ): NewFiring[] {
    const { condition } = row;
    const rule = { factor: condition.factor, minNanoUsd: parseUsd(condition.min_usd) };
    const { found, reported } = findUnusual(spend, hourOf(nowMs), {
      rule,
      below: this.#findReportedBelow(row),
    });
    this.#addReported(row, reported);
    return found.map((each) => toFiring(row, each));
  }

  #findReportedBelow({
    alertId,
    scopeType,
    scopeId,
  }: WatchedUsageOf<"unusual_spend">): ReportedExcess {
    const reported = this.#reported.get(alertId);
    if (reported === undefined || scopeType === "api_key") return noExcess;
    return scopeType === "workspace"
      ? (reported.get(scopeId) ?? noExcess)
      : sumExcess(reported.values());
  }

  #addReported(
    { alertId, scopeType, workspaceId }: WatchedUsageOf<"unusual_spend">,
    reported: ReportedExcess,
  ) {
    const isNothing = reported.hours.size === 0 && reported.days.size === 0;
    if (isNothing || workspaceId === null) return;
    const workspaces = this.#reported.get(alertId) ?? new Map<string, ReportedExcess>();
    const others = scopeType === "api_key" ? (workspaces.get(workspaceId) ?? noExcess) : noExcess;
    workspaces.set(workspaceId, sumExcess([others, reported]));
    this.#reported.set(alertId, workspaces);
  }
}

function toFiring(
  row: WatchedUsageOf<"unusual_spend">,
  { unit, at, unusual }: UnusualPeriod,
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
  // The episode is without the factor, so a changed rule does not report the same hour again.
  return {
    ...firingScopeOf(row),
    kind: "unusual_spend",
    episode: isoFromMs(startMs).slice(0, unit === "day" ? 10 : 13),
    threshold: `1 ${unit}`,
    facts,
  };
}
