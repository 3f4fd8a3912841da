import { describe, expect, test } from "vitest";
import type { Answer } from "../../api-client.ts";
import { listCrumbs, toDetailTime } from "./drill.ts";
import { bucketsOf, type Range, resolveRange } from "./range.ts";
import { toRequestsSearch } from "./report-search.ts";
import { readReportSearch } from "./search.ts";
import { resolveSearchRange } from "./search-range.ts";
import { sumGroups, toSeries } from "./series.ts";

type UsageRow = Answer<"getUsage">["data"][number];

const NOW = Date.UTC(2026, 10, 24, 12, 34, 56);

describe("a range", () => {
  test.each([
    ["1h", "2026-11-24T11:35:00.000Z", "2026-11-24T12:35:00.000Z", "1m", 60],
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

  test("between two days includes the last one, has hours if it is short, and is limited to 366 days", () => {
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
    partly_unbilled_requests: 0,
    input_tokens: tokens,
    cache_write_5m_tokens: 0,
    cache_write_1h_tokens: 0,
    cache_read_tokens: 0,
    output_tokens: 0,
    total_tokens: tokens,
    cost_usd: cost,
    simulated_cost_usd: "0.00",
  }) as UsageRow;

describe("sums", () => {
  test("are exact beyond the precision of doubles", () => {
    const rows = [
      row("a", "2026-11-24T00:00:00Z", 1, "0.1"),
      row("a", "2026-11-23T00:00:00Z", 1, "0.2"),
      row("b", "2026-11-24T00:00:00Z", 9, "0.300000001"),
    ];
    const sums = [
      ["a", 300_000_000n],
      ["b", 300_000_001n],
    ];
    expect(sumGroups(rows, "model").map(({ key, costNano }) => [key, costNano])).toEqual(sums);
  });
});

describe("a chart", () => {
  const at = "2026-11-24T00:00:00.000Z";
  const day: Range = { startingAt: at, endingAt: "2026-11-25T00:00:00.000Z", bucket: "1d" };
  const asked = { range: day, groupBy: "model", metric: "tokens", readAt: at } as const;

  test("lists the largest groups, sums all others, and omits hidden groups", () => {
    const rows = [
      ...Array.from({ length: 7 }, (_, index) => row(`m${index}`, at, 100 - index, "1")),
      { ...row("", at, 4, "1"), is_other: true },
    ];
    const series = toSeries({ ...asked, rows, top: 5, hidden: new Set() });
    expect(series.keys).toEqual(["m0", "m1", "m2", "m3", "m4", "other"]);
    expect(series.points[0]?.values["other"]).toBe(95n + 94n + 4n);
    expect(series.points[0]?.total).toBe(100n + 99n + 98n + 97n + 96n + 95n + 94n + 4n);
    const without = toSeries({ ...asked, rows, top: 5, hidden: new Set(["other", "m0"]) });
    expect(without.keys).toEqual(series.keys);
    expect(Object.keys(without.points[0]?.values ?? {})).toEqual(["m1", "m2", "m3", "m4"]);
  });

  test("marks the running bar and future bars", () => {
    const range: Range = { ...day, bucket: "1h" };
    const readAt = "2026-11-24T02:30:00.000Z";
    const { points } = toSeries({ ...asked, range, readAt, rows: [], top: 8, hidden: new Set() });
    expect(points.map(({ isRunning }) => isRunning).indexOf(true)).toBe(2);
    expect(points.filter(({ isRunning }) => isRunning)).toHaveLength(1);
    expect(points.findIndex(({ isFuture }) => isFuture)).toBe(3);
  });

  test("accumulates values up to now, also over a bucket without requests", () => {
    const range: Range = { ...day, bucket: "1h" };
    const rows = [row("a", at, 5, "0.1"), row("b", "2026-11-24T02:00:00.000Z", 7, "0.000000001")];
    const { points } = toSeries({
      ...asked,
      metric: "cost",
      range,
      readAt: "2026-11-24T03:59:00.000Z",
      rows,
      top: 8,
      hidden: new Set(),
      isRunningTotal: true,
    });
    const nano = [100_000_000n, 100_000_000n, 100_000_001n, 100_000_001n, 0n];
    expect(points.slice(0, 5).map(({ total }) => total)).toEqual(nano);
  });
});

describe("a drill-down", () => {
  test("selects a day, an hour and a minute, with breadcrumbs", () => {
    expect(resolveSearchRange({ range: "30d", at: "2026-11-24" }, NOW)).toEqual({
      startingAt: "2026-11-24T00:00:00.000Z",
      endingAt: "2026-11-25T00:00:00.000Z",
      bucket: "1h",
    });
    expect(resolveSearchRange({ at: "2026-11-24T13" }, NOW)).toEqual({
      startingAt: "2026-11-24T13:00:00.000Z",
      endingAt: "2026-11-24T14:00:00.000Z",
      bucket: "1m",
    });
    expect(bucketsOf(resolveSearchRange({ at: "2026-11-24T13:05" }, NOW))).toEqual([
      "2026-11-24T13:05:00.000Z",
    ]);
    expect(listCrumbs({ at: "2026-11-24T13" }, "30 days")).toEqual([
      { label: "30 days", at: undefined },
      { label: "Tue 24 Nov", at: "2026-11-24" },
      { label: "13:00", at: "2026-11-24T13" },
    ]);
    expect(
      ["1d", "1h", "1m"].map((bucket) => toDetailTime("2026-11-24T13:05:00.000Z", bucket as "1d")),
    ).toEqual(["2026-11-24", "2026-11-24T13", "2026-11-24T13:05"]);
  });

  test("to an invalid time shows the range", () => {
    expect(resolveSearchRange({ range: "24h", at: "2026-13-40T99" }, NOW)).toEqual(
      resolveRange("24h", NOW),
    );
    expect(listCrumbs({ at: "2026-13-40T99" }, "24 h")).toEqual([]);
  });
});

test("the link to the request log has the filters and times of the report", () => {
  const filters = { model: ["m"], status: ["answered"] };
  expect(
    toRequestsSearch({ ...filters, by: "model", at: "2026-11-24" }, { workspaceId: "w" }),
  ).toEqual({
    ...filters,
    workspace: ["w"],
    range: "7d",
    at: "2026-11-24",
  });
  expect(toRequestsSearch({ live: true }, { workspaceId: "w", apiKeyId: "k" })).toEqual({
    key: ["k"],
    range: "1h",
  });
});

test("an invalid address shows the default view", () => {
  expect(
    readReportSearch({
      range: "7 years",
      from: "yesterday",
      by: "<script>",
      workspace: "x",
      key: [1],
      at: "soon",
      top: 1_000,
      live: "yes",
      cost: "-1",
      open: "../x",
    }),
  ).toEqual({});
  const search = {
    range: "custom",
    from: "2026-11-01",
    at: "2026-11-03T04",
    by: "token_type",
    model: ["claude-sonnet-5"],
    status: ["answered"],
    top: 5,
    live: true,
    view: "table",
    cost: "0.5",
    open: "req_01abc",
  };
  expect(readReportSearch(search)).toEqual(search);
});
