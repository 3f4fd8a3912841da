import { ApiError } from "#src/domain/api-error.ts";
import type { Clock } from "#src/lib/clock.ts";
import type { IdTable } from "#src/lib/id-table.ts";
import type { Logger } from "#src/lib/logger.ts";
import type { JournalUsage } from "./journal-contract.ts";
import type { JournalFiles } from "./journal-files.ts";
import { type JournalReserve, makeJournalReserve } from "./journal-reserve.ts";
import type { SealedSegment } from "./replay.ts";
import { removeIndex, type SegmentIndex, writeIndex } from "./segment-index.ts";

// The space of a journal: its sealed segments, its cap, and its reserve on the disk. At the cap, flushed segments of any
// age are deleted, oldest first. Unflushed ones stay, and new requests are then refused. Each running request has space
// for its end below the cap, and on a full disk in the reserve.

export interface JournalSpaceOptions {
  files: JournalFiles;
  directory: string;
  clock: Clock;
  logger: Logger;
  /** Age at which a flushed segment is deleted, milliseconds. */
  retainMs: number;
  /** Cap of the journal, bytes. */
  maxBytes: number;
  /** Reserve on the disk for the ends of running requests, bytes. 0: none. */
  reserveBytes: number;
  contents: () => JournalContents;
}

/** State of the journal. Sequence numbers, except as named. */
export interface JournalContents {
  /** The segment that is written. Null: none. */
  current: { firstSeq: number; bytes: number } | null;
  lastEndSeq: number;
  /** The database has every end up to here. */
  flushedSeq: number;
  /** Begins without an end, oldest first. */
  openBegins: Pick<IdTable<{ seq: number }>, "size" | "first">;
}

/**
 * Upper bound of the begin, its amendment, its repetition in a new segment, and the end of one request, bytes. Typical:
 * 0.6 kB.
 */
const REQUEST_BYTES = 4 * 1024;
/** A flush takes a few seconds once the database is back. */
const RETRY_AFTER_SECONDS = "5";
const FULL =
  "The gateway's journal is full, so it accepts no new requests until its records are in the database. Try again later.";
const DISK_FULL =
  "The disk of the gateway's data folder is full, so it accepts no new requests. Free space on it.";

export class JournalSpace {
  readonly #options: JournalSpaceOptions;
  readonly #reserve: JournalReserve;
  /** Oldest first. */
  #segments: SealedSegment[] = [];
  #sealedBytes = 0;
  /** True from a request that was refused for lack of space to the next one that was not. */
  #hasRefused: boolean = false;

  constructor(options: JournalSpaceOptions) {
    this.#options = options;
    this.#reserve = makeJournalReserve({ ...options, bytes: options.reserveBytes });
  }

  add(segment: SealedSegment): void {
    this.#segments.push(segment);
    this.#sealedBytes += segment.bytes;
  }

  has(file: string): boolean {
    return this.#segments.some((segment) => segment.file === file);
  }

  /** Counts the smaller file of a segment after its compression. */
  replace(file: string, compressed: { file: string; savedBytes: number }): void {
    const segment = this.#segments.find((each) => each.file === file);
    if (segment === undefined) return;
    segment.file = compressed.file;
    segment.bytes -= compressed.savedBytes;
    this.#sealedBytes -= compressed.savedBytes;
  }

  /** Writes the index of a segment. Does nothing if the segment is deleted. */
  writeIndex(file: string, index: SegmentIndex): void {
    const segment = this.#segments.find((each) => each.file === file);
    if (segment === undefined) return;
    const bytes = writeIndex(this.#options.files, file, index);
    segment.bytes += bytes;
    this.#sealedBytes += bytes;
  }

  /** Removes segments without any record. */
  dropEmpty(): void {
    const kept = this.#segments.filter(({ isEmpty, file }) => !isEmpty || !this.remove(file));
    this.#segments = [];
    this.#sealedBytes = 0;
    for (const segment of kept) this.add(segment);
  }

  /** Removes flushed segments that are old enough, or beyond the cap. */
  prune(): void {
    const { clock, retainMs } = this.#options;
    const writtenBeforeMs = clock.nowMs() - retainMs;
    while (this.#dropOldest(({ writtenAtMs }) => writtenAtMs <= writtenBeforeMs));
    while (this.#isBeyondCap() && this.#dropOldest(() => true));
  }

  /** Frees space for one more request. Throws ApiError("journal_full") if there is none. */
  admit(): void {
    const { logger, maxBytes } = this.#options;
    while (this.#isBeyondCap() && this.#dropOldest(() => true));
    const isFull = this.#isFull();
    if (!isFull && !this.#hasRefused) return;
    const facts = { bytes: this.#bytes(), maxBytes, hasReserve: this.#reserve.isHeld() };
    if (!this.#hasRefused) logger.error(facts, "the journal is full: requests get 503");
    else if (!isFull) logger.info(facts, "the journal has room again");
    this.#hasRefused = isFull;
    if (!isFull) return;
    const message = facts.hasReserve ? FULL : DISK_FULL;
    throw new ApiError("journal_full", message, { "retry-after": RETRY_AFTER_SECONDS });
  }

  /** True if `requests` more can begin without a deletion. */
  hasRoomFor(requests: number): boolean {
    return !this.#hasRefused && this.#reserve.isHeld() && !this.#isBeyondCap(requests);
  }

  /** Frees space on a full disk. False: nothing more can be freed. */
  free({ mayUseReserve }: { mayUseReserve: boolean }): boolean {
    const { logger } = this.#options;
    if (this.#dropOldest(() => true)) {
      logger.error("disk full: a flushed journal segment was removed before its time");
      return true;
    }
    if (!mayUseReserve || !this.#reserve.release()) return false;
    logger.error("disk full: the journal's reserve is used for running requests");
    return true;
  }

  /** Reserves the space, at the start and after it was used. False: the disk has not enough space. */
  holdReserve(): boolean {
    this.#reserve.hold();
    return this.#reserve.isHeld();
  }

  usage(): JournalUsage {
    const { maxBytes } = this.#options;
    return {
      bytes: this.#bytes(),
      maxBytes: Number.isFinite(maxBytes) ? maxBytes : null,
      unflushedBytes: this.#unflushedBytes(),
      isFull: this.#isFull(),
    };
  }

  /** Deletes a segment with its index. False: the file could not be deleted. */
  remove(file: string): boolean {
    const { files, logger } = this.#options;
    try {
      files.remove(file);
      removeIndex(files, file);
      return true;
    } catch (error) {
      logger.error({ err: error, file }, "journal segment cannot be removed");
      return false;
    }
  }

  #bytes(): number {
    return this.#sealedBytes + (this.#options.contents().current?.bytes ?? 0);
  }

  #unflushedBytes(): number {
    const { current, lastEndSeq, flushedSeq } = this.#options.contents();
    if (lastEndSeq <= flushedSeq) return 0;
    const sealed = this.#segments.filter((segment) => segment.lastEndSeq > flushedSeq);
    return sealed.reduce((total, { bytes }) => total + bytes, current?.bytes ?? 0);
  }

  /** True if the running requests and `more` of them can need space beyond the cap. */
  #isBeyondCap(more = 1): boolean {
    const neededBytes = (this.#options.contents().openBegins.size + more) * REQUEST_BYTES;
    return this.#bytes() + neededBytes > this.#options.maxBytes;
  }

  #isFull(): boolean {
    return !this.#reserve.isHeld() || (this.#isBeyondCap() && this.#findDroppable() === null);
  }

  /**
   * Finds the oldest segment, if it is no longer needed. Segments are deleted in order. If an end were deleted before its
   * begin, the next start would record the request as interrupted. The newest segment stays, because it has the sequence
   * number.
   */
  #findDroppable(): SealedSegment | null {
    const { current, flushedSeq, openBegins } = this.#options.contents();
    const [oldest, next] = this.#segments;
    const nextFirstSeq = next?.firstSeq ?? current?.firstSeq;
    if (oldest === undefined || nextFirstSeq === undefined) return null;
    const oldestOpen = openBegins.first;
    const isOpenLater = oldestOpen === undefined || oldestOpen.seq >= nextFirstSeq;
    return oldest.lastEndSeq <= flushedSeq && isOpenLater ? oldest : null;
  }

  #dropOldest(isWanted: (segment: SealedSegment) => boolean): boolean {
    const oldest = this.#findDroppable();
    if (oldest === null || !isWanted(oldest) || !this.remove(oldest.file)) return false;
    this.#segments.shift();
    this.#sealedBytes -= oldest.bytes;
    return true;
  }
}
