import { type AlertKind, alertKinds, type FiringFacts } from "@bursar/contract/admin/alerts.ts";
import { expect, test } from "vitest";
import { describeFiring } from "./alert-words.rule.ts";

const DAY = "2026-12-01T00:00:00.000Z";

function titleOf(kind: AlertKind, facts: FiringFacts, threshold = "75%"): string {
  return describeFiring({ kind, scopeType: "workspace", scopeName: "Growth", threshold, facts })
    .title;
}

test("the number of refused requests decides between singular and plural", () => {
  const refused = (requests: number) => titleOf("refused_requests", { requests, minutes: 60 });
  expect(refused(1)).toBe("1 request of the workspace Growth was refused within 60 minutes.");
  expect(refused(2)).toBe("2 requests of the workspace Growth were refused within 60 minutes.");
  expect(titleOf("refused_requests", {})).toBe("Requests of the workspace Growth were refused.");
});

test("the text about refused requests names the most frequent cause and the place that lists them", () => {
  const fields = {
    scopeType: "workspace",
    scopeName: "Growth",
    threshold: "10",
  } as const;
  const next = (facts: FiringFacts) =>
    describeFiring({ kind: "refused_requests", ...fields, facts }).next;
  const place = "The request log lists refused requests with their causes, under Refused.";
  expect(next({})).toBe(place);
  expect(next({ top_error_code: "rate_limited", top_error_requests: 1 })).toBe(
    `Most frequent cause: rate_limited (1 request). ${place}`,
  );
});

test("the text about failed requests has their number and percentage", () => {
  const failed = (failed_requests: number, requests: number, minutes = 15) =>
    titleOf("upstream_errors", { failed_requests, requests, minutes });
  expect(failed(1, 1)).toBe(
    "1 of 1 request (100%) of the workspace Growth failed upstream within 15 minutes.",
  );
  expect(failed(1, 20, 1)).toBe(
    "1 of 20 requests (5%) of the workspace Growth failed upstream within a minute.",
  );
  expect(titleOf("upstream_errors", {})).toBe("Requests of the workspace Growth failed upstream.");
});

test("the texts have the singular for one day and one hour", () => {
  expect(titleOf("key_unused", {}, "1 day")).toContain("has not been used for 1 day.");
  expect(titleOf("key_unused", {}, "90 days")).toContain("has not been used for 90 days.");
  const unusual = { spent_usd: "50.00", usual_usd: "2.00" };
  expect(titleOf("unusual_spend", { ...unusual, minutes: 60 })).toBe(
    "The workspace Growth spent $50.00 in an hour, compared with the usual $2.00.",
  );
  expect(titleOf("unusual_spend", { ...unusual, minutes: 1_440 })).toContain(" in a day, ");
});

/** Covers each kind with all counts 1, with higher counts, and without facts. */
test("no message has a plural for one, or a singular for many", () => {
  const one: FiringFacts = {
    ...{ requests: 1, failed_requests: 1, minutes: 1, spent_usd: "1.00", usual_usd: "1.00" },
    ...{ period: "daily", limit_usd: "1.00", forecast_usd: "1.00", enforcement: "strict" },
    ...{ period_ends_at: DAY, reached_at: DAY, expires_at: DAY, address_range: "10.0.0.0/24" },
  };
  const many = { ...one, requests: 3, failed_requests: 2, minutes: 15 };
  const wordsOf = (facts: FiringFacts, threshold: string) =>
    alertKinds.map((kind) => {
      const firing = { kind, scopeType: "api_key", scopeName: "build", threshold, facts } as const;
      const { title, next } = describeFiring(firing);
      return `${title} ${next}`;
    });
  for (const words of [...wordsOf(one, "1 day"), ...wordsOf({}, "1 day")]) {
    expect(words).not.toMatch(
      /\b1 (requests|minutes|days|hours|keys)\b|\b1 request (?!\(|of).*were/,
    );
  }
  for (const words of wordsOf(many, "3 days")) {
    expect(words).not.toMatch(/\b([2-9]|\d\d+) (request|minute|day|hour|key)\b|requests .*\bwas\b/);
  }
});

test("the text about spend beyond a limit has the amount and the effect of the limit", () => {
  const { title, next } = describeFiring({
    kind: "limit_overrun",
    scopeType: "api_key",
    scopeName: "CI",
    threshold: "over limit",
    facts: {
      ...{ period: "daily", period_ends_at: DAY, enforcement: "strict" },
      ...{ limit_usd: "2.00", spent_usd: "2.62", overrun_usd: "0.62" },
    },
  });
  expect(title).toBe(
    "The API key CI has spent $2.62, which is $0.62 beyond its daily limit of $2.00.",
  );
  expect(next).toBe(
    "Requests are refused until 2026-12-01 at 00:00 UTC, unless the limit is raised. The audit log shows forgotten nodes. The request log shows requests that cost more than their holds.",
  );
});
