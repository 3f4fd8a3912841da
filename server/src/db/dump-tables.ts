import type { Readable } from "node:stream";
import pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import { StartError } from "#src/lib/start-error.ts";
import { explainConnectError } from "./database-error.ts";
import { makeUnfinishedRestoreError, UNFINISHED_RESTORE } from "./unfinished-restore.ts";

// Exports all tables of one snapshot as text. The embedded package has no pg_dump, and a backup needs only rows,
// because the migrations create the schema. The job queue is excluded, because its jobs follow from rows that state
// that they wait. A copy of the queue would repeat messages that were sent since.

export interface DumpedTable {
  name: string;
  columns: string[];
}

export interface DumpPlan {
  /** The database's time of the snapshot. */
  now: Date;
  postgresVersion: string;
  migrations: { number: number; name: string; sha256: string }[];
  /** Tables in load order: referenced tables first. */
  tables: DumpedTable[];
  sequences: { table: string; column: string; last_value: string; is_called: boolean }[];
  /** Monthly partitions of usage_event and usage_record. */
  partitions: string[];
  installation: ReadonlyMap<string, string>;
  organizations: string[];
  /** Flushed position of each node's journal. */
  nodes: { journalId: string; flushedSeq: number }[];
}

export interface TableDump {
  plan: DumpPlan;
  /** Rows in PostgreSQL's text format. Only one at a time. */
  copyOut(table: DumpedTable): Readable;
  close(): Promise<void>;
}

/** Makes the text identical on every server, and allows statements that take an hour. */
export const COPY_SETTINGS = `
  SET statement_timeout = 0; SET lock_timeout = 0; SET idle_in_transaction_session_timeout = 0;
  SET datestyle = 'ISO'; SET intervalstyle = 'postgres'; SET timezone = 'UTC'; SET bytea_output = 'hex';
  SET extra_float_digits = 1`;

/** Opens the snapshot. Throws a StartError for a foreign database or an unfinished restore. */
export async function openTableDump(connectionString: string): Promise<TableDump> {
  const client = await connectForCopy(connectionString, "bursar backup");
  try {
    await client.query(COPY_SETTINGS);
    await client.query("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    const plan = await readPlan(client);
    let copying: Readable | null = null;
    return {
      plan,
      copyOut: ({ name, columns }) => {
        copying = client.query(copyTo(copyOutStatement(name, columns)));
        return copying;
      },
      close: async () => {
        // After an abort the server would wait without end for a reader of the remaining rows.
        if (copying !== null && !copying.readableEnded) client.connection.stream.destroy();
        else await client.end();
      },
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

export async function connectForCopy(connectionString: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString, application_name: name, keepAlive: true });
  client.on("error", () => undefined); // the running statement fails too
  try {
    await client.connect();
  } catch (error) {
    throw explainConnectError(error, connectionString);
  }
  return client;
}

function copyOutStatement(name: string, columns: readonly string[]): string {
  const list = columns.map((column) => pg.escapeIdentifier(column)).join(", ");
  return `COPY (SELECT ${list} FROM ${pg.escapeIdentifier(name)}) TO STDOUT`;
}

async function readPlan(client: pg.Client): Promise<DumpPlan> {
  const { rows: own } = await client.query(
    "SELECT FROM pg_class WHERE oid = to_regclass('schema_migration')",
  );
  if (own.length === 0) throw new StartError("The database contains no Bursar data to back up.");
  const [clock] = (
    await client.query<{ now: Date; version: string }>(
      "SELECT clock_timestamp() AS now, current_setting('server_version') AS version",
    )
  ).rows;
  if (clock === undefined) throw new Error("the database returned no time");
  const installation = await readInstallation(client);
  if (installation.has(UNFINISHED_RESTORE)) throw makeUnfinishedRestoreError();
  const { rows: migrations } = await client.query<DumpPlan["migrations"][number]>(
    "SELECT number, name, sha256 FROM schema_migration ORDER BY number",
  );
  const { rows: organizations } = await client.query<{ name: string }>(
    "SELECT name FROM organization ORDER BY created_at, id",
  );
  const { rows: nodes } = await client.query<{ journal_id: string; flushed_seq: string }>(
    "SELECT journal_id, flushed_seq::text FROM node",
  );
  return {
    now: clock.now,
    postgresVersion: clock.version,
    migrations,
    tables: await listTables(client),
    sequences: await listSequences(client),
    partitions: await listPartitions(client),
    installation,
    organizations: organizations.map(({ name }) => name),
    nodes: nodes.map((row) => ({
      journalId: row.journal_id,
      flushedSeq: Number(row.flushed_seq),
    })),
  };
}

async function readInstallation(client: pg.Client): Promise<Map<string, string>> {
  const { rows } = await client.query<{ key: string; value: string }>(
    "SELECT key, value FROM installation",
  );
  return new Map(rows.map(({ key, value }) => [key, value]));
}

/** Excludes tables of extensions, and partitions, whose rows come with their parent. */
export const OWN_TABLES = `
  SELECT c.oid, c.relname::text AS name FROM pg_class c
  WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relnamespace = current_schema()::regnamespace
    AND c.relname <> 'schema_migration'
    AND NOT EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')`;

/** Lists tables with their columns, referenced tables first. */
export async function listTables(client: pg.Client): Promise<DumpedTable[]> {
  const { rows: tables } = await client.query<DumpedTable>(`
    SELECT own.name, array_agg(a.attname::text ORDER BY a.attnum) AS columns
    FROM (${OWN_TABLES}) AS own JOIN pg_attribute a ON a.attrelid = own.oid
    WHERE a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''
    GROUP BY own.name ORDER BY own.name`);
  const { rows: references } = await client.query<{ from: string; to: string }>(`
    SELECT DISTINCT a.name AS "from", b.name AS "to"
    FROM pg_constraint c JOIN (${OWN_TABLES}) AS a ON a.oid = c.conrelid JOIN (${OWN_TABLES}) AS b ON b.oid = c.confrelid
    WHERE c.contype = 'f' AND c.conrelid <> c.confrelid`);
  const waiting = new Map(tables.map((table) => [table.name, table]));
  const ordered: DumpedTable[] = [];
  while (waiting.size > 0) {
    const ready = [...waiting.values()].filter(
      ({ name }) => !references.some(({ from, to }) => from === name && waiting.has(to)),
    );
    if (ready.length === 0) throw new Error("tables have circular references");
    for (const table of ready) waiting.delete(table.name);
    ordered.push(...ready);
  }
  return ordered;
}

/** Reads sequences. A snapshot excludes them, so they are read after it and are never behind its rows. */
async function listSequences(client: pg.Client): Promise<DumpPlan["sequences"]> {
  const { rows } = await client.query<{ table: string; column: string; sequence: string }>(`
    SELECT own.name AS "table", a.attname::text AS "column", s.oid::regclass::text AS sequence
    FROM (${OWN_TABLES}) AS own
    JOIN pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = own.oid AND d.deptype IN ('i', 'a')
    JOIN pg_class s ON s.oid = d.objid AND d.classid = 'pg_class'::regclass AND s.relkind = 'S'
    JOIN pg_attribute a ON a.attrelid = own.oid AND a.attnum = d.refobjsubid
    ORDER BY 1, 2`);
  const sequences: DumpPlan["sequences"] = [];
  for (const { table, column, sequence } of rows) {
    const { rows: values } = await client.query<{ last_value: string; is_called: boolean }>(
      `SELECT last_value::text, is_called FROM ${sequence}`,
    );
    for (const value of values) sequences.push({ table, column, ...value });
  }
  return sequences;
}

async function listPartitions(client: pg.Client): Promise<string[]> {
  const { rows } = await client.query<{ name: string }>(`
    SELECT c.relname::text AS name FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid
    JOIN pg_class parent ON parent.oid = i.inhparent
    WHERE parent.relname IN ('usage_event', 'usage_record') AND c.relname ~ '^usage_(event|record)_\\d{4}_\\d{2}$'
    ORDER BY 1`);
  return rows.map(({ name }) => name);
}
