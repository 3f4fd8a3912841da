import { inTransaction } from "#src/db/transaction.ts";
import type { Job } from "#src/jobs/run-jobs.ts";
import { replaceTokenKeys, type TokenKeyDeps } from "#src/key-lookup/access-token-keys.ts";
import { REFRESH_TOKEN_MS } from "#src/key-lookup/access-tokens.ts";
import { deleteDeviceAuthorizations } from "./device-authorizations.sql.ts";
import { deleteOldLaptops } from "./laptops.sql.ts";

const REPLACE_TOKEN_KEYS = "replace_token_keys";
const DELETE_ENDED_LAPTOPS = "delete_ended_laptops";
const DAY_MS = 86_400_000;
/** Time for which lists have an ended laptop. */
const RETENTION_MS = 90 * DAY_MS;

export function makeLaptopJobs(deps: TokenKeyDeps): Record<string, Job> {
  const { database } = deps;
  return {
    [REPLACE_TOKEN_KEYS]: () => replaceTokenKeys(deps),
    [DELETE_ENDED_LAPTOPS]: async () => {
      const nowMs = deps.nowMs();
      await inTransaction(database, (tx) =>
        deleteOldLaptops(tx, {
          endedBefore: new Date(nowMs - RETENTION_MS),
          // Laptops without a refresh have ended by then.
          rotatedBefore: new Date(nowMs - REFRESH_TOKEN_MS - RETENTION_MS),
        }),
      );
      await deleteDeviceAuthorizations(database, new Date(nowMs - DAY_MS));
    },
  };
}

/** Both daily. A new key is created a day before its first use. */
export const laptopSchedule = {
  [REPLACE_TOKEN_KEYS]: "20 3 * * *",
  [DELETE_ENDED_LAPTOPS]: "40 3 * * *",
} as const;
