import { sql } from "kysely";
import type { Database } from "#src/db/pool.ts";

/** A row of a request that ended. */
export interface SpentRow {
  seq: number;
  /** The row is deleted if the database has all ends up to this one. */
  endSeq: number;
}

/** Deletes rows of flushed requests. A database that lost the flush in a failover keeps them. */
export async function deleteRows(
  database: Database,
  { nodeId, journalId }: { nodeId: string; journalId: string },
  spent: readonly SpentRow[],
): Promise<void> {
  await sql`
    DELETE FROM journal_record AS record
    USING unnest(${spent.map(({ seq }) => String(seq))}::bigint[], ${spent.map(({ endSeq }) => String(endSeq))}::bigint[])
      AS spent (seq, end_seq)
    WHERE record.node_id = ${nodeId} AND record.seq = spent.seq AND spent.end_seq <= coalesce(
      (SELECT flushed_seq FROM node WHERE id = ${nodeId} AND journal_id = ${journalId}), 0)`.execute(
    database,
  );
}
