import type { AlertCondition } from "@bursar/contract/admin/alerts.ts";
import { describe, expect, test } from "vitest";
import { findCoverage, notifiesAll, type WatchingAlert } from "./covering-alerts.rule.ts";

const spend = (...percents: number[]): AlertCondition => ({
  kind: "spend_limit",
  thresholds: percents.map((percent) => ({ percent })),
});

const company: WatchingAlert = {
  ...{ scopeType: "organization", scopeId: "org", workspaceId: null, includesBelow: true },
  ...{ condition: spend(50, 75, 90, 100), notifiesOwner: false, channelIds: ["channel_1"] },
};
const workspace: WatchingAlert = {
  ...company,
  ...{ scopeType: "workspace", scopeId: "wksp_1", workspaceId: "wksp_1", includesBelow: false },
};
const key: WatchingAlert = { ...workspace, scopeType: "api_key", scopeId: "apikey_1" };

describe("an alert with child scopes", () => {
  test("covers alerts of its workspaces, keys and people", () => {
    const member: WatchingAlert = { ...company, scopeType: "member", scopeId: "user_1" };
    for (const added of [workspace, key, member]) {
      expect(findCoverage(company, added)).toBe("whole");
    }
  });

  test("of a workspace covers its own keys only", () => {
    const withKeys = { ...workspace, includesBelow: true };
    expect(findCoverage(withKeys, key)).toBe("whole");
    expect(findCoverage(withKeys, { ...key, workspaceId: "wksp_2" })).toBeNull();
  });

  test("is covered in part by an alert of a child scope, or of the scope alone", () => {
    expect(findCoverage(workspace, company)).toBe("part");
    expect(findCoverage({ ...company, includesBelow: false }, company)).toBe("part");
  });
});

describe("an alert without child scopes", () => {
  test("does not cover other scopes", () => {
    const alone = { ...company, includesBelow: false };
    expect(findCoverage(alone, workspace)).toBeNull();
    expect(findCoverage(alone, alone)).toBe("whole");
  });

  test("covers the keys of its scope if it is about keys", () => {
    const expiring = { kind: "key_expiring", days: [14, 3] } as const;
    const existing = { ...workspace, condition: { ...expiring, days: [...expiring.days] } };
    const added = { ...key, condition: { kind: "key_expiring", days: [3] } as AlertCondition };
    expect(findCoverage(existing, added)).toBe("whole");
  });
});

describe("the condition of an existing alert", () => {
  const coverage = (existing: AlertCondition, added: AlertCondition) =>
    findCoverage({ ...workspace, condition: existing }, { ...workspace, condition: added });

  test("covers thresholds that it has", () => {
    expect(coverage(spend(50, 100), spend(100))).toBe("whole");
    expect(coverage(spend(50, 100), spend(80, 100))).toBe("part");
    expect(coverage(spend(50), spend(80))).toBeNull();
  });

  test("covers the same amount in the same period, however it is written", () => {
    const amount = (amount_usd: string | number, period: "daily" | "monthly"): AlertCondition => ({
      kind: "spend_limit",
      thresholds: [{ amount_usd, period }],
    });
    expect(coverage(amount("5.00", "daily"), amount(5, "daily"))).toBe("whole");
    expect(coverage(amount(5, "daily"), amount(5, "monthly"))).toBeNull();
  });

  test("covers other values of its kind in part, and no other kind", () => {
    const forecast = (percent: number): AlertCondition => ({ kind: "forecast", percent });
    expect(coverage(forecast(100), forecast(100))).toBe("whole");
    expect(coverage(forecast(100), forecast(80))).toBe("part");
    expect(coverage(forecast(100), spend(100))).toBeNull();
  });
});

test("an alert notifies all receivers of another if it has all channels and the owner of the key", () => {
  expect(notifiesAll(company, { ...workspace, channelIds: [] })).toBe(true);
  expect(notifiesAll(company, { ...workspace, channelIds: ["channel_2"] })).toBe(false);
  expect(notifiesAll(company, { ...workspace, notifiesOwner: true })).toBe(false);
});
