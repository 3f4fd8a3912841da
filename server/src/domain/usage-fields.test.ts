import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type BilledUsage, noTokens } from "./usage.ts";
import {
  applyMessageDelta,
  MAX_ITERATIONS,
  MAX_TOKENS,
  raiseUsage,
  readMessageUsage,
  toDimensions,
} from "./usage-fields.ts";

function read(usage: unknown, model: unknown = "claude-opus-5"): BilledUsage {
  const billed = readMessageUsage({ model, usage });
  if (!billed) throw new Error("no usage was read");
  return billed;
}

const start = read({
  input_tokens: 100,
  cache_creation_input_tokens: 70,
  cache_read_input_tokens: 40,
  cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 50 },
  output_tokens: 3,
  server_tool_use: { web_search_requests: 1, web_fetch_requests: 2 },
  service_tier: "priority",
  inference_geo: "us",
  speed: "fast",
});

describe("the usage of a message", () => {
  test("is read field by field", () => {
    expect(start).toEqual({
      model: "claude-opus-5",
      total: {
        inputTokens: 100,
        cacheWrite5mTokens: 20,
        cacheWrite1hTokens: 50,
        cacheReadTokens: 40,
        outputTokens: 3,
        webSearches: 1,
      },
      iterations: null,
      serviceTier: "priority",
      inferenceGeo: "us",
      speed: "fast",
    });
  });

  test("is null if the message has none", () => {
    for (const message of [null, undefined, 1, "text", [], {}, { usage: null }, { usage: [] }]) {
      expect(readMessageUsage(message)).toBeNull();
    }
    expect(readMessageUsage({ model: "m", usage: {} })).toBeNull();
    expect(readMessageUsage({ model: "m", usage: { input_tokens: null } })).toBeNull();
  });

  test("names the counts that are missing or invalid", () => {
    const unknownOf = (usage: unknown) => readMessageUsage({ model: "m", usage })?.unknownCounts;
    expect(unknownOf({ input_tokens: 1, output_tokens: 2 })).toBeUndefined();
    expect(unknownOf({ input_tokens: 1 })).toEqual({ output: "missing" });
    expect(unknownOf({ output_tokens: 2, input_tokens: null })).toEqual({ input: "missing" });
    expect(unknownOf({ input_tokens: "many" })).toEqual({ input: "invalid", output: "missing" });
    expect(unknownOf({ input_tokens: 1, output_tokens: MAX_TOKENS + 1 })).toEqual({
      output: "invalid",
    });
    const rest = { input_tokens: 1, output_tokens: 2 };
    expect(unknownOf({ ...rest, cache_read_input_tokens: -1 })).toEqual({ input: "invalid" });
    expect(unknownOf({ ...rest, server_tool_use: { web_search_requests: "3" } })).toEqual({
      searches: "invalid",
    });
  });

  test("contains the requested model only if the response has none", () => {
    const usage = { input_tokens: 1, output_tokens: 1 };
    expect(readMessageUsage({ model: "resolved", usage }, "asked")?.model).toBe("resolved");
    for (const model of [undefined, null, "", 5]) {
      expect(readMessageUsage({ model, usage }, "asked")?.model).toBe("asked");
    }
  });

  test.each([
    ["negative", -1, 0],
    ["text", "12", 0],
    ["not finite", Number.POSITIVE_INFINITY, 0],
    ["no number", Number.NaN, 0],
    ["absurd", MAX_TOKENS + 1, 0],
    ["an object", {}, 0],
    ["a boolean", true, 0],
    ["a fraction", 2.1, 3],
  ])("a count of %s marks the usage as doubtful", (_, count, inputTokens) => {
    const billed = read({ input_tokens: count, output_tokens: 5 });
    expect(billed.total).toEqual({ ...noTokens, inputTokens, outputTokens: 5 });
    expect(billed.isDoubtful).toBe(true);
  });

  test("never throws, and every number is a count, for any input", () => {
    const anything = fc.anything({ withBigInt: true, withNullPrototype: true });
    const field = fc.constantFrom(
      "input_tokens",
      "output_tokens",
      "cache_creation_input_tokens",
      "cache_read_input_tokens",
      "cache_creation",
      "server_tool_use",
      "iterations",
      "service_tier",
    );
    const wild = fc.dictionary(field, anything);
    fc.assert(
      fc.property(wild, wild, anything, (usage, delta, other) => {
        const first = readMessageUsage({ model: other, usage }) ?? start;
        for (const billed of [
          first,
          applyMessageDelta(first, delta),
          applyMessageDelta(first, other),
        ]) {
          for (const number of Object.values(billed.total)) {
            expect(Number.isInteger(number) && number >= 0).toBe(true);
          }
        }
      }),
      { numRuns: 1000 },
    );
  });
});

describe("a message_delta", () => {
  test("replaces its own fields and keeps fields that are missing or null", () => {
    const delta = {
      output_tokens: 900,
      input_tokens: null,
      cache_creation_input_tokens: null,
      cache_read_input_tokens: 60,
    };
    expect(applyMessageDelta(start, delta)).toEqual({
      ...start,
      total: { ...start.total, outputTokens: 900, cacheReadTokens: 60 },
    });
  });

  test("is cumulative, so applying it twice changes nothing", () => {
    const delta = { output_tokens: 900, input_tokens: 120, cache_creation_input_tokens: 90 };
    const once = applyMessageDelta(start, delta);
    expect(applyMessageDelta(once, delta)).toEqual(once);
  });

  test("replaces output even below the placeholder of the start", () => {
    expect(applyMessageDelta(start, { output_tokens: 1 }).total.outputTokens).toBe(1);
  });

  test("cache writes beyond the split of the start count as 5m", () => {
    const { total } = applyMessageDelta(start, {
      output_tokens: 1,
      cache_creation_input_tokens: 95,
    });
    expect(total).toMatchObject({ cacheWrite5mTokens: 45, cacheWrite1hTokens: 50 });
  });

  test("web searches are replaced", () => {
    const delta = { output_tokens: 1, server_tool_use: { web_search_requests: 4 } };
    expect(applyMessageDelta(start, delta).total.webSearches).toBe(4);
  });

  test("an unreadable one keeps the known usage and marks it", () => {
    expect(applyMessageDelta(start, null)).toEqual(start);
    const delta = applyMessageDelta(start, { output_tokens: -4 });
    const unknownCounts = { output: "invalid" };
    expect(delta).toEqual({ ...start, isDoubtful: true, unknownCounts });
    const later = applyMessageDelta(delta, { output_tokens: 9 });
    expect(later.isDoubtful).toBe(true);
    expect(later.unknownCounts).toBeUndefined();
    expect(applyMessageDelta(delta, { input_tokens: 9 }).unknownCounts).toEqual(unknownCounts);
  });
});

const call = (type: string, input: number, output: number, model?: string) => ({
  type,
  model,
  input_tokens: input,
  output_tokens: output,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
});

describe("iterations", () => {
  test("their sum is reported, with compaction in addition to the response's totals", () => {
    const billed = read({
      input_tokens: 100,
      output_tokens: 20,
      server_tool_use: { web_search_requests: 2 },
      iterations: [call("compaction", 5000, 300), call("message", 100, 20, "claude-opus-5")],
    });
    expect(billed.total).toEqual({
      ...noTokens,
      inputTokens: 5100,
      outputTokens: 320,
      webSearches: 2,
    });
    expect(billed.iterations?.map((iteration) => iteration.model)).toEqual([null, "claude-opus-5"]);
  });

  test("of a delta replace those of the start", () => {
    const first = read({
      input_tokens: 100,
      output_tokens: 1,
      iterations: [call("message", 100, 1)],
    });
    const delta = {
      output_tokens: 50,
      iterations: [call("message", 100, 20), call("fallback_message", 100, 30, "claude-opus-4-8")],
    };
    const { total, iterations } = applyMessageDelta(first, delta);
    expect(iterations).toHaveLength(2);
    expect(total).toEqual({ ...noTokens, inputTokens: 200, outputTokens: 50 });
  });

  test("older than the totals grow with the totals", () => {
    const first = read({
      input_tokens: 100,
      output_tokens: 1,
      iterations: [call("message", 100, 1)],
    });
    const { total, iterations } = applyMessageDelta(first, { output_tokens: 50 });
    expect(total).toEqual({ ...noTokens, inputTokens: 100, outputTokens: 50 });
    expect(iterations?.[0]?.usage.outputTokens).toBe(50);
  });

  test("with compaction only get the message as another call", () => {
    const billed = read({
      input_tokens: 100,
      output_tokens: 7,
      iterations: [call("compaction", 900, 30)],
    });
    expect(billed.iterations).toHaveLength(2);
    expect(billed.total).toEqual({ ...noTokens, inputTokens: 1000, outputTokens: 37 });
  });

  test("without the split by TTL use the totals' split", () => {
    const billed = read({
      input_tokens: 1,
      output_tokens: 1,
      cache_creation_input_tokens: 300,
      cache_creation: { ephemeral_5m_input_tokens: 100, ephemeral_1h_input_tokens: 200 },
      iterations: [
        { ...call("message", 1, 1), cache_creation_input_tokens: 120 },
        { ...call("message", 0, 0), cache_creation_input_tokens: 180 },
      ],
    });
    expect(billed.total).toMatchObject({ cacheWrite5mTokens: 100, cacheWrite1hTokens: 200 });
  });

  test("never make a request smaller than its totals", () => {
    const counts = fc.integer({ min: 0, max: 1000 });
    const usage = fc.record({
      input_tokens: counts,
      output_tokens: counts,
      cache_read_input_tokens: counts,
      cache_creation: fc.record({
        ephemeral_5m_input_tokens: counts,
        ephemeral_1h_input_tokens: counts,
      }),
    });
    const iterations = fc.array(
      fc
        .tuple(fc.constantFrom("message", "compaction", "advisor_message"), usage)
        .map(([type, of]) => ({
          type,
          ...of,
        })),
    );
    fc.assert(
      fc.property(usage, iterations, (of, calls) => {
        const whole = read(of).total;
        const { total } = read({ ...of, iterations: calls });
        const writes = (t: typeof total) => t.cacheWrite5mTokens + t.cacheWrite1hTokens;
        expect(total.inputTokens >= whole.inputTokens).toBe(true);
        expect(total.outputTokens >= whole.outputTokens).toBe(true);
        expect(total.cacheReadTokens >= whole.cacheReadTokens).toBe(true);
        expect(writes(total) >= writes(whole)).toBe(true);
        expect(total.cacheWrite1hTokens >= whole.cacheWrite1hTokens).toBe(true);
      }),
    );
  });

  test("beyond the bound are added to the last one, so that no token is lost", () => {
    const calls = Array.from({ length: MAX_ITERATIONS + 50 }, () => call("message", 10, 1));
    const billed = read({ input_tokens: 1, output_tokens: 1, iterations: calls });
    expect(billed.iterations).toHaveLength(MAX_ITERATIONS);
    expect(billed.total.inputTokens).toBe(10 * calls.length);
    expect(billed.isDoubtful).toBe(true);
  });
});

describe("an estimate of the output", () => {
  test("raises the known usage and never lowers it", () => {
    const seen = (outputTokens: number, webSearches = 0) => ({ outputTokens, webSearches });
    expect(raiseUsage(start, seen(10.2)).total).toEqual({ ...start.total, outputTokens: 11 });
    expect(raiseUsage(start, seen(2, 3)).total).toEqual({ ...start.total, webSearches: 3 });
    expect(raiseUsage(start, seen(2, 1))).toEqual(start);
    expect(raiseUsage(start, seen(Number.NaN))).toEqual(start);
  });

  test("is added to the iterations, which determine the price", () => {
    const first = read({ input_tokens: 9, output_tokens: 1, iterations: [call("message", 9, 1)] });
    const { total, iterations } = raiseUsage(first, { outputTokens: 400, webSearches: 0 });
    expect(total.outputTokens).toBe(400);
    expect(iterations?.[0]?.usage.outputTokens).toBe(400);
  });
});

test("dimensions of a report are from closed lists", () => {
  expect(toDimensions(start)).toEqual({
    serviceTier: "priority",
    inferenceGeo: "us",
    speed: "fast",
  });
  const bare = { ...start, serviceTier: null, inferenceGeo: null, speed: null };
  expect(toDimensions(bare)).toEqual({
    serviceTier: "standard",
    inferenceGeo: "not_available",
    speed: "standard",
  });
  const odd = { ...start, serviceTier: "x1", inferenceGeo: "x2", speed: "x3" };
  expect(toDimensions(odd)).toEqual({
    serviceTier: "other",
    inferenceGeo: "other",
    speed: "other",
  });
});
