import { expect, test } from "vitest";
import { parseOptions } from "./options.ts";
import { scenarios } from "./scenarios.ts";

const names = (args: readonly string[]) => parseOptions(args).scenarios.map(({ name }) => name);

test("runs all scenarios on the usual targets without options", () => {
  expect(parseOptions([])).toEqual({
    isQuick: false,
    targets: ["direct", "nginx", "bursar"],
    scenarios,
    turns: 3,
    cores: 1,
    processes: 1,
    addsToLast: false,
  });
});

test("keeps the usual order of chosen scenarios and targets", () => {
  expect(names(["--scenario", "json-rate", "--scenario", "json-1.5k"])).toEqual([
    "json-1.5k",
    "json-rate",
  ]);
  expect(parseOptions(["--target", "bursar-node", "--target", "nginx"]).targets).toEqual([
    "nginx",
    "bursar-node",
  ]);
});

test("a quick run has one turn unless a number is given", () => {
  expect(parseOptions(["--quick"]).turns).toBe(1);
  expect(parseOptions(["--quick", "--turns", "2"]).turns).toBe(2);
});

test.each([
  [["--target", "apache"], "Unknown target: apache."],
  [["--scenario", "json"], "Unknown scenario: json."],
  [["--turns", "0"], "--turns"],
  [["--cores", "two"], "--cores"],
  [["--processes", "1.5"], "--processes"],
])("refuses %j", (args, message) => {
  expect(() => parseOptions(args)).toThrow(message);
});
