import { describe, expect, test } from "vitest";
import { readDirectives } from "./directives.ts";

const nothing = {
  model: "claude-sonnet-5",
  slowMs: 0,
  paceMs: 0,
  errorStatus: null,
  cutAfter: null,
  isCutInsideEvent: false,
  hangAfter: null,
  breakAfter: null,
  isRefusal: false,
  isExpired: false,
  isUncancelable: false,
  words: null,
  usage: {},
};

describe("a model name with the prefix simulate-", () => {
  test.each<[string, object]>([
    ["simulate-slow-250", { slowMs: 250 }],
    ["simulate-pace-20", { paceMs: 20 }],
    ["simulate-error-503", { errorStatus: 503 }],
    ["simulate-overloaded", { errorStatus: 529 }],
    ["simulate-cut", { cutAfter: 0 }],
    ["simulate-cut-7", { cutAfter: 7 }],
    ["simulate-tear-7", { cutAfter: 7, isCutInsideEvent: true }],
    ["simulate-hang", { hangAfter: 0 }],
    ["simulate-hang-3", { hangAfter: 3 }],
    ["simulate-break", { breakAfter: 1 }],
    ["simulate-refuse", { isRefusal: true }],
    ["simulate-impossible", { usage: { output: 2_000_000_000 } }],
    ["simulate-words-2000", { words: 2_000 }],
    ["simulate-slow-100-words-5-cut-2", { slowMs: 100, words: 5, cutAfter: 2 }],
    ["simulate-as-claude-opus-5-5", { model: "claude-opus-5-5" }],
    ["simulate-slow-1-as-simulate-slow-2", { slowMs: 1, model: "simulate-slow-2" }],
    [
      "simulate-usage-in1-out2-read3-write5m4-write1h5-search6-think7",
      {
        usage: {
          input: 1,
          output: 2,
          cacheRead: 3,
          cacheWrite5m: 4,
          cacheWrite1h: 5,
          webSearches: 6,
          thinking: 7,
        },
      },
    ],
    [
      "simulate-us-fast-batch",
      { usage: { inferenceGeo: "us", speed: "fast", serviceTier: "batch" } },
    ],
    ["simulate-priority-in999999999", { usage: { serviceTier: "priority", input: 100_000_000 } }],
  ])("%s", (model, expected) => {
    expect(readDirectives(model)).toEqual({ ...nothing, ...expected });
  });

  test.each([
    ["simulate-", ""],
    ["simulate-slow", "slow"],
    ["simulate-slow-x", "slow"],
    ["simulate-error-200", "error"],
    ["simulate-words-9999999", "words"],
    ["simulate-in", "in"],
    ["simulate-as", "as"],
    ["simulate-constructor", "constructor"],
    ["simulate-toString-1", "toString"],
  ])("rejects %s at %j", (model, unknown) => {
    expect(readDirectives(model)).toEqual({ unknown });
  });
});

test("ignores any other name", () => {
  for (const model of ["claude-sonnet-5", "simulate", "x-simulate-slow-5", ""]) {
    expect(readDirectives(model)).toBeNull();
  }
});
