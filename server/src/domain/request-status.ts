import type { Outcome } from "./request-record.ts";

/** How a request ended, as reports and the request log say it. */
export type RequestStatus =
  | Exclude<Outcome, "refused">
  | "rate_limited"
  | "client_error"
  | "server_error";

/** A refusal of the upstream is told apart by its status: 429, another 4xx, or the upstream's own fault. */
export function requestStatus(outcome: Outcome, httpStatus: number | null): RequestStatus {
  if (outcome !== "refused") return outcome;
  if (httpStatus === 429) return "rate_limited";
  return httpStatus !== null && httpStatus >= 400 && httpStatus < 500
    ? "client_error"
    : "server_error";
}

/** The same in SQL, over the columns of usage_event. */
export const EVENT_STATUS = `CASE WHEN outcome <> 'refused' THEN outcome WHEN http_status = 429 THEN 'rate_limited'
  WHEN http_status BETWEEN 400 AND 499 THEN 'client_error' ELSE 'server_error' END`;
