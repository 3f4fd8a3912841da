import { sql } from "kysely";
import { firstEpochOf, incarnationOf } from "#src/db/incarnation.ts";
import type { Database, Tx } from "#src/db/pool.ts";
import { findNode, type NodeRow } from "./node.sql.ts";

// Return of a running process to its node's row, after a fence or a failover. The row may be absent, or have an earlier
// state, because a database that failed over has lost its last commits.

/** The process, and its last known row. */
export interface ReturningNode {
  id: string;
  journalId: string;
  /** Start of the process, microseconds since the epoch. */
  startedAtUs: bigint;
  epoch: bigint;
  flushedSeq: number;
  version: string;
  /** Id of the process's database. */
  installationId: string;
}

export interface Entered {
  kind: "entered";
  node: NodeRow;
  /** True: the database has exactly the ends up to `flushedSeq`. False: also some of the later ones. */
  isPositionSure: boolean;
  /** True: the row was absent, or of an earlier start. */
  isTakenOver: boolean;
}

export type Reentry =
  | Entered
  /** Another process has the node. */
  | { kind: "taken" }
  /** The database went back, and its incarnation does not say so. Nothing was changed. */
  | { kind: "rolled_back"; found: { epoch: bigint; flushedSeq: number } | null };

type Decision = "continue" | "take_over" | "taken" | "rolled_back";

/**
 * Gives the process the next epoch of its node. An absent row, or one of an earlier start, is taken over. A row of a later
 * start belongs to another process. `isRollbackKnown`: the incarnation has been raised. Throws the database's error, and an
 * error if this is another database.
 */
export async function reenterNode(
  db: Database,
  own: ReturningNode,
  { isRollbackKnown }: { isRollbackKnown: boolean },
): Promise<Reentry> {
  return await db.transaction().execute(async (tx): Promise<Reentry> => {
    await checkInstallation(tx, own);
    await tx.selectFrom("node").select("id").where("id", "=", own.id).forUpdate().execute();
    const row = await findNode(tx, own.id);
    const incarnation = await readIncarnation(tx);
    const isRaised = isRollbackKnown || incarnation > incarnationOf(own.epoch);
    const decision = decide(own, row, isRaised);
    if (decision === "taken") return { kind: "taken" };
    if (decision === "rolled_back") return { kind: "rolled_back", found: row };
    const isSameJournal = row?.journalId === own.journalId;
    const node = {
      epoch: max(max(own.epoch, row?.epoch ?? 0n) + 1n, firstEpochOf(incarnation)),
      journalId: own.journalId,
      flushedSeq: row !== null && isSameJournal ? row.flushedSeq : 0,
      startedAtUs: own.startedAtUs,
    };
    if (decision === "continue") await setEpoch(tx, own.id, node.epoch);
    else await writeRow(tx, own, node);
    const isTakenOver = decision === "take_over";
    // A journal that is new in its row can have ends of an earlier one, which the database may have.
    const isPositionSure = isSameJournal && (!isTakenOver || node.flushedSeq > 0);
    return { kind: "entered", node, isPositionSure, isTakenOver };
  });
}

function decide(own: ReturningNode, row: NodeRow | null, isRaised: boolean): Decision {
  if (row === null) return isRaised ? "take_over" : "rolled_back";
  if (row.startedAtUs > own.startedAtUs) return "taken";
  if (row.epoch < own.epoch && !isRaised) return "rolled_back";
  if (row.startedAtUs < own.startedAtUs) return "take_over";
  if (row.journalId !== own.journalId) return "taken";
  return row.flushedSeq < own.flushedSeq && !isRaised ? "rolled_back" : "continue";
}

function max(one: bigint, other: bigint): bigint {
  return one > other ? one : other;
}

/** Reads the id of the database. Another one cannot bill these records. */
async function checkInstallation(tx: Tx, { installationId }: ReturningNode): Promise<void> {
  const row = await tx
    .selectFrom("installation")
    .select("value")
    .where("key", "=", "installation_id")
    .executeTakeFirst();
  if (row?.value === installationId) return;
  throw new Error("this database is of another installation: usage waits in the journal");
}

async function readIncarnation(tx: Tx): Promise<bigint> {
  const newest = tx.selectFrom("incarnation").select((eb) => eb.fn.max("value").as("value"));
  return (await newest.executeTakeFirstOrThrow()).value;
}

async function setEpoch(tx: Tx, id: string, epoch: bigint): Promise<void> {
  await tx
    .updateTable("node")
    .set({ epoch, lease_op: 0n, seen_at: sql<Date>`now()` })
    .where("id", "=", id)
    .execute();
}

async function writeRow(tx: Tx, own: ReturningNode, node: NodeRow): Promise<void> {
  const isSameJournal = sql<boolean>`node.journal_id = excluded.journal_id`;
  await tx
    .insertInto("node")
    .values({
      id: own.id,
      journal_id: own.journalId,
      epoch: node.epoch,
      version: own.version,
      appends: true,
      signs_rows: true,
      started_at: sql<Date>`timestamptz 'epoch' + ${own.startedAtUs} * interval '1 microsecond'`,
    })
    .onConflict((conflict) =>
      conflict.column("id").doUpdateSet({
        epoch: node.epoch,
        lease_op: 0n,
        journal_id: own.journalId,
        flushed_seq: sql<bigint>`CASE WHEN ${isSameJournal} THEN node.flushed_seq ELSE 0 END`,
        folded_seq: sql<bigint>`CASE WHEN ${isSameJournal} THEN node.folded_seq ELSE 0 END`,
        version: own.version,
        appends: true,
        signs_rows: true,
        started_at: sql<Date>`excluded.started_at`,
        seen_at: sql<Date>`now()`,
      }),
    )
    .execute();
}
