import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { MAX_CONNECTIONS } from "./database.ts";

/** Counts the deadlocks in a test's database, of transactions in its pool. */
export async function countDeadlocks(database: Database): Promise<number> {
  await reportStatistics(database);
  const { rows } = await sql<{ deadlocks: number }>`
    SELECT deadlocks::integer AS deadlocks FROM pg_stat_database WHERE datname = current_database()`.execute(
    database,
  );
  const [row] = rows;
  if (row === undefined) throw new Error("the database has statistics");
  return row.deadlocks;
}

/** PostgreSQL reports at most once a second and connection. Uses all connections at once, so that each reports now. */
async function reportStatistics(database: Database): Promise<void> {
  const allConnected = Promise.withResolvers<void>();
  let connected = 0;
  const report = () =>
    database.connection().execute(async (connection) => {
      connected++;
      if (connected === MAX_CONNECTIONS) allConnected.resolve();
      await allConnected.promise;
      await sql`SELECT pg_stat_force_next_flush()`.execute(connection);
    });
  await Promise.all(Array.from({ length: MAX_CONNECTIONS }, report));
}
