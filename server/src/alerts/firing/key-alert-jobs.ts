import type { Job } from "#src/jobs/run-jobs.ts";
import { type EvaluateKeysDeps, evaluateKeys, evaluateNetworks } from "./evaluate-keys.ts";

const EVALUATE_KEY_ALERTS = "evaluate_key_alerts";
const EVALUATE_NETWORK_ALERTS = "evaluate_network_alerts";

export function makeKeyAlertJobs(deps: EvaluateKeysDeps): Record<string, Job> {
  return {
    [EVALUATE_KEY_ALERTS]: () => evaluateKeys(deps),
    [EVALUATE_NETWORK_ALERTS]: () => evaluateNetworks(deps),
  };
}

/** Every ten minutes what days are counted of, every minute what may be a thief. */
export const keyAlertSchedule = {
  [EVALUATE_KEY_ALERTS]: "*/10 * * * *",
  [EVALUATE_NETWORK_ALERTS]: "* * * * *",
} as const;
