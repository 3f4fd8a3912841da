import { describe, expect, test } from "vitest";
import { HOUR_MS, HOURS_PER_DAY } from "#src/domain/hourly-spend.ts";
import {
  type ReplayedScope,
  replayForecast,
  replaySpendLimit,
  replayUnusualHour,
} from "./replay-alert.ts";

const USD = 1_000_000_000n;
const hourAt = (iso: string) => Date.parse(iso) / HOUR_MS;
/** Ends at the start of 30 November 2026. */
const window = { first: hourAt("2026-10-31T00:00:00Z"), end: hourAt("2026-11-30T00:00:00Z") };
const firstHour = hourAt("2026-08-01T00:00:00Z");

/** Scope that spends `perHour` in every hour, and other amounts in some hours. */
function makeScope(
  perHour: bigint,
  fields: Partial<ReplayedScope> = {},
  others: Record<string, bigint> = {},
): ReplayedScope {
  const amounts = Array<bigint>(window.end - firstHour).fill(perHour);
  for (const [at, amount] of Object.entries(others)) amounts[hourAt(at) - firstHour] = amount;
  return {
    ...{ organizationId: "org", scopeType: "workspace", scopeId: "wksp_1", scopeName: "Research" },
    ...{ workspaceId: "wksp_1", limits: [], spend: { firstHour, amounts } },
    ...fields,
  };
}

const limit = (period: "daily" | "weekly" | "monthly", usd: bigint) => ({
  ...{ id: `spl_${period}`, period, limitNanoUsd: usd * USD, enforcement: "soft" as const },
});
const listed = (firings: readonly { atMs: number; threshold: string }[]) =>
  firings.map(({ atMs, threshold }) => `${new Date(atMs).toISOString().slice(0, 16)} ${threshold}`);
const spendLimit = (...percents: number[]) => ({
  kind: "spend_limit" as const,
  thresholds: percents.map((percent) => ({ percent })),
});

describe("thresholds of a spend limit", () => {
  test("fire in the hour that reaches them, with the spend of that time", () => {
    // 1 USD an hour: 720 USD in November.
    const scope = makeScope(USD, { limits: [limit("monthly", 480n)] });
    const firings = replaySpendLimit(spendLimit(50, 100), scope, window);
    // October reached both thresholds before the window began.
    expect(listed(firings)).toEqual(["2026-11-11T00:00 50%", "2026-11-21T00:00 100%"]);
    expect(firings[0]?.facts).toMatchObject({ spent_usd: "240.00", limit_usd: "480.00" });
  });

  test("count the spend of a period that began before the window", () => {
    // October has 744 hours, and its last day is in the window.
    const scope = makeScope(USD, { limits: [limit("monthly", 730n)] });
    expect(listed(replaySpendLimit(spendLimit(100), scope, window))).toEqual([
      "2026-10-31T10:00 100%",
    ]);
  });

  test("fire again in each period, and together if one hour crosses several", () => {
    const scope = makeScope(
      0n,
      { limits: [limit("daily", 10n)] },
      {
        "2026-11-03T09:00:00Z": 9n * USD,
        "2026-11-04T09:00:00Z": 12n * USD,
      },
    );
    expect(listed(replaySpendLimit(spendLimit(50, 100), scope, window))).toEqual([
      "2026-11-03T10:00 50%",
      "2026-11-04T10:00 50%",
      "2026-11-04T10:00 100%",
    ]);
  });

  test("with an amount fire without a limit, and percentages do not", () => {
    const scope = makeScope(0n, {}, { "2026-11-05T00:00:00Z": 7n * USD });
    const amount = { amount_usd: "5", period: "weekly" as const };
    const condition = { kind: "spend_limit" as const, thresholds: [amount, { percent: 1 }] };
    expect(listed(replaySpendLimit(condition, scope, window))).toEqual(["2026-11-05T01:00 $5.00"]);
  });

  test("of a limit of zero fire at the first spend", () => {
    const scope = makeScope(
      0n,
      { limits: [limit("monthly", 0n)] },
      {
        "2026-11-05T00:00:00Z": 1n,
      },
    );
    expect(listed(replaySpendLimit(spendLimit(100), scope, window))).toEqual([
      "2026-11-05T01:00 100%",
    ]);
  });

  test("fire nothing without recorded spend", () => {
    const scope = makeScope(0n, { limits: [limit("monthly", 1n)], spend: null });
    expect(replaySpendLimit(spendLimit(1), scope, window)).toEqual([]);
  });
});

test("a forecast fires once in each period whose limit would be reached", () => {
  const replay = (usd: bigint) => {
    const scope = makeScope(USD, { limits: [limit("monthly", usd)] });
    const firings = replayForecast({ kind: "forecast", percent: 100 }, scope, window);
    return firings.map(({ episode }) => episode);
  };
  // November has 720 hours, and October 744. October had reached 700 USD before the window began.
  expect(replay(700n)).toEqual(["monthly 2026-11-01 700.00"]);
  expect(replay(730n)).toEqual(["monthly 2026-10-01 730.00"]);
  expect(replay(800n)).toEqual([]);
});

describe("an unusual hour", () => {
  const condition = { kind: "unusual_spend" as const, factor: 4, min_usd: 5 };
  const at = "2026-11-20T09:00:00Z";
  const replay = (scopes: readonly ReplayedScope[]) => {
    const fired = new Set<string>();
    const firings = [];
    for (let hour = hourAt(at) - 3; hour < hourAt(at) + HOURS_PER_DAY; hour++) {
      firings.push(...[...replayUnusualHour(condition, scopes, { hour, fired })].flat());
    }
    return firings.map(({ scopeType, threshold, atMs }) => [
      scopeType,
      threshold,
      new Date(atMs).toISOString(),
    ]);
  };

  test("fires once, at its end", () => {
    const scope = makeScope(USD, {}, { [at]: 50n * USD });
    expect(replay([scope])).toEqual([["workspace", "1 hour", "2026-11-20T10:00:00.000Z"]]);
  });

  test("fires for the narrowest scope that explains it, in any order of the scopes", () => {
    const workspace = makeScope(USD, {}, { [at]: 50n * USD });
    const key = makeScope(USD, { scopeType: "api_key", scopeId: "apikey_1" }, { [at]: 50n * USD });
    const company = makeScope(
      USD,
      { scopeType: "organization", scopeId: "org", workspaceId: null },
      { [at]: 50n * USD },
    );
    expect(replay([company, workspace, key]).map(([type]) => type)).toEqual(["api_key"]);
  });

  test("is not reported below the minimum cost", () => {
    const scope = makeScope(USD / 100n, {}, { [at]: 4n * USD });
    expect(replay([scope])).toEqual([]);
  });
});
