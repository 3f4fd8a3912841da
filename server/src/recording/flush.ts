import type { Database, Tx } from "#src/db/pool.ts";
import type { EndRecord } from "#src/domain/request-record.ts";
import type { Logger } from "#src/lib/logger.ts";
import { advanceFlushedSeq, findNode } from "./node.sql.ts";
import type { DaySpend } from "./segment-index.ts";
import { listRecordedRequests } from "./usage.sql.ts";

// The flush: the transaction that appends ended requests of the journal to the database. A compare-and-set on the node's
// row comes first, so that each batch is appended once, even if the response to the commit is lost.

/** Place of a batch in the journal. */
export interface FlushPosition {
  journalId: string;
  /** Sequence number of the last end. */
  toSeq: number;
}

/** Receiver of ended requests. Participants run in the order of their list. */
export interface FlushParticipant {
  /** The node has a new epoch: at its start, and after a fence. Runs in one synchronous step with the queue. */
  started?(entry: NodeEntry): void;
  /**
   * A failover moved the database back to this position, and a fold has counted all ends up to there. Appended ends after
   * it are found again before the next `started`, in the same synchronous step. Must not throw.
   */
  rewound?(flushedSeq: number): void;
  /** An end is in the queue for its flush. Must not throw. */
  queued?(record: EndRecord): void;
  /** Runs before the transaction, and before each retry. */
  prepare?(database: Database, batch: readonly EndRecord[]): Promise<void>;
  /** Ends with this spend were found in the journal, by a start or after `rewound`. They are flushed later. Must not throw. */
  found?(spend: DaySpend): void;
  /** Runs before `rewound`, and after the fold. Throws the database's error. */
  prepareRewind?(database: Database): Promise<void>;
  /** Writes the batch inside the transaction. After a failure it runs again, with the same batch or a part of it. */
  flush(tx: Tx, batch: readonly EndRecord[], position: FlushPosition): Promise<void>;
  /**
   * The batch leaves the queue in the same synchronous step. `isCounted`: the database has the rows of the last `flush`.
   * False: the batch was set aside, and the database has nothing of it. Must not throw.
   */
  committed?(
    batch: readonly EndRecord[],
    outcome: { flushedSeq: number; isCounted: boolean },
  ): void;
}

export interface NodeEntry {
  epoch: bigint;
  /** Position up to which the database has this node's ends. */
  flushedSeq: number;
  /** False: the journal may lack requests that were sent. */
  isJournalWhole: boolean;
}

export interface FlushStep {
  database: Database;
  participants: readonly FlushParticipant[];
  nodeId: string;
  epoch: bigint;
  journalId: string;
  /** `flushed_seq` of the node before the step. */
  from: number;
  /** `flushed_seq` after the step: the sequence number of the last end of the batch. */
  to: number;
  batch: readonly EndRecord[];
  /** True for a batch that was found in the journal. Requests with an event are then left out. */
  isRecordedSkipped: boolean;
}

export type FlushResult =
  /** The batch is in the database, by this attempt or by an earlier one whose response was lost. */
  | { kind: "flushed" }
  /** The node's row is absent, or has another epoch or position. */
  | { kind: "fenced" };

/** Appends one batch. Throws the database's error. The caller then retries the same step, which counts once. */
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
  const isAppended = row?.epoch === step.epoch && row.flushedSeq === step.to;
  return { kind: isAppended ? "flushed" : "fenced" };
}

async function removeRecorded(tx: Tx, batch: readonly EndRecord[]): Promise<readonly EndRecord[]> {
  const recorded = await listRecordedRequests(tx, batch);
  return recorded.size === 0 ? batch : batch.filter(({ requestId }) => !recorded.has(requestId));
}

/** True for SQLSTATE classes 22 (data exception) and 23 (integrity constraint violation). A retry does not help. */
export function isRefusedData(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return typeof code === "string" && /^2[23][0-9A-Z]{3}$/.test(code);
}

export const FLUSH_EVERY_MS = 250;
const MAX_BACKOFF_MS = 5_000;

/** Pause before the next attempt, milliseconds. Doubles with each failure in a row. */
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
