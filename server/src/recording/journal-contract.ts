import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { JournalMark } from "./journal-mark.ts";
import type { EndsReader } from "./read-ends.ts";
import type { Replayed, UnflushedEnd } from "./replay.ts";
import type { JournalPosition } from "./segments.ts";

/** Where an accepted end stands: reading the journal from `position` on meets it, once it is written. */
export interface AcceptedEnd {
  seq: number;
  position: JournalPosition;
}

/** What a start needs to know of the journal, and what it gives for it. */
export interface JournalStart {
  /** What the database has of this journal. */
  flushedSeq: number;
  /** Called for every end that the database does not have, in order. */
  onUnflushedEnd: (end: UnflushedEnd) => void;
}

/** What a start found. */
export type JournalFound = Omit<Replayed, "state">;

/** Space that a journal takes on its disk. Bytes. */
export interface JournalUsage {
  bytes: number;
  /** The cap. Null: there is none. */
  maxBytes: number | null;
  /** Size of the segments that hold records which the database does not have. */
  unflushedBytes: number;
  /** True while new requests are refused for lack of space. */
  isFull: boolean;
}

/** Where a node's records are until the usage tables have them: files of its own (journal.ts), or rows (postgres-journal.ts). */
export interface Journal {
  readonly nodeId: string;
  /** Sequence numbers mean nothing in a journal with another id, also under the same node id. */
  readonly journalId: string;
  /** The id under which the database may know this journal besides `journalId`: no reason for alarm. */
  readonly previousJournalId: string | null;
  /** Whether all that was written is there. */
  readonly mark: JournalMark;
  /** Ties the journal to one database. Throws StartError for another one's. */
  bindInstallation(installationId: string): void;
  /**
   * Reads what the journal knows and begins writing behind it; marks it first where something is missing. Throws
   * StartError for the journal of another node or of a newer release, and the error of the disk or the database.
   */
  start(options: JournalStart): Promise<JournalFound>;
  /**
   * Takes the record. On disk it is written on return, in the database once `synced` resolves, which has to be waited
   * for then. Throws a 503 when it cannot; then nothing of the record stays.
   */
  begin(record: BeginRecord): void;
  /**
   * Writes the begin of an open request again, with what is held for it by now: the last one counts. As lasting as a
   * begin. Never throws; a request that is not open is passed over.
   */
  amendBegin(record: BeginRecord): void;
  /** Never throws. Null when the request is not open: it has ended already, or never began. */
  end(record: EndRecord): AcceptedEnd | null;
  /** Takes a begin back: the request was never sent, or its record is in the database. Never throws. */
  removeBegin(requestId: string): void;
  /** Resolves when everything taken so far survives a power cut; rejects when the disk or the database failed. */
  synced(): Promise<void>;
  /** All ends up to `seq` are in the database: their segments may go when their time has come. */
  markFlushed(seq: number): void;
  /** Removes segments whose time has come. */
  prune(): void;
  position(): JournalPosition;
  /** Reads ends again, from an accepted end on. */
  readFrom(end: AcceptedEnd): EndsReader;
  /** Keeps a record that the database refuses, for people. Throws when it cannot. */
  quarantine(seq: number, record: EndRecord): void;
  /** True when every accepted record is written and the last sync succeeded. */
  isHealthy(): boolean;
  /** Null for a journal that takes no space on a disk. */
  usage(): JournalUsage | null;
  close(): Promise<void>;
}
