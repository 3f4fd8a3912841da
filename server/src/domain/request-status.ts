import type { Outcome } from "./request-record.ts";

/** How a request ended, as reports and the request log say it. */
export type RequestStatus =
  | Exclude<Outcome, "refused">
  | "rate_limited"
  | "client_error"
  | "server_error";

/**
 * A refusal of the upstream is told apart by its status: 429, another 4xx, or the upstream's own fault. The same rule in
 * SQL stands in recording/rollup-tables.ts.
 */
export function requestStatus(outcome: Outcome, httpStatus: number | null): RequestStatus {
  if (outcome !== "refused") return outcome;
  if (httpStatus === 429) return "rate_limited";
  return httpStatus !== null && httpStatus >= 400 && httpStatus < 500
    ? "client_error"
    : "server_error";
}
