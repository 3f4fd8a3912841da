import type { Database } from "#src/db/pool.ts";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { assert } from "#src/lib/assert.ts";
import type { Logger } from "#src/lib/logger.ts";
import { encodeRecord, encodeWholeEnd } from "./journal-codec.ts";
import type {
  AcceptedEnd,
  Journal,
  JournalFound,
  JournalStart,
  LostEnds,
  LostRange,
} from "./journal-contract.ts";
import { RecordLines } from "./journal-lines.ts";
import type { JournalMark } from "./journal-mark.ts";
import { findBeginChanges, type NewRecord, toStoredBegin } from "./journal-record.ts";
import {
  adoptWriter,
  closeWriter,
  type JournalRow,
  markWriter,
  openWriter,
  type WriterRow,
} from "./journal-rows.sql.ts";
import type { OpenRequest } from "./open-requests.ts";
import type { EndsReader } from "./read-ends.ts";
import {
  findLostRows,
  listSeqs,
  RowEndsReader,
  replayRows,
  toPosition,
  type UnreadRows,
} from "./replay-rows.ts";
import { ROWS_PER_INDEX, RowSums } from "./row-index.ts";
import { LOST, RowWriter } from "./row-writer.ts";
import type { JournalPosition } from "./segments.ts";
import { type SpentRequest, SpentRows } from "./spent-rows.ts";
import { waitAtMost } from "./wait-at-most.ts";

// A journal for nodes without a durable disk: the same records, as rows of the shared database (row-writer.ts).
// Failure policy: while the database is away no request begins, and ends wait in memory. A statement whose response was
// lost is repeated unchanged, and writes nothing twice. Records that a failover lost are written again. A process that lost
// the journal to another writer writes no more.

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
  /** Time for which committed records stay in memory. */
  keepRowsMs?: number;
}

const CLOSE_WITHIN_MS = 5_000;
const REFUSAL =
  "The gateway cannot write its journal to the database, so it accepts no new requests. Send the request again later.";

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

class PostgresJournal implements Journal {
  readonly nodeId: string;
  readonly journalId: string;
  readonly previousJournalId: string | null;
  readonly mark: JournalMark;
  readonly #options: PostgresJournalOptions;
  readonly #writer: RowWriter;
  readonly #rowsPerIndex: number;
  #sums: RowSums;
  #spent: SpentRows;
  /** Rows that the start has not read, and their requests that were read since. */
  #unread: UnreadRows[] = [];
  readonly #unreadSpent: SpentRows;
  #nextSeq: number;
  readonly #openBegins = new Map<string, OpenRequest>();
  readonly #lines = new RecordLines();
  #state: "new" | "active" | "closed" = "new";
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
    this.#nextSeq = writer.lastSeq + 1;
    const parts = { listOpenRows: () => this.#listOpenRows(), onBeat: () => this.prune() };
    this.#writer = new RowWriter({ ...options, ...parts, previousJournalId }, writer);
    this.mark = markOf(options.database, writer, () => this.#writer.epoch);
    this.#spent = new SpentRows(options);
    this.#unreadSpent = new SpentRows(options);
    this.#rowsPerIndex = options.rowsPerIndex ?? ROWS_PER_INDEX;
    this.#sums = new RowSums(this.#rowsPerIndex, this.#nextSeq);
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
      lastSeq: this.#writer.committedSeq,
      rowsPerIndex: this.#rowsPerIndex,
      onSpent: (request) => this.#spent.add(request),
      onRows: (rows) => this.#writer.remember(rows),
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
    if (this.#writer.isLost) throw new ApiError("node_id_conflict", LOST);
    if (this.#state !== "active")
      throw new ApiError("server_not_ready", "The gateway is starting or stopping.");
    if (!this.#writer.isHealthy) throw new ApiError("journal_unavailable", REFUSAL);
    assert(!this.#openBegins.has(record.requestId), "a request begins once");
    this.#addIndex();
    const stored = toStoredBegin(record);
    const seq = this.#queueRecord((next) => ({ kind: "begin", seq: next, record: stored }));
    this.#openBegins.set(record.requestId, { seq, amendedSeqs: [], record: stored });
  }

  async beginWritten(record: BeginRecord): Promise<void> {
    this.begin(record);
    try {
      await this.synced();
    } catch {
      this.removeBegin(record.requestId);
      throw new ApiError("journal_unavailable", REFUSAL);
    }
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
    return this.#writer.synced(this.#nextSeq - 1);
  }

  markFlushed(seq: number): void {
    this.#sums.markFlushed(seq);
    this.#spent.markFlushed(seq);
    this.#unreadSpent.markFlushed(seq);
    this.prune();
  }

  async findLost(range: LostRange): Promise<LostEnds> {
    const unreadable = await this.#writer.restore();
    const { database, nodeId } = this.#options;
    const losses = await this.#confirm();
    // Requests that end meanwhile follow those of the rows.
    const lastSeq = this.#writer.committedSeq;
    this.#spent = new SpentRows(this.#options);
    const { found, spent } = await findLostRows({ database, nodeId, lastSeq }, range);
    if ((await this.#confirm()) !== losses) throw new Error("the database went back again");
    this.#spent.putBack(spent);
    this.#spent.markFlushed(range.flushedSeq);
    this.#unread = [];
    return { ...found, unreadable };
  }

  prune(): void {
    if (this.#writer.isLost) return;
    this.#spent.remove(this.#writer.committedSeq);
    this.#unreadSpent.remove(this.#writer.committedSeq);
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
      confirm: () => this.#confirm(),
      onSpent: (request) => this.#addUnreadSpent(request),
    });
  }

  #confirm(): Promise<number> {
    return this.#writer.confirm(this.#nextSeq - 1);
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
    return this.#writer.isHealthy;
  }

  usage(): null {
    return null;
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    this.#state = "closed";
    const writer = this.#writer;
    if (!writer.stop()) return;
    const { database, logger } = this.#options;
    try {
      await waitAtMost(CLOSE_WITHIN_MS, writer.sendRest());
      for (const spent of [this.#unreadSpent, this.#spent])
        await waitAtMost(CLOSE_WITHIN_MS, spent.finish(writer.committedSeq));
      const isDone = this.#openBegins.size === 0;
      if (isDone) await closeWriter(database, { nodeId: this.nodeId, epoch: writer.epoch });
    } catch (error) {
      logger.warn(
        { err: error },
        "the journal in the database is not finished: the next start finishes it",
      );
    }
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
    this.#writer.add({ seq, line: this.#encodeLine(make(seq)) });
    return seq;
  }

  /** Encodes running requests as they are now. Their amendments are in their begins. */
  #listOpenRows(): JournalRow[] {
    const requests = [...this.#openBegins.values()];
    return requests.map(({ seq, record }) => {
      return { seq, line: this.#encodeLine({ kind: "begin", seq, record }) };
    });
  }

  /** Returns a copy without the newline, because the buffer is used again. */
  #encodeLine(record: NewRecord): Buffer {
    encodeRecord(record, this.#lines);
    return Buffer.from(this.#lines.take().subarray(0, -1));
  }
}

/** Mark of a journal in the database: a column of the writer's row. */
function markOf(database: Database, writer: WriterRow, epoch: () => bigint): JournalMark {
  let isWhole = writer.isWhole;
  return {
    open: () => isWhole,
    set: async (value) => {
      isWhole = value;
      await markWriter(database, { nodeId: writer.nodeId, epoch: epoch() }, value);
    },
    isWhole: () => isWhole,
    close: () => undefined,
  };
}
