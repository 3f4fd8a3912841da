import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";

// The row of a node, with its positions in its journal. Sequence numbers are int8 there and safe integers here.

export interface NodeRow {
  epoch: bigint;
  /** Journal of the positions. */
  journalId: string;
  flushedSeq: number;
  /** Start of the process, microseconds since the epoch. Differs for a newer process, but not for a new epoch of this one. */
  startedAtUs: bigint;
}

const startedAtUs = sql<bigint>`(extract(epoch FROM node.started_at) * 1000000)::bigint`;
const nodeColumns = [
  "node.epoch",
  "node.journal_id as journalId",
  "node.flushed_seq as flushedSeq",
  startedAtUs.as("startedAtUs"),
] as const;

/** Epochs of an incarnation are above all earlier ones, also above those that a failover lost. */
export const firstEpoch = sql<bigint>`(SELECT greatest(1, max(value) << 32) FROM incarnation)`;

/**
 * Registers the node and increases its epoch, so that an older process with the same id can flush nothing any more. If the
 * row is of another journal, its positions start at 0, because the database may have nothing of the new journal.
 */
export async function enterNode(
  db: Database | Tx,
  node: { id: string; journalId: string; version: string },
): Promise<NodeRow> {
  const row = await db
    .insertInto("node")
    .values({
      id: node.id,
      journal_id: node.journalId,
      version: node.version,
      appends: true,
      signs_rows: true,
      // An earlier process of the node may have had a row that a failover lost.
      epoch: firstEpoch,
    })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet((eb) => ({
        epoch: eb("node.epoch", "+", 1n),
        lease_op: 0n,
        journal_id: eb.ref("excluded.journal_id"),
        flushed_seq: eb
          .case()
          .when("node.journal_id", "=", eb.ref("excluded.journal_id"))
          .then(eb.ref("node.flushed_seq"))
          .else(0n)
          .end(),
        folded_seq: eb
          .case()
          .when("node.journal_id", "=", eb.ref("excluded.journal_id"))
          .then(eb.ref("node.folded_seq"))
          .else(0n)
          .end(),
        version: eb.ref("excluded.version"),
        appends: true,
        signs_rows: true,
        started_at: eb.fn<Date>("now"),
        seen_at: eb.fn<Date>("now"),
      })),
    )
    .returning(nodeColumns)
    .executeTakeFirstOrThrow();
  return toNodeRow(row);
}

/**
 * Moves the node's row to a new journal that has the records of a journal in `from`. The row of any other journal stays.
 * The older process can then flush nothing.
 */
export async function moveToJournal(
  tx: Tx,
  node: { id: string; from: readonly string[]; to: string },
): Promise<void> {
  await tx
    .updateTable("node")
    .set((eb) => ({
      epoch: eb("epoch", "+", 1n),
      appends: true,
      signs_rows: true,
      lease_op: 0n,
      journal_id: node.to,
      flushed_seq: 0n,
      folded_seq: 0n,
    }))
    .where("id", "=", node.id)
    .where("journal_id", "in", node.from)
    .execute();
}

/**
 * Moves the folded position to the flushed one. Call it at a start, after a fold. Nodes of older versions count their
 * requests in the flush, and do not advance the folded position.
 */
export async function markFlushedAsFolded(
  db: Database | Tx,
  node: { id: string; epoch: bigint },
): Promise<void> {
  await db
    .updateTable("node")
    .set((eb) => ({ folded_seq: eb.ref("flushed_seq") }))
    .where("id", "=", node.id)
    .where("epoch", "=", node.epoch)
    .execute();
}

/** Finds the node's row, or null. */
export async function findNode(db: Database | Tx, id: string): Promise<NodeRow | null> {
  const row = await db
    .selectFrom("node")
    .select(nodeColumns)
    .where("id", "=", id)
    .executeTakeFirst();
  return row ? toNodeRow(row) : null;
}

function toNodeRow(row: Omit<NodeRow, "flushedSeq"> & { flushedSeq: bigint }): NodeRow {
  return { ...row, flushedSeq: Number(row.flushedSeq) };
}

/** The compare-and-set of a flush. False: the row has other values, and nothing was changed. */
export async function advanceFlushedSeq(
  tx: Tx,
  step: { nodeId: string; epoch: bigint; journalId: string; from: number; to: number },
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable("node")
    .set({ flushed_seq: BigInt(step.to), seen_at: sql<Date>`now()` })
    .where("id", "=", step.nodeId)
    .where("epoch", "=", step.epoch)
    .where("journal_id", "=", step.journalId)
    .where("flushed_seq", "=", BigInt(step.from))
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Returns the id of this database. The first call stores `newId`, so each database has another id. */
export async function ensureInstallationId(db: Database | Tx, newId: string): Promise<string> {
  const key = "installation_id";
  await db
    .insertInto("installation")
    .values({ key, value: newId })
    .onConflict((conflict) => conflict.column("key").doNothing())
    .execute();
  const row = await db
    .selectFrom("installation")
    .select("value")
    .where("key", "=", key)
    .executeTakeFirstOrThrow();
  return row.value;
}

/** Reads the database's clock, milliseconds since the epoch. */
export async function readDatabaseNowMs(db: Database | Tx): Promise<number> {
  const row = await db
    .selectNoFrom(sql<Date>`clock_timestamp()`.as("now"))
    .executeTakeFirstOrThrow();
  return row.now.getTime();
}
