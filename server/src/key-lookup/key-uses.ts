import type { Database } from "#src/db/pool.ts";
import type { Logger } from "#src/lib/logger.ts";
import { saveAdminKeyUses, saveUses } from "./key-use.sql.ts";
import { type AdminKeyUses, type KeyUse, makeAdminKeyUses, makeKeyUse } from "./key-use.ts";

/** Records uses of a server's keys. */
export interface KeyUses {
  keyUse: KeyUse;
  adminKeyUse: AdminKeyUses;
  /** Writes the collected notes for the last time. */
  stop(): Promise<void>;
}

export function startKeyUses(of: { database: Database; logger: Logger }): KeyUses {
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
