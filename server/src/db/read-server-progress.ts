import { sql } from "kysely";
import type { Database } from "./pool.ts";

/** Identity and progress of a server, by which a replica is compared with the primary. */
export interface ServerProgress {
  isStandby: boolean;
  databaseName: string;
  /** Identifies the server and its physical copies. Null: unknown. */
  systemId: string | null;
  /** Id of the database. Null: it has no tables of Bursar, or no node has started yet. */
  installationId: string | null;
  /** Number of the newest migration. */
  schema: number;
  /** Newest incarnation. Null: the database has no tables of Bursar. */
  incarnation: { value: bigint; id: string } | null;
  /** End of the log: written by a primary, or replayed by a standby. Null: the server does not report it. */
  lsn: bigint | null;
  /** Commit time of the last replayed transaction, milliseconds since the epoch. */
  replayedAtMs: number | null;
}

interface ServerRow {
  is_standby: boolean;
  database_name: string;
  has_tables: boolean;
  lsn: bigint | null;
  replayed_at: Date | null;
}

export async function readServerProgress(database: Database): Promise<ServerProgress> {
  const { rows } = await sql<ServerRow>`
    SELECT pg_is_in_recovery() AS is_standby, current_database() AS database_name,
      to_regclass('installation') IS NOT NULL AND to_regclass('incarnation') IS NOT NULL AS has_tables,
      (CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END - '0/0'::pg_lsn)::bigint
        AS lsn,
      CASE WHEN pg_is_in_recovery() THEN pg_last_xact_replay_timestamp() END AS replayed_at`.execute(
    database,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("a server returned no state");
  return {
    isStandby: row.is_standby,
    databaseName: row.database_name,
    lsn: row.lsn,
    replayedAtMs: row.replayed_at?.getTime() ?? null,
    ...(row.has_tables ? await readIdentity(database) : NO_IDENTITY),
  };
}

type Identity = Pick<ServerProgress, "systemId" | "installationId" | "schema" | "incarnation">;

const NO_IDENTITY: Identity = {
  systemId: null,
  installationId: null,
  schema: 0,
  incarnation: null,
};

interface IdentityRow {
  system_id: string | null;
  installation_id: string | null;
  schema: number | null;
  value: bigint;
  id: string;
}

async function readIdentity(database: Database): Promise<Identity> {
  const { rows } = await sql<IdentityRow>`
    SELECT (SELECT system_identifier FROM read_server_identity()) AS system_id,
      (SELECT value FROM installation WHERE key = 'installation_id') AS installation_id,
      (SELECT max(number) FROM schema_migration) AS schema, value, id
    FROM incarnation ORDER BY value DESC LIMIT 1`.execute(database);
  const [row] = rows;
  if (row === undefined) return NO_IDENTITY;
  return {
    systemId: row.system_id,
    installationId: row.installation_id,
    schema: row.schema ?? 0,
    incarnation: { value: row.value, id: row.id },
  };
}
