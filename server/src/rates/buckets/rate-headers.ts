import { capacityOf, type RateKind } from "./bucket.ts";
import type { NodeBucket } from "./node-bucket.ts";
import type { LimitState } from "./node-rates.ts";

// What a client is told of its limits: the official headers, of each kind those of the tightest limit. `remaining` is what
// can be sent at this moment, so never more than the bucket holds; `reset` is when the bucket is full.

interface Told {
  limit: number;
  remaining: number;
  /** Milliseconds until it is full. */
  fullInMs: number;
}

/** Names and values; of a kind that nothing limits there are none. `atMs`: the time of the headers, since the epoch. */
export function toRateHeaders(
  states: readonly LimitState[],
  { nowMs, atMs }: { nowMs: number; atMs: number },
): Record<string, string> {
  const headers: Record<string, string> = {};
  const requests = findTightest(states, "requests", nowMs);
  const input = findTightest(states, "input_tokens", nowMs);
  const output = findTightest(states, "output_tokens", nowMs);
  addTrio(headers, "requests", requests, atMs);
  addTrio(headers, "input-tokens", input, atMs);
  addTrio(headers, "output-tokens", output, atMs);
  addTrio(headers, "tokens", sumOf(input, output), atMs);
  return headers;
}

/** Of several limits the one with the least left speaks, and of equal ones the lower. */
function findTightest(states: readonly LimitState[], kind: RateKind, nowMs: number): Told | null {
  let tightest: Told | null = null;
  for (const { buckets } of states) {
    const bucket = buckets.get(kind);
    if (bucket === undefined) continue;
    const told = toTold(bucket, nowMs);
    const isTighter =
      tightest === null ||
      told.remaining < tightest.remaining ||
      (told.remaining === tightest.remaining && told.limit < tightest.limit);
    if (isTighter) tightest = told;
  }
  return tightest;
}

function toTold(bucket: NodeBucket, nowMs: number): Told {
  const { kind, perMinute } = bucket;
  // What was granted before the bucket refilled may be beyond what the bucket alone can hold.
  const most = Math.max(capacityOf(kind, perMinute), perMinute / 12);
  const remaining = Math.floor(Math.max(0, Math.min(most, bucket.remaining(nowMs))));
  return { limit: perMinute, remaining, fullInMs: bucket.untilFullMs(nowMs) };
}

function sumOf(input: Told | null, output: Told | null): Told | null {
  if (input === null || output === null) return input ?? output;
  return {
    limit: input.limit + output.limit,
    remaining: input.remaining + output.remaining,
    fullInMs: Math.max(input.fullInMs, output.fullInMs),
  };
}

function addTrio(
  headers: Record<string, string>,
  name: string,
  told: Told | null,
  atMs: number,
): void {
  if (told === null) return;
  const prefix = `anthropic-ratelimit-${name}-`;
  headers[`${prefix}limit`] = String(told.limit);
  headers[`${prefix}remaining`] = String(told.remaining);
  headers[`${prefix}reset`] = toSeconds(atMs + told.fullInMs);
}

const SECOND_MS = 1_000;

/** RFC 3339, whole seconds as the official API writes them, and not too early. */
function toSeconds(ms: number): string {
  const rounded = new Date(Math.ceil(ms / SECOND_MS) * SECOND_MS);
  return rounded.toISOString().replace(".000Z", "Z");
}
