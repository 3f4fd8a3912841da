import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

// A savepoint within the transaction of a flush: firings that fail are undone, and what was counted stays.

export async function saveBeforeFirings(tx: Tx): Promise<void> {
  await sql`SAVEPOINT firings`.execute(tx);
}

export async function releaseFirings(tx: Tx): Promise<void> {
  await sql`RELEASE SAVEPOINT firings`.execute(tx);
}

/** Also where a statement has failed since, after which the transaction takes no other. */
export async function rollBackFirings(tx: Tx): Promise<void> {
  await sql`ROLLBACK TO SAVEPOINT firings`.execute(tx);
}
