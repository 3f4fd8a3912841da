import { describe, expect, test } from "vitest";
import { readOptions } from "./options.ts";

const read = (...args: string[]) => readOptions(args, "results.json");

describe("readOptions", () => {
  test("without options, measures all cases of this tree three times", () => {
    expect(read()).toMatchObject({
      mode: "ingest",
      before: null,
      keys: [10, 100, 1_000, 10_000],
      nodes: [1, 2, 4, 8],
      limits: "none",
      ratePerSecond: null,
      requests: null,
      turns: 3,
      output: "results.json",
    });
  });

  test("reads lists and units", () => {
    const args = "--before main --keys 10,1000 --nodes 8 --limits keys --rate 1500 --warm-up 0";
    expect(read(...args.split(" "))).toMatchObject({
      before: "main",
      keys: [10, 1_000],
      nodes: [8],
      limits: "keys",
      ratePerSecond: 1_500,
      warmUpSeconds: 0,
    });
  });

  test("--visible has one case at 5,000 requests a second, unless others are set", () => {
    expect(read("--visible")).toMatchObject({
      mode: "visible",
      keys: [1_000],
      nodes: [2],
      ratePerSecond: 5_000,
      turns: 1,
    });
    expect(read("--visible", "--rate", "300", "--nodes", "1,4")).toMatchObject({
      nodes: [1, 4],
      ratePerSecond: 300,
    });
  });

  test.each([
    ["an unknown option", ["--key", "10"], "--key"],
    ["a number that is no whole number", ["--keys", "10,1e3"], "--keys"],
    ["no node", ["--nodes", "0"], "--nodes"],
    ["unknown scopes", ["--limits", "members"], "--limits"],
    ["hours without a number of requests", ["--hours", "24"], "--requests"],
    ["fewer requests than five backlogs", ["--requests", "499", "--backlog", "100"], "--backlog"],
    [
      "hours with strict limits",
      ["--hours", "24", "--requests", "1000000", "--limits", "keys"],
      "--limits",
    ],
    ["a probe key for each node, and no other", ["--visible", "--keys", "2"], "more keys"],
  ])("refuses %s", (_, args, message) => {
    expect(() => read(...args)).toThrow(message);
  });
});
