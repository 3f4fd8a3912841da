import fs from "node:fs";
import path from "node:path";
import { ApiError } from "#src/domain/api-error.ts";
import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import { assert } from "#src/lib/assert.ts";
import { readBootId } from "#src/lib/boot-id.ts";
import type { Clock } from "#src/lib/clock.ts";
import { newId } from "#src/lib/ids.ts";
import type { Logger } from "#src/lib/logger.ts";
import type {
  AcceptedEnd,
  Journal,
  JournalFound,
  JournalStart,
  JournalUsage,
} from "./journal-contract.ts";
import { type JournalFile, type JournalFiles, nodeJournalFiles } from "./journal-files.ts";
import { type DiskMark, makeJournalMark } from "./journal-mark.ts";
import { encodeRecord, type JournalRecord } from "./journal-record.ts";
import { type JournalContents, JournalSpace } from "./journal-space.ts";
import { JournalSync } from "./journal-sync.ts";
import { bindInstallation, journalIdentity } from "./node-identity.ts";
import { type EndsRead, type EndsWanted, readEndsOfSegments } from "./read-ends.ts";
import { type JournalState, replayJournal } from "./replay.ts";
import { type JournalPosition, segmentPath } from "./segments.ts";

// Failure policy: a begin that cannot be written refuses its request; an end that cannot be written stays in memory,
// is tried again every second, and until then no request begins. journal-space.ts says which segments a full disk or a
// journal at its cap costs.

export interface JournalOptions {
  directory: string;
  nodeId: string;
  clock: Clock;
  logger: Logger;
  files?: JournalFiles;
  segmentBytes?: number;
  segmentMs?: number;
  syncEveryMs?: number;
  retainMs?: number;
  /** The cap: no request begins that could take the journal beyond it. */
  maxBytes?: number;
  /** Space kept on the disk for the ends of running requests; 0 for none. */
  reserveBytes?: number;
  retryMs?: number;
  /** The machine's boot: what is written in one may be gone in the next. */
  bootId?: string | null;
  /** See `Journal.previousJournalId`. */
  previousJournalId?: string | null;
}

const SEGMENT_BYTES = 64 * 1024 * 1024;
/** Share of the cap: a segment is deleted as a whole. */
const SEGMENT_SHARE = 1 / 8;
const HOUR_MS = 3_600_000;
const RETAIN_MS = 48 * HOUR_MS;
const SYNC_EVERY_MS = 50;
const RETRY_MS = 1_000;
const DIRECTORY_MODE = 0o700;
const SET_ASIDE_FILE = "set-aside.jsonl";
const REFUSAL =
  "The gateway cannot write its journal, so it takes no new requests. Free space on the disk of its data folder.";

interface CurrentSegment {
  ordinal: number;
  path: string;
  file: JournalFile;
  firstSeq: number;
  bytes: number;
  /** False while it holds its first record only. */
  isUsed: boolean;
  openedAtMs: number;
}

/** A begin only where it is written again. */
type Unwritten = Extract<JournalRecord, { kind: "begin" | "end" | "void" }>;

/** A journal in a folder. */
export interface JournalOnDisk extends Journal {
  readonly directory: string;
  /** Begins writing, in a new segment after those of `state`. Throws the file system's error when it cannot. */
  resume(state: JournalState): void;
}

/** Makes the folder when it is not there. Nothing is read or written before `start`. */
export function openJournal(options: JournalOptions): JournalOnDisk {
  fs.mkdirSync(options.directory, { recursive: true, mode: DIRECTORY_MODE });
  return new FileJournal(options);
}

class FileJournal implements JournalOnDisk {
  readonly nodeId: string;
  readonly journalId: string;
  readonly previousJournalId: string | null;
  readonly directory: string;
  readonly mark: DiskMark;
  readonly #options: Required<JournalOptions>;
  readonly #sync: JournalSync;
  readonly #space: JournalSpace;
  #current: CurrentSegment | null = null;
  #lastOrdinal = 0;
  #nextSeq = 1;
  #lastEndSeq = 0;
  #flushedSeq = 0;
  /** In order of their sequence numbers: the first is the oldest. */
  #openBegins = new Map<string, number>();
  /** Accepted, not yet in the file; in order. Bounded by the requests that ran when the disk failed. */
  #unwritten: Unwritten[] = [];
  #isWritable: boolean = false;
  #isWriteHealthy: boolean = true;
  #isSyncHealthy: boolean = true;
  #retryTimer: NodeJS.Timeout | null = null;

  constructor(options: JournalOptions) {
    this.#options = {
      files: nodeJournalFiles,
      segmentBytes: Math.min(SEGMENT_BYTES, (options.maxBytes ?? Infinity) * SEGMENT_SHARE),
      segmentMs: HOUR_MS,
      syncEveryMs: SYNC_EVERY_MS,
      retainMs: RETAIN_MS,
      retryMs: RETRY_MS,
      maxBytes: Number.POSITIVE_INFINITY,
      reserveBytes: 0,
      previousJournalId: null,
      bootId: null,
      ...options,
    };
    this.nodeId = options.nodeId;
    this.previousJournalId = this.#options.previousJournalId;
    this.directory = options.directory;
    this.journalId = journalIdentity(options.directory, () =>
      newId("jrnl_", options.clock.nowMs()),
    );
    const { directory, bootId = readBootId() } = options;
    this.mark = makeJournalMark({ directory, journalId: this.journalId, bootId });
    this.#space = new JournalSpace({ ...this.#options, contents: () => this.#contents() });
    this.#sync = new JournalSync({
      files: this.#options.files,
      directory: options.directory,
      everyMs: this.#options.syncEveryMs,
      onSynced: () => {
        this.#isSyncHealthy = true;
      },
      onFailed: (error) => this.#syncFailed(error),
    });
  }

  bindInstallation(installationId: string): void {
    bindInstallation(this.directory, installationId);
  }

  async start({ flushedSeq, onUnflushedEnd }: JournalStart): Promise<JournalFound> {
    const { directory, nodeId } = this;
    const { logger } = this.#options;
    const { state, ...replayed } = await replayJournal({
      directory,
      nodeId,
      logger,
      flushedSeq,
      onUnflushedEnd,
    });
    if (!replayed.isWhole) this.mark.set(false);
    this.resume(state);
    return replayed;
  }

  resume(state: JournalState): void {
    assert(!this.#isWritable, "a journal is resumed once");
    for (const segment of state.segments) this.#space.add(segment);
    this.#lastOrdinal = state.lastOrdinal;
    this.#nextSeq = state.nextSeq;
    this.#lastEndSeq = state.lastEndSeq;
    this.#flushedSeq = state.flushedSeq;
    this.#openBegins = new Map(state.openBegins);
    this.#openSegment();
    this.#space.dropEmpty();
    this.#isWritable = true;
    this.prune();
    if (!this.#space.holdReserve()) this.#armRetry();
  }

  begin(record: BeginRecord): void {
    if (!this.#isWritable)
      throw new ApiError("server_not_ready", "The gateway is starting or stopping.");
    assert(!this.#openBegins.has(record.requestId), "a request begins once");
    this.#space.admit();
    const seq = this.#nextSeq;
    try {
      this.#writeUnwritten();
      this.#append(encodeRecord({ kind: "begin", seq, record }), { mayUseReserve: false });
    } catch (error) {
      this.#writeFailed(error);
      throw new ApiError("journal_unavailable", REFUSAL, { "retry-after": "1" });
    }
    this.#nextSeq = seq + 1;
    this.#openBegins.set(record.requestId, seq);
    this.#isWriteHealthy = true;
  }

  amendBegin(record: BeginRecord): void {
    if (!this.#isOpen(record.requestId)) return;
    this.#accept({ kind: "begin", seq: this.#nextSeq, record });
  }

  end(record: EndRecord): AcceptedEnd | null {
    if (!this.#isOpen(record.requestId)) return null;
    const accepted = { seq: this.#nextSeq, position: this.position() };
    this.#accept({ kind: "end", seq: accepted.seq, record });
    return accepted;
  }

  removeBegin(requestId: string): void {
    if (this.#isOpen(requestId)) this.#accept({ kind: "void", seq: this.#nextSeq, requestId });
  }

  synced(): Promise<void> {
    return this.#sync.synced();
  }

  markFlushed(seq: number): void {
    this.#flushedSeq = Math.max(this.#flushedSeq, seq);
  }

  prune(): void {
    this.#space.prune();
  }

  position(): JournalPosition {
    return this.#current === null
      ? { ordinal: this.#lastOrdinal + 1, offset: 0 }
      : { ordinal: this.#current.ordinal, offset: this.#current.bytes };
  }

  readEnds(from: EndsWanted, limit: number): Promise<EndsRead> {
    return readEndsOfSegments(this.directory, from, limit);
  }

  quarantine(seq: number, record: EndRecord): void {
    const line = encodeRecord({ kind: "end", seq, record });
    fs.appendFileSync(path.join(this.directory, SET_ASIDE_FILE), line);
  }

  isHealthy(): boolean {
    return this.#isWriteHealthy && this.#isSyncHealthy && this.#unwritten.length === 0;
  }

  usage(): JournalUsage {
    return this.#space.usage();
  }

  async close(): Promise<void> {
    const isWritten = this.#isWritable;
    this.#isWritable = false;
    if (this.#retryTimer !== null) clearTimeout(this.#retryTimer);
    this.#retryTimer = null;
    if (this.#unwritten.length > 0) this.#retry();
    this.#retireCurrent();
    await this.#sync.stop();
    // One that was never started has its mark still to be read.
    if (isWritten && this.isHealthy()) this.mark.close();
  }

  #contents(): JournalContents {
    return {
      current: this.#current,
      lastEndSeq: this.#lastEndSeq,
      flushedSeq: this.#flushedSeq,
      openBegins: this.#openBegins,
    };
  }

  #isOpen(requestId: string): boolean {
    if (!this.#openBegins.has(requestId)) return false;
    return !this.#unwritten.some(
      (waiting) => waiting.kind !== "begin" && requestOf(waiting) === requestId,
    );
  }

  #accept(record: Unwritten): void {
    this.#nextSeq = record.seq + 1;
    this.#unwritten.push(record);
    try {
      this.#writeUnwritten();
      this.#isWriteHealthy = true;
    } catch (error) {
      this.#writeFailed(error);
    }
  }

  /** Records go into the file in the order of their numbers; one that cannot be written holds up those behind it. */
  #writeUnwritten(): void {
    for (let record = this.#unwritten[0]; record !== undefined; record = this.#unwritten[0]) {
      this.#append(encodeRecord(record), { mayUseReserve: true });
      // Not before: a segment's first record must count this request as open while the file has no end of it.
      this.#unwritten.shift();
      if (record.kind === "begin") continue; // it counts as open from where it stands first
      this.#openBegins.delete(requestOf(record));
      if (record.kind === "end") this.#lastEndSeq = record.seq;
    }
  }

  #append(bytes: Buffer, use: { mayUseReserve: boolean }): void {
    // Turning over writes a first record into the same scratch buffer, so it works on a copy.
    const isDue = this.#isTurnDue();
    const line = isDue ? Buffer.from(bytes) : bytes;
    if (isDue) this.#turnOver();
    // Ends at the latest when no segment is left to drop.
    for (;;) {
      try {
        this.#appendToCurrent(line);
        return;
      } catch (error) {
        if (!isDiskFull(error) || !this.#space.free(use)) throw error;
        this.#armRetry(); // takes the reserve again when there is room
      }
    }
  }

  #appendToCurrent(line: Buffer): void {
    if (this.#current === null) {
      const copy = Buffer.from(line);
      this.#openSegment();
      this.#appendToCurrent(copy);
      return;
    }
    try {
      this.#current.file.append(line);
    } catch (error) {
      this.#cutBack(this.#current);
      throw error;
    }
    this.#current.bytes += line.length;
    this.#current.isUsed = true;
    this.#sync.written(this.#current.file);
  }

  /** Takes a half-written record away. Where even that fails the segment ends there: readers skip a torn end. */
  #cutBack(current: CurrentSegment): void {
    try {
      current.file.truncate(current.bytes);
    } catch (error) {
      this.#options.logger.error({ err: error, file: current.path }, "journal segment given up");
      this.#retireCurrent();
    }
  }

  #isTurnDue(): boolean {
    if (!this.#current?.isUsed) return false;
    if (this.#current.bytes >= this.#options.segmentBytes) return true;
    const openMs = this.#options.clock.monotonicMs() - this.#current.openedAtMs;
    return openMs >= this.#options.segmentMs;
  }

  /** A new segment that cannot be made is no reason to refuse: the old one goes on until one can. */
  #turnOver(): void {
    try {
      this.#openSegment();
      this.prune();
    } catch (error) {
      // Once, not for every request while the disk is full.
      if (this.isHealthy()) {
        this.#options.logger.warn({ err: error }, "journal segment cannot be turned over");
      }
    }
  }

  #openSegment(): void {
    // A number is never used twice, so that a leftover of a failed attempt is never in the way.
    this.#lastOrdinal += 1;
    const segment = segmentPath(this.directory, this.#lastOrdinal);
    const firstSeq = this.#unwritten[0]?.seq ?? this.#nextSeq;
    const [oldestOpenSeq = firstSeq] = this.#openBegins.values();
    const header = encodeRecord({
      kind: "segment",
      nodeId: this.nodeId,
      firstSeq,
      lastEndSeq: this.#lastEndSeq,
      oldestOpenSeq,
    });
    const file = this.#options.files.create(segment);
    try {
      file.append(header);
    } catch (error) {
      file.close();
      this.#space.remove(segment);
      throw error;
    }
    this.#retireCurrent();
    const openedAtMs = this.#options.clock.monotonicMs();
    const ordinal = this.#lastOrdinal;
    this.#current = {
      ordinal,
      path: segment,
      file,
      firstSeq,
      bytes: header.length,
      isUsed: false,
      openedAtMs,
    };
    this.#sync.created();
    this.#sync.written(file);
  }

  #retireCurrent(): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    this.#space.add({
      ordinal: current.ordinal,
      file: current.path,
      firstSeq: current.firstSeq,
      lastEndSeq: this.#lastEndSeq,
      writtenAtMs: this.#options.clock.nowMs(),
      bytes: current.bytes,
      isEmpty: !current.isUsed,
    });
    this.#sync.retire(current.file);
  }

  #writeFailed(error: unknown): void {
    if (this.#isWriteHealthy) this.#options.logger.error({ err: error }, "journal write failed");
    this.#isWriteHealthy = false;
    this.#armRetry();
  }

  /** What was written since the last good sync may be lost with the power; a new segment starts from a clean file. */
  #syncFailed(error: unknown): void {
    const isFirst = this.#isSyncHealthy;
    this.#isSyncHealthy = false;
    if (isFirst) {
      this.#options.logger.error({ err: error }, "journal sync failed");
      this.#doubt();
    }
    if (isFirst && this.#isWritable) this.#turnOver();
    this.#armRetry();
  }

  /** After a failed sync the kernel may forget what it had taken, also while the machine runs on. */
  #doubt(): void {
    try {
      this.mark.set(false);
    } catch (error) {
      this.#options.logger.error({ err: error }, "the journal's mark cannot be written");
    }
  }

  #armRetry(): void {
    if (this.#retryTimer !== null || !this.#isWritable) return;
    this.#retryTimer = setTimeout(() => this.#retry(), this.#options.retryMs);
    this.#retryTimer.unref();
  }

  /** Without requests (a load balancer has turned away) only this finds out that the disk works again. */
  #retry(): void {
    this.#retryTimer = null;
    try {
      this.#writeUnwritten();
      this.#append(encodeRecord({ kind: "mark", seq: this.#nextSeq }), { mayUseReserve: false });
      this.#nextSeq += 1;
      if (!this.#isWriteHealthy) this.#options.logger.info("journal can be written again");
      this.#isWriteHealthy = true;
      if (!this.#space.holdReserve()) this.#armRetry();
    } catch (error) {
      this.#writeFailed(error);
    }
  }
}

function requestOf(record: Unwritten): string {
  return record.kind === "void" ? record.requestId : record.record.requestId;
}

function isDiskFull(error: unknown): boolean {
  const code = error instanceof Error && "code" in error ? error.code : null;
  return code === "ENOSPC" || code === "EDQUOT";
}
