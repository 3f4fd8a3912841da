import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";

// Imitates a failover in one database: all rows go back to an earlier state, and the incarnation is raised, in one
// transaction. Open connections stay, so processes learn of it by their fenced statements.

const SCHEMA = "snapshot";

/** Stores all rows. Another snapshot replaces it. */
export async function takeSnapshot(database: Database): Promise<void> {
  await database.transaction().execute(async (tx) => {
    await sql.raw(`DROP SCHEMA IF EXISTS ${SCHEMA} CASCADE; CREATE SCHEMA ${SCHEMA}`).execute(tx);
    await sql.raw("LOCK TABLE node IN ACCESS EXCLUSIVE MODE").execute(tx);
    for (const name of await listTables(tx)) {
      await sql.raw(`CREATE TABLE ${SCHEMA}.${name} AS TABLE public.${name}`).execute(tx);
    }
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
      // Without foreign keys and triggers, the order of the tables does not matter, and the audit log can go back.
      await sql.raw("SET LOCAL session_replication_role = replica").execute(tx);
      await sql.raw(`TRUNCATE ${names.map((name) => `public.${name}`).join(", ")}`).execute(tx);
      for (const name of names) {
        await sql
          .raw(`INSERT INTO public.${name} OVERRIDING SYSTEM VALUE TABLE ${SCHEMA}.${name}`)
          .execute(tx);
      }
      await sql.raw("SET LOCAL session_replication_role = origin").execute(tx);
      if (isRaised) await raise(tx);
    },
    { deadlockRetries: 5 },
  );
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

async function listTables(tx: Tx): Promise<string[]> {
  const { rows } = await sql<{ name: string }>`
    SELECT quote_ident(relname) AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p') AND NOT relispartition ORDER BY 1`.execute(
    tx,
  );
  return rows.map(({ name }) => name);
}
