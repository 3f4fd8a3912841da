import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  atMs,
  book,
  type HoldRequestChanges,
  requestOf,
  unknownPart,
} from "#test/harness/hold-requests.ts";
import { provideStream, type StreamCourse } from "#test/harness/streaming-provider.ts";
import { findModelSpeed } from "./model-speeds.ts";
import { priceList } from "./price-list.ts";
import {
  addResult,
  boundStream,
  boundTokens,
  CALL_START_MS,
  findStreamNeed,
  firstHold,
  keepAnchor,
  MAX_DELAY_MS,
  noteHidden,
  seeNothing,
  setToolUses,
} from "./stream-bound.ts";
import { findStreamTerms, type StreamLimits } from "./stream-terms.ts";
import { computeWorstCost } from "./worst-case.ts";

const limits: StreamLimits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
const plainSearch = { type: "web_search_20250305", maxUses: null, model: null };
const plainFetch = { type: "web_fetch_20250910", maxUses: null, model: null };

function termsOf(changes: HoldRequestChanges, known = limits) {
  const request = requestOf(changes);
  const worstCase = computeWorstCost(request, book, atMs);
  return { request, worstCase, terms: findStreamTerms(request, worstCase, known) };
}

function getTerms(changes: HoldRequestChanges) {
  const { request, worstCase, terms } = termsOf(changes);
  if (terms === null) throw new Error("the request is held whole");
  return { request, worstCase, terms };
}

const ms = (max: number) => fc.integer({ min: 0, max });
const share = fc.constantFrom(0, 0.05, 0.3, 0.7, 1);
const interval = fc.record({ fromMs: ms(60_000), forMs: ms(40_000) });
const block = fc.record({
  isHidden: fc.constantFrom(false, false, false, true),
  tokens: fc.integer({ min: 0, max: 1_500 }),
  bytesPerToken: fc.constantFrom(1, 2, 4, 9),
  speedShare: share,
});
const use = fc.record({
  runMs: ms(8_000),
  tokens: fc.integer({ min: 1, max: 60 }),
  resultTokens: fc.oneof(ms(16_000), fc.constant(1_000_000)),
  kind: fc.constantFrom("text", "pages", null),
  isFailed: fc.constantFrom(false, false, true),
});
const call = fc.record({
  silentMs: ms(20_000),
  blocks: fc.array(block, { maxLength: 4 }),
  uses: fc.array(use, { minLength: 0, maxLength: 3 }),
});
const course: fc.Arbitrary<StreamCourse> = fc.record({
  calls: fc.array(call, { minLength: 1, maxLength: 6 }),
  cacheReadShare: fc.constantFrom(0, 0.3),
  cacheWriteShare: fc.constantFrom(0, 0.5),
  cachesResults: fc.boolean(),
  inferenceGeo: fc.constantFrom("us", "global"),
  delaysMs: fc.array(ms(MAX_DELAY_MS), { minLength: 1, maxLength: 4 }),
  outages: fc.array(interval, { maxLength: 2 }),
  pauses: fc.oneof(
    { weight: 3, arbitrary: fc.constant([]) },
    { weight: 1, arbitrary: fc.array(interval, { maxLength: 2 }) },
  ),
  lagMs: fc.constantFrom(0, 4_000, 60_000),
});
const changes: fc.Arbitrary<HoldRequestChanges> = fc
  .record({
    model: fc.constantFrom(
      "claude-opus-5",
      "claude-opus-5-5",
      "claude-sonnet-4-5",
      "claude-haiku-5-5",
      "claude-3-haiku",
    ),
    speed: fc.constantFrom(null, null, "fast"),
    maxTokens: fc.constantFrom(16, 400, 3_000, 128_000),
    bodyBytes: fc.constantFrom(300, 20_000, 400_000),
    serverTools: fc.constantFrom([], [], [plainSearch], [plainFetch], [plainSearch, plainFetch]),
  })
  .chain((facts) => {
    const markers = fc.constantFrom({ hasCacheControl5m: true }, { hasCacheControl1h: true });
    return markers.map((marks) => ({ ...facts, markers: marks }));
  });
const scenario = fc.record({
  changes,
  course,
  promptShare: fc.constantFrom(0.01, 0.3, 1),
  /** Times of facts, and distances of the asked time. */
  looks: fc.array(
    fc.record({ seenMs: ms(90_000), byMs: fc.integer({ min: -90_000, max: 60_000 }) }),
    {
      minLength: 8,
      maxLength: 20,
    },
  ),
});
type Scenario = typeof scenario extends fc.Arbitrary<infer T> ? T : never;

function play({ changes: asked, course: wanted, promptShare }: Scenario) {
  const { request, terms } = getTerms(asked);
  const hasTools = terms.tools !== null;
  const calls = hasTools ? wanted.calls : wanted.calls.slice(0, 1);
  const prompt = Math.max(1, Math.floor(terms.inputTokens * promptShare));
  return { terms, stream: provideStream({ request, terms, prompt }, { ...wanted, calls }) };
}

function checkBound(played: Scenario): void {
  const { terms, stream } = play(played);
  for (const { seenMs, byMs } of played.looks) {
    const seen = stream.seenAt(seenMs);
    const next = stream.calls.find(({ announcedMs }) => announcedMs > seenMs);
    const isOpen = next === undefined || seen.wasPaused;
    const untilMs = isOpen ? Number.POSITIVE_INFINITY : next.startMs - 1;
    for (const atMs of [seenMs, Math.min(seenMs + byMs, untilMs)]) {
      expect(boundStream(terms, seen, atMs)).toBeGreaterThanOrEqual(stream.costAt(atMs));
    }
  }
}

describe("the bound of a stream", () => {
  test("is never below the true cost, at any time up to the call that a later block announces", () => {
    fc.assert(fc.property(scenario, checkBound), { numRuns: 400 });
  });

  test("is never below the true cost for a reader that was paused", () => {
    const pause = fc.record({ fromMs: ms(9_000), forMs: ms(4_000) });
    const paused = fc
      .tuple(scenario, fc.array(pause, { minLength: 1, maxLength: 3 }))
      .map(([played, pauses]) => ({
        ...played,
        course: { ...played.course, outages: [], pauses },
      }));
    fc.assert(fc.property(paused, checkBound), { numRuns: 400 });
  });

  test("never decreases with the time", () => {
    fc.assert(
      fc.property(scenario, fc.array(ms(200_000), { minLength: 2 }), (played, times) => {
        const { terms, stream } = play(played);
        for (const { seenMs } of played.looks) {
          const seen = stream.seenAt(seenMs);
          let before = 0n;
          for (const at of times.toSorted((a, b) => a - b)) {
            const bound = boundStream(terms, seen, at);
            expect(bound).toBeGreaterThanOrEqual(before);
            before = bound;
          }
        }
      }),
      { numRuns: 60 },
    );
  });

  test("does not rise with a result whose call has counted", () => {
    const size = fc.oneof(
      fc.record({ kind: fc.constant("text" as const), bytes: ms(40_000) }),
      fc.record({ kind: fc.constant("pages" as const), pages: ms(10), chars: ms(60_000) }),
      fc.constant(null),
    );
    fc.assert(
      fc.property(scenario, size, ms(20_000), (played, read, afterMs) => {
        const { terms, stream } = play(played);
        fc.pre(terms.tools !== null);
        for (const { seenMs } of played.looks) {
          const seen = stream.seenAt(seenMs);
          const atMs = Math.max(seenMs, seen.fresh.lastMs + CALL_START_MS) + afterMs;
          if (seen.serverToolUses <= seen.results) continue;
          const before = boundStream(terms, seen, atMs);
          addResult(terms, seen, { size: read, atMs });
          expect(boundStream(terms, seen, atMs)).toBeLessThanOrEqual(before);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("is at most the worst case of a closed request, and the first hold is below it", () => {
    fc.assert(
      fc.property(changes, ms(10_000_000), (asked, at) => {
        const { terms, worstCase } = getTerms(asked);
        fc.pre(worstCase.kind === "closed");
        expect(boundStream(terms, seeNothing(0), at)).toBeLessThanOrEqual(worstCase.nanoUsd);
        expect(firstHold(terms)).toBeLessThanOrEqual(worstCase.nanoUsd);
      }),
    );
  });
});

describe("a request that can be held in steps", () => {
  test.each<[string, HoldRequestChanges]>([
    ["has a fallback", { fallbacks: { models: ["claude-haiku-4-5"] } }],
    ["may fall back to any model", { fallbacks: { hasUnknownModel: true } }],
    ["has an unknown part", { unknownParts: [unknownPart] }],
    ["has MCP servers", { markers: { hasMcpServers: true } }],
    ["has a container", { markers: { hasContainer: true } }],
    ["compacts its context", { markers: { hasCompaction: true } }],
    ["has a model without a speed", { model: "claude-unheard-of" }],
    ["searches with code", { serverTools: [{ ...plainSearch, type: "web_search_20260209" }] }],
    [
      "runs code",
      { serverTools: [plainSearch, { ...plainSearch, type: "code_execution_20250825" }] },
    ],
    ["asks an advisor", { serverTools: [{ ...plainSearch, type: "advisor_20260301" }] }],
  ])("is none if it %s", (_, changed) => {
    expect(termsOf(changed).terms).toBeNull();
  });

  test("is none after its model was faster than its speed, or a result was larger than its figure", () => {
    expect(termsOf({}, { ...limits, findSpeed: () => null }).terms).toBeNull();
    const excluded: StreamLimits = {
      ...limits,
      isExcludedTool: (type) => type === plainSearch.type,
    };
    expect(termsOf({ serverTools: [plainSearch] }, excluded).terms).toBeNull();
    expect(termsOf({ serverTools: [plainFetch] }, excluded).terms).not.toBeNull();
  });

  test("has the speed of fast mode if it asks for it", () => {
    expect(getTerms({ model: "claude-opus-5" }).terms.speed).toBe(100);
    expect(getTerms({ model: "claude-opus-5", speed: "fast" }).terms.speed).toBe(250);
  });

  test("with web fetch has the figure of max_content_tokens, else the window", () => {
    const figureOf = (maxContentTokens?: number) => {
      const fetch =
        maxContentTokens === undefined ? plainFetch : { ...plainFetch, maxContentTokens };
      return getTerms({ serverTools: [fetch] }).terms.tools?.resultTokens;
    };
    expect(figureOf(8_000)).toBe(8_000 + 2_000 + 1_024);
    expect(figureOf()).toBe(1_000_000);
    expect(figureOf(5_000_000)).toBe(1_000_000);
  });

  test("with server tools has the prompt that the upstream counted, if that is less", () => {
    const inputOf = (changed: HoldRequestChanges, counted: number | null) => {
      const { request, worstCase } = termsOf({
        bodyBytes: 40_000,
        serverTools: [plainSearch],
        ...changed,
      });
      return findStreamTerms(request, worstCase, limits, counted)?.inputTokens;
    };
    const byBytes = inputOf({}, null);
    expect(byBytes).toBeGreaterThan(40_000);
    expect(inputOf({}, 9_000)).toBe(9_000 + 1_024);
    expect(inputOf({}, 100_000)).toBe(byBytes);
    expect(inputOf({ markers: { hasUrlSource: true } }, 9_000)).toBe(1_000_000);
  });

  test("has a speed for every listed model", () => {
    for (const { id } of priceList) expect([id, findModelSpeed(id)]).not.toEqual([id, null]);
  });
});

describe("the hold of a stream", () => {
  // Opus 5: $5 and $25 per million tokens, at 100 tokens per second.
  const { terms } = getTerms({
    model: "claude-opus-5",
    maxTokens: 128_000,
    inferenceGeo: "global",
  });
  const input = 3_048 * 5_000;
  const output = (tokens: number) => tokens * 25_000;

  test("begins with its input and the output of six seconds", () => {
    expect(firstHold(terms)).toBe(BigInt(input + output(600)));
  });

  test("is exact in its input after message_start, and the rest is returned", () => {
    const seen = seeNothing(0);
    seen.start = { inputNanoUsd: 40_000n, promptTokens: 8, cachedTokens: 0, isGlobal: true };
    expect(boundStream(terms, seen, 1_000)).toBe(40_000n + BigInt(output(200)));
    const need = findStreamNeed(terms, seen, { atMs: 1_000, currentNanoUsd: firstHold(terms) });
    expect(need).toEqual({
      needNanoUsd: 40_000n + BigInt(output(500)),
      urgentNanoUsd: 40_000n + BigInt(output(275)),
      wishNanoUsd: 40_000n + BigInt(output(700)),
    });
  });

  test("grows before it is needed, by a second of output", () => {
    const seen = seeNothing(0);
    const at = (atMs: number) =>
      findStreamNeed(terms, seen, { atMs, currentNanoUsd: firstHold(terms) }).wishNanoUsd;
    expect(at(1_000)).toBeNull();
    expect(at(1_250)).toBe(BigInt(input + output(725)));
  });

  test("is the exact cost after the final counts", () => {
    const seen = { ...seeNothing(0), finalNanoUsd: 123n };
    expect(boundStream(terms, seen, 9_000_000)).toBe(123n);
  });

  test("of a slow visible stream follows its bytes, and its time after a silence or a pause", () => {
    const seen = { ...seeNothing(0), lastReadMs: 100_000, visibleBytes: 500, blocks: 1 };
    const boundOf = (facts: object) => boundStream(terms, { ...seen, ...facts }, 100_000);
    expect(boundOf({})).toBe(BigInt(input + output(500 + 64 + 800)));
    const byTime = BigInt(input + output(10_100));
    expect(boundOf({ hadGap: true })).toBe(byTime);
    expect(boundOf({ wasPaused: true })).toBe(byTime);
    expect(boundOf({ hasHidden: true })).toBe(byTime);
  });

  test("of a silent stream covers the bound after late bytes", () => {
    const seen = { ...seeNothing(0), lastReadMs: 100_000, visibleBytes: 500, blocks: 1 };
    const { needNanoUsd } = findStreamNeed(terms, seen, { atMs: 104_000, currentNanoUsd: 0n });
    const late = { ...seen, lastReadMs: 107_000, hadGap: true, visibleBytes: 510 };
    expect(boundStream(terms, late, 107_000)).toBeLessThanOrEqual(needNanoUsd);
  });

  test("grows no faster than the model, also with fast text after a slow one and late bytes", () => {
    const seen = { ...seeNothing(0), lastReadMs: 100_000, visibleBytes: 500, blocks: 1 };
    keepAnchor(terms, seen, 100_000);
    const { needNanoUsd } = findStreamNeed(terms, seen, { atMs: 100_000, currentNanoUsd: 0n });
    for (let atMs = 100_250; atMs <= 103_000; atMs += 250) {
      Object.assign(seen, {
        lastReadMs: atMs,
        visibleBytes: seen.visibleBytes + 150,
        hadGap: true,
      });
      keepAnchor(terms, seen, atMs);
    }
    expect(boundStream(terms, seen, 103_000)).toBe(needNanoUsd);
  });

  test("of a slow stream does not jump with its first hidden block", () => {
    const seen = { ...seeNothing(0), lastReadMs: 100_000, visibleBytes: 500, blocks: 1 };
    const { needNanoUsd } = findStreamNeed(terms, seen, { atMs: 100_000, currentNanoUsd: 0n });
    Object.assign(seen, { lastReadMs: 100_250, blocks: 2 });
    noteHidden(seen);
    expect(boundStream(terms, seen, 100_500)).toBeLessThan(needNanoUsd);
    expect(boundStream(terms, seen, 110_000)).toBe(BigInt(input + output(500 + 128 + 1_775)));
  });

  test("of searches has the price of a long prompt for the first prompt too", () => {
    const serverTools = [plainSearch];
    const model = "claude-haiku-5-5";
    const { terms: long } = getTerms({
      model,
      maxTokens: 1_000,
      inferenceGeo: "global",
      serverTools,
    });
    // Haiku 5.5: $0.10 per million up to 100,000 prompt tokens, and $0.50 beyond.
    const seen = seeNothing(0);
    seen.start = {
      inputNanoUsd: 90_000n * 100n,
      promptTokens: 90_000,
      cachedTokens: 0,
      isGlobal: true,
    };
    expect(boundStream(long, seen, 0)).toBeGreaterThanOrEqual(90_000n * 500n);
  });

  test("of a search grows by its result with its block, and not before", () => {
    const search = getTerms({
      model: "claude-opus-5",
      maxTokens: 1_000,
      inferenceGeo: "global",
      serverTools: [plainSearch],
    }).terms;
    const seen = seeNothing(0);
    seen.start = { inputNanoUsd: 0n, promptTokens: 1_000, cachedTokens: 0, isGlobal: true };
    expect(boundStream(search, seen, 0)).toBe(BigInt(output(100)));
    seen.serverToolUses = 1;
    seen.webSearches = 1;
    const prompt = 1_000 + 100 + 15_000;
    const withUse = BigInt(output(100) + prompt * 5_000 + 10_000_000);
    expect(boundStream(search, seen, 0)).toBe(withUse);
    addResult(search, seen, { size: null, atMs: 0 });
    // Without visible output before the result, the next prompt has none.
    expect(boundStream(search, seen, 0)).toBe(BigInt(output(100) + 16_000 * 5_000 + 10_000_000));
  });

  test("of a search has the tokens of its encrypted pages, and at most its figure", () => {
    const search = getTerms({ model: "claude-opus-5", serverTools: [plainSearch] }).terms;
    const tokensOf = (pages: number, chars: number) => {
      const seen = seeNothing(0);
      addResult(search, seen, { size: { kind: "pages", pages, chars }, atMs: 0 });
      return seen.resultTokens;
    };
    // A result without a page has a frame too.
    expect(tokensOf(0, 0)).toBe(256);
    expect(tokensOf(10, 25_600)).toBe(1_920 + 8_000);
    expect(tokensOf(10, 50_000)).toBe(15_000);
    const fetch = getTerms({ model: "claude-opus-5", serverTools: [plainFetch] }).terms;
    const seen = seeNothing(0);
    addResult(fetch, seen, { size: { kind: "pages", pages: 1, chars: 3_200 }, atMs: 0 });
    expect(seen.resultTokens).toBe(1_000_000);
  });

  test("of a search reads what its first call cached", () => {
    const search = getTerms({
      model: "claude-opus-5",
      inferenceGeo: "global",
      serverTools: [plainSearch],
      markers: { hasCacheControl1h: true },
    }).terms;
    const seen = seeNothing(0);
    seen.start = { inputNanoUsd: 0n, promptTokens: 9_000, cachedTokens: 8_000, isGlobal: true };
    setToolUses(seen, { uses: 2, searches: 2, atMs: -10_000 });
    for (const atMs of [0, 5_000]) {
      addResult(search, seen, { size: { kind: "text", bytes: 2_744 }, atMs });
    }
    // Prompts of 12,000 and 15,000 tokens. To write 7,000 of them and read 20,000 would cost less.
    const prompts = boundStream(search, seen, 0) - BigInt(output(100));
    expect(prompts).toBe(BigInt(11_000 * 5_000 + 16_000 * 500 + 2 * 10_000_000));
  });

  test("of a search counts no output while its tool runs", () => {
    const { terms: search } = getTerms({ model: "claude-opus-5", serverTools: [plainSearch] });
    const seen = { ...seeNothing(0), lastReadMs: 2_000, visibleBytes: 40, blocks: 1 };
    setToolUses(seen, { uses: 1, searches: 1, atMs: 2_000 });
    const size = { kind: "text", bytes: 0 } as const;
    addResult(search, { ...seen }, { size, atMs: 6_000 });
    const read = { ...seen, lastReadMs: 6_000 };
    addResult(search, read, { size, atMs: 6_000 });
    // The use has 104 tokens at most. The next call runs since 3,000 ms at most, and can begin with a burst.
    expect(boundTokens(search, read, 6_000).outputTokens).toBe(104 + 400);
    expect(boundTokens(search, read, 8_000).outputTokens).toBe(104 + 400 + 200);
  });

  test("of a search without budget is cut before the call of its use starts", () => {
    const { terms: search } = getTerms({ model: "claude-opus-5", serverTools: [plainSearch] });
    const seen = seeNothing(0);
    seen.start = { inputNanoUsd: 0n, promptTokens: 1_000, cachedTokens: 0, isGlobal: true };
    const hold = findStreamNeed(search, seen, { atMs: 5_000, currentNanoUsd: 0n }).needNanoUsd;
    setToolUses(seen, { uses: 1, searches: 1, atMs: 5_000 });
    const at = (atMs: number) => findStreamNeed(search, seen, { atMs, currentNanoUsd: hold });
    // The new hold is asked for at once, and the stream can wait for it until the next tick.
    expect(at(5_000).wishNanoUsd).toBeGreaterThan(hold + 75_000_000n);
    expect(at(5_000).urgentNanoUsd).toBeLessThanOrEqual(hold);
    expect(at(5_250).urgentNanoUsd).toBeGreaterThan(hold);
    expect(boundStream(search, seen, 5_999)).toBeLessThanOrEqual(hold);
    expect(boundStream(search, seen, 6_000)).toBeGreaterThan(hold);
  });

  test("of a search has its fee from its result on, or after a second", () => {
    const { terms: search } = getTerms({ model: "claude-opus-5", serverTools: [plainSearch] });
    const searchesOf = (results: number, atMs: number) => {
      const seen = seeNothing(0);
      setToolUses(seen, { uses: 2, searches: 2, atMs: 5_000 });
      return boundTokens(search, { ...seen, lastReadMs: 5_000, results }, atMs).webSearches;
    };
    expect([0, 1, 2].map((results) => searchesOf(results, 5_500))).toEqual([0, 1, 2]);
    expect(searchesOf(0, 6_000)).toBe(2);
  });

  test("of a search counts a call whose result was read", () => {
    const { terms: search } = getTerms({ model: "claude-opus-5", serverTools: [plainSearch] });
    const seen = seeNothing(0);
    setToolUses(seen, { uses: 1, searches: 1, atMs: 0 });
    const before = boundStream(search, seen, 10);
    addResult(search, seen, { size: null, atMs: 10 });
    expect(boundStream(search, seen, 10)).toBeGreaterThan(before + 75_000_000n);
  });
});
