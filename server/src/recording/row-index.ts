import type { EndRecord } from "#src/domain/request-record.ts";
import type { RowIndex } from "./journal-record.ts";
import { SegmentSums } from "./segment-index.ts";

// Index of a journal in the database: a row whose sequence number is a multiple of the rows per index. So a start finds all
// indexes by their numbers. A writer adds one only while the database has no end of these rows. With a working database
// that is never.

/** An index has one entry for each key and day. More rows read faster, and more rows without an index read slower. */
export const ROWS_PER_INDEX = 32_768;

/** Sums the rows since the last index. */
export class RowSums {
  readonly #rowsPerIndex: number;
  #fromSeq: number;
  #firstEndSeq: number | null = null;
  #sums = new SegmentSums();
  #isFlushed = false;

  constructor(rowsPerIndex: number, fromSeq: number) {
    this.#rowsPerIndex = rowsPerIndex;
    this.#fromSeq = fromSeq;
  }

  add(seq: number, end: EndRecord): void {
    if (this.#isFlushed) return;
    this.#firstEndSeq ??= seq;
    this.#sums.add(end);
  }

  /** A start reads rows from here on one by one, because the database has some of their ends. */
  markFlushed(seq: number): void {
    if (seq >= this.#fromSeq) this.#isFlushed = true;
  }

  /** Returns the index that is due at `nextSeq`. Null: none is due, or its rows need none. */
  take(nextSeq: number, listOpenSeqs: () => readonly number[]): RowIndex | null {
    if (nextSeq % this.#rowsPerIndex !== 0) return null;
    const index = this.#isFlushed ? null : this.#makeIndex(listOpenSeqs);
    this.#firstEndSeq = null;
    this.#fromSeq = index === null ? nextSeq : nextSeq + 1;
    this.#sums = new SegmentSums();
    this.#isFlushed = false;
    return index;
  }

  #makeIndex(listOpenSeqs: () => readonly number[]): RowIndex | null {
    const fromSeq = this.#fromSeq;
    const firstEndSeq = this.#firstEndSeq;
    if (firstEndSeq === null) return null;
    const { ends } = this.#sums;
    const spend = this.#sums.listSpend();
    return { fromSeq, firstEndSeq, ends, spend, openSeqs: listOpenSeqs() };
  }
}

/** Numbers after `afterSeq` that an index can have. */
export function listIndexSeqs(rowsPerIndex: number, afterSeq: number, lastSeq: number): number[] {
  const seqs: number[] = [];
  const first = Math.floor(afterSeq / rowsPerIndex) + 1;
  for (let at = first; at * rowsPerIndex <= lastSeq; at++) seqs.push(at * rowsPerIndex);
  return seqs;
}
