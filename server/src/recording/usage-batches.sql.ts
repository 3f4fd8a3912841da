import { countColumns, mapKeys } from "@bursar/contract/usage-shape.ts";
import { CompiledQuery, sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { prepareOnce } from "#src/db/prepared.ts";
import { assert } from "#src/lib/assert.ts";
import { type ColumnTypes, columnParameters, columnTextsInSlices } from "./column-arrays.ts";
import type { MinuteRow } from "./usage-rows.ts";

// Batches that nodes have appended and no fold has counted. A batch is the token of its fold: the transaction that deletes
// it counts its requests.

/** Columns of the rows of a batch, in the order of the statement. */
export const batchRowTypes: ColumnTypes<MinuteRow> = {
  bucket_at: "timestamptz",
  labels_id: "bigint",
  status: "text",
  ...mapKeys(countColumns, () => "bigint"),
};

const columns = Object.keys(batchRowTypes).join(", ");
const FIXED = 6;

const INSERT_BATCH = prepareOnce(
  "insert_usage_batch",
  `INSERT INTO usage_batch (node_id, journal_id, to_seq, oldest_at, row_count, hold_charges, ${columns})
  VALUES ($1, $2, $3::bigint, $4::timestamptz, $5::integer, $6::jsonb, ${columnParameters(batchRowTypes, FIXED)})`,
);

/** A batch before it is inserted. */
export interface NewBatch {
  nodeId: string;
  journalId: string;
  /** Sequence number of its last end in the journal. */
  toSeq: number;
  /** Start of the oldest request, milliseconds since the epoch. Null: no request. */
  oldestMs: number | null;
  rows: readonly MinuteRow[];
  /** JSON of overruns and unresolved holds. */
  holdCharges: string;
}

/** Adds a batch to the queue of the fold. */
export async function insertBatch(tx: Tx, batch: NewBatch): Promise<void> {
  const { nodeId, journalId, toSeq, oldestMs, rows, holdCharges } = batch;
  const oldestAt = oldestMs === null ? null : new Date(oldestMs);
  await tx.executeQuery(
    CompiledQuery.raw(INSERT_BATCH, [
      ...[nodeId, journalId, toSeq, oldestAt, rows.length, holdCharges],
      ...(await columnTextsInSlices(batchRowTypes, rows, (row) => row)),
    ]),
  );
}

/** A batch without its rows. */
export interface QueuedBatch {
  id: bigint;
  nodeId: string;
  journalId: string;
  toSeq: number;
  oldestAt: Date | null;
  rowCount: number;
  holdCharges: unknown;
}

/** Lists the oldest batches, in the order of their insertion. */
export async function listBatches(tx: Tx, limit: number): Promise<QueuedBatch[]> {
  const { rows } = await sql<Omit<QueuedBatch, "toSeq"> & { toSeq: bigint }>`
    SELECT id, node_id AS "nodeId", journal_id AS "journalId", to_seq AS "toSeq", oldest_at AS "oldestAt",
      row_count AS "rowCount", hold_charges AS "holdCharges"
    FROM usage_batch WHERE set_aside_at IS NULL ORDER BY id LIMIT ${limit}`.execute(tx);
  return rows.map((row) => ({ ...row, toSeq: Number(row.toSeq) }));
}

/** Returns the id of the newest batch that no fold has counted. Null: there is none. */
export async function findNewestBatch(db: Database): Promise<bigint | null> {
  const { rows } = await sql<{ id: bigint | null }>`
    SELECT max(id) AS id FROM usage_batch WHERE set_aside_at IS NULL`.execute(db);
  return rows[0]?.id ?? null;
}

/** Excludes a batch that the database refuses from all folds. Its requests are in the events and not counted. */
export async function setBatchAside(tx: Tx, batch: QueuedBatch): Promise<void> {
  const { id, nodeId, journalId, toSeq } = batch;
  // After a failover another batch can have the id.
  await sql`
    UPDATE usage_batch SET set_aside_at = now()
    WHERE id = ${id} AND node_id = ${nodeId} AND journal_id = ${journalId} AND to_seq = ${toSeq}::bigint`.execute(
    tx,
  );
}

/** Deletes counted batches, and advances the folded position of their nodes. */
export async function deleteBatches(tx: Tx, batches: readonly QueuedBatch[]): Promise<void> {
  await sql`
    WITH gone AS (DELETE FROM usage_batch WHERE id = ANY(${idsOf(batches)}::bigint[]) RETURNING node_id, journal_id, to_seq),
    last AS (SELECT node_id, journal_id, max(to_seq) AS seq FROM gone GROUP BY node_id, journal_id)
    UPDATE node SET folded_seq = last.seq FROM last
    WHERE node.id = last.node_id AND node.journal_id = last.journal_id AND node.folded_seq < last.seq`.execute(
    tx,
  );
}

export function idsOf(batches: readonly QueuedBatch[]): bigint[] {
  return batches.map(({ id }) => id);
}

/** Locks the nodes of the batches, in the order of their ids, as a flush and a lease message do. */
export async function lockNodes(tx: Tx, batches: readonly QueuedBatch[]): Promise<void> {
  const ids = [...new Set(batches.map(({ nodeId }) => nodeId))];
  await sql`SELECT FROM node WHERE id = ANY(${ids}::text[]) ORDER BY id FOR UPDATE`.execute(tx);
}

/** State of the queue. */
export interface FoldQueue {
  hasBatches: boolean;
  /** Time until the next fold is due, milliseconds. Negative: it is late. */
  dueInMs: number;
  /** Age of the oldest batch, milliseconds. 0: none. */
  lagMs: number;
  /** Batches that the database refuses. */
  setAside: number;
  /** Positions up to which the requests of the nodes are counted. Null: no node. */
  foldedSeqs: (number | null)[];
}

const READ_QUEUE = prepareOnce(
  "read_fold_queue",
  `SELECT oldest.at IS NOT NULL AS "hasBatches",
    least(1000, extract(epoch FROM greatest(due_at, now() - interval '1 day') - clock_timestamp()) * 1000)::float8
      AS "dueInMs",
    coalesce(extract(epoch FROM clock_timestamp() - oldest.at) * 1000, 0)::float8 AS "lagMs",
    (SELECT count(*) FROM usage_batch WHERE set_aside_at IS NOT NULL)::integer AS "setAside",
    ARRAY(SELECT folded_seq::text FROM unnest($1::text[]) WITH ORDINALITY AS asked (id, place)
      LEFT JOIN node USING (id) ORDER BY place) AS "foldedSeqs"
  FROM fold_state
  CROSS JOIN (SELECT (SELECT appended_at FROM usage_batch WHERE set_aside_at IS NULL ORDER BY id LIMIT 1) AS at) AS oldest`,
);

/** Reads the queue, and the positions of these nodes in the same snapshot. */
export async function readFoldQueue(
  db: Database | Tx,
  nodeIds: readonly string[] = [],
): Promise<FoldQueue> {
  const { rows } = await db.executeQuery<
    Omit<FoldQueue, "foldedSeqs"> & { foldedSeqs: (string | null)[] }
  >(CompiledQuery.raw(READ_QUEUE, [nodeIds]));
  const [row] = rows;
  assert(row !== undefined, "the fold has a state");
  return { ...row, foldedSeqs: row.foldedSeqs.map((seq) => (seq === null ? null : Number(seq))) };
}

/** Position up to which the node's requests are counted. Null: no node. */
export async function findFoldedSeq(db: Database | Tx, nodeId: string): Promise<number | null> {
  const { rows } = await sql<{ seq: bigint }>`
    SELECT folded_seq AS seq FROM node WHERE id = ${nodeId}`.execute(db);
  return rows[0] === undefined ? null : Number(rows[0].seq);
}

/** Sets the time of the next fold, and notifies workers when the transaction commits. `pauseMs`: from now, milliseconds. */
export async function endFold(tx: Tx, pauseMs: number): Promise<void> {
  // The channel of db/notifications.ts.
  await sql`UPDATE fold_state SET due_at = clock_timestamp() + ${pauseMs} * interval '1 millisecond'
    RETURNING pg_notify('bursar_folds', '')`.execute(tx);
}
