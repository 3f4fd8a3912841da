import { expect, test } from "vitest";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { addResult, findStreamTerms, seeNothing, setToolUses } from "#src/domain/stream-bound.ts";
import { noTokens } from "#src/domain/usage.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import { atMs, book, requestOf } from "#test/harness/hold-requests.ts";
import { findExcess } from "./find-excess.rule.ts";

const model = "claude-opus-5";

function termsOf(tools: readonly string[] = []) {
  const serverTools = tools.map((type) => ({ type, maxUses: null, model: null }));
  const request = requestOf({ model, maxTokens: 10_000, serverTools });
  const limits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
  const terms = findStreamTerms(request, computeWorstCost(request, book, atMs), limits);
  if (terms === null) throw new Error("the request is held whole");
  return terms;
}

test("a stream has no excess up to the output that its hold covers", () => {
  const find = (outputTokens: number) => {
    const usage = { ...noTokens, inputTokens: 10, outputTokens };
    return findExcess({ model, terms: termsOf(), seen: seeNothing(0), usage, endedMs: 7_000 });
  };
  // Opus has 100 tokens per second, and its hold covers three seconds in advance.
  expect(find(1_000)).toEqual([]);
  expect(find(1_001)).toEqual([{ kind: "model", name: model, observed: 143, allowed: 100 }]);
});

test("results above their figures name each tool of the request", () => {
  const terms = termsOf(["web_search_20250305", "web_fetch_20250910"]);
  const find = (nextPromptTokens: number) => {
    const seen = seeNothing(0);
    seen.start = { inputNanoUsd: 0n, promptTokens: 1_000, isGlobal: true };
    setToolUses(seen, { uses: 1, searches: 1, atMs: 0 });
    addResult(terms, seen, { bytes: 5_000, atMs: 0 });
    const usage = { ...noTokens, inputTokens: 1_000 + nextPromptTokens };
    return findExcess({ model, terms, seen, usage, endedMs: 9_000 });
  };
  expect(find(6_256)).toEqual([]);
  const excess = { kind: "tool", observed: 6_257, allowed: 6_256 };
  expect(find(6_257)).toEqual([
    { ...excess, name: "web_search_20250305" },
    { ...excess, name: "web_fetch_20250910" },
  ]);
});
