import { sql } from "kysely";
import type { Database, Tx } from "#src/db/pool.ts";
import { findNode, firstEpoch, moveToJournal } from "./node.sql.ts";

// Journals as rows. Each statement of a writer requires its epoch. A new writer increases the epoch, and waits for the
// running statement of the writer before it, which has locked the row.

export interface WriterRow {
  nodeId: string;
  journalId: string;
  epoch: bigint;
  lastSeq: number;
  beat: bigint;
  /** False: the journal may lack requests that were sent. */
  isWhole: boolean;
  isAdopted: boolean;
  /** Incarnation of the database that has the row. */
  incarnation: bigint;
}

const newestIncarnation = sql<bigint>`(SELECT max(value) FROM incarnation)`;
const nextEpoch = sql<bigint>`greatest(journal_writer.epoch + 1, ${firstEpoch})`;

const writerColumns = [
  "node_id as nodeId",
  "journal_id as journalId",
  "epoch",
  "last_seq",
  "beat",
  "is_whole as isWhole",
  "is_adopted as isAdopted",
  newestIncarnation.as("incarnation"),
] as const;

type SelectedWriter = Omit<WriterRow, "lastSeq"> & { last_seq: bigint };

function fromRow({ last_seq, ...row }: SelectedWriter): WriterRow {
  return { ...row, lastSeq: Number(last_seq) };
}

/**
 * Becomes the writer of the node's journal, or creates the journal. The same transaction updates the node's row, so a
 * start that is killed here leaves no unknown journal. Returns the previous writer too, or null.
 */
export async function openWriter(
  database: Database,
  node: { nodeId: string; journalId: string; previousJournalId?: string | null },
): Promise<{ writer: WriterRow; previous: WriterRow | null }> {
  const { nodeId, journalId, previousJournalId } = node;
  return await database.transaction().execute(async (tx) => {
    const previous = await tx
      .selectFrom("journal_writer")
      .select(writerColumns)
      .where("node_id", "=", nodeId)
      .forUpdate()
      .executeTakeFirst();
    const writer = await tx
      .insertInto("journal_writer")
      .values({ node_id: nodeId, journal_id: journalId, epoch: firstEpoch })
      .onConflict((conflict) =>
        conflict.column("node_id").doUpdateSet((eb) => ({
          journal_id: eb.ref("excluded.journal_id"),
          epoch: nextEpoch,
          beat: eb("journal_writer.beat", "+", 1n),
          is_adopted: false,
          seen_at: eb.fn<Date>("now"),
        })),
      )
      .returning(writerColumns)
      .executeTakeFirstOrThrow();
    const from = [previousJournalId, previous?.journalId].filter((id) => id != null);
    if (from.length > 0) await moveToJournal(tx, { id: nodeId, from, to: journalId });
    return { writer: fromRow(writer), previous: previous ? fromRow(previous) : null };
  });
}

/** Becomes the writer of a dead node's journal. Null: the node lives, or another node adopted the journal first. */
export async function adoptWriter(
  database: Database,
  seen: WriterRow,
  journalId: string,
): Promise<WriterRow | null> {
  return await database.transaction().execute(async (tx) => {
    const row = await tx
      .updateTable("journal_writer")
      .set((eb) => ({
        journal_id: journalId,
        epoch: nextEpoch,
        beat: eb("beat", "+", 1n),
        is_adopted: true,
        seen_at: eb.fn<Date>("now"),
      }))
      .where("node_id", "=", seen.nodeId)
      .where("epoch", "=", seen.epoch)
      .where("beat", "=", seen.beat)
      .returning(writerColumns)
      .executeTakeFirst();
    if (row === undefined) return null;
    await moveToJournal(tx, { id: seen.nodeId, from: [seen.journalId], to: journalId });
    return fromRow(row);
  });
}

export type Retaken =
  | { kind: "retaken"; writer: WriterRow }
  /** Another writer has the journal, or had it and finished it. */
  | { kind: "taken"; how: "adopted" | "taken" };

/**
 * Becomes the writer again, in a database that may have lost the last state of the row. A row of an earlier start is taken
 * over. Returns the row as the database has it, with the next epoch. Throws the database's error.
 */
export async function retakeWriter(
  database: Database,
  own: {
    nodeId: string;
    journalId: string;
    previousJournalId: string | null;
    epoch: bigint;
    incarnation: bigint;
  },
): Promise<Retaken> {
  const { nodeId, journalId } = own;
  return await database.transaction().execute(async (tx): Promise<Retaken> => {
    const found = await tx
      .selectFrom("journal_writer")
      .select(writerColumns)
      .where("node_id", "=", nodeId)
      .forUpdate()
      .executeTakeFirst();
    if (found === undefined && !(await isLostWriter(tx, own))) {
      return { kind: "taken", how: "adopted" };
    }
    if (found !== undefined && found.journalId !== journalId && found.epoch > own.epoch) {
      return { kind: "taken", how: found.isAdopted ? "adopted" : "taken" };
    }
    const writer = await tx
      .insertInto("journal_writer")
      .values({
        node_id: nodeId,
        journal_id: journalId,
        epoch: sql<bigint>`greatest(${own.epoch}::bigint + 1, ${firstEpoch})`,
      })
      .onConflict((conflict) =>
        conflict.column("node_id").doUpdateSet((eb) => ({
          journal_id: journalId,
          epoch: sql<bigint>`greatest(${own.epoch}::bigint + 1, ${nextEpoch})`,
          beat: eb("journal_writer.beat", "+", 1n),
          is_adopted: false,
          seen_at: eb.fn<Date>("now"),
        })),
      )
      .returning(writerColumns)
      .executeTakeFirstOrThrow();
    const from = found?.journalId;
    if (from !== undefined && from !== journalId) {
      await moveToJournal(tx, { id: nodeId, from: [from], to: journalId });
    }
    return { kind: "retaken", writer: fromRow(writer) };
  });
}

/** True if a failover lost the writer's row. Otherwise another node has adopted the journal and finished it. */
async function isLostWriter(
  tx: Tx,
  own: { nodeId: string; journalId: string; previousJournalId: string | null; incarnation: bigint },
): Promise<boolean> {
  const { incarnation } = await tx
    .selectNoFrom(newestIncarnation.as("incarnation"))
    .executeTakeFirstOrThrow();
  const journalId = (await findNode(tx, own.nodeId))?.journalId ?? null;
  const isOwn = journalId === null || [own.journalId, own.previousJournalId].includes(journalId);
  return incarnation > own.incarnation && isOwn;
}

export async function findWriter(database: Database, nodeId: string): Promise<WriterRow | null> {
  const row = await database
    .selectFrom("journal_writer")
    .select(writerColumns)
    .where("node_id", "=", nodeId)
    .executeTakeFirst();
  return row ? fromRow(row) : null;
}

export async function listWriters(database: Database): Promise<WriterRow[]> {
  const rows = await database
    .selectFrom("journal_writer")
    .select(writerColumns)
    .orderBy("node_id")
    .execute();
  return rows.map(fromRow);
}

/** A writer of a journal. */
interface Writer {
  nodeId: string;
  epoch: bigint;
}

export interface JournalRow {
  seq: number;
  line: Buffer;
}

/** Records that the writer lives. False: another writer has the journal, or the database lost records. */
export async function recordHeartbeat(
  database: Database,
  { nodeId, epoch, lastSeq }: Writer & { lastSeq: number },
): Promise<boolean> {
  const { numUpdatedRows } = await database
    .updateTable("journal_writer")
    .set((eb) => ({ beat: eb("beat", "+", 1n), seen_at: sql<Date>`now()` }))
    .where("node_id", "=", nodeId)
    .where("epoch", "=", epoch)
    .where("last_seq", "=", BigInt(lastSeq))
    .executeTakeFirstOrThrow();
  return numUpdatedRows === 1n;
}

/** Stores whether the journal is whole. Throws an error if another writer has the journal. */
export async function markWriter(
  database: Database,
  { nodeId, epoch }: Writer,
  isWhole: boolean,
): Promise<void> {
  const { numUpdatedRows } = await database
    .updateTable("journal_writer")
    .set({ is_whole: isWhole })
    .where("node_id", "=", nodeId)
    .where("epoch", "=", epoch)
    .executeTakeFirstOrThrow();
  if (numUpdatedRows !== 1n) throw new Error("another process has this node's journal");
}

/** Lists records after `afterSeq` and up to `upToSeq` in order, at most `limit`. */
export async function listRows(
  database: Database,
  range: { nodeId: string; afterSeq: number; upToSeq: number; limit: number },
): Promise<JournalRow[]> {
  const rows = await database
    .selectFrom("journal_record")
    .select(["seq", "line"])
    .where("node_id", "=", range.nodeId)
    .where("seq", ">", BigInt(range.afterSeq))
    .where("seq", "<=", BigInt(range.upToSeq))
    .orderBy("seq")
    .limit(range.limit)
    .execute();
  return rows.map(fromJournalRow);
}

/** Lists the records with these numbers, in order. */
export async function listRowsAt(
  database: Database,
  nodeId: string,
  seqs: readonly number[],
): Promise<JournalRow[]> {
  const rows = await database
    .selectFrom("journal_record")
    .select(["seq", "line"])
    .where("node_id", "=", nodeId)
    .where(sql<boolean>`seq = ANY(${seqs.map(String)}::bigint[])`)
    .orderBy("seq")
    .execute();
  return rows.map(fromJournalRow);
}

function fromJournalRow({ seq, line }: { seq: bigint; line: Uint8Array }): JournalRow {
  return { seq: Number(seq), line: Buffer.from(line) };
}

/** Deletes a finished journal. A journal with records, with a gap, or of another writer stays. */
export async function closeWriter(database: Database, { nodeId, epoch }: Writer): Promise<void> {
  const hasRecords = sql<boolean>`EXISTS (SELECT FROM journal_record WHERE node_id = ${nodeId})`;
  await database
    .deleteFrom("journal_writer")
    .where("node_id", "=", nodeId)
    .where("epoch", "=", epoch)
    .where("is_whole", "=", true)
    .where(sql<boolean>`NOT ${hasRecords}`)
    .execute();
}
