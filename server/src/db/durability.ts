import { sql } from "kysely";
import type { Database } from "./pool.ts";

/** With one of these off, PostgreSQL says "committed" before the change is on a disk. */
const DURABLE_SETTINGS = ["fsync", "synchronous_commit", "full_page_writes"] as const;

/** Those settings as they are now. */
export async function readDurabilitySettings(
  database: Database,
): Promise<{ name: string; value: string }[]> {
  const { rows } = await sql<{ name: string; value: string }>`
    SELECT name, setting AS value FROM pg_settings
    WHERE name IN (${sql.join(DURABLE_SETTINGS)}) ORDER BY name`.execute(database);
  return rows;
}

/**
 * A warning for the start-up log when the server may lose committed changes in a crash (money among them); null when
 * it keeps them. `synchronous_commit` weaker than `on` but not `off` (remote_write, local) still reaches the local disk.
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
    `PostgreSQL runs with ${names} off: a crash or a power cut can lose usage, spend and keys that were committed. ` +
    "Set it on in the server's configuration."
  );
}
