import type { Tone } from "../../ui/badge.tsx";
import { formatPlural, formatUsd, toUsdText } from "../../ui/format.ts";
import type { Alert, AlertKind, ChannelKind, Condition, Group } from "./queries.ts";

/** Rank for sorting, and tone, of each severity. */
export const severities: Record<Group["severity"], { rank: number; tone: Tone }> = {
  critical: { rank: 2, tone: "bad" },
  warning: { rank: 1, tone: "warn" },
  info: { rank: 0, tone: "plain" },
};

/** Label and hint of each alert kind. */
export const kindWords: Record<AlertKind, { label: string; hint: string }> = {
  spend_limit: {
    label: "Spend limit",
    hint: "Spend reaches a share of a limit, or an amount.",
  },
  limit_overrun: {
    label: "Spend beyond a limit",
    hint: "Spend exceeds a strict limit.",
  },
  forecast: {
    label: "Forecast",
    hint: "The forecast for the period exceeds a limit.",
  },
  unusual_spend: {
    label: "Unusual spend",
    hint: "Cost of an hour or a day is far above the usual cost.",
  },
  key_expiring: { label: "Key expires soon", hint: "A key expires within a number of days." },
  key_unused: { label: "Unused key", hint: "A key was not used for a number of days." },
  key_new_address: {
    label: "Key from a new network",
    hint: "A key is used from a network for the first time.",
  },
  refused_requests: {
    label: "Refused requests",
    hint: "Limits or permissions refuse many requests in a short time.",
  },
  upstream_errors: {
    label: "Upstream errors",
    hint: "Many requests to the upstream fail.",
  },
  database_failover: {
    label: "Database failover",
    hint: "A standby database was promoted, which can lack the last changes.",
  },
  bound_exceeded: {
    label: "Model or tool beyond its bound",
    hint: "A stream was faster, or a tool result larger, than limits assume. Such streams are held whole.",
  },
};

export const alertKinds = Object.keys(kindWords) as AlertKind[];

export function asKind(text: string | undefined): AlertKind | undefined {
  return alertKinds.find((kind) => kind === text);
}

export const channelWords: Record<ChannelKind, { label: string; hint: string }> = {
  email: { label: "E-mail", hint: "Sends to members with a role, or to addresses." },
  slack: { label: "Slack", hint: "Posts to a channel through an incoming webhook." },
  pagerduty: { label: "PagerDuty", hint: "Opens an incident through an integration key." },
  webhook: { label: "Webhook", hint: "Sends a signed POST to your program." },
};

export function isMuted({ muted_until: until }: Pick<Alert, "muted_until">): boolean {
  return until !== null && Date.parse(until) > Date.now();
}

const formatAmount = (amount: number | string) =>
  formatUsd(typeof amount === "number" ? toUsdText(amount) : amount);

const periodNames = { daily: "a day", weekly: "a week", monthly: "a month" } as const;

type Threshold = Extract<Condition, { kind: "spend_limit" }>["thresholds"][number];

export function describeThreshold(threshold: Threshold): string {
  return "percent" in threshold
    ? `${threshold.percent}%`
    : `${formatAmount(threshold.amount_usd)} ${periodNames[threshold.period]}`;
}

/** Condition of the alert in one line. */
export function describeCondition(condition: Condition): string {
  switch (condition.kind) {
    case "spend_limit":
      return `At ${joinWords(condition.thresholds.map(describeThreshold))}`;
    case "limit_overrun":
      return "Spend exceeds a strict limit";
    case "database_failover":
      return "A standby database was promoted";
    case "bound_exceeded":
      return "A model or tool exceeds its bound";
    case "forecast":
      return condition.percent === 100
        ? "Forecast reaches the limit"
        : `Forecast reaches ${condition.percent}% of the limit`;
    case "unusual_spend":
      return `${condition.factor} times the usual, from ${formatAmount(condition.min_usd)}`;
    case "key_expiring":
      return `${formatDays(condition.days)} before a key expires`;
    case "key_unused":
      return `Not used for ${formatPlural(condition.days, "day")}`;
    case "key_new_address":
      return "Used from a new network";
    case "refused_requests":
      return `${formatPlural(condition.count, "refusal")} within ${formatPlural(condition.minutes, "minute")}`;
    case "upstream_errors":
      return `${condition.percent}% of at least ${formatPlural(condition.min_requests, "request")} within ${formatPlural(condition.minutes, "minute")}`;
  }
}

/** `14 and 3 days`, `1 day`. */
function formatDays(days: readonly number[]): string {
  const [only, ...more] = [...days].sort((a, b) => b - a);
  if (only !== undefined && more.length === 0) return formatPlural(only, "day");
  return `${joinWords([only, ...more].map(String))} days`;
}

function joinWords(parts: readonly string[]): string {
  return parts.length < 2
    ? (parts[0] ?? "")
    : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
