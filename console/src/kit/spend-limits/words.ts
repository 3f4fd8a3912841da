import { formatUsd, toUsdText } from "../../ui/format.ts";
import { describeSetters } from "../limits/ranks.ts";
import { findScopeId, type Scope } from "../scopes/scope.ts";
import type { SpendLimit } from "./queries.ts";

export type Enforcement = SpendLimit["enforcement"];
export type Period = SpendLimit["period"];

export const enforcementWords: Record<Enforcement, { label: string; hint: string }> = {
  strict: {
    label: "Strict",
    hint: "A request starts only if its hold fits in the remaining budget.",
  },
  soft: {
    label: "Soft",
    hint: "New requests stop when the limit is reached. Running requests can finish above the limit.",
  },
  alert_only: {
    label: "Alert only",
    hint: "Requests are never refused. The limit only sends alerts.",
  },
};

export type UnknownFeatures = SpendLimit["unknown_features"];

/** Rules of a strict limit for requests with features that the server does not know. */
export const unknownFeatureWords: Record<UnknownFeatures, string> = {
  hold: "Hold at the highest price of all models",
  refuse: "Refuse the request",
};

export type HoldRule = SpendLimit["hold"];

/** Rules of a strict limit for streams. */
export const holdWords: Record<HoldRule, { label: string; hint: string }> = {
  steps: {
    label: "In steps",
    hint: "More streams run at once, and a stream is cut when the limit has nothing left.",
  },
  whole: {
    label: "Whole",
    hint: "A stream starts only if its maximum output fits, and is never cut.",
  },
};

/** True for a strict limit that holds streams in steps. */
export function isHeldInSteps(limit: Pick<SpendLimit, "enforcement" | "hold">): boolean {
  return limit.enforcement === "strict" && limit.hold === "steps";
}

/** True for a strict limit that refuses requests with unknown features. */
export function isRefusingUnknown(
  limit: Pick<SpendLimit, "enforcement" | "unknown_features">,
): boolean {
  return limit.enforcement === "strict" && limit.unknown_features === "refuse";
}

export const currentPeriodWords: Record<Period, string> = {
  daily: "today",
  weekly: "this week",
  monthly: "this month",
};

export const periodWords: Record<Period, string> = {
  daily: "per day",
  weekly: "per week, from Monday",
  monthly: "per calendar month",
};

/** "$100.00, strict, in steps" */
export function describeValue(
  of: Pick<SpendLimit, "limit_usd" | "enforcement" | "unknown_features" | "hold">,
): string {
  const { label } = enforcementWords[of.enforcement];
  const rule = isRefusingUnknown(of) ? ", refuses unknown features" : "";
  const hold = isHeldInSteps(of) ? ", in steps" : "";
  return `${formatUsd(toUsdText(of.limit_usd))}, ${label.toLowerCase()}${hold}${rule}`;
}

/** Origin of a limit: "Set by an Admin", or the group whose default cap it is. */
export function describeOrigin({ inherited_from: group, values }: SpendLimit): string {
  if (group !== null) return `Default of ${group.group_name}`;
  return describeSetters(values, describeValue);
}

/** Name of a limit in a sentence: "Monthly limit of the workspace Research". */
export function nameLimit(limit: {
  scope: Scope;
  /** Null: unknown. */
  scopeName: string | null;
  period: Period;
}): string {
  return `${periodNames[limit.period]} limit of ${describeScope(limit.scope, limit.scopeName)}`;
}

const periodNames: Record<Period, string> = {
  daily: "Daily",
  weekly: "Weekly",
  monthly: "Monthly",
};

function describeScope(scope: Scope, scopeName: string | null): string {
  const name = scopeName ?? findScopeId(scope) ?? "";
  switch (scope.type) {
    case "organization":
      return "the company";
    case "workspace":
      return `the workspace ${name}`;
    case "api_key":
      return `the key ${name}`;
    case "member":
      return `the member ${name}`;
    case "group":
      return `the group ${name}`;
    case "tag":
      return `the tag ${name}`;
    case "group_member":
      return `each member of ${name}`;
  }
}
