import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { JournalMark } from "./journal-mark.ts";
import type { EndsReader } from "./read-ends.ts";
import type { Replayed, UnflushedEnd, UnflushedSegment } from "./replay.ts";
import type { DaySpend } from "./segment-index.ts";
import type { JournalPosition } from "./segments.ts";

/** An accepted end. A reader that starts at `position` finds it after it is written. */
export interface AcceptedEnd {
  seq: number;
  position: JournalPosition;
}

export interface JournalStart {
  /** Ends up to this one are in the database. */
  flushedSeq: number;
  /** Called in order for each end that is not in the database. */
  onUnflushedEnd: (end: UnflushedEnd) => void;
  /**
   * Called in the same order for an indexed segment without any end in the database. Its ends are not read. Absent: all
   * segments are read.
   */
  onUnflushedSegment?: ((segment: UnflushedSegment) => void) | undefined;
}

/** Records that a start found. */
export type JournalFound = Omit<Replayed, "state">;

/** Ends after `flushedSeq`, which the database has, and up to `upToSeq`, which it had. */
export interface LostRange {
  flushedSeq: number;
  upToSeq: number;
  /** Returns the requests that the database has all the same. Null: it has none of the range. */
  findRecorded: ((ends: readonly EndRecord[]) => Promise<ReadonlySet<string>>) | null;
}

export interface LostEnds {
  /** Position of the first end, or before it. Null: the journal has none of the range. */
  first: AcceptedEnd | null;
  /** Number of ends in the journal. */
  count: number;
  /** Number of them that the database lacks. */
  lost: number;
  /** Spend of those that the database lacks. */
  spend: readonly DaySpend[];
  /** Highest number of ends that the journal has deleted, although the database lacks them. */
  unreadable: number;
}

/** Space of a journal on its disk, bytes. */
export interface JournalUsage {
  bytes: number;
  /** The cap. Null: none. */
  maxBytes: number | null;
  /** Size of the segments with records that are not in the database. */
  unflushedBytes: number;
  /** True while new requests are refused for lack of space. */
  isFull: boolean;
}

/** Records of a node until they are in the usage tables: in files (journal.ts) or rows (postgres-journal.ts). */
export interface Journal {
  readonly nodeId: string;
  /** Scope of the sequence numbers. Another journal of the same node has another id. */
  readonly journalId: string;
  /** Earlier id of this journal that the node's row may still have. Null: none. */
  readonly previousJournalId: string | null;
  /** Stores whether the journal has all records that were written. */
  readonly mark: JournalMark;
  /** Binds the journal to one database. Throws StartError for the journal of another one. */
  bindInstallation(installationId: string): void;
  /**
   * Reads the journal and begins to write after its records. Marks it first if records are missing. Throws StartError
   * for the journal of another node or of a newer release, and the error of the disk or the database.
   */
  start(options: JournalStart): Promise<JournalFound>;
  /**
   * Accepts the record. A journal on disk has written it on return. A journal in the database has written it when `synced`
   * resolves. Throws a 503 if the record cannot be written. Nothing of it then stays.
   */
  begin(record: BeginRecord): void;
  /**
   * As `begin`, for a caller that waits until the record is written. A journal on disk writes all begins of a turn of the
   * event loop at once. Rejects with the same 503.
   */
  beginWritten(record: BeginRecord): Promise<void>;
  /**
   * Writes the changes in the begin of an open request, in the same way as an end. Never throws. A request that is not open
   * is ignored.
   */
  amendBegin(record: BeginRecord): void;
  /**
   * Accepts the record, and writes it at the end of this turn of the event loop at the latest. Never throws. Null: the
   * request is not open.
   */
  end(record: EndRecord): AcceptedEnd | null;
  /** Removes the begin of a request that was never sent, or that the database has. Never throws. */
  removeBegin(requestId: string): void;
  /** Resolves when all accepted records survive a power cut. Rejects if the disk or the database failed. */
  synced(): Promise<void>;
  /** Records that the database has all ends up to `seq`, so that their segments can be deleted later. */
  markFlushed(seq: number): void;
  /**
   * Finds ends that the database had and lost. They count as not flushed again. A journal in the database first writes its
   * own lost records again. Throws the error of the disk or the database.
   */
  findLost(range: LostRange): Promise<LostEnds>;
  /** Deletes segments that are old enough. */
  prune(): void;
  position(): JournalPosition;
  /** Reads accepted ends again, from this one on. */
  readFrom(end: AcceptedEnd): EndsReader;
  /** Stores a record that the database refuses, for an administrator. Throws the error of the disk. */
  quarantine(seq: number, record: EndRecord): void;
  /** False after a failed write or sync, until one succeeds. */
  isHealthy(): boolean;
  /** Null for a journal that takes no space on a disk. */
  usage(): JournalUsage | null;
  close(): Promise<void>;
}
