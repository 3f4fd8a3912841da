import { expect, test } from "vitest";
import { decideRefresh, REPLACE_AFTER_MS, type RefreshState } from "./refresh.rule.ts";

const NOW = Date.UTC(2026, 10, 29);
const fresh: RefreshState = { generation: 5, isConfirmed: true, rotatedAtMs: NOW - 1 };
const waiting: RefreshState = { ...fresh, isConfirmed: false };

test("a refresh within a day changes nothing", () => {
  expect(decideRefresh(fresh, 5, NOW)).toEqual(fresh);
});

test("a refresh after a day replaces the token once, whatever is presented next", () => {
  const nextDay = NOW + REPLACE_AFTER_MS;
  const replaced = { generation: 6, isConfirmed: false, rotatedAtMs: nextDay };
  expect(decideRefresh(fresh, 5, nextDay)).toEqual(replaced);
  // The response was lost, and the client presents the older token again.
  expect(decideRefresh(replaced, 5, nextDay + 1)).toEqual(replaced);
  expect(decideRefresh(replaced, 6, nextDay + 1)).toEqual({ ...replaced, isConfirmed: true });
});

test("a token before the confirmed one ends the laptop", () => {
  expect(decideRefresh(fresh, 4, NOW)).toBeNull();
  expect(decideRefresh(waiting, 3, NOW)).toBeNull();
  expect(decideRefresh(waiting, 4, NOW)).toEqual(waiting);
});

test("a token that a failover lost is the newest one", () => {
  expect(decideRefresh(fresh, 7, NOW)).toEqual({ ...fresh, generation: 7 });
});
