import { expect, test } from "vitest";
import { listParts, splitParts, type TriageCounts } from "./triage-parts.ts";

const nothing: TriageCounts = {
  badges: {
    ...{ alerts: 0, increase_requests: 0, access_reviews: null, blocked_limits: 0 },
    ...{ failing_channels: 0, failing_upstreams: null },
  },
  counts: { expiring_keys: 0, doubtful_requests: null, refusal_causes: 0 },
  forecasts: 0,
};

test("a company without anything to do has no part", () => {
  expect(listParts(nothing)).toEqual([]);
  expect(listParts({ ...nothing, badges: {} })).toEqual([]);
});

test("a part reserves at most five rows, and doubtful costs are one row", () => {
  const parts = listParts({
    badges: { ...nothing.badges, alerts: 50, increase_requests: 1, access_reviews: 2 },
    counts: { expiring_keys: 3, doubtful_requests: 40, refusal_causes: 0 },
    forecasts: 1,
  });
  expect(parts).toEqual([
    { name: "blocked_soon", count: 1, rows: 1 },
    { name: "open_alerts", count: 50, rows: 5 },
    { name: "to_decide", count: 4, rows: 4 },
    { name: "expiring_keys", count: 3, rows: 3 },
  ]);
});

test("two columns have similar heights and keep the order of the parts", () => {
  const part = (name: "blocked_now" | "open_alerts" | "failing", rows: number) => {
    return { name, count: rows, rows };
  };
  const parts = [part("blocked_now", 1), part("open_alerts", 5), part("failing", 2)];
  const namesOf = (columns: ReturnType<typeof splitParts>) =>
    columns.map((column) => column.map(({ name }) => name));
  expect(namesOf(splitParts(parts))).toEqual([["blocked_now", "open_alerts"], ["failing"]]);
  expect(namesOf(splitParts(parts.toReversed()))).toEqual([
    ["failing"],
    ["open_alerts", "blocked_now"],
  ]);
  expect(namesOf(splitParts(parts.slice(0, 1)))).toEqual([["blocked_now"], []]);
  expect(splitParts([])).toEqual([[], []]);
});
