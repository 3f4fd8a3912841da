import { sql } from "kysely";
import { isUnavailable } from "#src/db/database-error.ts";
import type { Database } from "#src/db/pool.ts";
import type { ReplicationFacts, Slot, Standby } from "./replication.rule.ts";

type FactsRow = Pick<
  ReplicationFacts,
  "isStandby" | "walLevel" | "synchronousCommit" | "synchronousStandbyNames" | "hasStrictLimits"
>;

/** Reads how the primary is replicated. Null: the server refuses to report it, as some managed services do. */
export async function readReplication(db: Database): Promise<ReplicationFacts | null> {
  try {
    const { rows } = await sql<FactsRow>`
      SELECT pg_is_in_recovery() AS "isStandby", current_setting('wal_level') AS "walLevel",
        current_setting('synchronous_commit') AS "synchronousCommit",
        current_setting('synchronous_standby_names') AS "synchronousStandbyNames",
        EXISTS (SELECT FROM spend_limit WHERE enforcement = 'strict') AS "hasStrictLimits"`.execute(
      db,
    );
    const [facts] = rows;
    if (facts === undefined) return null;
    return { ...facts, standbys: await listStandbys(db), slots: await listSlots(db) };
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return null;
  }
}

const END_OF_LOG = sql`CASE WHEN pg_is_in_recovery() THEN pg_last_wal_replay_lsn() ELSE pg_current_wal_lsn() END`;

/** Lists standbys that stream the log. Subscribers of logical replication and running backups are none. */
async function listStandbys(db: Database): Promise<Standby[]> {
  const { rows } = await sql<Standby>`
    SELECT coalesce(application_name, '') AS name, state, sync_state AS "syncState",
      (extract(epoch FROM replay_lag) * 1000)::double precision AS "replayLagMs",
      greatest(${END_OF_LOG} - replay_lsn, 0)::double precision AS "lagBytes"
    FROM pg_stat_replication AS sender
    WHERE state IS DISTINCT FROM 'backup' AND NOT EXISTS (SELECT FROM pg_replication_slots AS slot
      WHERE slot.active_pid = sender.pid AND slot.slot_type = 'logical')
    ORDER BY application_name, pid`.execute(db);
  return rows;
}

async function listSlots(db: Database): Promise<Slot[]> {
  const { rows } = await sql<Slot>`
    SELECT slot_name AS name, active AS "isActive",
      CASE WHEN wal_status = 'lost' THEN 0
        ELSE greatest(${END_OF_LOG} - restart_lsn, 0) END::double precision AS "retainedBytes"
    FROM pg_replication_slots ORDER BY slot_name`.execute(db);
  return rows;
}
