import type { EndRecord } from "#src/domain/request-record.ts";
import { CurrentSegment } from "./current-segment.ts";
import { isDiskFull } from "./journal-files.ts";
import type { JournalOptions } from "./journal-options.ts";
import type { NewRecord } from "./journal-record.ts";
import type { JournalSpace } from "./journal-space.ts";
import type { JournalSync } from "./journal-sync.ts";
import type { OpenRequest } from "./open-requests.ts";
import type { SegmentCompressor } from "./segment-compressor.ts";
import { type JournalPosition, segmentPath } from "./segments.ts";

export interface SegmentWriterOptions extends Required<JournalOptions> {
  space: JournalSpace;
  sync: JournalSync;
  compressor: SegmentCompressor;
  /** State of the journal at a change of segments. */
  contents: () => WriterContents;
  /** Called after space was freed on a full disk, so that the reserve is taken again. */
  onFreed: () => void;
  isHealthy: () => boolean;
}

/** State of a journal whose records are written. Sequence numbers, except as named. */
export interface WriterContents {
  /** The next record to write. */
  firstSeq: number;
  lastSeq: number;
  lastEndSeq: number;
  /** Requests without an end in the file, oldest first. */
  openBegins: readonly Pick<OpenRequest, "seq" | "record">[];
}

/** Writes records to the current segment, and changes to the next one by size and age. */
export class SegmentWriter {
  readonly #options: SegmentWriterOptions;
  #current: CurrentSegment | null = null;
  #lastOrdinal = 0;
  #leftovers = 0;

  constructor(options: SegmentWriterOptions) {
    this.#options = options;
  }

  get current(): CurrentSegment | null {
    return this.#current;
  }

  /** Number of failed writes with bytes that could not be removed. Complete records among them stay readable. */
  get leftovers(): number {
    return this.#leftovers;
  }

  position(): JournalPosition {
    return this.#current === null
      ? { ordinal: this.#lastOrdinal + 1, offset: 0 }
      : { ordinal: this.#current.ordinal, offset: this.#current.bytes };
  }

  /** Opens a segment after `lastOrdinal`. Throws the file system's error. */
  start(lastOrdinal: number): void {
    this.#lastOrdinal = lastOrdinal;
    this.#open();
  }

  /** Counts the end in the index of its segment. */
  addEnd(end: EndRecord): void {
    this.#current?.sums.add(end);
  }

  /** Appends all records, or throws the file system's error after it removed their bytes. */
  append(records: readonly NewRecord[], use: { mayUseReserve: boolean }): void {
    if (this.#isTurnDue()) this.turnOver();
    // Ends when no segment is left to delete.
    for (;;) {
      try {
        this.#appendToCurrent(records);
        return;
      } catch (error) {
        if (!isDiskFull(error) || !this.#options.space.free(use)) throw error;
        this.#options.onFreed();
      }
    }
  }

  /** Opens a new segment. If it cannot be created, the old one continues, so that no request is refused for this. */
  turnOver(): void {
    try {
      this.#open();
      this.#options.space.prune();
    } catch (error) {
      // One message, not one for every request while the disk is full.
      if (this.#options.isHealthy()) {
        this.#options.logger.warn({ err: error }, "a new journal segment cannot be created");
      }
    }
  }

  /** Ends the current segment. */
  retire(): void {
    const current = this.#current;
    if (current === null) return;
    this.#current = null;
    const { space, sync, compressor, clock, contents } = this.#options;
    const { lastSeq, lastEndSeq } = contents();
    space.add({
      ordinal: current.ordinal,
      file: current.path,
      firstSeq: current.firstSeq,
      lastEndSeq,
      writtenAtMs: clock.nowMs(),
      bytes: current.bytes,
      isEmpty: !current.isUsed,
    });
    const index = current.sums.toIndex({ lastSeq, lastEndSeq });
    sync.retire(current.file, () => {
      space.writeIndex(current.path, index);
      compressor.add({ file: current.path, bytes: current.bytes });
    });
  }

  #appendToCurrent(records: readonly NewRecord[]): void {
    const current = this.#current ?? this.#open();
    try {
      current.append(records);
    } catch (error) {
      this.#cutBack(current);
      throw error;
    }
    this.#options.sync.written(current.file);
  }

  /** Removes half-written records. If that fails too, the segment ends there, and readers skip an incomplete record. */
  #cutBack(current: CurrentSegment): void {
    try {
      current.cutBack();
    } catch (error) {
      this.#leftovers += 1;
      this.#options.logger.error(
        { err: error, file: current.path },
        "journal segment ended after a failed write",
      );
      this.retire();
    }
  }

  #isTurnDue(): boolean {
    if (!this.#current?.isUsed) return false;
    const { segmentBytes, segmentMs, clock } = this.#options;
    if (this.#current.bytes >= segmentBytes) return true;
    return clock.monotonicMs() - this.#current.openedAtMs >= segmentMs;
  }

  #open(): CurrentSegment {
    // Each attempt gets a new number, so that the file of a failed one never conflicts.
    this.#lastOrdinal += 1;
    const { directory, files, nodeId, clock, space, sync } = this.#options;
    const { firstSeq, lastEndSeq, openBegins } = this.#options.contents();
    const oldestOpenSeq = openBegins[0]?.seq ?? firstSeq;
    const header = { nodeId, firstSeq, lastEndSeq, oldestOpenSeq };
    const ordinal = this.#lastOrdinal;
    const openedAtMs = clock.monotonicMs();
    let created: CurrentSegment;
    try {
      created = new CurrentSegment({ files, directory, ordinal, header, openBegins, openedAtMs });
    } catch (error) {
      space.remove(segmentPath(directory, ordinal));
      throw error;
    }
    this.retire();
    this.#current = created;
    sync.created();
    sync.written(created.file);
    return created;
  }
}
