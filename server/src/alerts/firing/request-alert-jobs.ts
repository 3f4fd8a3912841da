import type { Job } from "#src/jobs/run-jobs.ts";
import { type EvaluateRequestsDeps, evaluateRequests } from "./evaluate-requests.ts";

const EVALUATE_REQUEST_ALERTS = "evaluate_request_alerts";

export function makeRequestAlertJobs(deps: EvaluateRequestsDeps): Record<string, Job> {
  return { [EVALUATE_REQUEST_ALERTS]: () => evaluateRequests(deps) };
}

/** Schedule: every minute. */
export const requestAlertSchedule = { [EVALUATE_REQUEST_ALERTS]: "* * * * *" } as const;
