import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import type { CountedScope } from "@bursar/contract/scope.ts";
import { isSame } from "#src/lib/is-same.ts";

// Existing alerts that fire for the same cause and scope as a new alert.

/** Scope, condition and receivers of an alert. */
export interface WatchingAlert {
  scopeType: CountedScope["type"];
  scopeId: string;
  /** Workspace of the scope. Null: not a workspace or key. */
  workspaceId: string | null;
  includesBelow: boolean;
  condition: AlertCondition;
  notifiesOwner: boolean;
  channelIds: readonly string[];
}

export type Coverage = "whole" | "part";

/** Returns how much of the new alert an existing one covers. Null: nothing. */
export function findCoverage(existing: WatchingAlert, added: WatchingAlert): Coverage | null {
  if (existing.condition.kind !== added.condition.kind) return null;
  const scope = findScopeCoverage(existing, added);
  const condition = findConditionCoverage(existing.condition, added.condition);
  if (scope === null || condition === null) return null;
  return scope === "whole" && condition === "whole" ? "whole" : "part";
}

/** True if the existing alert notifies each receiver of the new one. */
export function notifiesAll(existing: WatchingAlert, added: WatchingAlert): boolean {
  const known = new Set(existing.channelIds);
  const hasChannels = added.channelIds.every((id) => known.has(id));
  return hasChannels && (existing.notifiesOwner || !added.notifiesOwner);
}

function findScopeCoverage(existing: WatchingAlert, added: WatchingAlert): Coverage | null {
  if (isSameScope(existing, added)) {
    return watchesChildren(existing) || !watchesChildren(added) ? "whole" : "part";
  }
  if (isChild(added, existing)) return "whole";
  return isChild(existing, added) ? "part" : null;
}

function isSameScope(a: WatchingAlert, b: WatchingAlert): boolean {
  return a.scopeType === b.scopeType && a.scopeId === b.scopeId;
}

/** True if the alert `parent` also watches the scope of `child`. */
function isChild(child: WatchingAlert, parent: WatchingAlert): boolean {
  if (!watchesChildren(parent)) return false;
  if (parent.scopeType === "organization") return child.scopeType !== "organization";
  return child.scopeType === "api_key" && child.workspaceId === parent.scopeId;
}

/** Alerts about keys watch each key of their scope. */
function watchesChildren({ scopeType, includesBelow, condition }: WatchingAlert): boolean {
  if (scopeType !== "organization" && scopeType !== "workspace") return false;
  return includesBelow || condition.kind.startsWith("key_");
}

function findConditionCoverage(existing: AlertCondition, added: AlertCondition): Coverage | null {
  if (existing.kind === "spend_limit" && added.kind === "spend_limit") {
    return findListCoverage(
      existing.thresholds.map(formatThreshold),
      added.thresholds.map(formatThreshold),
    );
  }
  if (existing.kind === "key_expiring" && added.kind === "key_expiring") {
    return findListCoverage(existing.days, added.days);
  }
  return isSame(existing, added) ? "whole" : "part";
}

type Threshold = Extract<AlertCondition, { kind: "spend_limit" }>["thresholds"][number];

function formatThreshold(threshold: Threshold): string {
  return "percent" in threshold
    ? `${threshold.percent}%`
    : `${Number(threshold.amount_usd)} ${threshold.period}`;
}

function findListCoverage<Item>(
  existing: readonly Item[],
  added: readonly Item[],
): Coverage | null {
  const known = new Set(existing);
  const shared = added.filter((item) => known.has(item)).length;
  if (shared === 0) return null;
  return shared === added.length ? "whole" : "part";
}
