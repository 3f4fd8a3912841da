import type { Outcome } from "./request-record.ts";

/** Status of a request in reports and the request log. */
export type RequestStatus =
  | Exclude<Outcome, "refused">
  | "rate_limited"
  | "client_error"
  | "server_error";

/**
 * Maps an outcome to a status. A refusal of the upstream depends on its HTTP status: 429, another 4xx, or the
 * upstream's own error. recording/rollup-tables.ts has the same rule in SQL.
 */
export function requestStatus(outcome: Outcome, httpStatus: number | null): RequestStatus {
  if (outcome !== "refused") return outcome;
  if (httpStatus === 429) return "rate_limited";
  return httpStatus !== null && httpStatus >= 400 && httpStatus < 500
    ? "client_error"
    : "server_error";
}
