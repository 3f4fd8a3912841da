import { findListedModel } from "./price-book.ts";

// Highest speed at which a model generates output, hidden thinking included. The numbers bound the cost of a stream by
// its time, so each is about twice the published speed. Source: medians of artificialanalysis.ai and of other
// benchmarks, copies of October and November 2026. A stream that is faster excludes its model: see the gateway.

export interface ModelSpeed {
  /** Output tokens per second on average since the dispatch. */
  standard: number;
  /** The same with `speed: "fast"`, up to 2.5 times as fast by the page on fast mode. */
  fast: number;
}

const FAST_FACTOR = 2.5;

/** Published for Opus 4 to 4.8: 43 to 50 tokens per second, and 78 at one cloud. */
const opus = makeSpeed(100);
/** Published for Sonnet 4 to 5: 55 to 80. */
const sonnet = makeSpeed(160);
/** Published for Haiku 4.5: 100 to 180. */
const haiku = makeSpeed(400);
/** Published for Haiku 3 and 3.5: 65 to 150. */
const olderHaiku = makeSpeed(300);

const speedsById: ReadonlyMap<string, ModelSpeed> = new Map([
  // Larger than Opus. Without published speeds, that of Opus is a bound.
  ["claude-fable-5-2", opus],
  ["claude-mythos-5-2", opus],
  ["claude-mythos-preview", opus],
  ["claude-fable-5-1", opus],
  ["claude-mythos-5-1", opus],
  ["claude-fable-5", opus],
  ["claude-mythos-5", opus],
  ["claude-opus-5-5", opus],
  ["claude-opus-5", opus],
  ["claude-opus-4-8", opus],
  ["claude-opus-4-7", opus],
  ["claude-opus-4-6", opus],
  ["claude-opus-4-5", opus],
  ["claude-opus-4-1", opus],
  ["claude-opus-4", opus],
  ["claude-3-opus", opus],
  ["claude-sonnet-5-5", sonnet],
  ["claude-sonnet-5", sonnet],
  ["claude-sonnet-4-6", sonnet],
  ["claude-sonnet-4-5", sonnet],
  ["claude-sonnet-4", sonnet],
  ["claude-3-7-sonnet", sonnet],
  ["claude-3-5-sonnet", sonnet],
  ["claude-haiku-5-5", haiku],
  ["claude-haiku-4-5", haiku],
  ["claude-haiku-3-5", olderHaiku],
  ["claude-3-haiku", olderHaiku],
]);

/** Finds the speed of a model by any of its names. Null: a model without data. */
export function findModelSpeed(model: string): ModelSpeed | null {
  const listed = findListedModel(model);
  return listed === null ? null : (speedsById.get(listed.id) ?? null);
}

function makeSpeed(standard: number): ModelSpeed {
  return { standard, fast: standard * FAST_FACTOR };
}
