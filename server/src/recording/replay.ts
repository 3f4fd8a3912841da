import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { Logger } from "#src/lib/logger.ts";
import { StartError } from "#src/lib/start-error.ts";
import type { JournalRecord } from "./journal-record.ts";
import {
  type JournalEntry,
  type JournalPosition,
  listSegments,
  readSegment,
  type SegmentFile,
} from "./segments.ts";

/** What the segments on disk said, found by `replayJournal`. Sequence numbers, except as named. */
export interface JournalState {
  nextSeq: number;
  lastEndSeq: number;
  flushedSeq: number;
  /** Begins without an end, oldest first: request id → sequence number. */
  openBegins: ReadonlyMap<string, number>;
  segments: readonly SealedSegment[];
  lastOrdinal: number;
}

export interface SealedSegment {
  ordinal: number;
  file: string;
  firstSeq: number;
  /** Sequence number of the last `end` in this segment or before it. */
  lastEndSeq: number;
  /** Milliseconds since the epoch. */
  writtenAtMs: number;
  bytes: number;
  /** True when it holds nothing but its first record: a process that did no work. */
  isEmpty: boolean;
}

export interface ReplayOptions {
  directory: string;
  nodeId: string;
  logger: Logger;
  /** What the database has of this node. */
  flushedSeq: number;
  /** Called for every end that the database does not have, in order. */
  onUnflushedEnd: (end: UnflushedEnd) => void;
}

export interface UnflushedEnd {
  seq: number;
  record: EndRecord;
  position: JournalPosition;
}

export interface Replayed {
  state: JournalState;
  /** Requests that began and of whose end the journal says nothing, oldest first. */
  openBegins: readonly BeginRecord[];
  /** Highest sequence number found on disk; 0 for a folder without records. */
  lastSeq: number;
  /** False where records are damaged, or the last of those that the database has are missing. */
  isWhole: boolean;
}

interface Scan {
  options: ReplayOptions;
  open: Map<string, { seq: number; record: BeginRecord }>;
  lastSeq: number;
  lastEndSeq: number;
  damagedRecords: number;
}

/**
 * Reads what the journal knows and the database may not. Memory holds the open begins only (the requests that ran at
 * the crash); ends go to `onUnflushedEnd` one by one. Throws StartError for the journal of another node or of a newer release.
 */
export async function replayJournal(options: ReplayOptions): Promise<Replayed> {
  const files = await listSegments(options.directory);
  for (const { header, file } of files) {
    if (header === null || header.nodeId === options.nodeId) continue;
    throw new StartError(`journal segment ${file} was written by another node, ${header.nodeId}`);
  }
  const scan: Scan = { options, open: new Map(), lastSeq: 0, lastEndSeq: 0, damagedRecords: 0 };
  const start = firstToRead(files, options.flushedSeq);
  reportMissing(files, scan);
  const isEmpty = new Set<number>();
  for (const file of files.slice(start)) {
    if (file.header !== null) {
      scan.lastSeq = Math.max(scan.lastSeq, file.header.firstSeq - 1);
      scan.lastEndSeq = Math.max(scan.lastEndSeq, file.header.lastEndSeq);
    }
    if ((await scanSegment(scan, file)) === 0) isEmpty.add(file.ordinal);
  }
  if (scan.damagedRecords > 0) {
    options.logger.error(
      { records: scan.damagedRecords },
      "the journal is damaged: usage of these records may be missing",
    );
  }
  reportLostTail(scan, files.length);
  return {
    state: stateOf(scan, files, isEmpty),
    openBegins: [...scan.open.values()].map(({ record }) => record),
    lastSeq: scan.lastSeq,
    isWhole: scan.damagedRecords === 0 && scan.lastSeq >= options.flushedSeq,
  };
}

/** The segments that a start would read: what is in those before them, the database has. */
export async function listUnflushedSegments(
  directory: string,
  flushedSeq: number,
): Promise<SegmentFile[]> {
  const files = await listSegments(directory);
  return files.slice(firstToRead(files, flushedSeq));
}

/**
 * Index of the oldest segment that can hold something of interest: an end above `flushedSeq`, or a begin that was open
 * when the newest segment was made. Segments kept for 48 hours are many; those before it are not read.
 */
function firstToRead(files: readonly SegmentFile[], flushedSeq: number): number {
  // A torn first record says nothing; then the segment before it speaks for the time when that one was made.
  const newest = files.findLast(({ header }) => header !== null)?.header;
  if (!newest) return 0;
  const wantedSeq = Math.min(flushedSeq + 1, newest.oldestOpenSeq);
  const index = files.findLastIndex(
    ({ header }) => header !== null && header.firstSeq <= wantedSeq,
  );
  return Math.max(index, 0);
}

/** Number of records found, damaged ones included. */
async function scanSegment(scan: Scan, segment: SegmentFile): Promise<number> {
  const { logger } = scan.options;
  let records = 0;
  for await (const entries of readSegment(segment.file, 0)) {
    for (const entry of entries) {
      if (entry.kind === "record") {
        if (entry.record.kind === "segment") continue;
        takeRecord(scan, entry.record, { ordinal: segment.ordinal, offset: entry.offset });
        records += 1;
        continue;
      }
      records += 1;
      reportBadBytes(scan, segment, entry);
    }
  }
  logger.debug({ file: segment.file, records }, "journal segment read");
  return records;
}

function takeRecord(
  scan: Scan,
  record: Exclude<JournalRecord, { kind: "segment" }>,
  position: JournalPosition,
): void {
  scan.lastSeq = Math.max(scan.lastSeq, record.seq);
  switch (record.kind) {
    case "begin": {
      const { requestId } = record.record;
      // One that stands there twice was amended: the last counts, and it is open from the first on.
      const seq = scan.open.get(requestId)?.seq ?? record.seq;
      scan.open.set(requestId, { seq, record: record.record });
      return;
    }
    case "end":
      scan.open.delete(record.record.requestId);
      scan.lastEndSeq = Math.max(scan.lastEndSeq, record.seq);
      if (record.seq > scan.options.flushedSeq) {
        scan.options.onUnflushedEnd({ seq: record.seq, record: record.record, position });
      }
      return;
    case "void":
      scan.open.delete(record.requestId);
      return;
    case "mark":
      return;
  }
}

function reportBadBytes(
  scan: Scan,
  segment: SegmentFile,
  entry: Extract<JournalEntry, { kind: "damaged" | "torn" }>,
): void {
  const where = { file: segment.file, offset: entry.offset, bytes: entry.endOffset - entry.offset };
  if (entry.kind === "torn") {
    // What a crash in the middle of a write leaves: that request was not dispatched, or its end follows as interrupted.
    scan.options.logger.warn(where, "journal segment ends in an unfinished record: skipped");
    return;
  }
  scan.damagedRecords += 1;
  scan.options.logger.error(
    where,
    "journal record is damaged: skipped, the records after it are read",
  );
}

/** Loud when segments that the database still needs are gone: after a restore of an old backup, for example. */
function reportMissing(files: readonly SegmentFile[], scan: Scan): void {
  const { flushedSeq, logger } = scan.options;
  const oldest = files.find(({ header }) => header !== null)?.header;
  if (!oldest || oldest.lastEndSeq <= flushedSeq) return;
  logger.error(
    { flushedSeq, journalBeginsAfterSeq: oldest.lastEndSeq },
    "the database lacks usage that the journal no longer holds: it is older than the journal's 48 hours",
  );
}

/** Loud when the database is ahead: a new disk, or a power cut that took the last unsynced records. */
function reportLostTail(scan: Scan, segmentCount: number): void {
  const { flushedSeq, logger } = scan.options;
  if (scan.lastSeq >= flushedSeq) return;
  logger.error(
    { journalEndsAtSeq: scan.lastSeq, flushedSeq, segmentCount },
    "the journal ends before what the database has of this node: it was lost, or its last records were; " +
      "requests that ran then and are not in the database cannot be recovered",
  );
}

function stateOf(
  scan: Scan,
  files: readonly SegmentFile[],
  isEmpty: ReadonlySet<number>,
): JournalState {
  const segments: SealedSegment[] = [];
  let lastEndSeq = scan.lastEndSeq;
  // Backwards: the last end of a segment stands in the first record of the one after it.
  for (const file of files.toReversed()) {
    // Unknown where that record is damaged. As 0 it keeps the segments before it for as long as any request is open.
    const firstSeq = file.header?.firstSeq ?? 0;
    segments.unshift({
      ordinal: file.ordinal,
      file: file.file,
      firstSeq,
      lastEndSeq,
      writtenAtMs: file.writtenAtMs,
      bytes: file.bytes,
      isEmpty: isEmpty.has(file.ordinal),
    });
    lastEndSeq = file.header?.lastEndSeq ?? lastEndSeq;
  }
  return {
    nextSeq: Math.max(scan.lastSeq, scan.options.flushedSeq) + 1,
    lastEndSeq: scan.lastEndSeq,
    flushedSeq: scan.options.flushedSeq,
    openBegins: new Map([...scan.open].map(([requestId, { seq }]) => [requestId, seq])),
    segments,
    lastOrdinal: files.at(-1)?.ordinal ?? 0,
  };
}
