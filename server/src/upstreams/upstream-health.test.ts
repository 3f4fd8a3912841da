import { expect, test } from "vitest";
import { MAX_FAILURES_IN_ROW, OPEN_MS, UpstreamHealth } from "./upstream-health.ts";

const START_MS = 1_000_000;

function openedHealth(): UpstreamHealth {
  const health = new UpstreamHealth();
  for (let i = 0; i < MAX_FAILURES_IN_ROW; i++) {
    expect(health.admit(START_MS)).toBe(true);
    health.noteFailure("ECONNREFUSED", START_MS);
  }
  return health;
}

test("opens after failures in a row, and an answer in between starts the count again", () => {
  const health = new UpstreamHealth();
  for (let i = 1; i < 3 * MAX_FAILURES_IN_ROW; i++) {
    if (i % MAX_FAILURES_IN_ROW === 0) health.noteAnswer(529, START_MS);
    else health.noteAnswer(503, START_MS);
  }
  expect(health.facts()).toMatchObject({ state: "closed", answers: 2, lastFailure: "http_503" });
  expect(openedHealth().facts().state).toBe("open");
});

test("admits one request after its time, and doubles the time when that fails, up to the longest", () => {
  const health = openedHealth();
  let nowMs = START_MS;
  for (const openMs of [5_000, 10_000, 20_000, 40_000, 60_000, 60_000]) {
    expect(health.admit(nowMs + openMs - 1)).toBe(false);
    nowMs += openMs;
    expect([health.admit(nowMs), health.admit(nowMs)]).toEqual([true, false]);
    health.noteFailure("UND_ERR_CONNECT_TIMEOUT", nowMs);
    expect(health.facts().state).toBe("open");
  }
  expect(health.admit(nowMs + OPEN_MS.most)).toBe(true);
  health.noteAnswer(200, nowMs + OPEN_MS.most);
  expect(health.facts()).toMatchObject({ state: "closed", failuresInRow: 0 });
});

test("admits the next request when the one that tried shows nothing", () => {
  const health = openedHealth();
  expect(health.admit(START_MS + OPEN_MS.least)).toBe(true);
  health.noteNothing();
  expect(health.admit(START_MS + OPEN_MS.least)).toBe(true);
});

test("admits another request when the one that tried has not ended for the longest time", () => {
  const health = openedHealth();
  const atMs = START_MS + OPEN_MS.least;
  expect(health.admit(atMs)).toBe(true);
  expect(health.admit(atMs + OPEN_MS.most - 1)).toBe(false);
  expect(health.admit(atMs + OPEN_MS.most)).toBe(true);
});

test("admits a request when the clock is set back", () => {
  expect(openedHealth().admit(START_MS - 1)).toBe(true);
});
