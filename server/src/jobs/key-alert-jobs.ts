import { type EvaluateKeysDeps, evaluateKeys } from "#src/alerting/evaluate-keys.ts";
import type { Job } from "./run-jobs.ts";

const EVALUATE_KEY_ALERTS = "evaluate_key_alerts";

export function makeKeyAlertJobs(deps: EvaluateKeysDeps): Record<string, Job> {
  return { [EVALUATE_KEY_ALERTS]: () => evaluateKeys(deps) };
}

/** Every ten minutes. */
export const keyAlertSchedule = { [EVALUATE_KEY_ALERTS]: "*/10 * * * *" } as const;
