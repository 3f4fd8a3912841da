import type { Database } from "#src/db/pool.ts";
import { findNewestBackupTime } from "./backups.sql.ts";

/** When the newest backup was made, as this node read it last. */
export interface NewestBackup {
  /** Milliseconds since the epoch, or null where there is none. */
  madeAtMs(): number | null;
  /** Noting a backup counts as a change: to be called with each. */
  reload(): Promise<void>;
}

export async function readNewestBackup(database: Database): Promise<NewestBackup> {
  let madeAt: Date | null = null;
  const reload = async () => {
    madeAt = await findNewestBackupTime(database);
  };
  await reload();
  return { madeAtMs: () => madeAt?.getTime() ?? null, reload };
}
