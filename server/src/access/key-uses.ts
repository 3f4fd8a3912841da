import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { saveAdminKeyUses, saveUses } from "./key-use.sql.ts";
import { type AdminKeyUses, type KeyUse, makeAdminKeyUses, makeKeyUse } from "./key-use.ts";

/** What notes the uses of the keys of a server. */
export interface KeyUses {
  keyUse: KeyUse;
  adminKeyUse: AdminKeyUses;
  /** Writes what is noted, for the last time. */
  stop(): Promise<void>;
}

export function noteKeyUses(of: { database: Database; logger: Logger }): KeyUses {
  const { database, logger } = of;
  const keyUse = makeKeyUse({ save: (uses) => saveUses(database, uses), logger });
  const adminKeyUse = makeAdminKeyUses({
    save: (uses) => saveAdminKeyUses(database, uses),
    logger,
  });
  return {
    keyUse,
    adminKeyUse,
    stop: async () => {
      await Promise.all([keyUse.stop(), adminKeyUse.stop()]);
    },
  };
}
