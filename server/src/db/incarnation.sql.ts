import { CompiledQuery, type Kysely } from "kysely";
import type pg from "pg";
import type { Tables } from "./tables.ts";

// Statements about the incarnation of the database. The pools parse int8 differently, so numbers are read as text.

export interface Incarnation {
  value: bigint;
  /** Differs between two servers that raised to the same value. */
  id: string;
  /** Timeline of the write-ahead log at the raise. Null: unknown. */
  timeline: bigint | null;
  /** Null: unknown. */
  systemIdentifier: string | null;
}

/** Facts of a server and its database, read over one connection. */
export interface ServerState {
  isStandby: boolean;
  timeline: bigint | null;
  systemIdentifier: string | null;
  /** The newest incarnation that the database stores. */
  stored: Incarnation;
  changeCounter: bigint;
}

export type RaiseReason = "timeline" | "system" | "rollback";

const READ_TIMEOUT_MS = 5_000;

interface IncarnationRow {
  value: string;
  id: string;
  timeline: string | null;
  system_identifier: string | null;
}

const INCARNATION_COLUMNS = "value::text, id::text, timeline::text, system_identifier";

function fromRowIncarnation(row: IncarnationRow): Incarnation {
  const { value, id, timeline, system_identifier: systemIdentifier } = row;
  return {
    value: BigInt(value),
    id,
    timeline: timeline === null ? null : BigInt(timeline),
    systemIdentifier,
  };
}

export async function readServerState(client: pg.ClientBase): Promise<ServerState> {
  const { rows } = await client.query<
    IncarnationRow & {
      is_standby: boolean;
      server_timeline: string | null;
      server_identifier: string | null;
      counter: string;
    }
  >({
    text: `
      SELECT pg_is_in_recovery() AS is_standby, server.timeline::text AS server_timeline,
        server.system_identifier AS server_identifier, newest.*, change_counter.value::text AS counter
      FROM read_server_identity() AS server, change_counter,
        (SELECT ${INCARNATION_COLUMNS} FROM incarnation ORDER BY incarnation.value DESC LIMIT 1) AS newest`,
    query_timeout: READ_TIMEOUT_MS,
  } as pg.QueryConfig);
  const [row] = rows;
  if (row === undefined) throw new Error("the database has no incarnation");
  return {
    isStandby: row.is_standby,
    timeline: row.server_timeline === null ? null : BigInt(row.server_timeline),
    systemIdentifier: row.server_identifier,
    stored: fromRowIncarnation(row),
    changeCounter: BigInt(row.counter),
  };
}

export async function identifyIncarnation(
  client: pg.ClientBase,
  { stored, timeline, systemIdentifier }: ServerState,
): Promise<Incarnation> {
  await client.query(
    `UPDATE incarnation SET timeline = $2, system_identifier = $3 WHERE id = $1 AND timeline IS NULL`,
    [stored.id, timeline === null ? null : String(timeline), systemIdentifier],
  );
  return { ...stored, timeline, systemIdentifier };
}

export type Query = (text: string, values: unknown[]) => Promise<IncarnationRow[]>;

export function queryOver(client: pg.ClientBase): Query {
  return async (text, values) => (await client.query<IncarnationRow>(text, values)).rows;
}

export function queryIn(database: Kysely<Tables>): Query {
  return async (text, values) =>
    (await database.executeQuery<IncarnationRow>(CompiledQuery.raw(text, values))).rows;
}

export interface Raise {
  /** Id of the incarnation that the caller has read. */
  expectedId: string;
  known: bigint;
  newId: string;
  reason: RaiseReason;
  details: Record<string, unknown>;
}

export async function raiseIncarnation(
  query: Query,
  { expectedId, known, newId, reason, details }: Raise,
): Promise<Incarnation> {
  const [row] = await query(
    `SELECT ${INCARNATION_COLUMNS} FROM raise_incarnation($1, $2, $3, $4, $5)`,
    [expectedId, String(known), newId, reason, JSON.stringify(details)],
  );
  if (row === undefined) throw new Error("the raise of the incarnation returned no row");
  return fromRowIncarnation(row);
}
