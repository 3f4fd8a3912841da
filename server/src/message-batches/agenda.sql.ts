import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";
import { type BatchLabels, batchColumns } from "./batches.sql.ts";

// The next work of the workers, and batches that wait for budget.

/** Marks a batch as waiting for budget, so that all nodes return theirs. */
export async function markWaiting(db: Database, id: string, forMs: number): Promise<void> {
  await sql`
    UPDATE message_batch SET waits_until = clock_timestamp() + ${forMs} * interval '1 millisecond'
    WHERE id = ${id} AND state = 'preparing'`.execute(db);
}

/** The next work of the workers. */
export interface Agenda {
  /** Time until the next look at a running batch, milliseconds. Null: none is due later. */
  dueInMs: number | null;
  /** A batch has no answer of its upstream. */
  hasUnanswered: boolean;
  /** A batch waits for budget. */
  hasWaiting: boolean;
}

export async function readAgenda(db: Database): Promise<Agenda> {
  const { rows } = await sql<Agenda>`
    SELECT (SELECT (extract(epoch FROM min(poll_at) - clock_timestamp()) * 1000)::float8 FROM message_batch
        WHERE poll_at IS NOT NULL AND state = 'running') AS "dueInMs",
      EXISTS (SELECT FROM message_batch WHERE state IN ('preparing', 'held', 'sent')) AS "hasUnanswered",
      EXISTS (SELECT FROM message_batch WHERE waits_until > clock_timestamp()) AS "hasWaiting"`.execute(
    db,
  );
  return rows[0] ?? { dueInMs: null, hasUnanswered: false, hasWaiting: false };
}

/** Batches that wait for budget. */
export interface WaitingBatch extends Omit<BatchLabels, "startedAt" | "client"> {
  forMs: number;
}

/** Lists batches that wait for budget, the longest wait first. */
export async function listWaiting(db: Database, limit: number): Promise<WaitingBatch[]> {
  const { rows } = await sql<WaitingBatch>`
    SELECT ${batchColumns}, (extract(epoch FROM waits_until - clock_timestamp()) * 1000)::float8 AS "forMs"
    FROM message_batch WHERE waits_until > clock_timestamp() AND state = 'preparing'
    ORDER BY waits_until LIMIT ${limit}`.execute(db);
  return rows;
}
