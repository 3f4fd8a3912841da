// The arithmetic of one bucket, pure. It refills all the time, up to its capacity; what was used beyond it is a level
// below 0, and is refilled before anything else may be used. buckets.sql.ts says the same in SQL.

export const rateKinds = ["requests", "input_tokens", "output_tokens"] as const;
export type RateKind = (typeof rateKinds)[number];

const MINUTE_MS = 60_000;
/** A bucket is five seconds of refill. */
const BURST_MS = 5_000;
/** A granted request must be sent before this is over; on the node's clock it runs from when the grant was asked for. */
export const GRANT_LIFE_MS = 2_000;

/**
 * How much refill a shared bucket can hold, in milliseconds. Of requests, what nodes may have been granted before counts
 * towards the five seconds: in no window are more sent than five seconds and the window itself refill.
 */
export function burstMsOf(kind: RateKind): number {
  return kind === "requests" ? BURST_MS - GRANT_LIFE_MS : BURST_MS;
}

/** At least one: the smallest limit lets a request through, too. */
export function capacityOf(kind: RateKind, perMinute: number): number {
  return Math.max(1, (perMinute * burstMsOf(kind)) / MINUTE_MS);
}

/** The most requests that all nodes together send in a window, whatever happens: the promise of a limit. */
export function mostRequestsIn(windowMs: number, perMinute: number): number {
  return capacityOf("requests", perMinute) + (perMinute * (windowMs + GRANT_LIFE_MS)) / MINUTE_MS;
}

export function refill(
  level: number,
  { capacity, perMinute, elapsedMs }: { capacity: number; perMinute: number; elapsedMs: number },
): number {
  const refilled = level + (perMinute * Math.max(0, elapsedMs)) / MINUTE_MS;
  return Math.min(capacity, refilled);
}

/** Sums of fractions are off by less than this. */
export const ROUNDING = 1e-6;

/** True where one more is there. */
export function hasRoom(level: number): boolean {
  return level >= 1 - ROUNDING;
}

/** Until that much is there, in milliseconds; 0 where it is. */
export function msUntil(level: number, wanted: number, perMinute: number): number {
  return Math.max(0, ((wanted - level) * MINUTE_MS) / perMinute);
}
