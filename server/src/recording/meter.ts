import { setTimeout as delay } from "node:timers/promises";
import { incarnationOf } from "#src/db/incarnation.ts";
import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { assert } from "#src/lib/assert.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { Logger } from "#src/lib/logger.ts";
import { endInterrupted } from "./end-interrupted.ts";
import { FLUSH_EVERY_MS, type FlushParticipant, notifyParticipants } from "./flush.ts";
import { FlushSteps } from "./flush-steps.ts";
import type { Journal, JournalUsage } from "./journal-contract.ts";
import { setMarkOrLog } from "./journal-mark.ts";
import { ensureInstallationId, enterNode, findNode, markFlushedAsFolded } from "./node.sql.ts";
import { isOtherJournal, reportOtherJournal } from "./other-journal.ts";
import { PendingEnds } from "./pending-ends.ts";
import { type Reappended, Reappending } from "./reappending.ts";
import { type Entered, type Reentry, reenterNode } from "./reenter-node.sql.ts";
import { DaySums } from "./segment-index.ts";
import { listRecordedRequests } from "./usage.sql.ts";

export interface MeterOptions {
  database: Database;
  journal: Journal;
  participants: readonly FlushParticipant[];
  /** Counts all appended requests of the installation. Rejects with the database's error. */
  fold: () => Promise<void>;
  /** Raises the incarnation of a database that went back. Rejects with the database's error. */
  reportRollback: (details: Record<string, unknown>) => Promise<void>;
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

export interface MeterStatus {
  pendingRecords: number;
  /** Waiting time of the oldest pending record, milliseconds. */
  oldestPendingMs: number;
  /** Milliseconds since the epoch. Null: before the first flush. */
  lastFlushAtMs: number | null;
  /** True after another process has taken this node's id. Only a restart helps. */
  isFenced: boolean;
  isJournalHealthy: boolean;
  /** Null with a journal in the database. */
  journal: JournalUsage | null;
  /** The newest time that the database had lost records of this node. Null: never since the start. */
  reappended: Reappended | null;
}

const BATCH_SIZE = 5_000;
/** Highest number of ends in memory. Each one has about 2 kB. */
const MAX_IN_MEMORY = 20_000;
const STOP_WITHIN_MS = 5_000;
/** Time for the one flush that each stop tries. */
const LEAST_STOP_MS = 2_000;

/** Records requests in the journal, and flushes their ends to the database. */
export class Meter {
  readonly #options: MeterOptions;
  readonly #journal: Journal;
  readonly #logger: Logger;
  readonly #pending: PendingEnds;
  readonly #steps: FlushSteps;
  readonly #batchSize: number;
  readonly #reappending: Reappending;
  /** `fenced`: another process has this node. */
  #state: "new" | "running" | "fenced" | "stopping" | "stopped" = "new";
  #startedAtUs = 0n;
  #installationId = "";
  /** False: at the start, the journal may have lacked requests that were sent. */
  #wasWhole = true;
  #running: Promise<void> | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** End of the time for the last flush, monotonic milliseconds. */
  #giveUpAtMs = Number.POSITIVE_INFINITY;

  constructor(options: MeterOptions) {
    const { journal, clock, logger, batchSize = BATCH_SIZE, maxInMemory = MAX_IN_MEMORY } = options;
    this.#options = options;
    this.#journal = journal;
    this.#logger = logger;
    this.#batchSize = batchSize;
    this.#pending = new PendingEnds({ journal, clock, logger, maxInMemory });
    this.#steps = new FlushSteps({ ...options, pending: this.#pending, batchSize });
    this.#reappending = new Reappending({ clock, logger });
  }

  /**
   * Registers the node, replays its journal, and ends what a crash interrupted. Throws the database's error, or a
   * StartError when the journal belongs to another node or another database.
   */
  async start(): Promise<void> {
    const { database, version, newInstallationId } = this.#options;
    const { nodeId, journalId, mark } = this.#journal;
    this.#installationId = await ensureInstallationId(database, newInstallationId);
    this.#journal.bindInstallation(this.#installationId);
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
    this.#startedAtUs = startedAtUs;
    this.#steps.start({ epoch, flushedSeq });
    const found = new DaySums();
    const replayed = await this.#journal.start({
      flushedSeq,
      onUnflushedEnd: (end) => this.#enqueue(end),
      onUnflushedSegment: ({ first, index }) => {
        this.#pending.addUnread(first, index.ends);
        for (const spend of index.spend) found.add(spend);
      },
    });
    // Once for each key and day, because a long journal has the same keys in each segment.
    for (const spend of found.list()) {
      this.#notifyParticipants((participant) => participant.found?.(spend));
    }
    this.#steps.markFound(replayed.lastSeq);
    this.#wasWhole = mark.isWhole();
    this.#notifyEntered(this.#wasWhole);
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

  /** Call before dispatch. Synchronous: on return the record survives `kill -9`. Throws a 503. */
  begin(record: BeginRecord): void {
    this.#checkBegin(record);
    this.#journal.begin(record);
  }

  /** As `begin`, with one write for all begins and ends of this turn of the event loop. Throws or rejects with a 503. */
  beginWritten(record: BeginRecord): Promise<void> {
    this.#checkBegin(record);
    return this.#journal.beginWritten(record);
  }

  #checkBegin(record: BeginRecord): void {
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
  }

  /** As `begin`, and the record also survives a power cut. The request must not be sent when it rejects. */
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

  /** Stores the current hold of a running request in its begin. Never throws. */
  amendBegin(record: BeginRecord): void {
    this.#journal.amendBegin(record);
  }

  /** Call once for each begun request. A second end is ignored and logged. Never throws. */
  end(record: EndRecord): void {
    const accepted = this.#journal.end(record);
    if (accepted === null) {
      this.#logger.error({ requestId: record.requestId }, "a request that is not open was ended");
      return;
    }
    const { seq, position } = accepted;
    this.#enqueue({ seq, position, record });
    this.#scheduleFlush(this.#options.flushEveryMs ?? FLUSH_EVERY_MS);
  }

  /** Flushes now. True when nothing is pending. */
  async flush(): Promise<boolean> {
    // Requests that ended during a flush are not part of it, so a second round takes them.
    if (this.#running !== null) await this.#running;
    await this.#run();
    return this.#pending.count === 0;
  }

  /**
   * Enters the node again under a new epoch, after it was fenced without contact to the database. A node that another
   * process has stays fenced. Rejects with the database's error.
   */
  async reenter(): Promise<void> {
    const { epoch } = this.#steps.node;
    while (this.#running !== null) await this.#running;
    const isEntered = this.#steps.node.epoch !== epoch || !this.#isFlushing();
    if (isEntered) return;
    const entering = this.#reenterNode();
    // Nothing is flushed meanwhile. A caller that waits for a flush does not get this error.
    this.#running = entering.then(ignore, ignore).finally(() => this.#finishRun());
    await entering;
  }

  /** The database knows about records that the journal may lack. Never throws. */
  acknowledgeJournalGap(): void {
    void setMarkOrLog(this.#journal.mark, true, this.#logger);
  }

  /** First half of `stop`: accepts no more requests, and flushes for a bounded time. */
  async finish(): Promise<void> {
    if (this.#state !== "running") return;
    this.#state = "stopping";
    const { clock, stopWithinMs = STOP_WITHIN_MS } = this.#options;
    const startedMs = clock.monotonicMs();
    this.#giveUpAtMs = startedMs + Math.max(stopWithinMs, LEAST_STOP_MS);
    while (!(await this.#flushWithin(this.#giveUpAtMs - clock.monotonicMs()))) {
      const leftMs = startedMs + stopWithinMs - clock.monotonicMs();
      if (leftMs <= 0 || this.#isOver()) return;
      await delay(Math.min(this.#steps.backoffMs ?? FLUSH_EVERY_MS, leftMs));
    }
  }

  /** Closes the journal. Unflushed records stay in it, and the next start flushes them. */
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
      lastFlushAtMs: this.#steps.lastFlushAtMs,
      isFenced: this.#state === "fenced",
      isJournalHealthy: this.#journal.isHealthy(),
      journal: this.#journal.usage(),
      reappended: this.#reappending.status(this.#steps.flushedCount),
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
    this.#scheduleFlush(this.#steps.backoffMs ?? this.#options.flushEveryMs ?? FLUSH_EVERY_MS);
  }

  async #flushAll(): Promise<void> {
    // Requests that end meanwhile wait for the next round. Flushing them at once would never end under load, a few rows
    // at a time. At 1,000 requests/s that cost 300 transactions a second, and twice the CPU of a request.
    const stopsBelow = this.#steps.flushedCount + this.#pending.count;
    while (this.#steps.flushedCount < stopsBelow && !this.#isOver()) {
      if (!(await this.#flushOnce())) return;
    }
  }

  #isOver(): boolean {
    const { clock, abandoned } = this.#options;
    const isLate = clock.monotonicMs() >= this.#giveUpAtMs;
    return this.#state === "fenced" || isLate || abandoned?.aborted === true;
  }

  /** Returns whether more may follow. Never rejects. */
  async #flushOnce(): Promise<boolean> {
    const result = await this.#steps.flushNext();
    switch (result.kind) {
      case "advanced":
        this.#reappending.advance(this.#steps.node.flushedSeq);
        return true;
      case "idle":
      case "failed":
        return false;
      case "fenced":
        try {
          return await this.#reenterNode();
        } catch (error) {
          this.#steps.fail(error);
          return false;
        }
    }
  }

  /** False if another process has the node. Rejects with the error of the database or the disk. */
  async #reenterNode(): Promise<boolean> {
    const before = this.#steps.node;
    const reentry = await this.#takeRow();
    if (reentry.kind === "taken") {
      this.#fence("another process has this node's id");
      return false;
    }
    const { node } = reentry;
    const knownSeq = await this.#steps.skipAppended(node.flushedSeq);
    const isNewIncarnation = incarnationOf(node.epoch) > incarnationOf(before.epoch);
    if (isNewIncarnation || node.flushedSeq < knownSeq) {
      // The database may have lost folds too. After this one it has counted all that it has of this node.
      await this.#options.fold();
      const { nodeId: id } = this.#journal;
      await markFlushedAsFolded(this.#options.database, { id, epoch: node.epoch });
    }
    if (node.flushedSeq < knownSeq) await this.#rewind(reentry, knownSeq);
    else {
      this.#steps.restart(node);
      this.#notifyEntered(this.#isWhole(reentry));
    }
    this.#logger.warn({ epoch: String(node.epoch) }, "this node was fenced, and has a new epoch");
    return true;
  }

  async #takeRow(): Promise<Exclude<Reentry, { kind: "rolled_back" }>> {
    const { database, version, reportRollback } = this.#options;
    const { nodeId: id, journalId } = this.#journal;
    const { epoch, flushedSeq } = this.#steps.node;
    const own = { id, journalId, epoch, flushedSeq, version };
    const process = { startedAtUs: this.#startedAtUs, installationId: this.#installationId };
    const node = { ...own, ...process };
    const first = await reenterNode(database, node, { isRollbackKnown: false });
    if (first.kind !== "rolled_back") return first;
    await reportRollback({
      nodeId: id,
      epoch: String(epoch),
      flushedSeq,
      foundEpoch: first.found === null ? null : String(first.found.epoch),
      foundFlushedSeq: first.found?.flushedSeq ?? null,
    });
    const second = await reenterNode(database, node, { isRollbackKnown: true });
    if (second.kind === "rolled_back") throw new Error("the database went back again");
    return second;
  }

  /** Continues at an earlier position of the database, and appends the ends after it again. */
  async #rewind(entered: Entered, upToSeq: number): Promise<void> {
    const { node, isPositionSure } = entered;
    const { database, participants } = this.#options;
    const { flushedSeq, epoch } = node;
    const lookUp = (ends: readonly EndRecord[]) => listRecordedRequests(database, ends);
    const findRecorded = isPositionSure ? null : lookUp;
    const found = await this.#journal.findLost({ flushedSeq, upToSeq, findRecorded });
    if (found.unreadable > 0) await this.#reportUnreadable(found.unreadable);
    for (const participant of participants) await participant.prepareRewind?.(database);
    // One synchronous step, so that each ended request is pending once.
    this.#notifyParticipants((participant) => participant.rewound?.(flushedSeq));
    for (const spend of found.spend) {
      this.#notifyParticipants((participant) => participant.found?.(spend));
    }
    if (found.first !== null) this.#pending.putBack(found.first, found.count);
    this.#steps.rewind(node, upToSeq);
    this.#notifyEntered(this.#isWhole(entered) && found.unreadable === 0);
    const incarnation = incarnationOf(epoch);
    this.#reappending.start({ ...found, incarnation, upToSeq }, this.#steps.flushedCount);
  }

  /**
   * This process knows all requests that it began. The database may have lost what it knew of a gap before its start,
   * together with the start.
   */
  #isWhole({ isTakenOver }: Entered): boolean {
    return !isTakenOver || this.#wasWhole;
  }

  async #reportUnreadable(atMost: number): Promise<void> {
    this.#logger.error(
      { atMost },
      "the database lost records that the journal has deleted: their usage is in no report",
    );
    await this.#journal.mark.set(false);
  }

  #notifyEntered(isJournalWhole: boolean): void {
    const { epoch, flushedSeq } = this.#steps.node;
    const entry = { epoch, flushedSeq, isJournalWhole };
    this.#notifyParticipants((participant) => participant.started?.(entry));
  }

  #fence(reason: string): void {
    this.#state = "fenced";
    this.#logger.fatal(
      { nodeId: this.#journal.nodeId, pending: this.#pending.count },
      `${reason}: this process accepts no more requests. Unflushed records stay in its journal`,
    );
  }
}

function ignore(): void {}
