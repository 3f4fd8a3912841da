import { expect, test } from "vitest";
import {
  chooseMode,
  choosePrompt,
  chooseWarmUp,
  coldLoad,
  defaultDurations,
  getLoadScenario,
  loadScenarios,
  quickDurations,
  scenarios,
} from "./scenarios.ts";

test("every scenario has its own name and title", () => {
  expect(new Set(scenarios.map(({ name }) => name)).size).toBe(scenarios.length);
  expect(new Set(loadScenarios.map(({ title }) => title)).size).toBe(loadScenarios.length);
});

test("a fixed rate lasts for its duration", () => {
  expect(chooseMode(getLoadScenario("json-rate"), defaultDurations)).toMatchObject({
    kind: "open",
    ratePerSecond: 1_000,
    count: 8_000,
  });
  expect(coldLoad(defaultDurations).mode).toMatchObject({ ratePerSecond: 1_000, count: 5_000 });
});

test("full load keeps the connections of its scenario busy, and fewer in a quick run", () => {
  const scenario = getLoadScenario("stream-40");
  expect(chooseMode(scenario, defaultDurations)).toMatchObject({ connections: 512 });
  expect(chooseMode(scenario, quickDurations)).toMatchObject({ connections: 16 });
});

test("a quick run shortens the pauses of a stream, and keeps its deltas", () => {
  const scenario = getLoadScenario("stream-400");
  expect(choosePrompt(scenario, defaultDurations).stream).toEqual({ deltas: 400, intervalMs: 10 });
  expect(choosePrompt(scenario, quickDurations).stream).toEqual({ deltas: 400, intervalMs: 1 });
  expect(choosePrompt(getLoadScenario("json-1.5k"), quickDurations).stream).toBeNull();
});

test("only a run after quiet has no warm-up", () => {
  const cold = loadScenarios.filter(
    (scenario) => chooseWarmUp(scenario, { durations: defaultDurations, isFirst: true }) === null,
  );
  expect(cold.map(({ name }) => name)).toEqual(["json-quiet"]);
});

test("later turns have a shorter warm-up", () => {
  const warmUp = (isFirst: boolean) =>
    chooseWarmUp(getLoadScenario("json-20k"), { durations: defaultDurations, isFirst });
  expect(warmUp(true)).toMatchObject({ kind: "closed", durationMs: 2_000 });
  expect(warmUp(false)).toMatchObject({ kind: "closed", durationMs: 500 });
});
