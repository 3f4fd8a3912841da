import { describe, expect, test } from "vitest";
import { atMs, book, requestOf } from "#test/harness/hold-requests.ts";
import {
  type CourseCall,
  provideStream,
  type StreamCourse,
} from "#test/harness/streaming-provider.ts";
import { findModelSpeed } from "./model-speeds.ts";
import { findStreamNeed, firstHold } from "./stream-bound.ts";
import { findStreamTerms, type StreamTerms } from "./stream-terms.ts";
import { computeWorstCost } from "./worst-case.ts";

// Holds of usual requests, compared with their cost. A hold that is too large refuses requests without need.

const REQUESTS = 400;
const TICK_MS = 250;
/** Output of Opus in tokens per second, as published. */
const OPUS_SPEEDS = { least: 45, most: 65 };

/** Highest hold of a stream as a multiple of its cost, from `message_start` on and from the dispatch on. */
interface Peak {
  afterStart: number;
  whole: number;
}

describe("the highest hold of a stream", () => {
  test("is at most twice the cost for 95 % of requests with plain web search", () => {
    const peaks = list(plainSearches);
    expect(percentile(peaks, "whole", 0.95)).toBeLessThan(2);
  });

  test("is at most twice the cost after message_start for 95 % of requests of agents", () => {
    const peaks = list(agentRequests);
    expect(percentile(peaks, "afterStart", 0.95)).toBeLessThan(2);
  });
});

function plainSearches(random: Random): Peak {
  const request = requestOf({
    model: "claude-opus-5",
    maxTokens: 128_000,
    bodyBytes: 3_000,
    toolCount: 1,
    largestToolBytes: 60,
    serverTools: [{ type: "web_search_20250305", maxUses: null, model: null }],
  });
  const searches = random.whole(1, 4);
  const speedShare = random.number(OPUS_SPEEDS.least, OPUS_SPEEDS.most);
  const call = (tokens: number, hasUse: boolean): CourseCall => ({
    silentMs: random.number(800, 2_500),
    blocks: [{ isHidden: false, tokens, bytesPerToken: 4, speedShare }],
    uses: hasUse
      ? [
          {
            runMs: random.number(1_000, 4_000),
            tokens: 30,
            resultTokens: random.whole(7_000, 13_000),
            kind: "pages",
            isFailed: false,
          },
        ]
      : [],
  });
  const calls = Array.from({ length: searches }, () => call(random.whole(5, 40), true));
  calls.push(call(random.whole(500, 1_500), false));
  return play(request, random.whole(600, 900), { ...usual, calls, cacheReadShare: 0 });
}

function agentRequests(random: Random): Peak {
  const prompt = random.whole(30_000, 120_000);
  const request = requestOf({
    model: "claude-opus-5",
    maxTokens: 128_000,
    bodyBytes: prompt * 4,
    toolCount: 30,
    largestToolBytes: 9_000,
    markers: { hasCacheControl5m: true },
  });
  const tokens = Math.round(300 * 10 ** random.number(0, 1));
  const speedShare = random.number(OPUS_SPEEDS.least, OPUS_SPEEDS.most);
  const block = { isHidden: true, tokens, bytesPerToken: 0, speedShare };
  const calls = [{ silentMs: random.number(1_000, 3_000), blocks: [block], uses: [] }];
  return play(request, prompt, { ...usual, calls, cacheReadShare: 0.95, cacheWriteShare: 0.049 });
}

const usual: StreamCourse = {
  calls: [],
  cacheReadShare: 0,
  cacheWriteShare: 0,
  cachesResults: false,
  inferenceGeo: "global",
  delaysMs: [50, 120],
  outages: [],
  pauses: [],
  lagMs: 0,
};

/** Runs the rule of the meter over a stream. Speeds of the course are tokens per second. */
function play(
  request: Parameters<typeof computeWorstCost>[0],
  prompt: number,
  course: StreamCourse,
): Peak {
  const worstCase = computeWorstCost(request, book, atMs);
  const limits = { findSpeed: findModelSpeed, isExcludedTool: () => false };
  const terms = findStreamTerms(request, worstCase, limits);
  if (terms === null) throw new Error("the request is held whole");
  const stream = provideStream({ request, terms, prompt }, withShares(course, terms));
  const cost = Number(stream.costAt(stream.endMs));
  let hold = firstHold(terms);
  const peak: Peak = { afterStart: 0, whole: Number(hold) / cost };
  for (let nowMs = 0; nowMs < stream.endMs; nowMs += TICK_MS) {
    const seen = stream.seenAt(nowMs);
    hold = findStreamNeed(terms, seen, { atMs: nowMs, currentNanoUsd: hold }).wishNanoUsd ?? hold;
    const multiple = Number(hold) / cost;
    peak.whole = Math.max(peak.whole, multiple);
    if (seen.start !== null) peak.afterStart = Math.max(peak.afterStart, multiple);
  }
  return peak;
}

function withShares(course: StreamCourse, { speed }: StreamTerms): StreamCourse {
  const calls = course.calls.map((call) => ({
    ...call,
    blocks: call.blocks.map((block) => ({ ...block, speedShare: block.speedShare / speed })),
  }));
  return { ...course, calls };
}

function list(make: (random: Random) => Peak): Peak[] {
  const random = makeRandom(7);
  return Array.from({ length: REQUESTS }, () => make(random));
}

function percentile(peaks: readonly Peak[], name: keyof Peak, at: number): number {
  const sorted = peaks.map((peak) => peak[name]).sort((a, b) => a - b);
  return sorted[Math.ceil(sorted.length * at) - 1] ?? Number.POSITIVE_INFINITY;
}

interface Random {
  number(least: number, most: number): number;
  whole(least: number, most: number): number;
}

/** Repeats the same numbers in each run (mulberry32). */
function makeRandom(seed: number): Random {
  let state = seed;
  const next = () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  const number = (least: number, most: number) => least + next() * (most - least);
  return { number, whole: (least, most) => Math.floor(number(least, most + 1)) };
}
