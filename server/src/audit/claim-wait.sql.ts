import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

/** Sets the maximum wait for a transaction with the same claim. Null: the default of the database. */
export async function limitClaimWait(tx: Tx, milliseconds: number | null): Promise<void> {
  await (milliseconds === null
    ? sql`SET LOCAL lock_timeout TO DEFAULT`
    : sql`SELECT set_config('lock_timeout', ${String(milliseconds)}, true)`
  ).execute(tx);
}
