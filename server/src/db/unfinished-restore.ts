import type pg from "pg";
import { StartError } from "#src/lib/start-error.ts";

/** Key in `installation`: rows were loaded from a backup, but the steps after that are not finished. */
export const UNFINISHED_RESTORE = "unfinished_restore";

/** True for a database that no server may use: see `backup/restore-backup.ts`. */
export async function isRestoreUnfinished(client: pg.Client): Promise<boolean> {
  const { rows: tables } = await client.query(
    "SELECT FROM pg_class WHERE oid = to_regclass('installation')",
  );
  if (tables.length === 0) return false;
  const { rows } = await client.query("SELECT FROM installation WHERE key = $1", [
    UNFINISHED_RESTORE,
  ]);
  return rows.length > 0;
}

export function makeUnfinishedRestoreError(): StartError {
  return new StartError(
    "A restore into this database was not finished. Run `./bursar restore <file>` again: the restore starts from the beginning.",
  );
}
