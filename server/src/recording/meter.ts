import { setTimeout as delay } from "node:timers/promises";
import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { assert } from "#src/lib/assert.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { endInterrupted } from "./end-interrupted.ts";
import {
  FLUSH_EVERY_MS,
  type FlushParticipant,
  type FlushStep,
  flushBackoffMs,
  flushBatch,
  isRefusedData,
  notifyParticipants,
} from "./flush.ts";
import type { Journal, JournalUsage } from "./journal-contract.ts";
import {
  ensureInstallationId,
  enterNode,
  findNode,
  markFlushedAsFolded,
  reenterNode,
} from "./node.sql.ts";
import { isOtherJournal, reportOtherJournal } from "./other-journal.ts";
import { PendingEnds } from "./pending-ends.ts";
import type { PendingEnd } from "./read-ends.ts";

export interface MeterOptions {
  database: Database;
  journal: Journal;
  participants: readonly FlushParticipant[];
  /** Counts all appended requests of the installation. Rejects with the database's error. */
  fold: () => Promise<void>;
  /** Version of the program, for the node's row. */
  version: string;
  /** Id for a new installation. The first node stores it. */
  newInstallationId: string;
  /** Name of a model in reports. */
  labelOf: (organizationId: string, model: string) => string;
  clock: Clock;
  logger: Logger;
  flushEveryMs?: number;
  batchSize?: number;
  maxInMemory?: number;
  stopWithinMs?: number;
  /** When this signal aborts, the last flush is not retried. */
  abandoned?: AbortSignal;
}

export interface Meter {
  /**
   * Registers the node, replays its journal, and ends interrupted requests. Throws the database's error, or a StartError
   * for the journal of another node or another database.
   */
  start(): Promise<void>;
  /** Records a request before its dispatch. On return the record survives `kill -9`. Throws a 503. */
  begin(record: BeginRecord): void;
  /** Like `begin`, but the record also survives a power failure. If it rejects, the request must not be sent. */
  beginSynced(record: BeginRecord): Promise<void>;
  /** Adds the current hold of a running request to its begin. Never throws. */
  amendBegin(record: BeginRecord): void;
  /** Records the end of a request. A second end is ignored and logged. Never throws. */
  end(record: EndRecord): void;
  /** Flushes now. True if no ended request is pending. */
  flush(): Promise<boolean>;
  /**
   * Enters with a new epoch, after a fence while this process had no contact with the database. If another process has the
   * node, this one stops flushing. Rejects with the database's error.
   */
  reenter(): Promise<void>;
  /** Records that the database knows of the gap in the journal. Never throws. */
  acknowledgeJournalGap(): void;
  /** First half of `stop`: accepts no more requests, and flushes for a bounded time. */
  finish(): Promise<void>;
  /** Closes the journal. Unflushed records stay in it, and the next start flushes them. */
  stop(): Promise<void>;
  status(): MeterStatus;
}

export interface MeterStatus {
  pendingRecords: number;
  /** Waiting time of the oldest pending record, milliseconds. */
  oldestPendingMs: number;
  /** Milliseconds since the epoch. Null: before the first flush. */
  lastFlushAtMs: number | null;
  /** True after another process has taken this node's id, or the database was replaced. Only a restart helps. */
  isFenced: boolean;
  isJournalHealthy: boolean;
  /** Null with a journal in the database. */
  journal: JournalUsage | null;
}

const BATCH_SIZE = 5_000;
/** Highest number of ends in memory. Each one has about 2 kB. */
const MAX_IN_MEMORY = 20_000;
const STOP_WITHIN_MS = 5_000;
/** Time for the one flush that each stop tries. */
const LEAST_STOP_MS = 2_000;
const MAX_REFUSALS = 3;

type Step = FlushStep & { ends: readonly PendingEnd[]; isSetAside: boolean };
type Progress = "more" | "idle" | "failed";

export function makeMeter(options: MeterOptions): Meter {
  return new JournalMeter(options);
}

class JournalMeter implements Meter {
  readonly #options: MeterOptions;
  readonly #journal: Journal;
  readonly #logger: Logger;
  readonly #pending: PendingEnds;
  readonly #batchSize: number;
  /** Smaller than `#batchSize` during the search for a record that the database refuses. */
  #batchLimit: number;
  #epoch = 0n;
  #startedAtUs = 0n;
  #flushedSeq = 0;
  /** Ends that this process has flushed. */
  #flushedCount = 0;
  /**
   * Position up to which the start found ends. `flushedSeq` is not reliable for them, because the node's row can be new,
   * or another journal can have used it. So the flush asks the database for each of them (see FlushStep).
   */
  #skipsRecordedUpTo = 0;
  /** Current step. After a failure with an unknown outcome the same step is retried, so that it counts once. */
  #step: Step | null = null;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  #failures = 0;
  /** Number of times that the database has refused the only record of the step. */
  #refusals = 0;
  #state: "new" | "running" | "fenced" | "stopping" | "stopped" = "new";
  /** End of the time for the last flush, monotonic milliseconds. */
  #giveUpAtMs = Number.POSITIVE_INFINITY;
  #lastFlushAtMs: number | null = null;

  constructor(options: MeterOptions) {
    this.#options = options;
    this.#journal = options.journal;
    this.#logger = options.logger;
    this.#batchSize = options.batchSize ?? BATCH_SIZE;
    this.#batchLimit = this.#batchSize;
    const maxInMemory = options.maxInMemory ?? MAX_IN_MEMORY;
    const { journal, clock, logger } = options;
    this.#pending = new PendingEnds({ journal, clock, logger, maxInMemory });
  }

  async start(): Promise<void> {
    const { database, version, newInstallationId } = this.#options;
    const { nodeId, journalId, mark } = this.#journal;
    this.#journal.bindInstallation(await ensureInstallationId(database, newInstallationId));
    mark.open();
    const previous = await findNode(database, nodeId);
    const isOther = previous !== null && isOtherJournal(this.#journal, previous);
    // The mark is durable before `enterNode` replaces the id of the other journal in the row.
    if (isOther) await mark.set(false);
    const { epoch, flushedSeq, startedAtUs } = await enterNode(database, {
      id: nodeId,
      journalId,
      version,
    });
    if (isOther) reportOtherJournal(this.#journal, previous, this.#logger);
    await this.#options.fold();
    await markFlushedAsFolded(database, { id: nodeId, epoch });
    this.#epoch = epoch;
    this.#startedAtUs = startedAtUs;
    this.#flushedSeq = flushedSeq;
    const replayed = await this.#journal.start({
      flushedSeq,
      onUnflushedEnd: (end) => this.#enqueue(end),
      onUnflushedSegment: ({ first, index }) => {
        this.#pending.addUnread(first, index.ends);
        for (const spend of index.spend) {
          this.#notifyParticipants((participant) => participant.found?.(spend));
        }
      },
    });
    this.#skipsRecordedUpTo = replayed.lastSeq;
    this.#notifyEntered(mark.isWhole());
    this.#state = "running";
    await endInterrupted(
      { ...this.#options, batchSize: this.#batchSize, end: (record) => this.end(record) },
      replayed.openBegins,
    );
    this.#logger.info(
      { nodeId, epoch: String(epoch), flushedSeq, pending: this.#pending.count },
      "journal replayed",
    );
    this.#scheduleFlush(0);
  }

  begin(record: BeginRecord): void {
    if (this.#state === "fenced") {
      throw new ApiError(
        "node_id_conflict",
        "Another process runs under this gateway's node id. Give each gateway its own BURSAR_NODE_ID and restart it.",
      );
    }
    if (this.#state !== "running") {
      throw new ApiError("server_not_ready", "The gateway is starting or stopping.");
    }
    assert(record.startedAtMs > 0, "a request starts at a time");
    this.#journal.begin(record);
  }

  async beginSynced(record: BeginRecord): Promise<void> {
    this.begin(record);
    try {
      await this.#journal.synced();
    } catch {
      this.#journal.removeBegin(record.requestId);
      throw new ApiError(
        "journal_unavailable",
        "The gateway cannot write its journal, so it accepts no new requests.",
      );
    }
  }

  amendBegin(record: BeginRecord): void {
    this.#journal.amendBegin(record);
  }

  end(record: EndRecord): void {
    const accepted = this.#journal.end(record);
    if (accepted === null) {
      this.#logger.error({ requestId: record.requestId }, "a request that is not open was ended");
      return;
    }
    this.#enqueue({ ...accepted, record });
    this.#scheduleFlush(this.#options.flushEveryMs ?? FLUSH_EVERY_MS);
  }

  async flush(): Promise<boolean> {
    // Requests that ended during a running flush are not part of it. The second flush includes them.
    if (this.#running !== null) await this.#running;
    await this.#run();
    return this.#pending.count === 0;
  }

  async reenter(): Promise<void> {
    const epoch = this.#epoch;
    while (this.#running !== null) await this.#running;
    const isEntered = this.#epoch !== epoch || !this.#isFlushing();
    if (isEntered) return;
    const entering = this.#reenterNode();
    // No flush runs in the meantime. Callers that wait for a flush do not get this error.
    this.#running = entering.then(ignore, ignore).finally(() => this.#finishRun());
    await entering;
  }

  acknowledgeJournalGap(): void {
    const failed = (error: unknown) =>
      this.#logger.error({ err: error }, "the journal's mark cannot be written");
    try {
      this.#journal.mark.set(true)?.catch(failed);
    } catch (error) {
      failed(error);
    }
  }

  async finish(): Promise<void> {
    if (this.#state !== "running") return;
    this.#state = "stopping";
    const { clock, stopWithinMs = STOP_WITHIN_MS } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#giveUpAtMs = startedMs + Math.max(stopWithinMs, LEAST_STOP_MS);
    while (!(await this.#flushWithin(this.#giveUpAtMs - clock.monotonicMs()))) {
      const leftMs = startedMs + stopWithinMs - clock.monotonicMs();
      if (leftMs <= 0 || this.#isOver()) return;
      await delay(Math.min(flushBackoffMs(this.#failures), leftMs));
    }
  }

  async stop(): Promise<void> {
    await this.finish();
    if (this.#isFlushing()) this.#state = "stopped";
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#pending.count > 0) {
      this.#logger.warn(
        { records: this.#pending.count },
        "unflushed records stay in the journal: the next start flushes them",
      );
    }
    await this.#journal.close();
  }

  /** False also if the flush still runs. A statement without a response does not delay the stop. */
  async #flushWithin(ms: number): Promise<boolean> {
    const isOver = new AbortController();
    const late = delay(ms, false, { signal: isOver.signal });
    late.catch(ignore);
    const isFlushed = await Promise.race([this.flush(), late]);
    isOver.abort();
    return isFlushed;
  }

  status(): MeterStatus {
    return {
      pendingRecords: this.#pending.count,
      oldestPendingMs: this.#pending.oldestMs(),
      lastFlushAtMs: this.#lastFlushAtMs,
      isFenced: this.#state === "fenced",
      isJournalHealthy: this.#journal.isHealthy(),
      journal: this.#journal.usage(),
    };
  }

  #enqueue(end: Parameters<PendingEnds["add"]>[0]): void {
    this.#pending.add(end);
    this.#notifyParticipants((participant) => participant.queued?.(end.record));
  }

  #notifyParticipants(what: (participant: FlushParticipant) => void): void {
    notifyParticipants(this.#options.participants, what, this.#logger);
  }

  #isFlushing(): boolean {
    return this.#state === "running" || this.#state === "stopping";
  }

  #scheduleFlush(delayMs: number): void {
    if (!this.#isFlushing() || this.#timer !== null || this.#running !== null) return;
    if (this.#pending.count === 0) return;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      void this.#run();
    }, delayMs);
    this.#timer.unref();
  }

  /** Starts a flush, or returns the running one. Never rejects. */
  #run(): Promise<void> {
    this.#running ??= this.#flushAll().finally(() => this.#finishRun());
    return this.#running;
  }

  #finishRun(): void {
    this.#running = null;
    this.#scheduleFlush(
      this.#failures > 0
        ? flushBackoffMs(this.#failures)
        : (this.#options.flushEveryMs ?? FLUSH_EVERY_MS),
    );
  }

  async #flushAll(): Promise<void> {
    let progress: Progress = "more";
    // Requests that end in the meantime wait for the next flush. Under load this loop would otherwise never end, and flush
    // a few rows at a time. At 1,000 requests/s that was 300 transactions a second, and twice the CPU of a request.
    const stopsBelow = this.#flushedCount + this.#pending.count;
    while (progress === "more" && this.#flushedCount < stopsBelow && !this.#isOver()) {
      try {
        progress = await this.#flushOnce();
      } catch (error) {
        progress = this.#flushFailed(error);
      }
    }
  }

  #isOver(): boolean {
    const { clock, abandoned } = this.#options;
    const isLate = clock.monotonicMs() >= this.#giveUpAtMs;
    return this.#state === "fenced" || isLate || abandoned?.aborted === true;
  }

  async #flushOnce(): Promise<Progress> {
    this.#step ??= await this.#nextStep();
    const step = this.#step;
    if (step === null) return "idle";
    const result = await flushBatch(step);
    switch (result.kind) {
      case "flushed":
        this.#committed(step);
        return "more";
      case "fenced":
        return (await this.#reenterNode()) ? "more" : "failed";
      case "replaced":
        this.#fence({ found: result.flushedSeq, expected: step.from }, "the database was replaced");
        return "failed";
    }
  }

  /** False if another process has the node now. */
  async #reenterNode(): Promise<boolean> {
    const { nodeId: id, journalId } = this.#journal;
    const startedAtUs = this.#startedAtUs;
    const node = await reenterNode(this.#options.database, { id, journalId, startedAtUs });
    if (node === null) {
      this.#fence({}, "another process has this node's id");
      return false;
    }
    const { epoch, flushedSeq } = node;
    // The step was committed before the fence, and its response was lost.
    if (this.#step?.to === flushedSeq) this.#committed(this.#step);
    if (flushedSeq !== this.#flushedSeq) {
      this.#fence({ found: flushedSeq, expected: this.#flushedSeq }, "the database was replaced");
      return false;
    }
    this.#step = null;
    this.#epoch = epoch;
    // This process knows all requests that it began.
    this.#notifyEntered(true);
    this.#logger.warn({ epoch: String(epoch) }, "this node was fenced, and has a new epoch");
    return true;
  }

  #notifyEntered(isJournalWhole: boolean): void {
    const entry = { epoch: this.#epoch, flushedSeq: this.#flushedSeq, isJournalWhole };
    this.#notifyParticipants((participant) => participant.started?.(entry));
  }

  async #nextStep(): Promise<Step | null> {
    const ends = await this.#pending.head(this.#batchLimit);
    const last = ends.at(-1);
    if (last === undefined) return null;
    return {
      database: this.#options.database,
      participants: this.#options.participants,
      nodeId: this.#journal.nodeId,
      epoch: this.#epoch,
      journalId: this.#journal.journalId,
      from: this.#flushedSeq,
      to: last.seq,
      batch: ends.map(({ record }) => record),
      isRecordedSkipped: this.#flushedSeq < this.#skipsRecordedUpTo,
      ends,
      isSetAside: false,
    };
  }

  /** Runs in one synchronous step. A sum of pending and flushed spend always has each request once. */
  #committed(step: Step): void {
    this.#step = null;
    this.#pending.remove(step.ends.length);
    this.#flushedCount += step.ends.length;
    this.#flushedSeq = step.to;
    const outcome = { flushedSeq: step.to, isCounted: !step.isSetAside };
    this.#notifyParticipants((participant) => participant.committed?.(step.batch, outcome));
    this.#journal.markFlushed(step.to);
    this.#lastFlushAtMs = this.#options.clock.nowMs();
    if (this.#failures > 0) this.#logger.info("usage is flushed again");
    this.#failures = 0;
    this.#refusals = 0;
    this.#batchLimit = Math.min(this.#batchLimit * 2, this.#batchSize);
  }

  #flushFailed(error: unknown): Progress {
    const step = this.#step;
    return step !== null && isRefusedData(error) ? this.#narrow(step, error) : this.#failed(error);
  }

  #failed(error: unknown): Progress {
    if (this.#failures === 0) {
      this.#logger.warn(
        { err: error, pending: this.#pending.count },
        "flush failed: usage waits in the journal",
      );
    }
    this.#failures += 1;
    return "failed";
  }

  /**
   * Halves the batch until the record that the database refuses is alone. After several refusals this record is written to
   * a file and skipped, because one bad record must not block all others.
   */
  #narrow(step: Step, error: unknown): Progress {
    const [only, ...others] = step.ends;
    if (only === undefined || others.length > 0) {
      this.#step = null;
      this.#batchLimit = Math.ceil(step.ends.length / 2);
      return "more";
    }
    this.#refusals += 1;
    if (this.#refusals < MAX_REFUSALS) return this.#failed(error);
    const { requestId, cost } = only.record;
    this.#logger.error(
      { err: error, requestId, costNanoUsd: String(cost.total) },
      "the database refuses this record: it is set aside and not counted",
    );
    try {
      this.#journal.quarantine(only.seq, only.record);
    } catch (failure) {
      return this.#failed(failure);
    }
    this.#step = { ...step, participants: [], isSetAside: true };
    return "more";
  }

  #fence(facts: Record<string, unknown>, reason: string): void {
    this.#state = "fenced";
    this.#logger.fatal(
      { nodeId: this.#journal.nodeId, pending: this.#pending.count, ...facts },
      `${reason}: this process accepts no more requests. Unflushed records stay in its journal`,
    );
  }
}

function ignore(): void {}
