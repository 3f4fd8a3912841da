import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { noCost, noTokens } from "#src/domain/usage.ts";
import { toDimensions } from "#src/domain/usage-fields.ts";

/** Returns the end of a request with an unknown outcome. `model`: its name in reports. */
export function toInterruptedEnd(
  begin: BeginRecord,
  { model, nowMs }: { model: string; nowMs: number },
): EndRecord {
  const nothing = { total: noTokens, iterations: null, serviceTier: null, inferenceGeo: null };
  return {
    ...begin,
    endedAtMs: Math.max(nowMs, begin.startedAtMs),
    outcome: "interrupted",
    httpStatus: null,
    isEstimated: false,
    isUnpriced: false,
    model,
    ...toDimensions({ ...nothing, model: begin.requestedModel, speed: null }),
    contextWindow: "0-200k",
    usage: noTokens,
    cost: { ...noCost },
    prices: "{}",
    upstreamRequestId: null,
    firstByteMs: null,
  };
}
