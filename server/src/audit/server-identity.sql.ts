import { sql } from "kysely";
import { isUnavailable } from "#src/db/database-error.ts";
import type { Database } from "#src/db/pool.ts";

/** Physical identity of a PostgreSQL server. A promotion raises the timeline. */
export interface ServerIdentity {
  systemIdentifier: string;
  timeline: bigint;
}

const TIMELINE_DIGITS = 8;

/**
 * Reads the identity from PostgreSQL itself, without functions or operators of the schema, because the owner of the
 * database can replace those. Null: the role may not read it. Rejects while the database is unavailable.
 */
export async function readServerIdentity(database: Database): Promise<ServerIdentity | null> {
  try {
    const { rows } = await sql<{ system: bigint; file: string }>`
      SELECT control.system_identifier AS system,
        pg_catalog.pg_walfile_name(pg_catalog.pg_current_wal_insert_lsn()) AS file
      FROM pg_catalog.pg_control_system() AS control`.execute(database);
    const [row] = rows;
    if (row === undefined) return null;
    const timeline = BigInt(`0x${row.file.slice(0, TIMELINE_DIGITS)}`);
    return { systemIdentifier: String(row.system), timeline };
  } catch (error) {
    if (isUnavailable(error)) throw error;
    return null;
  }
}

/** True if `now` is a promoted standby of the seen server, or another system. False for an earlier primary. */
export function isSuccessor(seen: ServerIdentity, now: ServerIdentity): boolean {
  return seen.systemIdentifier !== now.systemIdentifier || now.timeline > seen.timeline;
}
