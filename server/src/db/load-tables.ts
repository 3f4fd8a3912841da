import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import { StartError } from "#src/lib/start-error.ts";
import {
  COPY_SETTINGS,
  connectForCopy,
  type DumpedTable,
  type DumpPlan,
  listTables,
  OWN_TABLES,
} from "./dump-tables.ts";
import { refuseForeignDatabase } from "./server-checks.ts";
import { isRestoreUnfinished, UNFINISHED_RESTORE } from "./unfinished-restore.ts";

// Loads the export of dump-tables.ts: an empty database, and all rows in one transaction.

export type LoadPlan = Pick<DumpPlan, "tables" | "sequences" | "partitions">;

/**
 * Clears a database without data: no tables, a schema on which no server ever started, or an unfinished restore. Throws
 * a StartError, and changes nothing, for any other content.
 */
export async function clearDatabase(connectionString: string): Promise<void> {
  const client = await connectForCopy(connectionString, "bursar restore");
  try {
    await refuseForeignDatabase(client);
    const isOurs = (
      await client.query("SELECT FROM pg_class WHERE oid = to_regclass('organization')")
    ).rows.length;
    if (isOurs > 0 && !(await isRestoreUnfinished(client))) await refuseUsed(client);
    await refuseConnected(client);
    await dropTables(client);
  } finally {
    await client.end();
  }
}

async function refuseUsed(client: pg.Client): Promise<void> {
  const { rows } = await client.query("SELECT FROM organization LIMIT 1");
  if (rows.length === 0) return;
  throw new StartError(
    "The database already contains Bursar data, and a restore overwrites nothing. Use an empty one: move the data folder " +
      "away (or set BURSAR_DATA_DIR to a new one). With DATABASE_URL, create a new database and set its name there.",
  );
}

/** Throws a StartError while a node is connected, because it would continue with its state in memory. */
export async function refuseConnectedNodes(connectionString: string): Promise<void> {
  const client = await connectForCopy(connectionString, "bursar restore");
  try {
    await refuseConnected(client);
  } finally {
    await client.end();
  }
}

async function refuseConnected(client: pg.Client): Promise<void> {
  const { rows } = await client.query<{ count: number }>(`
    SELECT count(*)::integer AS count FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid() AND application_name IN ('bursar', 'bursar jobs')`);
  const count = rows[0]?.count ?? 0;
  if (count === 0) return;
  throw new StartError(
    "A Bursar is connected to this database. Stop all its nodes and run the command again.",
  );
}

async function dropTables(client: pg.Client): Promise<void> {
  const { rows: tables } = await client.query<{ name: string }>(
    `SELECT name FROM (${OWN_TABLES}) AS own UNION ALL SELECT 'schema_migration'`,
  );
  const { rows: routines } = await client.query<{ signature: string }>(`
    SELECT p.oid::regprocedure::text AS signature FROM pg_proc p
    WHERE p.pronamespace = current_schema()::regnamespace AND NOT EXISTS (SELECT FROM pg_depend d
      WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`);
  await client.query("BEGIN");
  for (const { name } of tables) {
    await client.query(`DROP TABLE IF EXISTS ${pg.escapeIdentifier(name)} CASCADE`);
  }
  // A routine that returns rows of a table went with it.
  for (const { signature } of routines) await client.query(`DROP ROUTINE IF EXISTS ${signature}`);
  await client.query("DROP SCHEMA IF EXISTS graphile_worker CASCADE");
  await client.query("COMMIT");
}

export interface TableLoad {
  /** Loads rows and returns their number. */
  copyIn(table: DumpedTable, rows: AsyncIterable<Buffer>): Promise<number>;
  /** Commits, with the mark of an unfinished restore. */
  commit(): Promise<void>;
  /** Closes the connection. Without `commit`, nothing is loaded. */
  close(): Promise<void>;
}

/** Opens a load into a new schema with the number of the dump's. Throws if the tables differ. */
export async function openTableLoad(
  connectionString: string,
  { tables, sequences, partitions }: LoadPlan,
): Promise<TableLoad> {
  const client = await connectForCopy(connectionString, "bursar restore");
  try {
    await client.query(COPY_SETTINGS);
    const own = await listTables(client);
    refuseOtherTables(own, tables);
    await client.query("BEGIN");
    // Removes rows that migrations inserted.
    for (const { name } of own.toReversed()) {
      await client.query(`DELETE FROM ${pg.escapeIdentifier(name)}`);
    }
    for (const name of partitions) await client.query(formatPartitionStatement(name));
    return {
      copyIn: async ({ name, columns }, rows) => {
        const list = columns.map((column) => pg.escapeIdentifier(column)).join(", ");
        const copy = copyFrom(`COPY ${pg.escapeIdentifier(name)} (${list}) FROM STDIN`);
        await pipeline(Readable.from(rows), client.query(copy));
        return copy.rowCount;
      },
      commit: async () => {
        for (const { table, column, last_value, is_called } of sequences) {
          await client.query(
            "SELECT setval(pg_get_serial_sequence(quote_ident($1), $2)::regclass, $3::bigint, $4)",
            [table, column, last_value, is_called],
          );
        }
        // The triggers recorded the loaded rows, and the backup has their signatures. Older schemas lack the table.
        const changes = await client.query(
          "SELECT FROM pg_class WHERE oid = to_regclass('row_change')",
        );
        if (changes.rows.length > 0) await client.query("DELETE FROM row_change");
        await client.query("INSERT INTO installation (key, value) VALUES ($1, 'loaded')", [
          UNFINISHED_RESTORE,
        ]);
        await client.query("COMMIT");
        await client.query("ANALYZE");
      },
      close: () => client.end(),
    };
  } catch (error) {
    await client.end();
    throw error;
  }
}

function refuseOtherTables(own: readonly DumpedTable[], dumped: readonly DumpedTable[]): void {
  const described = (tables: readonly DumpedTable[]) =>
    tables.map(({ name, columns }) => `${name} (${[...columns].sort().join()})`).sort();
  const [has, wanted] = [described(own), described(dumped)];
  const odd = [
    ...has.filter((each) => !wanted.includes(each)),
    ...wanted.filter((each) => !has.includes(each)),
  ];
  if (odd.length === 0) return;
  throw new StartError(
    `The tables of the backup differ from its schema (${odd[0]}): the backup is of a modified database.`,
  );
}

/** Creates the partition for the month in `usage_event_YYYY_MM` or `usage_record_YYYY_MM`. */
function formatPartitionStatement(name: string): string {
  const [, parent = "", year, month] =
    /^(usage_event|usage_record)_(\d{4})_(\d{2})$/.exec(name) ?? [];
  const first = Date.UTC(Number(year), Number(month) - 1);
  const next = Date.UTC(Number(year), Number(month));
  const day = (ms: number) => `'${new Date(ms).toISOString().slice(0, 10)} 00:00:00+00'`;
  return `CREATE TABLE ${pg.escapeIdentifier(name)} PARTITION OF ${pg.escapeIdentifier(parent)} FOR VALUES FROM (${day(first)}) TO (${day(next)})`;
}
