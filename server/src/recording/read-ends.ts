import type { EndRecord } from "#src/domain/request-record.ts";
import { OpenRequests } from "./open-requests.ts";
import { type JournalPosition, listOrdinals, readSegment, segmentPath } from "./segments.ts";

/** An end that is not in the database yet. */
export interface PendingEnd {
  seq: number;
  record: EndRecord;
}

/** Reads the ends of a journal in their order. */
export interface EndsReader {
  /** Returns the next ends, `limit` at most. Fewer: the others are not in the journal yet. */
  read(limit: number): Promise<PendingEnd[]>;
}

/** Reads ends from the segments of a folder. */
export class SegmentEndsReader implements EndsReader {
  readonly #directory: string;
  #fromSeq: number;
  #ordinal: number;
  /** Position in the segment. A read starts at 0, because an end needs its begin. */
  #offset = 0;
  #open = new OpenRequests();

  /** Starts with the end `seq`, which is in the segment of `position` or in a later one. */
  constructor(directory: string, end: { seq: number; position: JournalPosition }) {
    this.#directory = directory;
    this.#fromSeq = end.seq;
    this.#ordinal = end.position.ordinal;
  }

  async read(limit: number): Promise<PendingEnd[]> {
    const ends: PendingEnd[] = [];
    for (const ordinal of listOrdinals(this.#directory)) {
      if (ordinal < this.#ordinal) continue;
      if (ordinal > this.#ordinal) this.#startSegment(ordinal);
      if (await this.#readSegment(ends, limit)) break;
    }
    return ends;
  }

  #startSegment(ordinal: number): void {
    this.#ordinal = ordinal;
    this.#offset = 0;
    this.#open = new OpenRequests();
  }

  /** Returns whether the limit is reached. */
  async #readSegment(ends: PendingEnd[], limit: number): Promise<boolean> {
    const file = segmentPath(this.#directory, this.#ordinal);
    for await (const entries of readSegment(file, this.#offset)) {
      for (const entry of entries) {
        // In the segment that is written, the rest of an unfinished record follows later.
        if (entry.kind === "torn") break;
        this.#offset = entry.endOffset;
        if (entry.kind !== "record") continue;
        const applied = this.#open.apply(entry.record);
        if (applied.kind !== "end" || applied.seq < this.#fromSeq) continue;
        this.#fromSeq = applied.seq + 1;
        ends.push({ seq: applied.seq, record: applied.record });
        if (ends.length === limit) return true;
      }
    }
    return false;
  }
}
