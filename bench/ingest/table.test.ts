import { expect, test } from "vitest";
import type { CaseResult } from "./run-case.ts";
import { formatCases, formatStored, summarize, type Turn } from "./table.ts";

const turn: Turn<CaseResult> = {
  side: "now",
  turn: 1,
  keys: 10_000,
  nodes: 4,
  limits: "none",
  requests: 50_000,
  settledPerSecond: 12_345.6,
  databaseCpuMicros: 50,
  nodesCpuMicros: 61.4,
  databaseBusyShare: 0.617,
  nodesBusyShare: 0.758,
  walBytes: 1_234.5,
  storedBytes: 890,
  storedByTable: { usage_event_2026_11: 700.4, balance: 189.6 },
  grants: null,
  refused: {},
  problems: [],
};

test("the best of several turns is the highest rate or the lowest cost", () => {
  expect(summarize([3, 1, 2], "higher")).toEqual({ best: 3, median: 2 });
  expect(summarize([3, 1, 2], "lower")).toEqual({ best: 1, median: 2 });
});

test("the median of an even number of turns is the mean of the middle two", () => {
  expect(summarize([4, 1, 3, 2], "lower")).toEqual({ best: 1, median: 2.5 });
});

test("one turn has one number in each cell", () => {
  expect(formatCases([turn])).toBe(
    [
      "| keys | nodes | strict limits | side | settled/s | PostgreSQL µs | nodes µs | PostgreSQL core | node cores | that core allows/s | WAL bytes | stored bytes |",
      "|---|---|---|---|---|---|---|---|---|---|---|---|",
      "| 10,000 | 4 | none | now | 12,346 | 50 | 61 | 62 % | 76 % | 20,000 | 1,235 | 890 |",
    ].join("\n"),
  );
});

test("turns of one case and side share a row with best and median", () => {
  const second = { ...turn, turn: 2, settledPerSecond: 10_000, walBytes: 2_000 };
  const other: Turn<CaseResult> = { ...turn, side: "before", settledPerSecond: 1_000 };
  const [, , ...rows] = formatCases([turn, second, other]).split("\n");
  expect(rows).toHaveLength(2);
  expect(rows[0]).toContain("| now | 12,346 / 11,173 | 50 / 50 |");
  expect(rows[0]).toContain("| 1,235 / 1,617 | 890 / 890 |");
  expect(rows[1]).toContain("| before | 1,000 |");
});

test("strict limits add the waits of holds and the refusals", () => {
  const grants = { waitedShare: 0.25, waitMs: { p50: 8, p90: 20, p99: 95, max: 140 } };
  const limited = { ...turn, limits: "keys" as const, grants, refused: { held: 2, queue_slow: 1 } };
  const [titles, , row] = formatCases([limited]).split("\n");
  expect(titles).toMatch(/refused \| holds that waited \| wait p50 ms \| wait p99 ms \|$/);
  expect(row).toMatch(/\| 3 \| 25 % \| 8 \| 95 \|$/);
});

test("lists the tables that grew most", () => {
  expect(formatStored([turn]).split("\n").at(-1)).toBe(
    "| 10,000 | 4 | now | 1 | usage_event_2026_11 700, balance 190 |",
  );
});
