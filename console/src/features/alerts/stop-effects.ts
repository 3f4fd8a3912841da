import { roleNames } from "@bursar/contract/permissions.ts";
import { listNames } from "../../kit/consequences/sentences.ts";
import { formatPlural } from "../../ui/format.ts";
import type { Alert, Channel, Preview } from "./queries.ts";

// Effects of changes after which messages stop, as sentences.

type Rule = Pick<Alert, "name" | "is_enabled" | "muted_until" | "notifies_owner" | "channels">;

/** Rules without a receiver when the channel stops, and the number of those with another receiver. */
export function findSilenced(
  rules: readonly Rule[],
  channelId: string,
): { silenced: Rule[]; others: number } {
  const users = rules.filter(
    ({ is_enabled, channels }) => is_enabled && channels.some(({ id }) => id === channelId),
  );
  const silenced = users.filter(
    ({ notifies_owner, channels }) =>
      !notifies_owner && channels.every(({ id, is_working }) => id === channelId || !is_working),
  );
  return { silenced, others: users.length - silenced.length };
}

interface StoppedChannel {
  channel: Pick<Channel, "id">;
  /** All rules. Undefined: unknown. */
  rules: readonly Rule[] | undefined;
  isDeleted: boolean;
}

/** Effects of a channel that is turned off or deleted. */
export function describeStoppedChannel({ channel, rules, isDeleted }: StoppedChannel): string[] {
  return [
    ...(rules ? describeRules(findSilenced(rules, channel.id)) : []),
    "Messages that wait are dropped.",
    isDeleted
      ? "A deleted channel cannot be restored. Past messages stay readable."
      : "Turn the channel on again to send later alerts. Alerts that fire meanwhile are not sent.",
  ];
}

function describeRules({ silenced, others }: { silenced: Rule[]; others: number }): string[] {
  if (silenced.length + others === 0) return ["No alert uses this channel."];
  const names = listNames(silenced.map(({ name }) => name));
  const sentences: string[] = [];
  if (silenced.length > 0) {
    sentences.push(
      `${formatPlural(silenced.length, "alert has", "alerts have")} no receiver any more: ${names}.`,
    );
  }
  if (others > 0) {
    sentences.push(
      `${formatPlural(others, "alert notifies", "alerts notify")} other receivers only.`,
    );
  }
  return sentences;
}

interface ChangedTarget {
  /** Alerts that use the channel. */
  alerts: number;
  /** True: a new address or key was entered. */
  hasNewTarget: boolean;
  before: Channel["recipients"];
  /** Entered recipients. Null: not e-mail. */
  after: Channel["recipients"];
}

/** Effects of another target of a channel. */
export function describeChangedTarget(change: ChangedTarget): string[] {
  const { alerts, hasNewTarget, before, after } = change;
  if (alerts === 0) return [];
  const messages = `messages of ${formatPlural(alerts, "alert")}`;
  if (!before || !after) {
    if (!hasNewTarget) return [];
    return [
      `The old target gets no more ${messages}. The stored address or key is deleted.`,
      "Messages that wait are sent to the new target.",
    ];
  }
  const roles = before.roles.filter((role) => !after.roles.includes(role));
  const addresses = before.addresses.filter((address) => !after.addresses.includes(address));
  const removed = [
    ...roles.map((role) => `members with the role ${roleNames[role]}`),
    ...addresses,
  ];
  return removed.length === 0 ? [] : [`No more ${messages} for ${listNames(removed)}.`];
}

interface StoppedRule {
  rule: Rule & Pick<Alert, "firings_in_30_days">;
  /** Other rules that watch the same. Undefined: unknown. */
  covering: Preview["covered_by"] | undefined;
  nowMs: number;
}

/** Effects of a rule that is deleted or turned off. */
export function describeStoppedRule({ rule, covering, nowMs }: StoppedRule): string[] {
  const times = rule.firings_in_30_days;
  return [
    times === 0
      ? "The rule did not fire in the last 30 days."
      : `The rule fired ${formatPlural(times, "time")} in the last 30 days.`,
    ...describeReceivers(rule),
    ...(covering ? describeCovering(covering, nowMs) : []),
  ];
}

/** Receivers that get no messages of the rule. */
export function describeReceivers({ channels, notifies_owner }: Rule): string[] {
  const names = channels.filter(({ is_working }) => is_working).map(({ name }) => name);
  if (notifies_owner) names.push("the owner of the key");
  return names.length === 0 ? [] : [`No more messages of this rule for ${listNames(names)}.`];
}

function describeCovering(covering: Preview["covered_by"], nowMs: number): string[] {
  const active = covering.filter(
    ({ is_enabled, muted_until }) =>
      is_enabled && (muted_until === null || Date.parse(muted_until) <= nowMs),
  );
  const whole = active.find(({ coverage }) => coverage === "whole");
  if (whole) return [`The rule ${whole.name} still fires for the same causes.`];
  if (active.length === 0) return ["No other rule watches the same scope for this cause."];
  const names = listNames(active.map(({ name }) => name));
  const rules = formatPlural(active.length, "other rule still fires", "other rules still fire");
  return [`${rules} for a part of the causes: ${names}.`];
}
