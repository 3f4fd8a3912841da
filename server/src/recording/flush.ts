import type { Database, Tx } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { Logger } from "#src/lib/logger.ts";
import { advanceFlushedSeq, findNode } from "./node.sql.ts";
import type { DaySpend } from "./segment-index.ts";
import { listRecordedRequests } from "./usage.sql.ts";

// The one transaction that moves ended requests from the journal into the database. It starts with a compare-and-set on
// the node's row, so each batch is appended once, even if the result of the commit is lost.

/** Place of a batch in the journal. */
export interface FlushPosition {
  journalId: string;
  /** Sequence number of the last end. */
  toSeq: number;
}

/** Receiver of ended requests. Participants run in the order of their list. */
export interface FlushParticipant {
  /** The node has an epoch, at its start and whenever it enters again. */
  started?(entry: NodeEntry): void;
  /** An end was accepted and waits for its flush. Must not throw. */
  queued?(record: EndRecord): void;
  /** Runs before the transaction, again before each retry. */
  prepare?(database: Database, batch: readonly EndRecord[]): Promise<void>;
  /** A start found ends with this spend in the journal. Each one is flushed later. Must not throw. */
  found?(spend: DaySpend): void;
  /** Writes the batch inside the transaction. After a failure it runs again, with the same batch or a part of it. */
  flush(tx: Tx, batch: readonly EndRecord[], position: FlushPosition): Promise<void>;
  /**
   * The batch leaves the queue, in this same synchronous step. `isCounted`: what the last `flush` wrote is in the
   * database; else the batch was set aside and nothing of it is. Must not throw.
   */
  committed?(
    batch: readonly EndRecord[],
    outcome: { flushedSeq: number; isCounted: boolean },
  ): void;
}

export interface NodeEntry {
  epoch: bigint;
  /** The database has this node's ends up to here. */
  flushedSeq: number;
  /** False where the journal may lack requests that were sent. */
  isJournalWhole: boolean;
}

export interface FlushStep {
  database: Database;
  participants: readonly FlushParticipant[];
  nodeId: string;
  epoch: bigint;
  journalId: string;
  /** The step moves the node's `flushed_seq` from here … */
  from: number;
  /** … to here: the sequence number of the last end of the batch. */
  to: number;
  batch: readonly EndRecord[];
  /** True for a batch that a start found in the journal: requests that are recorded already are left out. */
  isRecordedSkipped: boolean;
}

export type FlushResult =
  /** In the database, now or by an attempt before whose answer was lost. */
  | { kind: "flushed" }
  /** A newer process has this node's id. */
  | { kind: "fenced"; epoch: bigint }
  /** The node's row is not what this process left: the database was replaced or restored under it. */
  | { kind: "replaced"; flushedSeq: number | null };

/** Throws the database's error when nothing is known: the same step may then be tried again, and counts once. */
export async function flushBatch(step: FlushStep): Promise<FlushResult> {
  for (const participant of step.participants) {
    await participant.prepare?.(step.database, step.batch);
  }
  const isOurs = await step.database.transaction().execute(async (tx) => {
    if (!(await advanceFlushedSeq(tx, step))) return false;
    const batch = step.isRecordedSkipped ? await removeRecorded(tx, step.batch) : step.batch;
    const position = { journalId: step.journalId, toSeq: step.to };
    for (const participant of step.participants) await participant.flush(tx, batch, position);
    return true;
  });
  if (isOurs) return { kind: "flushed" };
  const row = await findNode(step.database, step.nodeId);
  if (row === null) return { kind: "replaced", flushedSeq: null };
  if (row.epoch !== step.epoch) return { kind: "fenced", epoch: row.epoch };
  if (row.flushedSeq === step.to) return { kind: "flushed" };
  return { kind: "replaced", flushedSeq: row.flushedSeq };
}

async function removeRecorded(tx: Tx, batch: readonly EndRecord[]): Promise<readonly EndRecord[]> {
  const recorded = await listRecordedRequests(tx, batch);
  return recorded.size === 0 ? batch : batch.filter(({ requestId }) => !recorded.has(requestId));
}

/** SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation): trying again changes nothing. */
export function isRefusedData(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && /^2[23][0-9A-Z]{3}$/.test(code);
}

export const FLUSH_EVERY_MS = 250;
const MAX_BACKOFF_MS = 5_000;

/** Pause before the next attempt, milliseconds. It doubles with each failure in a row. */
export function flushBackoffMs(failures: number): number {
  return Math.min(FLUSH_EVERY_MS * 2 ** Math.max(failures - 1, 0), MAX_BACKOFF_MS);
}

/** Calls each participant. A failure of one is logged, and the others are called. */
export function notifyParticipants(
  participants: readonly FlushParticipant[],
  what: (participant: FlushParticipant) => void,
  logger: Logger,
): void {
  for (const participant of participants) {
    try {
      what(participant);
    } catch (error) {
      logger.error({ err: error }, "a flush participant failed");
    }
  }
}
