// The arithmetic of one bucket, pure. A bucket refills continuously up to its capacity. Excess use makes the level negative,
// and is refilled first. buckets.sql.ts has the same arithmetic in SQL.

export const rateKinds = ["requests", "input_tokens", "output_tokens"] as const;
export type RateKind = (typeof rateKinds)[number];

const MINUTE_MS = 60_000;
/** A bucket holds five seconds of refill. */
const BURST_MS = 5_000;
/** Validity of a grant on the node's clock, from the time of the query. */
export const GRANT_LIFE_MS = 2_000;

/**
 * Refill that a shared bucket can hold, milliseconds. Older grants of requests count towards the five seconds. So a window
 * never has more requests than the refill of five seconds and of the window.
 */
export function burstMsOf(kind: RateKind): number {
  return kind === "requests" ? BURST_MS - GRANT_LIFE_MS : BURST_MS;
}

/** Capacity of a bucket. At least 1, so that the smallest limit allows a request. */
export function capacityOf(kind: RateKind, perMinute: number): number {
  return Math.max(1, (perMinute * burstMsOf(kind)) / MINUTE_MS);
}

/** Most requests that all nodes together send in a time window. A limit guarantees this number. */
export function maxRequestsPerWindow(windowMs: number, perMinute: number): number {
  return capacityOf("requests", perMinute) + (perMinute * (windowMs + GRANT_LIFE_MS)) / MINUTE_MS;
}

export function refill(
  level: number,
  { capacity, perMinute, elapsedMs }: { capacity: number; perMinute: number; elapsedMs: number },
): number {
  const refilled = level + (perMinute * Math.max(0, elapsedMs)) / MINUTE_MS;
  return Math.min(capacity, refilled);
}

/** Upper bound of the rounding error in sums of fractions. */
export const ROUNDING = 1e-6;

/** True if the bucket has room for one more request or token. */
export function hasRoom(level: number): boolean {
  return level >= 1 - ROUNDING;
}

/** Time until the level reaches `wanted`, milliseconds. 0: it already has. */
export function msUntilLevel(level: number, wanted: number, perMinute: number): number {
  return Math.max(0, ((wanted - level) * MINUTE_MS) / perMinute);
}
