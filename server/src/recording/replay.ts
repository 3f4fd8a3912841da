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
  /** True if it has only its header and repeated begins: its process handled no request. */
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

/** Segment, or rows of a journal in the database, with an index. */
export interface UnflushedSegment {
  /** Lower bound of its ends. */
  first: { seq: number; position: JournalPosition };
  index: Pick<SegmentIndex, "ends" | "spend">;
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
    if (at < base && applyIndex(scan, file)) continue;
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
    state: toJournalState(scan, files, isEmpty),
    openBegins: scan.open.list().map(({ record }) => record),
    lastSeq: scan.lastSeq,
    isWhole: scan.damagedRecords === 0 && scan.lastSeq >= options.flushedSeq,
  };
}

/** Lists the segments that a start would read. The database has all ends of earlier ones. */
export async function listUnflushedSegments(
  directory: string,
  flushedSeq: number,
): Promise<SegmentFile[]> {
  const files = await listSegments(directory);
  return files.slice((await findSegmentsToRead(files, flushedSeq)).first);
}

/**
 * Finds the segments for a start. `first` is the oldest segment that can have an end above `flushedSeq`, or an open begin.
 * Earlier ones are not read. `base` and later ones have all open begins.
 */
async function findSegmentsToRead(
  files: readonly SegmentFile[],
  flushedSeq: number,
): Promise<{ first: number; base: number }> {
  // A segment with a torn start lacks begins, so the open requests are read from an earlier one.
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
function applyIndex(scan: Scan, { header, file, ordinal }: SegmentFile): boolean {
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

/** True if a segment has its header and all begins that it repeats. */
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

/** Reads a segment, and returns the number of new records, including damaged ones. */
async function scanSegment(scan: Scan, segment: SegmentFile): Promise<number> {
  const { logger } = scan.options;
  let records = 0;
  for await (const entries of readSegment(segment.file, 0)) {
    for (const entry of entries) {
      if (entry.kind === "record") {
        applyRecord(scan, entry.record, { ordinal: segment.ordinal, offset: entry.offset });
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

function applyRecord(scan: Scan, record: JournalRecord, position: JournalPosition): void {
  const { flushedSeq, onUnflushedEnd, logger } = scan.options;
  if ("seq" in record) scan.lastSeq = Math.max(scan.lastSeq, record.seq);
  const applied = scan.open.apply(record);
  if (record.kind === "end" || record.kind === "endOfV1") {
    // Ends are written in order. After a failed write whose bytes stayed, a whole end is in the next segment again.
    if (record.seq <= scan.lastEndSeq) return;
    scan.lastEndSeq = record.seq;
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
    // The process was killed during the write. The request was not dispatched, or becomes interrupted.
    scan.options.logger.warn(where, "journal segment ends in an unfinished record: skipped");
    return;
  }
  scan.damagedRecords += 1;
  scan.options.logger.error(
    where,
    "journal record is damaged: skipped, the records after it are read",
  );
}

/** Reports deleted segments that the database still needs, for example after the restore of an old backup. */
function reportMissing(files: readonly SegmentFile[], scan: Scan): void {
  const { flushedSeq, logger } = scan.options;
  const oldest = files.find(({ header }) => header !== null)?.header;
  if (!oldest || oldest.lastEndSeq <= flushedSeq) return;
  logger.error(
    { flushedSeq, journalBeginsAfterSeq: oldest.lastEndSeq },
    "the database lacks usage that the journal no longer has, because it is older than 48 hours",
  );
}

/** Reports a database that is ahead of the journal: after a new disk, or a power failure that lost unsynced records. */
function reportLostTail(scan: Scan, segmentCount: number): void {
  const { flushedSeq, logger } = scan.options;
  if (scan.lastSeq >= flushedSeq) return;
  logger.error(
    { journalEndsAtSeq: scan.lastSeq, flushedSeq, segmentCount },
    "the journal ends before the last record that the database has of this node: the journal or its last records were " +
      "lost. Requests of that time that are not in the database cannot be recovered",
  );
}

function toJournalState(
  scan: Scan,
  files: readonly SegmentFile[],
  isEmpty: ReadonlySet<number>,
): JournalState {
  const segments: SealedSegment[] = [];
  let lastEndSeq = scan.lastEndSeq;
  // The loop runs backwards, because the header of the next segment has the last end of a segment.
  for (const file of files.toReversed()) {
    // With a damaged header the number is unknown. 0 keeps the segments before it while any request is open.
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
