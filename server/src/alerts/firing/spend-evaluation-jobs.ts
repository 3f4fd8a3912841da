import type { Job } from "#src/jobs/run-jobs.ts";
import { type EvaluationDeps, evaluatePace } from "./evaluate-pace.ts";

export const EVALUATE_PACE = "evaluate_pace";

export function makeSpendEvaluationJobs(deps: EvaluationDeps): Record<string, Job> {
  return { [EVALUATE_PACE]: () => evaluatePace(deps) };
}

/** Schedule: every five minutes. */
export const spendEvaluationSchedule = { [EVALUATE_PACE]: "*/5 * * * *" } as const;
