import { expect, test } from "vitest";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { addResult, type StreamSeen, seeNothing, setToolUses } from "#src/domain/stream-bound.ts";
import { findStreamTerms, type StreamTerms } from "#src/domain/stream-terms.ts";
import { noTokens } from "#src/domain/usage.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import { atMs, book, requestOf } from "#test/harness/hold-requests.ts";
import { findExcess } from "./find-excess.rule.ts";

const model = "claude-opus-5";

function termsOf(tools: readonly string[] = []) {
  const serverTools = tools.map((type) => ({ type, maxUses: null, model: null }));
  const request = requestOf({ model, maxTokens: 10_000, inferenceGeo: "global", serverTools });
  const limits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
  const terms = findStreamTerms(request, computeWorstCost(request, book, atMs), limits);
  if (terms === null) throw new Error("the request is held whole");
  return terms;
}

test("a stream has no excess up to the output that its hold covers", () => {
  const find = (outputTokens: number) => {
    const usage = { ...noTokens, inputTokens: 10, outputTokens };
    const seen = seeNothing(0);
    return findExcess({ model, terms: termsOf(), seen, usage, promptsNanoUsd: 0n, endedMs: 7_000 });
  };
  // Opus has 100 tokens per second, and its hold covers three seconds in advance.
  expect(find(1_000)).toEqual([]);
  expect(find(1_001)).toEqual([{ kind: "model", name: model, observed: 143, allowed: 100 }]);
});

const first = { inputNanoUsd: 1_000n * 5_000n, promptTokens: 1_000, isGlobal: true };

function searchOnce(terms: StreamTerms, cachedTokens: number): StreamSeen {
  const seen = seeNothing(0);
  seen.start = { ...first, cachedTokens };
  setToolUses(seen, { uses: 1, searches: 1, atMs: 0 });
  addResult(terms, seen, { size: { kind: "text", bytes: 5_000 }, atMs: 0 });
  return seen;
}

test("results above their figures name each tool of the request", () => {
  const terms = termsOf(["web_search_20250305", "web_fetch_20250910"]);
  const find = (nextPromptTokens: number) => {
    const seen = searchOnce(terms, 0);
    const usage = { ...noTokens, inputTokens: 1_000 + nextPromptTokens };
    return findExcess({ model, terms, seen, usage, promptsNanoUsd: 0n, endedMs: 9_000 });
  };
  expect(find(6_256)).toEqual([]);
  const excess = { kind: "tool", observed: 6_257, allowed: 6_256 };
  expect(find(6_257)).toEqual([
    { ...excess, name: "web_search_20250305" },
    { ...excess, name: "web_fetch_20250910" },
  ]);
});

test("prompts that cost more than their bound name the tool, as plain tokens", () => {
  const terms = termsOf(["web_search_20250305"]);
  // The first prompt was cached, but the next call did not read it.
  const find = (promptsNanoUsd: bigint) => {
    const seen = searchOnce(terms, 1_000);
    const usage = { ...noTokens, inputTokens: 7_000 };
    return findExcess({ model, terms, seen, usage, promptsNanoUsd, endedMs: 9_000 });
  };
  // Opus 5: $5 per million plain tokens, and $0.50 of those that are read.
  const allowedNanoUsd = 1_000n * 5_000n + 1_000n * 500n + 5_256n * 5_000n;
  expect(find(allowedNanoUsd)).toEqual([]);
  expect(find(7_000n * 5_000n)).toEqual([
    { kind: "tool", name: "web_search_20250305", observed: 6_000, allowed: 5_356 },
  ]);
});
