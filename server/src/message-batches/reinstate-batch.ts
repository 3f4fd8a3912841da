import { createReadStream } from "node:fs";
import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import { restoreDurableHold } from "#src/spend/ledger/durable-holds.sql.ts";
import {
  type BatchState,
  deleteBatchRow,
  insertBatch,
  insertLines,
  lockState,
  markHeld,
  markRunning,
  markSent,
  type NewBatch,
  type ReportedBatch,
} from "./batches.sql.ts";
import type { BatchHold } from "./hold-batch.ts";
import { releaseHold } from "./meter-batch.ts";
import { type BatchLine, type LineDeps, readLine } from "./read-line.ts";
import { RequestSplitter } from "./split-requests.ts";
import type { StoredBody } from "./store-body.ts";

// Writes a batch again that its upstream has, after a failover of the database has lost its last states.

/** A batch that its upstream has accepted, as its node knows it. */
export interface AcceptedBatch {
  batch: NewBatch;
  held: BatchHold;
  stored: StoredBody;
  lines: Omit<LineDeps, "check">;
  upstream: Parameters<typeof markSent>[2];
  running: ReportedBatch;
}

/** States from before the dispatch, or of a recovery that did not know of it. */
const lostStates: ReadonlySet<BatchState> = new Set(["preparing", "held", "refused"]);
/** Rows of one statement. */
const ROWS = 500;

/** Writes the batch as running, with its hold, if the database has an earlier state. Rejects with the database's error. */
export async function reinstateBatch(database: Database, accepted: AcceptedBatch): Promise<void> {
  const { id } = accepted.batch;
  await inTransaction(
    database,
    async (tx) => {
      const state = await lockState(tx, id);
      if (state !== null && state !== "sent" && !lostStates.has(state)) return;
      if (state !== "sent") await writeAgain(tx, accepted);
      await markRunning(tx, id, accepted.running);
    },
    { deadlockRetries: 3 },
  );
}

async function writeAgain(tx: Tx, accepted: AcceptedBatch): Promise<void> {
  const { batch, held, stored, upstream } = accepted;
  const { id, startedAt } = batch;
  const { lineCount, hash: bodyHash } = stored;
  await releaseHold(tx, { ...batch, failover: null });
  await deleteBatchRow(tx, id);
  await insertBatch(tx, batch);
  await insertLinesAgain(tx, accepted);
  await restoreDurableHold(tx, held.hold);
  const { openEnded, hold } = held;
  const holdNanoUsd = hold.amountNanoUsd;
  await markHeld(tx, { id, startedAt, lineCount, holdNanoUsd, bodyHash, openEnded });
  await markSent(tx, id, upstream);
}

/** Reads the requests again from the file of the body. */
async function insertLinesAgain(tx: Tx, { batch, stored, lines }: AcceptedBatch): Promise<void> {
  let read: BatchLine[] = [];
  // The requests were checked at their arrival.
  const deps = { ...lines, check: () => undefined };
  const splitter = new RequestSplitter((bytes, index) => read.push(readLine(deps, bytes, index)));
  const insert = async (): Promise<void> => {
    const found = read;
    read = [];
    for (let at = 0; at < found.length; at += ROWS) {
      await insertLines(tx, batch.id, found.slice(at, at + ROWS));
    }
  };
  for await (const chunk of createReadStream(stored.path) as AsyncIterable<Buffer>) {
    splitter.push(chunk);
    await insert();
  }
  splitter.end();
  await insert();
}
