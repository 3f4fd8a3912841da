import type { BeginRecord, EndRecord } from "#src/domain/request-record.ts";
import type { Logger } from "#src/lib/logger.ts";
import { StartError } from "#src/lib/start-error.ts";
import type { JournalRecord } from "./journal-record.ts";
import { type OpenRequest, OpenRequests } from "./open-requests.ts";
import { readIndex, type SegmentIndex } from "./segment-index.ts";
import {
  type JournalEntry,
  type JournalPosition,
  listSegments,
  readSegment,
  type SegmentFile,
} from "./segments.ts";

/** State of the segments on disk. Sequence numbers, except as named. */
export interface JournalState {
  nextSeq: number;
  lastEndSeq: number;
  flushedSeq: number;
  /** Begins without an end, oldest first. */
  openBegins: readonly OpenRequest[];
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
  /** Ends up to this one are in the database. */
  flushedSeq: number;
  /** See `JournalStart`. */
  onUnflushedEnd: (end: UnflushedEnd) => void;
  /** See `JournalStart`. */
  onUnflushedSegment?: ((segment: UnflushedSegment) => void) | undefined;
}

export interface UnflushedSegment {
  /** Lower bound of its ends. */
  first: { seq: number; position: JournalPosition };
  index: SegmentIndex;
}

export interface UnflushedEnd {
  seq: number;
  record: EndRecord;
  position: JournalPosition;
}

export interface Replayed {
  state: JournalState;
  /** Requests without an end in the journal, oldest first. */
  openBegins: readonly BeginRecord[];
  /** Highest sequence number on disk. 0: no records. */
  lastSeq: number;
  /** False if records are damaged, or if the last records that the database has are missing. */
  isWhole: boolean;
}

interface Scan {
  options: ReplayOptions;
  open: OpenRequests;
  lastSeq: number;
  lastEndSeq: number;
  damagedRecords: number;
}

/**
 * Reads the records that the database may lack. Only open begins stay in memory. Throws StartError for the journal of
 * another node or of a newer release.
 */
export async function replayJournal(options: ReplayOptions): Promise<Replayed> {
  const files = await listSegments(options.directory);
  for (const { header, file } of files) {
    if (header === null || header.nodeId === options.nodeId) continue;
    throw new StartError(`journal segment ${file} was written by another node, ${header.nodeId}`);
  }
  const scan: Scan = {
    options,
    open: new OpenRequests(),
    lastSeq: 0,
    lastEndSeq: 0,
    damagedRecords: 0,
  };
  const { first, base } = await findSegmentsToRead(files, options.flushedSeq);
  reportMissing(files, scan);
  const isEmpty = new Set<number>();
  for (const [at, file] of files.entries()) {
    if (at < first) continue;
    if (file.header !== null) {
      scan.lastSeq = Math.max(scan.lastSeq, file.header.firstSeq - 1);
      scan.lastEndSeq = Math.max(scan.lastEndSeq, file.header.lastEndSeq);
    }
    if (at < base && takeIndex(scan, file)) continue;
    // The base repeats all open begins. Ends of earlier ones may be in segments that were not read.
    if (at === base && file.header?.carriedBegins !== null) scan.open = new OpenRequests();
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
    openBegins: scan.open.list().map(({ record }) => record),
    lastSeq: scan.lastSeq,
    isWhole: scan.damagedRecords === 0 && scan.lastSeq >= options.flushedSeq,
  };
}

/** Segments that a start would read. The database has all ends of earlier ones. */
export async function listUnflushedSegments(
  directory: string,
  flushedSeq: number,
): Promise<SegmentFile[]> {
  const files = await listSegments(directory);
  return files.slice((await findSegmentsToRead(files, flushedSeq)).first);
}

/**
 * `first` is the oldest segment that can have an end above `flushedSeq`, or a begin that is still open. Earlier ones are
 * not read. `base` and later ones have all open begins.
 */
async function findSegmentsToRead(
  files: readonly SegmentFile[],
  flushedSeq: number,
): Promise<{ first: number; base: number }> {
  // A segment with a torn start lacks begins, so an earlier one has to tell which requests were open.
  let base = files.length - 1;
  while (base >= 0 && !(await hasWholeStart(files[base]))) base -= 1;
  const header = files[base]?.header;
  if (!header) return { first: 0, base: 0 };
  const isSelfContained = header.carriedBegins !== null;
  const wantedSeq = isSelfContained
    ? flushedSeq + 1
    : Math.min(flushedSeq + 1, header.oldestOpenSeq);
  const index = files.findLastIndex(
    (file) => file.header !== null && file.header.firstSeq <= wantedSeq,
  );
  const first = Math.min(Math.max(index, 0), base);
  return { first, base: isSelfContained ? base : first };
}

/** Uses the index of a segment without any end in the database. False: the segment has to be read. */
function takeIndex(scan: Scan, { header, file, ordinal }: SegmentFile): boolean {
  const { flushedSeq, onUnflushedSegment } = scan.options;
  if (onUnflushedSegment === undefined || header === null || header.firstSeq <= flushedSeq) {
    return false;
  }
  const index = readIndex(file);
  if (index === null) return false;
  scan.lastSeq = Math.max(scan.lastSeq, index.lastSeq);
  scan.lastEndSeq = Math.max(scan.lastEndSeq, index.lastEndSeq);
  onUnflushedSegment({ first: { seq: header.firstSeq, position: { ordinal, offset: 0 } }, index });
  return true;
}

/** Whether a segment has its header and all begins that it repeats. */
async function hasWholeStart(segment: SegmentFile | undefined): Promise<boolean> {
  if (!segment?.header) return false;
  let missing = segment.header.carriedBegins ?? 0;
  if (missing === 0) return true;
  for await (const entries of readSegment(segment.file, 0)) {
    for (const entry of entries) {
      if (entry.kind !== "record") return false;
      if (entry.record.kind === "begin") missing -= 1;
      if (missing === 0) return true;
    }
  }
  return false;
}

/** Returns the number of new records, including damaged ones. */
async function scanSegment(scan: Scan, segment: SegmentFile): Promise<number> {
  const { logger } = scan.options;
  let records = 0;
  for await (const entries of readSegment(segment.file, 0)) {
    for (const entry of entries) {
      if (entry.kind === "record") {
        takeRecord(scan, entry.record, { ordinal: segment.ordinal, offset: entry.offset });
        if (isNew(entry.record, segment)) records += 1;
        continue;
      }
      records += 1;
      reportBadBytes(scan, segment, entry);
    }
  }
  logger.debug({ file: segment.file, records }, "journal segment read");
  return records;
}

/** False for the start of a segment: its header and the begins that it repeats. */
function isNew(record: JournalRecord, { header }: SegmentFile): boolean {
  if (record.kind === "segment") return false;
  return record.kind !== "begin" || record.seq >= (header?.firstSeq ?? 0);
}

function takeRecord(scan: Scan, record: JournalRecord, position: JournalPosition): void {
  const { flushedSeq, onUnflushedEnd, logger } = scan.options;
  if ("seq" in record) scan.lastSeq = Math.max(scan.lastSeq, record.seq);
  const applied = scan.open.apply(record);
  if (record.kind === "end" || record.kind === "endOfV1") {
    scan.lastEndSeq = Math.max(scan.lastEndSeq, record.seq);
  }
  if (!("seq" in applied) || applied.seq <= flushedSeq) return;
  if (applied.kind === "end") {
    onUnflushedEnd({ seq: applied.seq, record: applied.record, position });
  } else if (applied.kind === "lost") {
    scan.damagedRecords += 1;
    logger.error(
      { seq: applied.seq },
      "the begin of an ended request is missing: its usage is lost",
    );
  }
}

function reportBadBytes(
  scan: Scan,
  segment: SegmentFile,
  entry: Extract<JournalEntry, { kind: "damaged" | "torn" }>,
): void {
  const where = { file: segment.file, offset: entry.offset, bytes: entry.endOffset - entry.offset };
  if (entry.kind === "torn") {
    // A crash during the write. The request was not dispatched, or becomes interrupted.
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
    openBegins: scan.open.list(),
    segments,
    lastOrdinal: files.at(-1)?.ordinal ?? 0,
  };
}
