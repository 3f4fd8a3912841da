import { describe, expect, test } from "vitest";
import type { UsageRow } from "./queries.ts";
import { bucketsOf, resolveRange } from "./range.ts";
import { readReportSearch } from "./search.ts";
import { sumByGroup, toSeries } from "./sum-usage.ts";

const NOW = Date.UTC(2026, 10, 24, 12, 34, 56);

describe("a range", () => {
  test.each([
    ["24h", "2026-11-23T13:00:00.000Z", "2026-11-24T13:00:00.000Z", "1h", 24],
    ["7d", "2026-11-18T00:00:00.000Z", "2026-11-25T00:00:00.000Z", "1d", 7],
    ["30d", "2026-10-26T00:00:00.000Z", "2026-11-25T00:00:00.000Z", "1d", 30],
    ["month", "2026-11-01T00:00:00.000Z", "2026-11-25T00:00:00.000Z", "1d", 24],
    ["last_month", "2026-10-01T00:00:00.000Z", "2026-11-01T00:00:00.000Z", "1d", 31],
  ] as const)("%s has whole buckets in UTC", (name, startingAt, endingAt, bucket, count) => {
    const range = resolveRange(name, NOW);
    expect(range).toEqual({ startingAt, endingAt, bucket });
    expect(bucketsOf(range)).toHaveLength(count);
  });

  test("of one's own includes its last day, by hours where it is short, and is never longer than the server takes", () => {
    expect(resolveRange("custom", NOW, { from: "2026-11-03", to: "2026-11-03" })).toEqual({
      startingAt: "2026-11-03T00:00:00.000Z",
      endingAt: "2026-11-04T00:00:00.000Z",
      bucket: "1h",
    });
    const long = resolveRange("custom", NOW, { from: "2020-01-01", to: "2026-11-03" });
    expect(bucketsOf(long)).toHaveLength(366);
    // The wrong way round, and not there at all: a week.
    expect(
      bucketsOf(resolveRange("custom", NOW, { from: "2026-12-03", to: "2026-11-03" })),
    ).toHaveLength(7);
    expect(bucketsOf(resolveRange("custom", NOW))).toHaveLength(7);
  });
});

const row = (model: string, at: string, tokens: number, cost: string): UsageRow =>
  ({
    starting_at: at,
    ending_at: at,
    workspace_id: null,
    api_key_id: null,
    model,
    requests: 1,
    errors: 0,
    estimated_requests: 0,
    unpriced_requests: 0,
    input_tokens: tokens,
    cache_write_5m_tokens: 0,
    cache_write_1h_tokens: 0,
    cache_read_tokens: 0,
    output_tokens: 0,
    total_tokens: tokens,
    cost_usd: cost,
  }) as UsageRow;

describe("sums", () => {
  test("are exact where doubles are not, and the dearest group is first", () => {
    const rows = [
      row("a", "2026-11-24T00:00:00Z", 1, "0.1"),
      row("a", "2026-11-23T00:00:00Z", 1, "0.2"),
      row("b", "2026-11-24T00:00:00Z", 9, "0.300000001"),
    ];
    expect(sumByGroup(rows, "model").map(({ key, costNano }) => [key, costNano])).toEqual([
      ["b", 300_000_001n],
      ["a", 300_000_000n],
    ]);
  });

  test("a chart names at most eight, puts all others together, and leaves out what is hidden", () => {
    const at = "2026-11-24T00:00:00.000Z";
    const rows = Array.from({ length: 12 }, (_, index) => row(`m${index}`, at, 100 - index, "1"));
    const asked = { rows, buckets: [at], groupBy: "model", metric: "tokens" } as const;
    const series = toSeries({ ...asked, hidden: new Set() });
    expect(series.keys).toEqual(["m0", "m1", "m2", "m3", "m4", "m5", "m6", "other"]);
    expect(series.points[0]?.values["other"]).toBe(93 + 92 + 91 + 90 + 89);
    const without = toSeries({ ...asked, hidden: new Set(["other", "m0"]) });
    expect(without.keys).toEqual(series.keys);
    expect(Object.keys(without.points[0]?.values ?? {})).toEqual([
      "m1",
      "m2",
      "m3",
      "m4",
      "m5",
      "m6",
    ]);
  });
});

test("an address that makes no sense shows the first view of a report", () => {
  expect(
    readReportSearch({
      range: "7 years",
      from: "yesterday",
      by: "<script>",
      workspace: "x",
      key: [1],
    }),
  ).toEqual({});
  const search = { range: "custom", from: "2026-11-01", by: "model", model: ["claude-sonnet-5"] };
  expect(readReportSearch(search)).toEqual(search);
});
