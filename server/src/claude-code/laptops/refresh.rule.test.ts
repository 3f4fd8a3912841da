import { expect, test } from "vitest";
import {
  decideRefresh,
  OTHER_CLIENTS_MS,
  REPLACE_AFTER_MS,
  type RefreshState,
} from "./refresh.rule.ts";

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
  const confirmed = { ...replaced, isConfirmed: true, rotatedAtMs: nextDay + 1 };
  expect(decideRefresh(replaced, 6, nextDay + 1)).toEqual(confirmed);
});

test("a new token is confirmed before it is replaced, also after more than a day", () => {
  const later = NOW + 3 * REPLACE_AFTER_MS;
  const confirmed = { ...waiting, isConfirmed: true, rotatedAtMs: later };
  expect(decideRefresh(waiting, 5, later)).toEqual(confirmed);
});

test("another running client presents the token before the newest one, and for two hours the one before that", () => {
  const confirmed = { ...fresh, rotatedAtMs: NOW };
  const endMs = NOW + OTHER_CLIENTS_MS;
  expect(decideRefresh(confirmed, 4, endMs + REPLACE_AFTER_MS)).toEqual(confirmed);
  expect(decideRefresh(confirmed, 3, endMs - 1)).toEqual(confirmed);
  expect(decideRefresh(confirmed, 3, endMs)).toBeNull();
});

test("an older token ends the laptop", () => {
  expect(decideRefresh(fresh, 2, NOW)).toBeNull();
  expect(decideRefresh(waiting, 2, NOW + OTHER_CLIENTS_MS)).toBeNull();
  expect(decideRefresh(waiting, 3, NOW + OTHER_CLIENTS_MS)).toEqual(waiting);
});

test("a token that a failover lost is the newest one", () => {
  const confirmed = { generation: 7, isConfirmed: true, rotatedAtMs: NOW };
  expect(decideRefresh(fresh, 7, NOW)).toEqual(confirmed);
});
