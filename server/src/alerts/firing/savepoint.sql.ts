import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

// A savepoint in the transaction of a flush. A failure undoes the firings, and the counted requests stay.

export async function createSavepoint(tx: Tx): Promise<void> {
  await sql`SAVEPOINT firings`.execute(tx);
}

export async function releaseSavepoint(tx: Tx): Promise<void> {
  await sql`RELEASE SAVEPOINT firings`.execute(tx);
}

/** Works after a failed statement too, when the transaction accepts no other statement. */
export async function rollBackToSavepoint(tx: Tx): Promise<void> {
  await sql`ROLLBACK TO SAVEPOINT firings`.execute(tx);
}
