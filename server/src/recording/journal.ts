import fs from "node:fs";
import path from "node:path";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { assert } from "#src/lib/assert.ts";
import { readBootId } from "#src/lib/boot-id.ts";
import { IdTable } from "#src/lib/id-table.ts";
import { newId } from "#src/lib/ids.ts";
import { encodeWholeEnd } from "./journal-codec.ts";
import type {
  AcceptedEnd,
  Journal,
  JournalFound,
  JournalStart,
  JournalUsage,
  LostEnds,
  LostRange,
} from "./journal-contract.ts";
import { RecordLines } from "./journal-lines.ts";
import { type DiskMark, makeJournalMark, setMarkOrLog } from "./journal-mark.ts";
import { type JournalOptions, withDefaults } from "./journal-options.ts";
import { findBeginChanges, type NewRecord, toStoredBegin } from "./journal-record.ts";
import { type JournalContents, JournalSpace } from "./journal-space.ts";
import { JournalSync } from "./journal-sync.ts";
import { findLostEnds } from "./lost-ends.ts";
import { bindInstallation, journalIdentity } from "./node-identity.ts";
import type { OpenRequest } from "./open-requests.ts";
import { type EndsReader, SegmentEndsReader } from "./read-ends.ts";
import { type JournalState, replayJournal } from "./replay.ts";
import { SegmentCompressor } from "./segment-compressor.ts";
import { SegmentWriter } from "./segment-writer.ts";
import type { JournalPosition } from "./segments.ts";
import { type WaitingBegin, WaitingBegins } from "./waiting-begins.ts";

// A begin is in the file when `begin` returns, or when `beginWritten` resolves. An end or an amendment is written with the
// next begin, or at the end of the turn of the event loop. The end of a turn writes the waiting begins after them. These
// begins get their numbers only then, so that the file has all records in the order of their numbers.
// Failure policy: a begin that cannot be written refuses its request. An end that cannot be written stays in memory and
// is retried every second. No request begins until it is written. journal-space.ts deletes segments when the disk is full
// or the journal is at its cap.

const DIRECTORY_MODE = 0o700;
/** Records of one write. A nearly full disk may have room for a part of those that wait. */
const MAX_BATCH = 500;
const SET_ASIDE_FILE = "set-aside.jsonl";
const REFUSAL =
  "The gateway cannot write its journal, so it accepts no new requests. Free space on the disk of its data folder.";

interface OpenBegin extends Pick<OpenRequest, "seq" | "record"> {
  /** True after the end or the removal of the request, which may not be in the file yet. */
  isOver: boolean;
}

/** An accepted record that is not in the file yet. */
interface Unwritten {
  requestId: string;
  record: Extract<NewRecord, { kind: "amend" | "end" | "void" }>;
  end: EndRecord | null;
}

type NewBegin = Extract<NewRecord, { kind: "begin" }>;

/** Creates the folder if it is missing. Nothing is read or written before `start`. */
export function openJournal(options: JournalOptions): DiskJournal {
  fs.mkdirSync(options.directory, { recursive: true, mode: DIRECTORY_MODE });
  return new DiskJournal(options);
}

/** A journal in a folder. */
export class DiskJournal implements Journal {
  readonly nodeId: string;
  readonly journalId: string;
  readonly previousJournalId: string | null;
  readonly directory: string;
  readonly mark: DiskMark;
  readonly #options: Required<JournalOptions>;
  readonly #sync: JournalSync;
  readonly #space: JournalSpace;
  readonly #compressor: SegmentCompressor;
  readonly #writer: SegmentWriter;
  #nextSeq = 1;
  #lastEndSeq = 0;
  #flushedSeq = 0;
  /** Requests by id, in the order of their sequence numbers. */
  readonly #openBegins = new IdTable<OpenBegin>();
  /** In the order of their sequence numbers. Bounded by the requests that ran when the disk failed. */
  #unwritten: Unwritten[] = [];
  readonly #waiting = new WaitingBegins();
  #isWritable: boolean = false;
  #isWriteHealthy: boolean = true;
  #isSyncHealthy: boolean = true;
  #retryTimer: NodeJS.Timeout | null = null;
  /** True while the end of this turn writes. */
  #isWriteDue: boolean = false;

  constructor(options: JournalOptions) {
    this.#options = withDefaults(options);
    this.nodeId = options.nodeId;
    this.previousJournalId = this.#options.previousJournalId;
    this.directory = options.directory;
    this.journalId = journalIdentity(options.directory, () =>
      newId("jrnl_", options.clock.nowMs()),
    );
    const { directory, bootId = readBootId() } = options;
    this.mark = makeJournalMark({ directory, journalId: this.journalId, bootId });
    this.#space = new JournalSpace({ ...this.#options, contents: () => this.#contents() });
    this.#compressor = new SegmentCompressor({
      ...this.#options,
      delayMs: this.#options.compressAfterMs,
      hasSegment: (file) => this.#space.has(file),
      onCompressed: (file, compressed) => this.#space.replace(file, compressed),
    });
    this.#sync = new JournalSync({
      files: this.#options.files,
      directory: options.directory,
      everyMs: this.#options.syncEveryMs,
      onSynced: () => {
        this.#isSyncHealthy = true;
      },
      onFailed: (error) => this.#syncFailed(error),
    });
    this.#writer = new SegmentWriter({
      ...this.#options,
      space: this.#space,
      sync: this.#sync,
      compressor: this.#compressor,
      contents: () => ({
        firstSeq: this.#unwritten[0]?.record.seq ?? this.#nextSeq,
        lastSeq: this.#nextSeq - 1,
        lastEndSeq: this.#lastEndSeq,
        openBegins: [...this.#openBegins.values()],
      }),
      onFreed: () => this.#armRetry(),
      isHealthy: () => this.isHealthy(),
    });
  }

  bindInstallation(installationId: string): void {
    bindInstallation(this.directory, installationId);
  }

  async start(options: JournalStart): Promise<JournalFound> {
    const { directory, nodeId } = this;
    const { logger } = this.#options;
    const { state, ...replayed } = await replayJournal({
      directory,
      nodeId,
      logger,
      ...options,
    });
    if (!replayed.isWhole) this.mark.set(false);
    this.resume(state);
    return replayed;
  }

  /** Begins writing, in a new segment after those of `state`. Throws the file system's error when it cannot. */
  resume(state: JournalState): void {
    assert(!this.#isWritable, "a journal is resumed once");
    for (const segment of state.segments) this.#space.add(segment);
    this.#nextSeq = state.nextSeq;
    this.#lastEndSeq = state.lastEndSeq;
    this.#flushedSeq = state.flushedSeq;
    for (const { seq, record } of state.openBegins) {
      this.#openBegins.add(record.requestId, { seq, record, isOver: false });
    }
    this.#writer.start(state.lastOrdinal);
    this.#space.dropEmpty();
    this.#isWritable = true;
    this.prune();
    if (!this.#space.holdReserve()) this.#armRetry();
    this.#compressor.removeLeftovers();
    for (const segment of state.segments) {
      if (this.#space.has(segment.file)) this.#compressor.add(segment);
    }
  }

  begin(record: BeginRecord): void {
    if (!this.#isWritable) throw makeNotReadyError();
    this.#space.admit();
    this.#writeBegins([record]);
  }

  beginWritten(record: BeginRecord): Promise<void> {
    if (!this.#isWritable) return Promise.reject(makeNotReadyError());
    this.#scheduleWrite();
    return this.#waiting.add(record);
  }

  amendBegin(record: BeginRecord): void {
    const { requestId } = record;
    if (this.#waiting.amend(record)) return;
    const open = this.#findOpen(requestId);
    const changes = open && findBeginChanges(open.record, record);
    if (open === null || changes === null) return;
    open.record = toStoredBegin(record);
    const seq = this.#nextSeq;
    const amendment = { kind: "amend", seq, beginSeq: open.seq, changes } as const;
    this.#accept({ requestId, record: amendment, end: null });
  }

  end(record: EndRecord): AcceptedEnd | null {
    const { requestId } = record;
    const open = this.#findOpen(requestId);
    if (open === null) return null;
    open.isOver = true;
    const { seq: beginSeq } = open;
    const changes = findBeginChanges(open.record, record);
    const accepted = { seq: this.#nextSeq, position: this.position() };
    const end = { kind: "end", seq: accepted.seq, beginSeq, changes, end: record } as const;
    this.#accept({ requestId, record: end, end: record });
    return accepted;
  }

  removeBegin(requestId: string): void {
    const open = this.#findOpen(requestId);
    if (open === null) return;
    open.isOver = true;
    const seq = this.#nextSeq;
    this.#accept({ requestId, record: { kind: "void", seq, beginSeq: open.seq }, end: null });
  }

  async synced(): Promise<void> {
    this.#writeWaitingBegins();
    this.#writeWaiting();
    if (this.#unwritten.length > 0) throw new Error("the journal cannot be written");
    await this.#sync.synced();
  }

  markFlushed(seq: number): void {
    this.#flushedSeq = Math.max(this.#flushedSeq, seq);
  }

  async findLost(range: LostRange): Promise<LostEnds> {
    this.#flushedSeq = range.flushedSeq;
    this.#writeWaiting();
    if (this.#unwritten.length > 0) throw new Error("the journal cannot be written");
    return await findLostEnds(this.directory, range);
  }

  prune(): void {
    this.#space.prune();
  }

  position(): JournalPosition {
    return this.#writer.position();
  }

  readFrom(end: AcceptedEnd): EndsReader {
    const reader = new SegmentEndsReader(this.directory, end);
    return {
      read: (limit) => {
        this.#writeWaiting();
        return reader.read(limit);
      },
    };
  }

  quarantine(seq: number, record: EndRecord): void {
    const lines = new RecordLines();
    encodeWholeEnd(seq, record, lines);
    fs.appendFileSync(path.join(this.directory, SET_ASIDE_FILE), lines.take());
  }

  isHealthy(): boolean {
    return this.#isWriteHealthy && this.#isSyncHealthy;
  }

  usage(): JournalUsage {
    return this.#space.usage();
  }

  async close(): Promise<void> {
    const isWritten = this.#isWritable;
    this.#isWritable = false;
    this.#writeWaitingBegins(); // Refuses them.
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    this.#writeWaiting();
    this.#writer.retire();
    await this.#compressor.stop();
    await this.#sync.stop();
    // Without a start, the mark has not been read yet and must stay.
    if (isWritten && this.isHealthy()) this.mark.close();
  }

  #contents(): JournalContents {
    return {
      current: this.#writer.current,
      lastEndSeq: this.#lastEndSeq,
      flushedSeq: this.#flushedSeq,
      openBegins: this.#openBegins,
    };
  }

  #findOpen(requestId: string): OpenBegin | null {
    const open = this.#openBegins.get(requestId);
    return open === undefined || open.isOver ? null : open;
  }

  /** The record is written with the next begin, or at the end of this turn of the event loop. */
  #accept(unwritten: Unwritten): void {
    this.#nextSeq = unwritten.record.seq + 1;
    this.#unwritten.push(unwritten);
    this.#scheduleWrite();
  }

  #scheduleWrite(): void {
    if (this.#isWriteDue) return;
    this.#isWriteDue = true;
    this.#options.turnEnd.add("journal", this.#writeTurn);
  }

  readonly #writeTurn = (): void => {
    this.#isWriteDue = false;
    if (!this.#isWritable) return;
    this.#writeWaitingBegins();
    this.#writeWaiting();
  };

  #writeWaiting(): void {
    if (this.#unwritten.length === 0) return;
    try {
      this.#writeUnwritten();
      this.#isWriteHealthy = true;
    } catch (error) {
      this.#writeFailed(error);
    }
  }

  /** Writes records in the order of their numbers. A record that cannot be written delays those after it. */
  #writeUnwritten(): void {
    while (this.#unwritten.length > 0) {
      const batch = this.#unwritten.slice(0, MAX_BATCH);
      this.#writer.append(batch.map(toRecord), { mayUseReserve: true });
      this.#removeWritten(batch);
    }
  }

  /** Writes the begins of this turn. Without space for all of them, each one is written or refused alone. */
  #writeWaitingBegins(): void {
    const turn = this.#waiting.take();
    if (turn === null) return;
    for (let from = 0; from < turn.begins.length; from += MAX_BATCH) {
      const batch = turn.begins.slice(from, from + MAX_BATCH);
      if (!this.#writeTogether(batch)) for (const begin of batch) this.#writeAlone(begin);
    }
    turn.finish();
  }

  /** False: none of them is written. */
  #writeTogether(batch: readonly WaitingBegin[]): boolean {
    if (!this.#isWritable || !this.#space.hasRoomFor(batch.length)) return false;
    try {
      this.#writeBegins(batch.map(({ record }) => record));
      return true;
    } catch {
      return false;
    }
  }

  #writeAlone(begin: WaitingBegin): void {
    try {
      this.begin(begin.record);
    } catch (error) {
      begin.error = error;
    }
  }

  /** Writes begins together with the unwritten records, or throws a 503. */
  #writeBegins(records: readonly BeginRecord[]): void {
    const begins = records.map((record, at): NewBegin => {
      assert(!this.#openBegins.has(record.requestId), "a request begins once");
      return { kind: "begin", seq: this.#nextSeq + at, record: toStoredBegin(record) };
    });
    const { leftovers } = this.#writer;
    try {
      this.#appendBegins(begins);
    } catch (error) {
      if (this.#writer.leftovers > leftovers) this.#voidBegins(begins);
      this.#writeFailed(error);
      throw new ApiError("journal_unavailable", REFUSAL, { "retry-after": "1" });
    }
    this.#nextSeq += begins.length;
    for (const { seq, record } of begins) {
      this.#openBegins.add(record.requestId, { seq, record, isOver: false });
    }
    this.#isWriteHealthy = true;
  }

  #appendBegins(begins: readonly NewBegin[]): void {
    if (this.#unwritten.length > MAX_BATCH) this.#writeUnwritten();
    try {
      const records = [...this.#unwritten.map(toRecord), ...begins];
      this.#writer.append(records, { mayUseReserve: false });
      this.#removeWritten(this.#unwritten);
    } catch (error) {
      // Records of running requests may use the reserve.
      this.#writeUnwritten();
      throw error;
    }
  }

  /** Voids begins of a failed write whose bytes stayed in the file, because all but the last can be complete there. */
  #voidBegins(begins: readonly NewBegin[]): void {
    this.#nextSeq += begins.length;
    for (const { seq: beginSeq, record } of begins.slice(0, -1)) {
      const { requestId } = record;
      this.#accept({
        requestId,
        record: { kind: "void", seq: this.#nextSeq, beginSeq },
        end: null,
      });
    }
  }

  /** Follows the write, because a new segment repeats the begins of requests without an end in the file. */
  #removeWritten(batch: readonly Unwritten[]): void {
    this.#unwritten = this.#unwritten.slice(batch.length);
    for (const { requestId, record, end } of batch) {
      if (record.kind !== "amend") this.#openBegins.remove(requestId);
      if (end === null) continue;
      this.#lastEndSeq = record.seq;
      this.#writer.addEnd(end);
    }
  }

  #writeFailed(error: unknown): void {
    if (this.#isWriteHealthy) this.#options.logger.error({ err: error }, "journal write failed");
    this.#isWriteHealthy = false;
    this.#armRetry();
  }

  /** A power failure can now lose the records since the last successful sync. A new segment starts with a clean file. */
  #syncFailed(error: unknown): void {
    const isFirst = this.#isSyncHealthy;
    this.#isSyncHealthy = false;
    if (isFirst) {
      this.#options.logger.error({ err: error }, "journal sync failed");
      // The kernel may lose written records now, even if the machine continues to run.
      void setMarkOrLog(this.mark, false, this.#options.logger);
    }
    if (isFirst && this.#isWritable) this.#writer.turnOver();
    this.#armRetry();
  }

  #armRetry(): void {
    if (this.#retryTimer !== null || !this.#isWritable) return;
    this.#retryTimer = setTimeout(() => this.#retry(), this.#options.retryMs);
    this.#retryTimer.unref();
  }

  /** Tries to write. Without requests, this detects that the disk works again. */
  #retry(): void {
    this.#retryTimer = null;
    try {
      this.#writeUnwritten();
      this.#writer.append([{ kind: "mark", seq: this.#nextSeq }], { mayUseReserve: false });
      this.#nextSeq += 1;
      if (!this.#isWriteHealthy) this.#options.logger.info("journal can be written again");
      this.#isWriteHealthy = true;
      if (!this.#space.holdReserve()) this.#armRetry();
    } catch (error) {
      this.#writeFailed(error);
    }
  }
}

function makeNotReadyError(): ApiError {
  return new ApiError("server_not_ready", "The gateway is starting or stopping.");
}

function toRecord({ record }: Unwritten): NewRecord {
  return record;
}
