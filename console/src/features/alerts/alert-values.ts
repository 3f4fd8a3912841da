import { findScopeId } from "../../kit/scopes/scope.ts";
import type { Alert, AlertKind, AlertScope, Condition } from "./queries.ts";

/** Values of the alert form, for all kinds: text as the user typed it. */
export interface AlertValues {
  name: string;
  scopeType: AlertScope["type"];
  scopeId: string | null;
  includesBelow: boolean;
  kind: AlertKind;
  /** `50, 75, 90, 100` */
  percents: string;
  /** `100, 250.50`, US dollars per month. */
  amounts: string;
  percent: string;
  factor: string;
  minUsd: string;
  /** `14, 3` */
  days: string;
  unusedDays: string;
  count: string;
  minRequests: string;
  minutes: string;
  channelIds: string[];
  notifiesOwner: boolean;
  /** Minutes as text. */
  collectMinutes: string;
}

const emptyValues: Omit<AlertValues, "name" | "scopeType" | "scopeId" | "channelIds"> = {
  includesBelow: true,
  kind: "spend_limit",
  percents: "50, 75, 90, 100",
  amounts: "",
  percent: "100",
  factor: "4",
  minUsd: "5.00",
  days: "14, 3",
  unusedDays: "90",
  count: "50",
  minRequests: "20",
  minutes: "60",
  notifiesOwner: false,
  collectMinutes: "5",
};

export function toValues(alert: Alert | null, firstWorkspaceId: string | null): AlertValues {
  if (!alert) {
    const scope = firstWorkspaceId === null ? "organization" : "workspace";
    return {
      ...emptyValues,
      name: "",
      scopeType: scope,
      scopeId: firstWorkspaceId,
      channelIds: [],
    };
  }
  const { scope, condition } = alert;
  return {
    ...emptyValues,
    ...conditionValues(condition),
    name: alert.name,
    kind: condition.kind,
    scopeType: scope.type,
    scopeId: findScopeId(scope),
    includesBelow: alert.includes_below,
    channelIds: alert.channels.map(({ id }) => id),
    notifiesOwner: alert.notifies_owner,
    collectMinutes: String(alert.collect_minutes),
  };
}

function conditionValues(condition: Condition): Partial<AlertValues> {
  switch (condition.kind) {
    case "spend_limit": {
      const percents = condition.thresholds.flatMap((each) =>
        "percent" in each ? [each.percent] : [],
      );
      const amounts = condition.thresholds.flatMap((each) =>
        "amount_usd" in each ? [each.amount_usd] : [],
      );
      return { percents: percents.join(", "), amounts: amounts.join(", ") };
    }
    case "forecast":
      return { percent: String(condition.percent) };
    case "unusual_spend":
      return { factor: String(condition.factor), minUsd: String(condition.min_usd) };
    case "key_expiring":
      return { days: condition.days.join(", ") };
    case "key_unused":
      return { unusedDays: String(condition.days) };
    case "limit_overrun":
    case "key_new_address":
    case "database_failover":
    case "bound_exceeded":
      return {};
    case "refused_requests":
      return { count: String(condition.count), minutes: String(condition.minutes) };
    case "upstream_errors":
      return {
        percent: String(condition.percent),
        minRequests: String(condition.min_requests),
        minutes: String(condition.minutes),
      };
  }
}

/** Condition for the API. Existing amounts per day or week keep their period. */
export function toCondition(values: AlertValues, before: Condition | null): Condition {
  switch (values.kind) {
    case "spend_limit": {
      const known = before?.kind === "spend_limit" ? before.thresholds : [];
      const amounts = parseList(values.amounts).map((text) => {
        const same = known.find((each) => "amount_usd" in each && String(each.amount_usd) === text);
        return same ?? { amount_usd: text, period: "monthly" as const };
      });
      const percents = parseList(values.percents).map((text) => ({ percent: parseNumber(text) }));
      return { kind: "spend_limit", thresholds: [...percents, ...amounts] };
    }
    case "forecast":
      return { kind: "forecast", percent: parseNumber(values.percent) };
    case "unusual_spend":
      return {
        kind: "unusual_spend",
        factor: parseNumber(values.factor),
        min_usd: values.minUsd.replaceAll(",", "").trim(),
      };
    case "key_expiring":
      return { kind: "key_expiring", days: parseList(values.days).map(parseNumber) };
    case "key_unused":
      return { kind: "key_unused", days: parseNumber(values.unusedDays) };
    case "limit_overrun":
      return { kind: "limit_overrun" };
    case "database_failover":
      return { kind: "database_failover" };
    case "bound_exceeded":
      return { kind: "bound_exceeded" };
    case "key_new_address":
      return { kind: "key_new_address" };
    case "refused_requests":
      return {
        kind: "refused_requests",
        count: parseNumber(values.count),
        minutes: parseNumber(values.minutes),
      };
    case "upstream_errors":
      return {
        kind: "upstream_errors",
        percent: parseNumber(values.percent),
        min_requests: parseNumber(values.minRequests),
        minutes: parseNumber(values.minutes),
      };
  }
}

/** True for a scope whose child scopes an alert can include. */
export function hasChildren(type: AlertValues["scopeType"]): boolean {
  return type === "organization" || type === "workspace";
}

/** True if each field of the kind has a number. The server checks its range. */
export function hasValidCondition(values: AlertValues): boolean {
  const condition = toCondition(values, null);
  switch (condition.kind) {
    case "spend_limit":
      return (
        condition.thresholds.length > 0 &&
        condition.thresholds.every((each) =>
          "percent" in each ? isPositive(each.percent) : isPositive(Number(each.amount_usd)),
        )
      );
    case "key_expiring":
      return condition.days.length > 0 && condition.days.every((days) => days >= 0);
    case "key_unused":
      return isPositive(condition.days);
    case "forecast":
      return isPositive(condition.percent);
    case "unusual_spend":
      return isPositive(condition.factor) && Number(condition.min_usd) >= 0;
    case "refused_requests":
      return isPositive(condition.count) && isPositive(condition.minutes);
    case "upstream_errors":
      return [condition.percent, condition.min_requests, condition.minutes].every(isPositive);
    default:
      return true;
  }
}

function isPositive(value: number): boolean {
  return value > 0;
}

/** Numbers separated by commas or spaces, with or without their signs: `50%, $100`. */
export function parseList(text: string): string[] {
  return text
    .split(/[,\s]+/)
    .map((part) => part.replace(/[%$]/g, ""))
    .filter((part) => part !== "");
}

/** NaN for invalid text, which the server refuses with a message. */
function parseNumber(text: string): number {
  return Number(text.replace(/[%$,]/g, "").trim());
}
