import type { Database } from "#src/db/pool.ts";
import type { Job } from "#src/jobs/run-jobs.ts";
import { deleteExpiredSecrets } from "./waiting-secrets.sql.ts";

const DELETE_WAITING_SECRETS = "delete_waiting_secrets";

export function makeWaitingSecretJobs(deps: {
  database: Database;
  nowMs: () => number;
}): Record<string, Job> {
  return {
    [DELETE_WAITING_SECRETS]: () => deleteExpiredSecrets(deps.database, new Date(deps.nowMs())),
  };
}

/** Every quarter of an hour. Expired secrets are never shown, also before they are deleted. */
export const waitingSecretSchedule = { [DELETE_WAITING_SECRETS]: "*/15 * * * *" } as const;
