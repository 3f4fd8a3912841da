import type { Database, Tx } from "#src/db/pool.ts";
import { inTransaction } from "#src/db/transaction.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import { makeLogger } from "#src/lib/logger.ts";
import type { FlushPosition } from "#src/recording/flush.ts";
import { foldAll } from "#src/recording/fold.ts";
import { lockFold } from "#src/recording/fold-lock.sql.ts";
import { FoldWorker } from "#src/recording/fold-worker.ts";
import { appendBatch } from "#src/recording/record-usage.ts";
import { addToRollups } from "#src/recording/rollups.sql.ts";
import { storeTexts } from "#src/recording/usage.sql.ts";
import { deleteBatches, insertBatch, listBatches } from "#src/recording/usage-batches.sql.ts";
import { UsageDictionary } from "#src/recording/usage-dictionary.ts";
import { sumMinutes } from "#src/recording/usage-rows.ts";
import { encodeHoldCharges } from "#src/spend/ledger/hold-charges.ts";
import type { LeaseClock } from "#src/spend/ledger/lease-clock.sql.ts";
import { type SettledBalance, settleBatches } from "#src/spend/ledger/leases.sql.ts";
import { makeSpendFold } from "#src/spend/ledger/ledger.ts";

const logger = makeLogger("silent");

/** A worker without alerts, which folds when a test calls `fold`. After `start` also by itself. */
export function makeTestFolds(database: Database): FoldWorker {
  const participants = [makeSpendFold()];
  return new FoldWorker({ database, participants, logger });
}

/** Adds appended requests to rollups, without the balances. */
export function foldRollups(database: Database): Promise<void> {
  return foldAll({ database, participants: [], logger });
}

/** Adds appended requests to rollups and balances. */
export function foldSpend(database: Database): Promise<void> {
  return foldAll({ database, participants: [makeSpendFold()], logger });
}

const JOURNAL: FlushPosition = { journalId: "journal", toSeq: 0 };

/** Records the requests in events and rollups, as a flush and its fold do. Default: without the balances. */
export async function appendAndFold(
  database: Database,
  nodeId: string,
  records: readonly EndRecord[],
  fold = foldRollups,
): Promise<void> {
  if (records.length === 0) return;
  await inTransaction(database, (tx) =>
    appendBatch(tx, { nodeId, encodeHoldCharges, ...JOURNAL }, records),
  );
  await fold(database);
}

/** Appends an empty batch that no fold counts, while no worker runs. */
export async function appendBatchOnly(database: Database, nodeId: string): Promise<void> {
  await inTransaction(database, (tx) =>
    insertBatch(tx, { nodeId, ...JOURNAL, oldestMs: null, rows: [], holdCharges: "[]" }),
  );
}

/** Appends a batch without its events. */
export async function appendSums(
  tx: Tx,
  place: FlushPosition & { nodeId: string },
  records: readonly EndRecord[],
): Promise<void> {
  const ended = { nodeId: place.nodeId, records };
  const refs = await storeTexts(tx, ended, new UsageDictionary());
  const labels = refs.map((each) => each.labels);
  const holdCharges = encodeHoldCharges(records);
  const rows = await sumMinutes(records, labels);
  const oldestMs =
    records.length === 0 ? null : Math.min(...records.map(({ startedAtMs }) => startedAtMs));
  await insertBatch(tx, { ...place, oldestMs, rows, holdCharges });
}

/** Adds the requests to rollups, balances and leases, as a fold does, without events. */
export async function settleRecords(
  tx: Tx,
  nodeId: string,
  records: readonly EndRecord[],
  clock: LeaseClock,
  position: FlushPosition = JOURNAL,
): Promise<SettledBalance[]> {
  await lockFold(tx);
  await appendSums(tx, { nodeId, ...position }, records);
  const batches = await listBatches(tx, 1_000);
  await addToRollups(tx, batches);
  const settled = await settleBatches(tx, batches, clock);
  await deleteBatches(tx, batches);
  return settled;
}
