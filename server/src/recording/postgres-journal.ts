import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { assert } from "#src/lib/assert.ts";
import type { Logger } from "#src/lib/logger.ts";
import { appendRows } from "./append-rows.sql.ts";
import { encodeRecord, encodeWholeEnd } from "./journal-codec.ts";
import type { AcceptedEnd, Journal, JournalFound, JournalStart } from "./journal-contract.ts";
import { RecordLines } from "./journal-lines.ts";
import type { JournalMark } from "./journal-mark.ts";
import { findBeginChanges, type NewRecord, toStoredBegin } from "./journal-record.ts";
import {
  adoptWriter,
  closeWriter,
  findWriter,
  type JournalRow,
  markWriter,
  openWriter,
  recordHeartbeat,
  type WriterRow,
} from "./journal-rows.sql.ts";
import type { OpenRequest } from "./open-requests.ts";
import type { EndsReader } from "./read-ends.ts";
import { listSeqs, RowEndsReader, replayRows, toPosition, type UnreadRows } from "./replay-rows.ts";
import { ROWS_PER_INDEX, RowSums } from "./row-index.ts";
import type { JournalPosition } from "./segments.ts";
import { type SpentRequest, SpentRows } from "./spent-rows.ts";
import { waitAtMost } from "./wait-at-most.ts";

// A journal for nodes without a durable disk: the same records, as rows of the shared database. One statement at a time
// writes all waiting records, so one begin costs one or two commits, and a thousand begins cost no more.
// Failure policy: while the database is away no request begins, and ends wait in memory. A statement whose response was
// lost is repeated unchanged, and writes nothing twice. A process that lost the journal to another writer writes no more.

export interface PostgresJournalOptions {
  /** Separate connections, so that a begin does not wait behind a flush. */
  database: Database;
  nodeId: string;
  /** Id that was never used before. */
  journalId: string;
  /** Id of a journal on disk that this one continues. */
  previousJournalId?: string | null;
  logger: Logger;
  /** Called when another writer has the journal. `adopted`: this node was silent, and may start again. */
  onLost?: (how: "adopted" | "taken") => void;
  heartbeatIntervalMs?: number;
  rowsPerIndex?: number;
  retryMs?: number;
  commitWithinMs?: number;
}

const ROWS_PER_STATEMENT = 1_000;
const BEAT_EVERY_MS = 2_000;
const RETRY_MS = 500;
/** Longest commit of a healthy database. After that the database counts as away. */
const COMMIT_WITHIN_MS = 3_000;
const CLOSE_WITHIN_MS = 5_000;
const REFUSAL =
  "The gateway cannot write its journal to the database, so it accepts no new requests. Send the request again later.";
const LOST =
  "Another process writes this gateway's journal. Give each gateway its own BURSAR_NODE_ID.";

/** Becomes the writer of the node's journal, or creates the journal. Throws the database's error. */
export async function openPostgresJournal(options: PostgresJournalOptions): Promise<Journal> {
  const { writer, previous } = await openWriter(options.database, options);
  const previousId = options.previousJournalId ?? previous?.journalId ?? null;
  return new PostgresJournal(options, writer, previousId);
}

/** Becomes the writer of a dead node's journal. Null: the node lives, or another node adopted the journal first. */
export async function adoptPostgresJournal(
  options: Omit<PostgresJournalOptions, "nodeId">,
  seen: WriterRow,
): Promise<Journal | null> {
  const writer = await adoptWriter(options.database, seen, options.journalId);
  if (writer === null) return null;
  return new PostgresJournal({ ...options, nodeId: seen.nodeId }, writer, seen.journalId);
}

interface Waiter {
  upToSeq: number;
  resolve: () => void;
  reject: (error: Error) => void;
}

interface Sent {
  from: number;
  to: number;
  rows: readonly JournalRow[];
}

class PostgresJournal implements Journal {
  readonly nodeId: string;
  readonly journalId: string;
  readonly previousJournalId: string | null;
  readonly mark: JournalMark;
  readonly #options: PostgresJournalOptions;
  readonly #epoch: bigint;
  readonly #rowsPerIndex: number;
  #sums: RowSums;
  readonly #spent: SpentRows;
  /** Rows that the start has not read, and their requests that were read since. */
  #unread: UnreadRows[] = [];
  readonly #unreadSpent: SpentRows;
  /** Sequence number of the last record in the database. */
  #committedSeq: number;
  #nextSeq: number;
  readonly #openBegins = new Map<string, OpenRequest>();
  readonly #lines = new RecordLines();
  /** Accepted records that are not sent. Bounded by the running requests, because none begins while the database is away. */
  #queue: JournalRow[] = [];
  /** Statement with an unknown result, to repeat unchanged. */
  #inDoubt: Sent | null = null;
  #waiters: Waiter[] = [];
  #sending: Promise<void> | null = null;
  /** `lost`: another writer has the journal. */
  #state: "new" | "active" | "lost" | "closed" = "new";
  #isHealthy: boolean = true;
  #hasWritten: boolean = false;
  #heartbeatTimer: NodeJS.Timeout;
  #retryTimer: NodeJS.Timeout | null = null;
  #closed: Promise<void> | null = null;

  constructor(
    options: PostgresJournalOptions,
    writer: WriterRow,
    previousJournalId: string | null,
  ) {
    this.#options = options;
    this.nodeId = options.nodeId;
    this.journalId = options.journalId;
    this.previousJournalId = previousJournalId;
    this.#epoch = writer.epoch;
    this.#committedSeq = writer.lastSeq;
    this.#nextSeq = writer.lastSeq + 1;
    const { database, nodeId, logger } = options;
    this.mark = markOf(database, writer);
    this.#spent = new SpentRows({ database, nodeId, logger });
    this.#unreadSpent = new SpentRows({ database, nodeId, logger });
    this.#rowsPerIndex = options.rowsPerIndex ?? ROWS_PER_INDEX;
    this.#sums = new RowSums(this.#rowsPerIndex, this.#nextSeq);
    this.#heartbeatTimer = setInterval(
      () => this.#sendDueHeartbeat(),
      options.heartbeatIntervalMs ?? BEAT_EVERY_MS,
    );
    this.#heartbeatTimer.unref();
  }

  /** Does nothing, because the rows are in their database. */
  bindInstallation(): void {}

  async start(start: JournalStart): Promise<JournalFound> {
    assert(this.#state === "new", "a journal is started once");
    const { flushedSeq } = start;
    const { database, nodeId } = this.#options;
    const { damagedRecords, lastSeq, openRequests, unread } = await replayRows({
      ...start,
      database,
      nodeId,
      lastSeq: this.#committedSeq,
      rowsPerIndex: this.#rowsPerIndex,
      onSpent: (request) => this.#spent.add(request),
    });
    this.#unread = unread;
    if (damagedRecords > 0) {
      this.#options.logger.error(
        { records: damagedRecords, nodeId: this.nodeId },
        "the journal is damaged: usage of these records may be missing",
      );
    }
    const isWhole = damagedRecords === 0;
    if (!isWhole) await this.mark.set(false);
    for (const request of openRequests) this.#openBegins.set(request.record.requestId, request);
    this.#nextSeq = Math.max(lastSeq, flushedSeq) + 1;
    this.#sums = new RowSums(this.#rowsPerIndex, this.#nextSeq);
    this.#state = "active";
    this.markFlushed(flushedSeq);
    return { openBegins: openRequests.map(({ record }) => record), lastSeq, isWhole };
  }

  begin(record: BeginRecord): void {
    if (this.#state === "lost") throw new ApiError("node_id_conflict", LOST);
    if (this.#state !== "active")
      throw new ApiError("server_not_ready", "The gateway is starting or stopping.");
    if (!this.#isHealthy) throw new ApiError("journal_unavailable", REFUSAL);
    assert(!this.#openBegins.has(record.requestId), "a request begins once");
    this.#addIndex();
    const stored = toStoredBegin(record);
    const seq = this.#queueRecord((next) => ({ kind: "begin", seq: next, record: stored }));
    this.#openBegins.set(record.requestId, { seq, amendedSeqs: [], record: stored });
  }

  amendBegin(record: BeginRecord): void {
    const request = this.#openBegins.get(record.requestId);
    const changes = request && findBeginChanges(request.record, record);
    if (request === undefined || !changes) return;
    this.#addIndex();
    const { seq: beginSeq } = request;
    const seq = this.#queueRecord((next) => ({ kind: "amend", seq: next, beginSeq, changes }));
    const amendedSeqs = [...request.amendedSeqs, seq];
    this.#openBegins.set(record.requestId, {
      ...request,
      amendedSeqs,
      record: toStoredBegin(record),
    });
  }

  end(record: EndRecord): AcceptedEnd | null {
    const request = this.#openBegins.get(record.requestId);
    if (request === undefined) return null;
    this.#addIndex();
    this.#openBegins.delete(record.requestId);
    const { seq: beginSeq } = request;
    const changes = findBeginChanges(request.record, record);
    const seq = this.#queueRecord((next) => ({
      kind: "end",
      seq: next,
      beginSeq,
      changes,
      end: record,
    }));
    this.#sums.add(seq, record);
    this.#spent.add({ seq, beginSeqs: listSeqs(request), isFlushed: false });
    return { seq, position: toPosition(seq) };
  }

  removeBegin(requestId: string): void {
    const request = this.#openBegins.get(requestId);
    if (request === undefined) return;
    this.#addIndex();
    this.#openBegins.delete(requestId);
    const { seq: beginSeq } = request;
    const seq = this.#queueRecord((next) => ({ kind: "void", seq: next, beginSeq }));
    this.#spent.add({ seq, beginSeqs: listSeqs(request), isFlushed: true });
  }

  synced(): Promise<void> {
    const upToSeq = this.#nextSeq - 1;
    if (this.#state === "lost") return Promise.reject(new Error(LOST));
    if (this.#committedSeq >= upToSeq) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.#waiters.push({ upToSeq, resolve, reject });
      this.#scheduleSend();
    });
  }

  markFlushed(seq: number): void {
    this.#sums.markFlushed(seq);
    this.#spent.markFlushed(seq);
    this.#unreadSpent.markFlushed(seq);
    this.prune();
  }

  prune(): void {
    if (this.#state === "lost") return;
    this.#spent.remove(this.#committedSeq);
    this.#unreadSpent.remove(this.#committedSeq);
  }

  position(): JournalPosition {
    return toPosition(this.#nextSeq);
  }

  readFrom(end: AcceptedEnd): EndsReader {
    const { database, nodeId } = this.#options;
    return new RowEndsReader({
      database,
      nodeId,
      fromSeq: end.seq,
      synced: () => this.synced(),
      onSpent: (request) => this.#addUnreadSpent(request),
    });
  }

  /** The start has added the requests of all other rows. */
  #addUnreadSpent(request: SpentRequest): void {
    const { seq } = request;
    while (this.#unread[0] !== undefined && this.#unread[0].seq < seq) this.#unread.shift();
    const [rows] = this.#unread;
    if (rows === undefined || seq < rows.fromSeq) return;
    rows.fromSeq = seq + 1;
    this.#unreadSpent.add(request);
  }

  /** Writes the record to the log, because this journal has no folder. */
  quarantine(seq: number, record: EndRecord): void {
    encodeWholeEnd(seq, record, this.#lines);
    const lines = this.#lines.take().toString("utf8");
    this.#options.logger.error({ lines }, "the record that was set aside");
  }

  isHealthy(): boolean {
    return this.#isHealthy && this.#state !== "lost";
  }

  usage(): null {
    return null;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const isLost = this.#state === "lost";
    if (!isLost) this.#state = "closed";
    clearInterval(this.#heartbeatTimer);
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    if (isLost) return;
    const { database, logger } = this.#options;
    try {
      await waitAtMost(CLOSE_WITHIN_MS, this.#sendRest());
      for (const spent of [this.#unreadSpent, this.#spent])
        await waitAtMost(CLOSE_WITHIN_MS, spent.finish(this.#committedSeq));
      const isDone = this.#openBegins.size === 0;
      if (isDone) await closeWriter(database, { nodeId: this.nodeId, epoch: this.#epoch });
    } catch (error) {
      logger.warn(
        { err: error },
        "the journal in the database is not finished: the next start finishes it",
      );
    }
  }

  async #sendRest(): Promise<void> {
    await this.#sending;
    if (this.#inDoubt !== null || this.#queue.length > 0) await this.#sendAll();
  }

  /** Call before each record. Adds the index of the rows before it, if one is due. */
  #addIndex(): void {
    const seq = this.#nextSeq;
    const listOpenSeqs = () => [...this.#openBegins.values()].flatMap(listSeqs);
    const index = this.#sums.take(seq, listOpenSeqs);
    if (index === null) return;
    this.#queueRecord(() => ({ kind: "index", seq, index }));
    this.#spent.add({ seq, beginSeqs: [], isFlushed: true });
  }

  #queueRecord(make: (seq: number) => NewRecord): number {
    const seq = this.#nextSeq;
    this.#nextSeq += 1;
    if (this.#state === "lost") return seq;
    this.#queue.push({ seq, line: this.#encodeLine(make(seq)) });
    this.#scheduleSend();
    return seq;
  }

  /** Returns a copy without the newline, because the buffer is used again. */
  #encodeLine(record: NewRecord): Buffer {
    encodeRecord(record, this.#lines);
    return Buffer.from(this.#lines.take().subarray(0, -1));
  }

  /** Sends after this turn of the event loop, so that one statement has all records of the turn. */
  #scheduleSend(): void {
    if (this.#isOver() || !this.#isHealthy) return;
    this.#startSending(async () => {
      await new Promise<void>((resolve) => setImmediate(resolve));
      await this.#sendAll();
    });
  }

  /** Runs one piece of work at a time, so that statements follow one another. */
  #startSending(work: () => Promise<void>): void {
    this.#sending ??= work()
      .catch((error: unknown) => this.#recordFailure(error))
      .finally(() => {
        this.#sending = null;
        if (this.#queue.length > 0) this.#scheduleSend();
      });
  }

  async #sendAll(): Promise<void> {
    while (this.#state !== "lost") {
      this.#inDoubt ??= this.#nextStatement();
      if (this.#inDoubt === null) return;
      await this.#send(this.#inDoubt);
    }
  }

  #nextStatement(): Sent | null {
    const rows = this.#queue.splice(0, ROWS_PER_STATEMENT);
    const last = rows.at(-1);
    return last === undefined ? null : { from: this.#committedSeq, to: last.seq, rows };
  }

  async #send(sent: Sent): Promise<void> {
    const { database, commitWithinMs = COMMIT_WITHIN_MS } = this.#options;
    const step = { nodeId: this.nodeId, epoch: this.#epoch, from: sent.from, to: sent.to };
    const isWritten = await waitAtMost(commitWithinMs, appendRows(database, step, sent.rows));
    if (!isWritten && !(await this.#isStillOurs(sent.to))) return;
    this.#inDoubt = null;
    this.#committedSeq = sent.to;
    this.#hasWritten = true;
    this.#recordRecovery();
    const isDone = ({ upToSeq }: Waiter) => upToSeq <= sent.to;
    const done = this.#waiters.filter(isDone);
    this.#waiters = this.#waiters.filter((waiter) => !isDone(waiter));
    for (const { resolve } of done) resolve();
  }

  /** True if nothing more is sent, except by `close`. */
  #isOver(): boolean {
    return this.#state === "lost" || this.#state === "closed";
  }

  /** True if an earlier attempt wrote the statement, and its response was lost. Otherwise the journal is lost. */
  async #isStillOurs(lastSeq: number): Promise<boolean> {
    const writer = await findWriter(this.#options.database, this.nodeId);
    if (writer?.epoch === this.#epoch && writer.lastSeq === lastSeq) return true;
    this.#markLost(writer);
    return false;
  }

  #markLost(writer: WriterRow | null): void {
    if (this.#state === "lost") return;
    this.#state = "lost";
    const how = writer === null || writer.isAdopted ? "adopted" : "taken";
    this.#options.logger.fatal(
      { nodeId: this.nodeId, unwritten: this.#queue.length },
      how === "adopted"
        ? "this node was silent, and another finishes its journal: this process accepts no more requests"
        : "another process writes this node's journal: this one accepts no more requests",
    );
    this.#queue = [];
    this.#inDoubt = null;
    this.#rejectWaiters(new Error(LOST));
    this.#options.onLost?.(how);
  }

  #recordFailure(error: unknown): void {
    if (this.#isHealthy) {
      this.#options.logger.error({ err: error }, "the journal cannot be written to the database");
    }
    this.#isHealthy = false;
    this.#rejectWaiters(error instanceof Error ? error : new Error(String(error)));
    if (this.#retryTimer !== null || this.#isOver()) return;
    this.#retryTimer = setTimeout(() => this.#retry(), this.#options.retryMs ?? RETRY_MS);
    this.#retryTimer.unref();
  }

  #rejectWaiters(error: Error): void {
    for (const { reject } of this.#waiters.splice(0)) reject(error);
  }

  #recordRecovery(): void {
    if (!this.#isHealthy) this.#options.logger.info("the journal can be written again");
    this.#isHealthy = true;
  }

  /** Detects that the database is back: sends waiting records, or a heartbeat. */
  #retry(): void {
    this.#retryTimer = null;
    this.#startSending(async () => {
      if (this.#inDoubt === null && this.#queue.length === 0) await this.#sendHeartbeat();
      else await this.#sendAll();
    });
  }

  #sendDueHeartbeat(): void {
    const isNeeded = !this.#hasWritten && this.#isHealthy && this.#state !== "lost";
    this.#hasWritten = false;
    if (isNeeded) this.#sendHeartbeat().catch((error: unknown) => this.#recordFailure(error));
    this.prune();
  }

  async #sendHeartbeat(): Promise<void> {
    const { database, commitWithinMs = COMMIT_WITHIN_MS } = this.#options;
    const writer = { nodeId: this.nodeId, epoch: this.#epoch };
    if (await waitAtMost(commitWithinMs, recordHeartbeat(database, writer))) this.#recordRecovery();
    else this.#markLost(await findWriter(database, this.nodeId));
  }
}

/** Mark of a journal in the database: a column of the writer's row. */
function markOf(database: Database, writer: WriterRow): JournalMark {
  let isWhole = writer.isWhole;
  return {
    open: () => isWhole,
    set: async (value) => {
      isWhole = value;
      await markWriter(database, writer, value);
    },
    isWhole: () => isWhole,
    close: () => undefined,
  };
}
