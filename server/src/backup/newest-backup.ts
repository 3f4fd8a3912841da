import type { Database } from "#src/db/pool.ts";
import { findNewestBackupTime } from "./backups.sql.ts";

/** Time of the newest backup, as this node read it last. */
export interface NewestBackup {
  /** Milliseconds since the epoch. Null: no backup. */
  madeAtMs(): number | null;
  /** Reads the time again. Called for each change, because a recorded backup is a change. */
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
