import { CompiledQuery } from "kysely";
import type { Database } from "#src/db/pool.ts";
import type { JournalRow } from "./journal-rows.sql.ts";

export interface WriterStep {
  nodeId: string;
  epoch: bigint;
  /** `last_seq` before and after. */
  from: number;
  to: number;
}

// One statement takes one round trip and one sync of the database's log, for any number of records.
const APPEND = `
  WITH writer AS (
    UPDATE journal_writer SET last_seq = $1, beat = beat + 1, seen_at = now()
    WHERE node_id = $2 AND epoch = $3 AND last_seq = $4 RETURNING node_id
  ), written AS (
    INSERT INTO journal_record (node_id, seq, line)
    SELECT writer.node_id, r.seq, r.line FROM writer, unnest($5::bigint[], $6::bytea[]) AS r (seq, line)
  )
  SELECT count(*)::int AS writers FROM writer`;

/** Appends records. False: the writer's row has other values, and nothing was written. */
export async function appendRows(
  database: Database,
  step: WriterStep,
  rows: readonly JournalRow[],
): Promise<boolean> {
  const result = await database.executeQuery<{ writers: number }>(
    CompiledQuery.raw(APPEND, [
      String(step.to),
      step.nodeId,
      String(step.epoch),
      String(step.from),
      rows.map(({ seq }) => String(seq)),
      rows.map(({ line }) => line),
    ]),
  );
  return result.rows[0]?.writers === 1;
}
