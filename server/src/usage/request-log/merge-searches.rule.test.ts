import { expect, test } from "vitest";
import { type FoundPlace, mergeSearches } from "./merge-searches.rule.ts";

const place = (startedAtMs: number, requestHash = 0n): FoundPlace => ({
  startedAtMs,
  requestId: `req_${startedAtMs}_${requestHash}`,
  requestHash,
});

test("returns the newest requests of all searches, and the last one as the end", () => {
  const searches = [
    { matches: [place(9), place(5), place(1)], end: null },
    { matches: [place(8), place(6)], end: null },
  ];
  expect(mergeSearches(searches, 3)).toEqual({
    places: [place(9), place(8), place(6)],
    searchEnd: place(6),
  });
  expect(mergeSearches(searches, 5).searchEnd).toBeNull();
});

test("returns no request beyond the end of a search that may have more there", () => {
  const searches = [
    { matches: [place(9), place(1)], end: null },
    { matches: [place(7)], end: place(4) },
  ];
  expect(mergeSearches(searches, 5)).toEqual({ places: [place(9), place(7)], searchEnd: place(4) });
});

test("the newest end counts, also without a match", () => {
  const searches = [
    { matches: [], end: place(3) },
    { matches: [], end: place(6) },
  ];
  expect(mergeSearches(searches, 5)).toEqual({ places: [], searchEnd: place(6) });
});

test("requests of one millisecond are in the order of their hashes, which may be negative", () => {
  const searches = [
    { matches: [place(9, 5n), place(9, -3n)], end: null },
    { matches: [place(9, 1n)], end: null },
  ];
  expect(mergeSearches(searches, 3).places).toEqual([place(9, 5n), place(9, 1n), place(9, -3n)]);
});
