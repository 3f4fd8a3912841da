import { expect, test } from "vitest";
import {
  defaultDurations,
  getLoadScenario,
  quickDurations,
  type StartScenario,
  scenarios,
} from "./scenarios.ts";
import { groupByProcess, isTooFast, orderFor } from "./turns.ts";

const starts = scenarios.filter((scenario): scenario is StartScenario => scenario.kind !== "load");
const namesOf = (groups: readonly StartScenario[][]) =>
  groups.map((group) => group.map(({ name }) => name));

test("cold requests have a process of their own, idle and slow streams share one", () => {
  expect(namesOf(groupByProcess(starts, defaultDurations))).toEqual([
    ["start"],
    ["cold"],
    ["idle", "slow-streams"],
  ]);
});

test("a quick run measures all of a started process at once", () => {
  expect(namesOf(groupByProcess(starts, quickDurations))).toEqual([
    ["start"],
    ["cold", "idle", "slow-streams"],
  ]);
});

test("targets change their order with each turn", () => {
  const targets = ["nginx", "bursar", "portkey"];
  expect(orderFor(1, targets)).toEqual(["nginx", "bursar", "portkey"]);
  expect(orderFor(2, targets)).toEqual(["portkey", "bursar", "nginx"]);
  expect(orderFor(3, targets)).toEqual(orderFor(1, targets));
});

test("a target does not get more JSON a second than it answers", () => {
  expect(isTooFast(getLoadScenario("json-rate"), 900)).toBe(true);
  expect(isTooFast(getLoadScenario("json-rate"), 1_100)).toBe(false);
  expect(isTooFast(getLoadScenario("json-1.5k"), 10)).toBe(false);
  expect(isTooFast(getLoadScenario("stream-40-rate"), 10)).toBe(false);
});
