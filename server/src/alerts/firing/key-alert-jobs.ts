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

/** Conditions in days run every ten minutes. New networks run every minute, because a key may be stolen. */
export const keyAlertSchedule = {
  [EVALUATE_KEY_ALERTS]: "*/10 * * * *",
  [EVALUATE_NETWORK_ALERTS]: "* * * * *",
} as const;
