import type { Database } from "#src/db/pool.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import {
  type FlushParticipant,
  type FlushStep,
  flushBackoffMs,
  flushBatch,
  isRefusedData,
  notifyParticipants,
} from "./flush.ts";
import type { Journal } from "./journal-contract.ts";
import type { PendingEnds } from "./pending-ends.ts";
import type { PendingEnd } from "./read-ends.ts";

export interface FlushStepsOptions {
  database: Database;
  participants: readonly FlushParticipant[];
  journal: Journal;
  pending: PendingEnds;
  clock: Clock;
  logger: Logger;
  /** Maximum number of requests in one transaction. */
  batchSize: number;
}

/** Position of the node in the database. */
export interface NodePosition {
  epoch: bigint;
  flushedSeq: number;
}

export type StepResult =
  /** A batch is in the database, or is set aside, or is tried again in smaller parts. */
  | { kind: "advanced" }
  /** Nothing is pending. */
  | { kind: "idle" }
  | { kind: "failed" }
  /** The node's row has an epoch or a position that this process did not write. */
  | { kind: "fenced" };

const MAX_REFUSALS = 3;

type Step = FlushStep & { ends: readonly PendingEnd[]; isSetAside: boolean };

/**
 * Moves pending ends into the database, one batch at a time. After a failure with an unknown outcome, the same step is
 * tried again, so that it counts once.
 */
export class FlushSteps {
  readonly #options: FlushStepsOptions;
  #node: NodePosition = { epoch: 0n, flushedSeq: 0 };
  /**
   * Ends up to this one were found by the start, or after a failover. Some may be recorded, so each request is looked up
   * (see FlushStep).
   */
  #foundUpToSeq = 0;
  #step: Step | null = null;
  /** Smaller than `batchSize` during the search for a refused record. */
  #batchLimit: number;
  #failures = 0;
  /** Refusals in a row of a step with one record. */
  #refusals = 0;
  #flushedCount = 0;
  #lastFlushAtMs: number | null = null;

  constructor(options: FlushStepsOptions) {
    this.#options = options;
    this.#batchLimit = options.batchSize;
  }

  get node(): NodePosition {
    return this.#node;
  }

  /** Number of ends that this process has flushed. */
  get flushedCount(): number {
    return this.#flushedCount;
  }

  /** Milliseconds since the epoch. Null before the first flush. */
  get lastFlushAtMs(): number | null {
    return this.#lastFlushAtMs;
  }

  /** Pause after failures, milliseconds. Null: the last attempt succeeded. */
  get backoffMs(): number | null {
    return this.#failures > 0 ? flushBackoffMs(this.#failures) : null;
  }

  start(node: NodePosition): void {
    this.#node = node;
  }

  /** Ends up to `seq` were found in the journal by the start. */
  markFound(seq: number): void {
    this.#foundUpToSeq = seq;
  }

  /**
   * Removes ends that the database has up to `flushedSeq`, because the response to their flush was lost. Returns the
   * resulting position, which is later if the database has lost ends.
   */
  async skipAppended(flushedSeq: number): Promise<number> {
    if (this.#step?.to === flushedSeq) this.#complete(this.#step);
    this.#step = null;
    const { pending, batchSize } = this.#options;
    while (this.#node.flushedSeq < flushedSeq) {
      const ends = (await pending.head(batchSize)).filter(({ seq }) => seq <= flushedSeq);
      const last = ends.at(-1);
      if (last === undefined) break;
      // These were appended by another attempt, as its batch.
      const batch = ends.map(({ record }) => record);
      this.#complete({ ends, batch, to: last.seq, isSetAside: true });
    }
    return this.#node.flushedSeq;
  }

  /** Continues under a new epoch, after `skipAppended`. */
  restart(node: NodePosition): void {
    this.#step = null;
    this.#node = node;
  }

  /** Continues under a new epoch at an earlier position. Ends up to `lostUpToSeq` are looked up before they are appended. */
  rewind(node: NodePosition, lostUpToSeq: number): void {
    this.restart(node);
    this.#foundUpToSeq = Math.max(this.#foundUpToSeq, lostUpToSeq);
  }

  /** Never rejects. */
  async flushNext(): Promise<StepResult> {
    try {
      this.#step ??= await this.#nextStep();
      const step = this.#step;
      if (step === null) return { kind: "idle" };
      const result = await flushBatch(step);
      if (result.kind === "fenced") return { kind: "fenced" };
      this.#complete(step);
      return { kind: "advanced" };
    } catch (error) {
      const step = this.#step;
      if (step === null || !isRefusedData(error)) return this.fail(error);
      return this.#halveBatch(step, error);
    }
  }

  /** Counts a failure, and logs the first one. */
  fail(error: unknown): StepResult {
    if (this.#failures === 0) {
      this.#options.logger.warn(
        { err: error, pending: this.#options.pending.count },
        "flush failed: usage waits in the journal",
      );
    }
    this.#failures += 1;
    return { kind: "failed" };
  }

  async #nextStep(): Promise<Step | null> {
    const { database, participants, journal, pending } = this.#options;
    const ends = await pending.head(this.#batchLimit);
    const last = ends.at(-1);
    if (last === undefined) return null;
    const { epoch, flushedSeq: from } = this.#node;
    return {
      database,
      participants,
      nodeId: journal.nodeId,
      epoch,
      journalId: journal.journalId,
      from,
      to: last.seq,
      batch: ends.map(({ record }) => record),
      isRecordedSkipped: from < this.#foundUpToSeq,
      ends,
      isSetAside: false,
    };
  }

  /** One synchronous step, so a reader of pending and flushed spend sees each request once. */
  #complete(step: Pick<Step, "ends" | "batch" | "to" | "isSetAside">): void {
    const { batchSize, clock, journal, logger, participants, pending } = this.#options;
    this.#step = null;
    pending.remove(step.ends.length);
    this.#flushedCount += step.ends.length;
    this.#node = { ...this.#node, flushedSeq: step.to };
    const outcome = { flushedSeq: step.to, isCounted: !step.isSetAside };
    notifyParticipants(
      participants,
      (participant) => participant.committed?.(step.batch, outcome),
      logger,
    );
    journal.markFlushed(step.to);
    this.#lastFlushAtMs = clock.nowMs();
    if (this.#failures > 0) logger.info("usage is flushed again");
    this.#failures = 0;
    this.#refusals = 0;
    this.#batchLimit = Math.min(this.#batchLimit * 2, batchSize);
  }

  /**
   * Halves the batch until the record that the database refuses is alone. After several refusals this record is stored in a
   * file and skipped, because one bad record must not block all others.
   */
  #halveBatch(step: Step, error: unknown): StepResult {
    const { journal, logger } = this.#options;
    const [only, ...others] = step.ends;
    if (only === undefined || others.length > 0) {
      this.#step = null;
      this.#batchLimit = Math.ceil(step.ends.length / 2);
      return { kind: "advanced" };
    }
    this.#refusals += 1;
    if (this.#refusals < MAX_REFUSALS) return this.fail(error);
    const { requestId, cost } = only.record;
    logger.error(
      { err: error, requestId, costNanoUsd: String(cost.total) },
      "the database refuses this record: it is set aside and not counted",
    );
    try {
      journal.quarantine(only.seq, only.record);
    } catch (failure) {
      return this.fail(failure);
    }
    this.#step = { ...step, participants: [], isSetAside: true };
    return { kind: "advanced" };
  }
}
