import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { findModelSpeed } from "#src/domain/model-speeds.ts";
import { boundOutput, CALL_START_MS } from "#src/domain/stream-bound.ts";
import { findStreamTerms } from "#src/domain/stream-terms.ts";
import { computeWorstCost } from "#src/domain/worst-case.ts";
import { atMs, book, type HoldRequestChanges, requestOf } from "#test/harness/hold-requests.ts";
import { MeteredStream } from "./metered-stream.ts";
import { type LiveUsage, nothingSeen } from "./usage-seen.ts";

// Any order of late bytes, hidden blocks, silence, pauses, uses of tools and their results. No course of a provider limits
// them, so that a bound which was known once must hold whatever is read later.

const model = "claude-opus-5";
const search = { type: "web_search_20250305", maxUses: null, model: null };
const fetch = { type: "web_fetch_20250910", maxUses: null, model: null };

type Generated<A> = A extends fc.Arbitrary<infer T> ? T : never;

const ms = (max: number) => fc.integer({ min: 0, max });
const size = fc.constantFrom(
  null,
  { kind: "text", bytes: 3_000 } as const,
  { kind: "pages", pages: 3, chars: 9_000 } as const,
  { kind: "pages", pages: 10, chars: 900_000 } as const,
);
const fact = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant("text"), bytes: ms(4_000) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("block") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("hidden") }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("pause") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("use") }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("result"), size }) },
);
type Fact = Generated<typeof fact>;
/** Facts of one tick, after this time. None: silence. */
const tick = fc.record({
  afterMs: fc.oneof(fc.constant(250), ms(9_000)),
  facts: fc.array(fact, { maxLength: 4 }),
});
const ticks = fc.array(tick, { minLength: 2, maxLength: 25 });
type Ticks = Generated<typeof ticks>;
type Size = Generated<typeof size>;
const changes: fc.Arbitrary<HoldRequestChanges> = fc.record({
  thinking: fc.constantFrom("on", "off"),
  serverTools: fc.constantFrom([], [search], [search, fetch]),
});

/** Starts a stream at 0, whose facts the test sets. */
function startStream(asked: HoldRequestChanges) {
  const clock = { nowMs: 0 };
  const request = requestOf({ model, maxTokens: 128_000, inferenceGeo: "global", ...asked });
  const limits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
  const terms = findStreamTerms(request, computeWorstCost(request, book, atMs), limits);
  if (terms === null) throw new Error("the request is held whole");
  const stream = new MeteredStream({ requestId: "req_1", terms, book, pricedAtMs: atMs }, 0);
  const seen = { ...nothingSeen() };
  const live: LiveUsage = { seen, onToolResult: null };
  stream.follow(live, () => clock.nowMs);
  let results = 0;
  const read = (found: Fact) => {
    switch (found.kind) {
      case "text":
        seen.outputBytes += found.bytes;
        break;
      case "block":
        seen.blocks += 1;
        break;
      case "hidden":
        seen.hasHiddenThinking = true;
        break;
      case "use":
        seen.serverToolUses += 1;
        seen.webSearches += 1;
        break;
      case "result":
        if (results === seen.serverToolUses) return;
        results += 1;
        live.onToolResult?.(found.size);
        break;
      case "pause":
        stream.notePause();
        return;
    }
    stream.noteRead();
  };
  return { stream, terms, clock, read };
}

type Started = ReturnType<typeof startStream>;

/** Passes all ticks. `onLook`: called after each look, with its time. */
function pass({ stream, clock, read }: Started, all: Ticks, onLook: (nowMs: number) => void): void {
  for (const { afterMs, facts } of all) {
    clock.nowMs += afterMs;
    for (const found of facts) read(found);
    stream.look(clock.nowMs);
    onLook(clock.nowMs);
  }
}

const RUNS = { numRuns: 500 };

describe("the bound of a running stream", () => {
  test("never has more output than an earlier bound and the time since at the model's speed", () => {
    const check = (asked: HoldRequestChanges, all: Ticks) => {
      const started = startStream(asked);
      const { stream, terms } = started;
      const bounds: { atMs: number; tokens: number }[] = [];
      pass(started, all, (nowMs) => {
        const tokens = boundOutput(terms, stream.seen, nowMs);
        for (const earlier of bounds) {
          const grown = (terms.speed * (nowMs - earlier.atMs)) / 1_000;
          expect(tokens).toBeLessThanOrEqual(Math.ceil(earlier.tokens + grown));
        }
        bounds.push({ atMs: nowMs, tokens });
      });
    };
    fc.assert(fc.property(changes, ticks, check), RUNS);
  });

  test("without tools stays within what an earlier look foresaw for that time", () => {
    const check = (all: Ticks, aheadMs: number) => {
      const started = startStream({});
      const { stream } = started;
      let foreseen: { atMs: number; nanoUsd: bigint } | null = null;
      pass(started, all, (nowMs) => {
        if (foreseen !== null && foreseen.atMs >= nowMs) {
          expect(stream.boundAt(foreseen.atMs)).toBeLessThanOrEqual(foreseen.nanoUsd);
        }
        const next = nowMs + aheadMs;
        foreseen = { atMs: next, nanoUsd: stream.boundAt(next) };
      });
    };
    fc.assert(fc.property(ticks, ms(20_000), check), RUNS);
  });

  test("ignores all bytes after the first hidden block", () => {
    const hidden: Fact = { kind: "hidden" };
    const more = fc.array(fc.record({ bytes: ms(4_000) }), { minLength: 1, maxLength: 9 });
    const check = (all: Ticks, later: readonly { bytes: number }[]) => {
      const [one, other] = [startStream({}), startStream({})];
      pass(one, [...all, { afterMs: 250, facts: [hidden] }], () => undefined);
      pass(other, [...all, { afterMs: 250, facts: [hidden] }], () => undefined);
      for (const { bytes } of later) {
        pass(one, [{ afterMs: 250, facts: [{ kind: "text", bytes }] }], () => undefined);
        pass(other, [{ afterMs: 250, facts: [] }], () => undefined);
        expect(one.stream.boundAt(one.clock.nowMs)).toBe(other.stream.boundAt(one.clock.nowMs));
      }
    };
    fc.assert(fc.property(ticks, more, check), RUNS);
  });

  test("does not rise with a result whose call has counted", () => {
    const check = (all: Ticks, [found, ranMs, aheadMs]: [Size, number, number]) => {
      const started = startStream({ serverTools: [search] });
      const { stream, clock, read } = started;
      const use: Fact = { kind: "use" };
      pass(started, [...all, { afterMs: 250, facts: [use] }], () => undefined);
      clock.nowMs += CALL_START_MS + ranMs;
      stream.look(clock.nowMs);
      const at = clock.nowMs + aheadMs;
      const before = stream.boundAt(at);
      read({ kind: "result", size: found });
      stream.look(clock.nowMs);
      expect(stream.boundAt(at)).toBeLessThanOrEqual(before);
    };
    fc.assert(fc.property(ticks, fc.tuple(size, ms(9_000), ms(20_000)), check), RUNS);
  });

  test("has at most a window for each result that was read, and never fewer tokens than before", () => {
    const check = (all: Ticks) => {
      const started = startStream({ serverTools: [search, fetch] });
      const { stream, terms } = started;
      let before = 0;
      pass(started, all, () => {
        const { nextPrompts, results } = stream.seen;
        expect(nextPrompts.calls).toBe(results);
        expect(nextPrompts.tokens).toBeGreaterThanOrEqual(before);
        expect(nextPrompts.tokens).toBeLessThanOrEqual(results * terms.contextTokens);
        before = nextPrompts.tokens;
      });
    };
    fc.assert(fc.property(ticks, check), RUNS);
  });
});
