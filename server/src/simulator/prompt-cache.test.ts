import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { PromptBlock } from "./count-tokens.ts";
import { MIN_CACHED_TOKENS, makePromptCache } from "./prompt-cache.ts";

const MINUTE = 60_000;

describe("the prompt cache", () => {
  test("writes a new prefix and reads it when it is repeated in time", () => {
    const cache = makePromptCache();
    const prompt = [block("a", 2_000, "5m"), block("question", 10)];
    expect(cache.use("m", prompt, 0)).toEqual({
      input: 10,
      cacheRead: 0,
      cacheWrite5m: 2_000,
      cacheWrite1h: 0,
    });
    expect(cache.use("m", prompt, 1)).toEqual({
      input: 10,
      cacheRead: 2_000,
      cacheWrite5m: 0,
      cacheWrite1h: 0,
    });
  });

  test("expires after the TTL, which each read renews", () => {
    const cache = makePromptCache();
    const prompt = [block("a", 2_000, "5m")];
    cache.use("m", prompt, 0);
    expect(cache.use("m", prompt, 4 * MINUTE).cacheRead).toBe(2_000);
    expect(cache.use("m", prompt, 8 * MINUTE).cacheRead).toBe(2_000);
    expect(cache.use("m", prompt, 13 * MINUTE)).toMatchObject({
      cacheRead: 0,
      cacheWrite5m: 2_000,
    });
    const hour = [block("b", 2_000, "1h")];
    cache.use("m", hour, 0);
    expect(cache.use("m", hour, 59 * MINUTE).cacheRead).toBe(2_000);
  });

  test("splits writes by the TTL of each breakpoint", () => {
    const prompt = [block("a", 2_000, "1h"), block("b", 300), block("c", 500, "5m"), block("d", 7)];
    expect(makePromptCache().use("m", prompt, 0)).toEqual({
      input: 7,
      cacheRead: 0,
      cacheWrite5m: 800,
      cacheWrite1h: 2_000,
    });
  });

  test("finds the prefix of an earlier turn in a longer conversation", () => {
    const cache = makePromptCache();
    const turn = [block("system", 2_000), block("question", 100, "5m")];
    cache.use("m", turn, 0);
    const grown = [
      block("system", 2_000),
      block("question", 100),
      block("answer", 50),
      block("next", 20, "5m"),
    ];
    expect(cache.use("m", grown, 1)).toEqual({
      input: 0,
      cacheRead: 2_100,
      cacheWrite5m: 70,
      cacheWrite1h: 0,
    });
  });

  test("is separate by model, and any difference before a breakpoint is another prefix", () => {
    const cache = makePromptCache();
    cache.use("m", [block("a", 2_000, "5m")], 0);
    expect(cache.use("other", [block("a", 2_000, "5m")], 0).cacheRead).toBe(0);
    expect(cache.use("m", [block("b", 2_000, "5m")], 0).cacheRead).toBe(0);
    expect(cache.use("m", [block("z", 1), block("a", 2_000, "5m")], 0).cacheRead).toBe(0);
  });

  test("ignores short prefixes and prompts without a breakpoint", () => {
    const cache = makePromptCache();
    for (const prompt of [
      [block("a", MIN_CACHED_TOKENS - 1, "5m" as const)],
      [block("a", 5_000)],
    ]) {
      for (let i = 0; i < 2; i++) expect(cache.use("m", prompt, 0).input).toBe(prompt[0]?.tokens);
    }
  });

  test("stores a limited number of the newest prefixes", () => {
    const cache = makePromptCache(2);
    for (const name of ["a", "b", "c"]) cache.use("m", [block(name, 2_000, "5m")], 0);
    expect(cache.use("m", [block("c", 2_000, "5m")], 0).cacheRead).toBe(2_000);
    expect(cache.use("m", [block("a", 2_000, "5m")], 0).cacheRead).toBe(0);
  });

  test("parts always sum to the prompt", () => {
    const cache = makePromptCache(50);
    const anyBlock = fc.tuple(
      fc.constantFrom("a", "b", "c"),
      fc.integer({ min: 1, max: 3_000 }),
      fc.constantFrom("5m" as const, "1h" as const, null),
    );
    fc.assert(
      fc.property(
        fc.array(anyBlock, { maxLength: 30 }),
        fc.nat(2 * 60 * MINUTE),
        (parts, nowMs) => {
          const prompt = parts.map(([name, tokens, ttl]) => block(name, tokens, ttl));
          const { input, cacheRead, cacheWrite5m, cacheWrite1h } = cache.use("m", prompt, nowMs);
          expect(Math.min(input, cacheRead, cacheWrite5m, cacheWrite1h)).toBeGreaterThanOrEqual(0);
          expect(input + cacheRead + cacheWrite5m + cacheWrite1h).toBe(
            parts.reduce((sum, [, tokens]) => sum + tokens, 0),
          );
        },
      ),
    );
  });
});

function block(name: string, tokens: number, ttl: "5m" | "1h" | null = null): PromptBlock {
  return { tokens, ttl, identity: () => name };
}
