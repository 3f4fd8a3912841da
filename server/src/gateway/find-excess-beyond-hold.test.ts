import { describe, expect, test } from "vitest";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import {
  addResult,
  keepAnchor,
  type StreamSeen,
  seeNothing,
  setToolUses,
} from "#src/domain/stream-bound.ts";
import { findStreamTerms } from "#src/domain/stream-terms.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import { atMs, book, requestOf } from "#test/harness/hold-requests.ts";
import { findExcessBeyondHold } from "./find-excess-beyond-hold.rule.ts";

const model = "claude-opus-5";
const search = "web_search_20250305";

function termsOf(tools: readonly string[] = []) {
  const serverTools = tools.map((type) => ({ type, maxUses: null, model: null }));
  const request = requestOf({ model, maxTokens: 10_000, serverTools });
  const limits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
  const terms = findStreamTerms(request, computeWorstCost(request, book, atMs), limits);
  if (terms === null) throw new Error("the request is held whole");
  return terms;
}

describe("a stream that cost more than its hold", () => {
  const find = (seen: StreamSeen, tools: readonly string[], pausedUntilMs: number | null = null) =>
    findExcessBeyondHold({ model, terms: termsOf(tools), seen, endedMs: 8_000, pausedUntilMs });

  function seeResult(afterMs: number): StreamSeen {
    const seen = seeNothing(0);
    seen.start = { inputNanoUsd: 0n, promptTokens: 1_000, cachedTokens: 0, isGlobal: true };
    setToolUses(seen, { uses: 1, searches: 1, atMs: 5_000 });
    addResult(termsOf([search]), seen, { size: null, atMs: 5_000 + afterMs });
    return seen;
  }

  test("names a tool whose result came within a second of its use", () => {
    const seen = seeResult(999);
    // The prompt, and the figure of a result.
    const excess = { kind: "tool", name: search, observed: 16_000, allowed: 0 };
    expect(find(seen, [search])).toEqual([excess]);
  });

  test("names no tool whose result came a second after its use", () => {
    expect(find(seeResult(1_000), [search])).toEqual([]);
  });

  test("names no tool after a pause of the process, which reads a use and its result at once", () => {
    expect(find(seeResult(100), [search], 3_100)).toEqual([]);
    expect(find(seeResult(100), [search], 3_099)).toHaveLength(1);
  });

  test("names its model after a burst that the average speed hides", () => {
    const terms = termsOf();
    const seen = seeNothing(0);
    seen.start = { inputNanoUsd: 0n, promptTokens: 1_000, cachedTokens: 0, isGlobal: true };
    // A silent stream, and then 1,001 tokens within a second. Opus has 100 tokens per second.
    Object.assign(seen, { lastReadMs: 0, outputTokens: 901, finalNanoUsd: 1n });
    keepAnchor(terms, seen, 8_000);
    expect(find(seen, [])).toEqual([{ kind: "model", name: model, observed: 113, allowed: 100 }]);
    expect(find({ ...seen, outputTokens: 900 }, [])).toEqual([]);
    expect(find({ ...seen, finalNanoUsd: null }, [])).toEqual([]);
  });
});
