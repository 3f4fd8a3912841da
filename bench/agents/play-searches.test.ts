import { describe, expect, test } from "vitest";
import { playSearches } from "./play-searches.ts";

const even = { isRecorded: false, cachesResults: false };
const recorded = { isRecorded: true, cachesResults: false };
const REQUESTS = 200;

describe.each([
  ["without a cache mark", { isCached: false, searches: even }],
  ["with a mark of one hour", { isCached: true, searches: even }],
  ["whose results are cached", { isCached: true, searches: { ...even, cachesResults: true } }],
  ["of recorded size without a mark", { isCached: false, searches: recorded }],
  [
    "of recorded size whose results are cached",
    { isCached: true, searches: { ...recorded, cachesResults: true } },
  ],
])("streams that search the web, %s,", (_, kind) => {
  const played = playSearches({ requests: REQUESTS, seed: 1, ...kind });

  test("hold at most twice their cost after the first event, for 95 % of them", () => {
    const ratios = played.map(({ afterFirstEvent }) => afterFirstEvent).sort((a, b) => a - b);
    expect(ratios[0.95 * REQUESTS - 1]).toBeLessThanOrEqual(2);
  });

  test("never have a bound below their bill", () => {
    expect(played.filter(({ isUnderBilled }) => isUnderBilled)).toEqual([]);
  });
});
