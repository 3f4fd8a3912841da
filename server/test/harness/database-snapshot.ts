import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";

// Imitates a failover in one database: all rows go back to an earlier state, and the incarnation is raised, in one
// transaction. Open connections stay, so processes learn of it by their fenced statements.

const SCHEMA = "snapshot";

/** Stores all rows. Replaces an earlier snapshot. */
export async function takeSnapshot(database: Database): Promise<void> {
  await database.transaction().execute(async (tx) => {
    await sql.raw(`CREATE SCHEMA IF NOT EXISTS ${SCHEMA}`).execute(tx);
    await sql.raw("LOCK TABLE node IN ACCESS EXCLUSIVE MODE").execute(tx);
    const names = await listTables(tx);
    const created = names.map(
      (name) => `CREATE TABLE IF NOT EXISTS ${nameCopy(name)} (LIKE ${name})`,
    );
    if (!(await hasCopies(tx, names.length))) await sql.raw(created.join(";")).execute(tx);
    await replaceRows(tx, names, { of: nameCopy, by: (name) => name });
  });
}

/** Goes back to the snapshot, as a promoted standby. `isRaised`: false imitates a restored snapshot of the same server. */
export async function failOverToSnapshot(
  database: Database,
  { isRaised = true }: { isRaised?: boolean } = {},
): Promise<void> {
  // A retry of a flush can run at the same time.
  await inTransaction(
    database,
    async (tx) => {
      const names = await listTables(tx);
      await sql.raw(`LOCK TABLE ${names.join(", ")} IN ACCESS EXCLUSIVE MODE`).execute(tx);
      // Without foreign keys and triggers, the order of the tables does not matter, and the audit log can go back.
      await sql.raw("SET LOCAL session_replication_role = replica").execute(tx);
      await replaceRows(tx, names, { of: (name) => name, by: nameCopy });
      await sql.raw("SET LOCAL session_replication_role = origin").execute(tx);
      if (isRaised) await raise(tx);
    },
    { deadlockRetries: 5 },
  );
}

type NameTable = (table: string) => string;

/**
 * Replaces all rows of tables. TRUNCATE would create new files for a hundred small tables, and all connections would
 * plan their statements again.
 */
async function replaceRows(
  tx: Tx,
  names: readonly string[],
  { of, by }: { of: NameTable; by: NameTable },
): Promise<void> {
  const statements = names.map(
    (name) =>
      `DELETE FROM ${of(name)}; INSERT INTO ${of(name)} OVERRIDING SYSTEM VALUE TABLE ${by(name)};`,
  );
  await sql.raw(`DO $$ BEGIN ${statements.join(" ")} END $$`).execute(tx);
}

/** Raises the incarnation of a database that went back. */
export async function raiseIncarnation(database: Database): Promise<void> {
  await database.transaction().execute((tx) => raise(tx));
}

async function raise(tx: Tx): Promise<void> {
  await sql`
    SELECT FROM raise_incarnation((SELECT id FROM incarnation ORDER BY value DESC LIMIT 1), 0, ${randomUUID()}, 'rollback', '{}')
  `.execute(tx);
}

/** Names of all tables with their schema, quoted. */
async function listTables(tx: Tx): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT 'public.' || quote_ident(relname) AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`.execute(
    tx,
  );
  return rows.map(({ name }) => name);
}

const nameCopy: NameTable = (table) => table.replace("public.", `${SCHEMA}.`);

/** Whether the snapshot has this number of tables. */
async function hasCopies(tx: Tx, count: number): Promise<boolean> {
  const { rows } = await sql<{ has_all: boolean }>`
    SELECT count(*) = ${count} AS has_all FROM pg_tables WHERE schemaname = ${SCHEMA}`.execute(tx);
  return rows[0]?.has_all === true;
}
