import type { IncomingHttpHeaders } from "node:http";
import { ApiError } from "#src/domain/api-error.ts";
import { type RefusingLimit, SpendLimitError } from "#src/domain/spend-limit-error.ts";
import { clientFamily } from "./client-family.rule.ts";

/**
 * The same refusal in the form that the client expects. Claude Code takes an unknown 400 for a rejected feature and
 * repeats the request without one feature after another, six times in all. It stops after a 429 with
 * `x-should-retry: false`. Every other client gets the official 400. `nowMs`: milliseconds since the epoch.
 */
export function adaptSpendRefusal(
  error: ApiError,
  requestHeaders: IncomingHttpHeaders,
  nowMs: number,
): ApiError {
  if (!(error instanceof SpendLimitError)) return error;
  if (clientFamily(requestHeaders["user-agent"]) !== "claude-code") return error;
  const { limit } = error;
  const headers = { ...error.headers, ...REJECTED, ...(limit && toHeaders(limit, nowMs)) };
  return new ApiError("spend_limit_final", error.message, headers);
}

/** A session that signed in to a gateway prints the message alone where it finds these headers. */
const REJECTED = {
  "anthropic-ratelimit-unified-status": "rejected",
  "anthropic-ratelimit-unified-overage-disabled-reason": "org_spend_cap_reached",
} as const;

function toHeaders(limit: RefusingLimit, nowMs: number): Record<string, string> {
  const resetAtS = String(Math.ceil(limit.regainAtMs / 1_000));
  return {
    "retry-after": String(Math.max(1, Math.ceil((limit.regainAtMs - nowMs) / 1_000))),
    "anthropic-ratelimit-unified-reset": resetAtS,
    "anthropic-ratelimit-unified-overage-reset": resetAtS,
    "anthropic-ratelimit-unified-overage-utilization": formatUtilization(limit),
    "anthropic-ratelimit-unified-overage-period": limit.period,
  };
}

/** Spent share of the limit with two digits: "0.82". A limit of zero is used up. */
function formatUtilization({ spentNanoUsd, limitNanoUsd }: RefusingLimit): string {
  if (limitNanoUsd === 0n) return "1.00";
  return (Number((spentNanoUsd * 100n) / limitNanoUsd) / 100).toFixed(2);
}
