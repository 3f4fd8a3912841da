import { capacityOf, type RateKind } from "./bucket.ts";
import type { NodeBucket } from "./node-bucket.ts";
import type { LimitState } from "./node-rates.ts";

// Official rate limit headers: for each kind, those of the tightest limit. `remaining` is the amount that can be sent now,
// so never more than the bucket holds. `reset` is the time when the bucket is full.

interface HeaderValues {
  limit: number;
  remaining: number;
  /** Time until the bucket is full, milliseconds. */
  fullInMs: number;
}

/** Returns names and values for each limited kind. `atMs`: time of the headers, milliseconds since the epoch. */
export function toRateHeaders(
  states: readonly LimitState[],
  { nowMs, atMs }: { nowMs: number; atMs: number },
): Record<string, string> {
  const headers: Record<string, string> = {};
  const requests = findTightest(states, "requests", nowMs);
  const input = findTightest(states, "input_tokens", nowMs);
  const output = findTightest(states, "output_tokens", nowMs);
  addHeaders(headers, "requests", requests, atMs);
  addHeaders(headers, "input-tokens", input, atMs);
  addHeaders(headers, "output-tokens", output, atMs);
  addHeaders(headers, "tokens", addValues(input, output), atMs);
  return headers;
}

/** Returns the values with the least remaining, and the lower limit among equal ones. */
function findTightest(
  states: readonly LimitState[],
  kind: RateKind,
  nowMs: number,
): HeaderValues | null {
  let tightest: HeaderValues | null = null;
  for (const { buckets } of states) {
    const bucket = buckets.get(kind);
    if (bucket === undefined) continue;
    const values = toHeaderValues(bucket, nowMs);
    const isTighter =
      tightest === null ||
      values.remaining < tightest.remaining ||
      (values.remaining === tightest.remaining && values.limit < tightest.limit);
    if (isTighter) tightest = values;
  }
  return tightest;
}

function toHeaderValues(bucket: NodeBucket, nowMs: number): HeaderValues {
  const { kind, perMinute } = bucket;
  // Earlier grants and the refilled bucket together can exceed the capacity of the bucket.
  const maxRemaining = Math.max(capacityOf(kind, perMinute), perMinute / 12);
  const remaining = Math.floor(Math.max(0, Math.min(maxRemaining, bucket.remaining(nowMs))));
  return { limit: perMinute, remaining, fullInMs: bucket.untilFullMs(nowMs) };
}

function addValues(input: HeaderValues | null, output: HeaderValues | null): HeaderValues | null {
  if (input === null || output === null) return input ?? output;
  return {
    limit: input.limit + output.limit,
    remaining: input.remaining + output.remaining,
    fullInMs: Math.max(input.fullInMs, output.fullInMs),
  };
}

function addHeaders(
  headers: Record<string, string>,
  name: string,
  values: HeaderValues | null,
  atMs: number,
): void {
  if (values === null) return;
  const prefix = `anthropic-ratelimit-${name}-`;
  headers[`${prefix}limit`] = String(values.limit);
  headers[`${prefix}remaining`] = String(values.remaining);
  headers[`${prefix}reset`] = toSeconds(atMs + values.fullInMs);
}

const SECOND_MS = 1_000;

/** Formats RFC 3339 in whole seconds like the official API, rounded up. */
function toSeconds(ms: number): string {
  const rounded = new Date(Math.ceil(ms / SECOND_MS) * SECOND_MS);
  return rounded.toISOString().replace(".000Z", "Z");
}
