import { sql } from "kysely";
import type { Database } from "./pool.ts";

/** With one of these off, PostgreSQL reports a commit before it is on disk. */
const DURABLE_SETTINGS = ["fsync", "synchronous_commit", "full_page_writes"] as const;

/** Current values of these settings. */
export async function readDurabilitySettings(
  database: Database,
): Promise<{ name: string; value: string }[]> {
  const { rows } = await sql<{ name: string; value: string }>`
    SELECT name, setting AS value FROM pg_settings
    WHERE name IN (${sql.join(DURABLE_SETTINGS)}) ORDER BY name`.execute(database);
  return rows;
}

/**
 * Returns a warning for the start log if the server can lose committed changes in a crash, including money. Null: it
 * cannot. `synchronous_commit` weaker than `on` but not `off` (remote_write, local) still writes to the local disk.
 */
export async function findDurabilityWarning(database: Database): Promise<string | null> {
  const { rows } = await sql<{ name: string }>`
    SELECT name FROM pg_settings
    WHERE name IN (${sql.join(DURABLE_SETTINGS)}) AND setting = 'off' ORDER BY name`.execute(
    database,
  );
  if (rows.length === 0) return null;
  const names = rows.map((row) => row.name).join(" and ");
  return (
    `PostgreSQL runs with ${names} off: a crash or a power failure can lose committed usage, spend and keys. ` +
    "Turn it on in the server's configuration."
  );
}
