import { expect, test } from "vitest";
import {
  describeChangedTarget,
  describeReceivers,
  describeStoppedChannel,
  describeStoppedRule,
} from "./stop-effects.ts";

const nowMs = Date.parse("2026-11-30T06:12:00Z");
const mail = { id: "alch_mail", name: "Finance", kind: "email", is_working: true } as const;
const slack = { id: "alch_slack", name: "Slack", kind: "slack", is_working: true } as const;
const rule = {
  name: "Spend limits",
  is_enabled: true,
  muted_until: null,
  notifies_owner: false,
  channels: [mail],
};

test("a stopped channel names the rules without a receiver", () => {
  const rules = [
    rule,
    { ...rule, name: "Overruns", channels: [mail, { ...slack, is_working: false }] },
    { ...rule, name: "Forecast", channels: [mail, slack] },
    { ...rule, name: "Unused keys", notifies_owner: true },
    { ...rule, name: "Off", is_enabled: false },
    { ...rule, name: "Other", channels: [slack] },
  ];
  expect(describeStoppedChannel({ channel: mail, rules, isDeleted: false })).toEqual([
    "2 alerts have no receiver any more: Spend limits, Overruns.",
    "2 alerts notify other receivers only.",
    "Messages that wait are dropped.",
    "Turn the channel on again to send later alerts. Alerts that fire meanwhile are not sent.",
  ]);
});

test("a channel without alerts says so", () => {
  const stopped = { channel: slack, rules: [rule], isDeleted: true };
  expect(describeStoppedChannel(stopped)[0]).toBe("No alert uses this channel.");
});

test("a rule with unknown channels has the effects that need no count", () => {
  expect(describeStoppedChannel({ channel: mail, rules: undefined, isDeleted: true })).toEqual([
    "Messages that wait are dropped.",
    "A deleted channel cannot be restored. Past messages stay readable.",
  ]);
});

test("fewer recipients are named, and more are no harm", () => {
  const before = { roles: ["owner" as const, "admin" as const], addresses: ["a@example.com"] };
  const change = { alerts: 3, hasNewTarget: false, before };
  const after = { roles: ["owner" as const], addresses: ["b@example.com"] };
  expect(describeChangedTarget({ ...change, after })).toEqual([
    "No more messages of 3 alerts for members with the role Admin, a@example.com.",
  ]);
  const more = { ...before, addresses: [...before.addresses, "b@example.com"] };
  expect(describeChangedTarget({ ...change, after: more })).toEqual([]);
});

test("a new address deletes the stored one", () => {
  const change = { alerts: 1, before: null, after: null };
  expect(describeChangedTarget({ ...change, hasNewTarget: true })).toEqual([
    "The old target gets no more messages of 1 alert. The stored address or key is deleted.",
    "Messages that wait are sent to the new target.",
  ]);
  expect(describeChangedTarget({ ...change, hasNewTarget: false })).toEqual([]);
});

test("a stopped rule says whether another one fires for the same causes", () => {
  const covering = {
    id: "alrt_other",
    name: "Company",
    scope: { type: "organization" as const },
    scope_name: "Example",
    includes_below: true,
    condition: { kind: "limit_overrun" as const },
    is_enabled: true,
    muted_until: null,
    coverage: "whole" as const,
  };
  const stopped = { rule: { ...rule, firings_in_30_days: 12 }, nowMs };
  expect(describeStoppedRule({ ...stopped, covering: [covering] })).toEqual([
    "The rule fired 12 times in the last 30 days.",
    "No more messages of this rule for Finance.",
    "The rule Company still fires for the same causes.",
  ]);
  const part = { ...covering, coverage: "part" as const };
  expect(describeStoppedRule({ ...stopped, covering: [part] }).at(-1)).toBe(
    "1 other rule still fires for a part of the causes: Company.",
  );
  const muted = { ...covering, muted_until: "2026-12-01T00:00:00.000Z" };
  expect(describeStoppedRule({ ...stopped, covering: [muted] }).at(-1)).toBe(
    "No other rule watches the same scope for this cause.",
  );
});

test("a rule without a working receiver stops no message", () => {
  expect(describeReceivers({ ...rule, channels: [{ ...mail, is_working: false }] })).toEqual([]);
  expect(describeReceivers({ ...rule, notifies_owner: true })).toEqual([
    "No more messages of this rule for Finance, the owner of the key.",
  ]);
});
