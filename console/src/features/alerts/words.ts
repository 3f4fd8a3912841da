import { formatPlural, formatUsd, toUsdText } from "../../ui/format.ts";
import type { AlertKind, ChannelKind, Condition } from "./queries.ts";

/** What each kind is called, and what it is for. */
export const kindWords: Record<AlertKind, { label: string; hint: string }> = {
  spend_limit: {
    label: "Spend limit",
    hint: "Spend reaches a share of a limit, or an amount.",
  },
  limit_overrun: {
    label: "Spend beyond a limit",
    hint: "More settles than a strict limit allows.",
  },
  forecast: {
    label: "Forecast",
    hint: "At the present pace a limit will be reached before its period ends.",
  },
  unusual_spend: {
    label: "Unusual spend",
    hint: "An hour or a day costs many times what it usually does.",
  },
  key_expiring: { label: "Key expires soon", hint: "So many days before a key stops." },
  key_unused: { label: "Unused key", hint: "A key that nobody has used for so long." },
  key_new_address: {
    label: "Key from a new network",
    hint: "A key is used from a network that it was not used from before.",
  },
  refused_requests: {
    label: "Refused requests",
    hint: "Limits or permissions refuse many requests in a short time.",
  },
  upstream_errors: {
    label: "Upstream errors",
    hint: "Many requests fail at Claude’s side, or on the way there.",
  },
};

export const alertKinds = Object.keys(kindWords) as AlertKind[];

export function asKind(text: string | undefined): AlertKind | undefined {
  return alertKinds.find((kind) => kind === text);
}

export const channelWords: Record<ChannelKind, { label: string; hint: string }> = {
  email: { label: "E-mail", hint: "To everybody with a role, or to addresses." },
  slack: { label: "Slack", hint: "To a channel, by an incoming webhook." },
  pagerduty: { label: "PagerDuty", hint: "Opens an incident, by an integration key." },
  webhook: { label: "Webhook", hint: "A signed POST to a program of your own." },
};

const usdOf = (amount: number | string) =>
  formatUsd(typeof amount === "number" ? toUsdText(amount) : amount);

const periodNames = { daily: "a day", weekly: "a week", monthly: "a month" } as const;

type Threshold = Extract<Condition, { kind: "spend_limit" }>["thresholds"][number];

export function thresholdWords(threshold: Threshold): string {
  return "percent" in threshold
    ? `${threshold.percent} %`
    : `${usdOf(threshold.amount_usd)} ${periodNames[threshold.period]}`;
}

/** What the alert waits for, in one line. */
export function conditionWords(condition: Condition): string {
  switch (condition.kind) {
    case "spend_limit":
      return `At ${listOf(condition.thresholds.map(thresholdWords))}`;
    case "limit_overrun":
      return "More is spent than a strict limit allows";
    case "forecast":
      return condition.percent === 100
        ? "On pace to reach the limit"
        : `On pace to reach ${condition.percent} % of the limit`;
    case "unusual_spend":
      return `${condition.factor} times the usual, from ${usdOf(condition.min_usd)}`;
    case "key_expiring":
      return `${daysWords(condition.days)} before a key expires`;
    case "key_unused":
      return `Not used for ${formatPlural(condition.days, "day")}`;
    case "key_new_address":
      return "Used from a network for the first time";
    case "refused_requests":
      return `${formatPlural(condition.count, "refusal")} within ${formatPlural(condition.minutes, "minute")}`;
    case "upstream_errors":
      return `${condition.percent} % of at least ${formatPlural(condition.min_requests, "request")} within ${formatPlural(condition.minutes, "minute")}`;
  }
}

/** `14 and 3 days`, `1 day`. */
function daysWords(days: readonly number[]): string {
  const [only, ...more] = [...days].sort((a, b) => b - a);
  if (only !== undefined && more.length === 0) return formatPlural(only, "day");
  return `${listOf([only, ...more].map(String))} days`;
}

function listOf(parts: readonly string[]): string {
  return parts.length < 2
    ? (parts[0] ?? "")
    : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
}
