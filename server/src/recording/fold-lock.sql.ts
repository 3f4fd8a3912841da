import { sql } from "kysely";
import type { Tx } from "#src/db/pool.ts";

// One fold at a time counts appended requests in the whole installation. Its lock ends with its transaction.

export const FOLD_LOCK = 4_201_726_001n;
/** A paused process loses its transaction after this time, and with it the lock. */
const IDLE_MS = 2_000;
const STATEMENT_MS = 10_000;

/** Limits how long a lost or paused process can hold the lock. */
const setTimeouts = sql`set_config('idle_in_transaction_session_timeout', ${String(IDLE_MS)}, true),
  set_config('statement_timeout', ${String(STATEMENT_MS)}, true),
  set_config('tcp_user_timeout', ${String(IDLE_MS)}, true)`;

/** Acquires the lock until the end of the transaction. False while another transaction has it. */
export async function tryLockFold(tx: Tx): Promise<boolean> {
  const { rows } = await sql<{ isLocked: boolean }>`
    SELECT pg_try_advisory_xact_lock(${FOLD_LOCK}) AS "isLocked", ${setTimeouts}`.execute(tx);
  return rows[0]?.isLocked === true;
}

/** Waits for the lock and holds it until the end of the transaction. Throws the database's error after 10 s. */
export async function lockFold(tx: Tx): Promise<void> {
  await sql`SELECT ${setTimeouts}`.execute(tx);
  await sql`SELECT pg_advisory_xact_lock(${FOLD_LOCK})`.execute(tx);
}
