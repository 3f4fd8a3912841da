import { describe, expect, test } from "vitest";
import { describeIncreaseRequest, formatLimitMessage } from "./limit-message.ts";

const december = Date.UTC(2026, 11, 1);

describe("the refusal of a reached limit", () => {
  test("of a workspace begins with the official words, then names scope, limit and spend", () => {
    expect(
      formatLimitMessage({
        scopeType: "workspace",
        scopeId: "wksp_1",
        period: "monthly",
        limitNanoUsd: 100_000_000_000n,
        spentNanoUsd: 100_010_500_000n,
        regainAtMs: december,
      }),
    ).toBe(
      "You have reached your specified workspace API usage limits. You will regain access on 2026-12-01 at 00:00 UTC. " +
        "The monthly spend limit of workspace wksp_1 is $100.00; spent: $100.0105.",
    );
  });

  test.each([
    [
      "organization",
      "You have reached your specified API usage limits. You will regain access on ",
    ],
    ["api_key", "You have reached your specified API key usage limits. You will regain access on "],
  ] as const)("of scope %s begins with %j", (scopeType, words) => {
    const message = formatLimitMessage({
      scopeType,
      scopeId: "x",
      period: "daily",
      limitNanoUsd: 0n,
      spentNanoUsd: 0n,
      regainAtMs: december,
    });
    expect(message.startsWith(words)).toBe(true);
  });
});

describe("the way to request a higher limit", () => {
  const ofKey = { scopeType: "api_key", scopeId: "apikey_1", period: "daily" } as const;

  test("is a page of the console if its address is known", () => {
    expect(describeIncreaseRequest(ofKey, "https://bursar.example.com")).toBe(
      "To ask for a higher limit, open https://bursar.example.com/increase-requests/new?scope=api_key&id=apikey_1&period=daily",
    );
  });

  test("contains no id for the organization", () => {
    const limit = { ...ofKey, scopeType: "organization" } as const;
    expect(describeIncreaseRequest(limit, "https://bursar.example.com")).toMatch(
      /\/increase-requests\/new\?scope=organization&period=daily$/,
    );
  });

  test("otherwise is a call to the server", () => {
    expect(describeIncreaseRequest(ofKey, null)).toMatch(
      /^To ask for a higher limit, send POST \/v1\/admin\/spend_limit_increase_requests to this server, /,
    );
  });
});
