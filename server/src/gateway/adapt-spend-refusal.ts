import type { ErrorFacts } from "@bursar/contract/error-facts.ts";
import { claudeCodeForm, type ErrorCode } from "@bursar/contract/errors.ts";
import type { ApiError } from "#src/domain/api-error.ts";
import { parseUsd } from "#src/domain/money.ts";
import type { HeaderFields } from "#src/lib/header-fields.ts";
import { findClientFamily, isClaudeCode } from "./client-family.rule.ts";
import type { RefusalForm } from "./refuse.ts";

/** Refusals by a spend limit for which a retry is futile. */
const FUTILE_CODES: ReadonlySet<ErrorCode> = new Set([
  "spend_limit_reached",
  "request_too_large_for_limit",
  "request_cost_unbounded",
  "unknown_features_refused",
  "stream_cut_limit_spent",
]);

/**
 * Returns the refusal in the form that a client with a key expects. After an unknown 400, Claude Code repeats the request up to six
 * times, each time without another feature. A 429 with `x-should-retry: false` stops Claude Code. Every other client gets
 * the official 400. `nowMs`: milliseconds since the epoch.
 */
export function adaptSpendRefusal(
  error: ApiError,
  requestFields: HeaderFields,
  nowMs: number,
): RefusalForm {
  if (!FUTILE_CODES.has(error.code)) return error;
  if (!isClaudeCode(findClientFamily(requestFields.find("user-agent")))) return error;
  return toRejectedForm(error, nowMs) ?? error;
}

/** Form of a refusal by a spend limit that stops Claude Code after one request. Null: another refusal. */
export function toRejectedForm(error: ApiError, nowMs: number): RefusalForm | null {
  if (!FUTILE_CODES.has(error.code)) return null;
  // A new period does not allow unknown features.
  const limit = error.code === "unknown_features_refused" ? undefined : error.details.limit;
  const headers = { ...error.headers, ...REJECTED, ...(limit && toHeaders(limit, nowMs)) };
  return { ...claudeCodeForm, message: error.message, headers };
}

/** Headers with which a Claude Code session that signed in to a gateway prints only the message. */
const REJECTED = {
  "anthropic-ratelimit-unified-status": "rejected",
  "anthropic-ratelimit-unified-overage-disabled-reason": "org_spend_cap_reached",
} as const;

function toHeaders(limit: ErrorFacts["limit"], nowMs: number): Record<string, string> {
  const regainAtMs = Date.parse(limit.period_ends_at);
  const resetAtS = String(Math.ceil(regainAtMs / 1_000));
  return {
    "retry-after": String(Math.max(1, Math.ceil((regainAtMs - nowMs) / 1_000))),
    "anthropic-ratelimit-unified-reset": resetAtS,
    "anthropic-ratelimit-unified-overage-reset": resetAtS,
    "anthropic-ratelimit-unified-overage-utilization": formatUtilization(limit),
    "anthropic-ratelimit-unified-overage-period": limit.period,
  };
}

/** Spent share of the limit with two digits: "0.82". A limit of zero is used up. */
function formatUtilization({ spent_usd, limit_usd }: ErrorFacts["limit"]): string {
  const limitNanoUsd = parseUsd(limit_usd);
  if (limitNanoUsd === 0n) return "1.00";
  return (Number((parseUsd(spent_usd) * 100n) / limitNanoUsd) / 100).toFixed(2);
}
